"""Studies and benchmarks do the same cycle, and no image goes twice through a frozen trunk."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest
import tiny
import torch
from torch import Tensor

from simulators.benchmark import config as bench
from simulators.benchmark.run import Machine
from simulators.benchmark.state import State
from simulators.participant import Participant
from simulators.population import Population
from study import cycle
from study.acquisition import STRATEGIES
from study.config import load
from study.directory import StudyDirectory
from study.learning import features, models
from study.learning.learner import Learner
from study.learning.models import Classifier
from study.learning.parts import learning_part
from study.loop import TaskLoop
from study.protocol.events import BatchSelected, Evaluated
from study.protocol.session import Session, enrol
from study.protocol.steps import Done
from study.seeds import rng

STUDY = """
name = "one-cycle"
seed = 3
questionnaires = []
demographics = []
conditions = [{{ interface = "click", sampling = "active" }}]

[acquisition]
active = "{strategy}"
committee = 2

[task]
images = 8
batch = 4
page = 4

[practice]
items = 0

[breaks]
seconds = 0
"""
BENCH = """
name = "one-cycle"
seeds = [3]
interfaces = ["click"]
strategies = [{{ strategy = "{strategy}", committee = 2, label = "it" }}]
baseline = "it"

[budget]
batch = 4
cycles = 2
"""
HEAD = (
    "epochs = 1\n\n[fine_tuning]\nepochs = 1\n",
    'train = "head"\n\n[fine_tuning]\ntrain = "head"\n',
)
THROUGH_HEAD = tiny.learning().replace(*HEAD)


class Passes(Counter[str]):
    """How often each image, as it was or changed to a view, went through a trunk."""

    @property
    def most(self) -> int:
        return max(self.values(), default=0)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Passes:
    """Counts where images (not features) enter a network, whole or cut; not while it is trained."""
    counted, real, trained = Passes(), Classifier.stem, cycle.pretrain

    def stem(self: Classifier, images: Tensor) -> Tensor:
        if not images.is_floating_point():
            counted.update(hashlib.sha256(each.numpy().tobytes()).hexdigest() for each in images)
        return real(self, images)

    def pretrain(settings, *rest, **more):  # type: ignore[no-untyped-def]
        result = trained(settings, *rest, **more)
        if settings.pretraining.train == "all":
            counted.clear()
        return result

    monkeypatch.setattr(Classifier, "stem", stem)
    monkeypatch.setattr(cycle, "pretrain", pretrain)
    return counted


def _state(learner: Learner) -> list[Tensor]:
    return [
        value.clone()
        for model in (learner.model, *learner.members)
        for value in model.state_dict().values()
    ]


def _hold_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Selecting, seeing and measuring leave what they are given as it is."""
    select, see, measure = cycle.select, cycle.see, cycle.measure

    def unchanged(learner: Learner, do):  # type: ignore[no-untyped-def]
        before = _state(learner)
        result = do()
        assert all(map(torch.equal, before, _state(learner)))
        assert not any(p.grad is not None for p in learner.model.parameters())
        return result

    monkeypatch.setattr(
        cycle, "select", lambda one, *rest: unchanged(one, lambda: select(one, *rest))
    )
    for name, real in (("see", see), ("measure", measure)):
        monkeypatch.setattr(
            cycle,
            name,
            lambda model, *rest, real=real: unchanged(Learner(model), lambda: real(model, *rest)),
        )


def _study(folder: Path, strategy: str, learning: str) -> tuple[Session, TaskLoop]:
    """A study that one simulated participant has done."""
    torch.set_num_threads(1)
    folder.mkdir(exist_ok=True)
    (folder / "study.toml").write_text(STUDY.format(strategy=strategy) + learning)
    file = load(folder / "study.toml")
    directory = StudyDirectory.create(folder / "study", file)
    loop = TaskLoop(file, directory, "cpu")
    loop.prepare()
    session = enrol(directory.study(), "P01", "simulated", at=0.0)
    someone = Participant(session, loop, Population().draw(rng(1, "someone")), waiting=1.0)
    while not isinstance(step := session.step(), Done):
        someone.do(step)
    return session, loop


def _benchmark(
    folder: Path, session: Session, loop: TaskLoop, strategy: str, learning: str
) -> State:
    """The same task as a benchmark's run, with the hand of whoever did the study."""
    (folder / "bench.toml").write_text(BENCH.format(strategy=strategy) + learning)
    (run,) = bench.load(folder / "bench.toml").runs()
    drawn = session.progress.task(1).annotations()
    machine = Machine(run, loop.start, loop.device)
    machine.stream = loop._stream(session.progress, 1)

    def annotate(state: State, chosen, batch, sight) -> int:  # type: ignore[no-untyped-def]
        state.annotations.update(
            (index, drawn[name]) for index, name in zip(chosen.tolist(), batch.names, strict=True)
        )
        return len(chosen)

    machine._annotate = annotate  # type: ignore[method-assign]
    return machine.go(State(machine.beginning), lambda state: None)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_study_and_a_benchmark_are_the_same_cycle(
    strategy: str, tmp_path: Path, passes: Passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    _hold_still(monkeypatch)
    session, loop = _study(tmp_path, strategy, THROUGH_HEAD)
    assert passes.most == 1
    state = _benchmark(tmp_path, session, loop, strategy, THROUGH_HEAD)
    assert passes.most == 1  # what the study kept, the benchmark took
    log = [event.payload for event in session.study.store.events("P01")]
    pool = loop.pool.positions
    picked = [pool[name] for each in log if isinstance(each, BatchSelected) for name in each.images]
    assert list(state.annotations) == picked
    measured = [each.metrics for each in log if isinstance(each, Evaluated)]
    assert len(measured) == 3
    for number, metrics in enumerate(measured):
        for row in state.rows:
            if row["cycle"] == number:
                assert {name: row[name] for name in metrics[row["split"]]} == metrics[row["split"]]


def test_where_heads_and_blocks_learn_an_image_passes_the_trunk_once(
    tmp_path: Path, passes: Passes
) -> None:
    one = '{ interface = "click", sampling = "active" }'
    other = one.replace(" }", ', fine_tuning = { train = "block", epochs = 1 } }')
    text = STUDY.format(strategy="entropy").replace(
        one, f"{one}, {other.replace('active', 'random')}"
    )
    (tmp_path / "study.toml").write_text(text + THROUGH_HEAD)
    file = load(tmp_path / "study.toml")
    loop = TaskLoop(file, StudyDirectory.create(tmp_path / "study", file), "cpu")
    loop.prepare()
    pools = [loop.data(condition)["train"].features for condition in file.config.conditions]
    assert len({pool.shape for pool in pools if pool is not None}) == 2
    assert passes.most == 1


@pytest.mark.parametrize("mode", ["checkpoint", "head", "block"])
def test_a_trained_network_sees_no_image_twice_either(
    mode: str, tmp_path: Path, passes: Passes
) -> None:
    """Its training went through the trunk as it was; the trunk that is frozen then, once."""
    train = "block" if mode == "block" else "head"
    learning = tiny.learning().replace(
        "[fine_tuning]\nepochs = 1\n", f'[fine_tuning]\ntrain = "{train}"\nepochs = 2\n'
    )
    if mode == "checkpoint":
        _, loop = _study(tmp_path / "given", "entropy", learning)
        given = f'checkpoint = "{loop.directory.pretrained}"\n'
        learning = learning.replace('name = "small"\n', f'name = "small"\n{given}')
        passes.clear()
    _study(tmp_path / "own", "self-consistency", learning)
    assert passes.most == 1
    assert len(passes) > 40  # views are changed images, and the test splits went through as well


def test_half_the_bits_are_asked_of_the_head_that_pretraining_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head that it begins with says one half of everything, and would let them pass."""
    (tmp_path / "study.toml").write_text(STUDY.format(strategy="entropy") + THROUGH_HEAD)
    file = load(tmp_path / "study.toml")

    def started(name: str, tolerance: float) -> TaskLoop:
        monkeypatch.setattr(features, "TOLERANCE", tolerance)
        loop = TaskLoop(file, StudyDirectory.create(tmp_path / name, file), "cpu")
        loop.prepare()
        return loop

    exact = started("exact", 0.0)
    images = exact.start.data(exact.config)["train"].inputs
    assert images.dtype == torch.float32

    def moved(model: Classifier) -> float:
        late = learning_part(model, "head")
        with torch.no_grad():
            change = late(images).softmax(1) - late(images.half().float()).softmax(1)
        return float(change.abs().max())

    first = models.build(file.config.model, 2, seed=0)
    assert first.linear is not None
    fitted = moved(exact.start.whole)
    assert moved(first) < fitted
    between = started("between", (moved(first) * fitted) ** 0.5)
    assert between.start.data(between.config)["train"].inputs.dtype == torch.float32
    above = started("above", 1.01 * fitted)
    assert above.start.data(above.config)["train"].inputs.dtype == torch.float16
