"""Heads that learn between two images: the same from any process, and what a round would do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from simulators.participant import Participant
from simulators.population import Population
from study import live
from study.annotation import Annotation
from study.config import GuidanceConfig, StudyFile, load
from study.directory import StudyDirectory
from study.errors import UserError
from study.learning.learner import Learner
from study.loop import TaskLoop
from study.protocol.events import Evaluated, FineTuned, HeadTuned, ItemAnnotated
from study.protocol.session import Session, enrol
from study.protocol.steps import Annotate, Done, FineTune, Step, TuneHead
from study.seeds import rng

LIVE = """
[fine_tuning]
train = "head"
[guidance]
score = "label"
[workspace]
feedback = "image"
preview = true
[acquisition]
active = "entropy"
"""


@pytest.fixture
def file(tiny_file: StudyFile) -> StudyFile:
    top = 'conditions = [{ interface = "click", sampling = "active" }]\nquestionnaires = []\n'
    text = tiny_file.path.read_text().replace("[fine_tuning]\nepochs = 2\n", "")
    tiny_file.path.write_text(top + text + LIVE)
    return load(tiny_file.path)


@pytest.fixture
def directory(file: StudyFile, tmp_path: Path) -> StudyDirectory:
    return StudyDirectory.create(tmp_path / "run", file)


@pytest.fixture
def loop(file: StudyFile, directory: StudyDirectory) -> TaskLoop:
    return loop_of(file, directory)


@pytest.fixture
def session(directory: StudyDirectory) -> Session:
    return enrol(directory.study(), "P01", "simulated", at=0.0)


def loop_of(file: StudyFile, directory: StudyDirectory) -> TaskLoop:
    torch.set_num_threads(1)
    loop = TaskLoop(file, directory, "cpu")
    loop.prepare()
    return loop


def person_at(
    session: Session, loop: TaskLoop, kind: type[Step] = Done, images: int = 0
) -> Participant:
    """A simulated participant at the first step of a kind with so many images annotated."""
    someone = Participant(session, loop, Population().draw(rng(1, "someone")), waiting=1.0)
    for _ in range(300):
        step = session.step()
        annotated = sum(task.images for task in session.progress.tasks)
        if isinstance(step, Done) or (isinstance(step, kind) and annotated >= images):
            return someone
        someone.do(step)
    raise AssertionError("never reached")


def weights(learner: Learner) -> list[float]:
    return torch.cat([p.detach().flatten() for p in learner.model.parameters()]).tolist()


def said(session: Session) -> list[tuple[str, dict[str, object]]]:
    """The log without what a clock measured."""
    payloads = [event.payload for event in session.study.store.events(session.participant)]
    measured = {"seconds", "waiting_seconds"}
    return [
        (payload.key, payload.model_dump(exclude=set() if drawn else measured))
        for payload in payloads
        for drawn in [isinstance(payload, ItemAnnotated)]
    ]


def test_a_whole_task_learns_after_each_image(loop: TaskLoop, session: Session) -> None:
    person_at(session, loop)
    payloads = [event.payload for event in session.study.store.events("P01")]
    updates = [payload for payload in payloads if isinstance(payload, HeadTuned)]
    assert [update.items for update in updates] == [1, 2, 3, 4, 5, 6]
    assert all(0 < update.steps <= live.STEPS for update in updates)
    assert not any(update.problem for update in updates)
    items = [payload for payload in payloads if isinstance(payload, ItemAnnotated)]
    assert [item.learnt for item in items] == [0, 1, 2, 3, 4, 5]
    # what a round's end measures is the head that learnt from the round's last image
    progress = session.progress
    for number, known in ((1, 4), (2, 6)):
        updated = [items for items in progress.task(1).updates if items <= known]
        kept, newest = loop.learner(progress, 1, number), loop._head(progress, 1, updated)
        assert weights(kept) == weights(newest)
    measured = [payload for payload in payloads if isinstance(payload, Evaluated)]
    assert len({str(each.metrics) for each in measured}) > 1
    # how alike each map was to those before it is logged with the update, and comes into quality
    alike = [value for update in updates for value in update.similarities]
    assert len(alike) == 6
    assert alike[0] is None
    assert all(0 <= value <= 1 for value in alike[1:] if value is not None)
    order = [item.image for item in items]
    told = {
        q.image: q.map_similarity for p in payloads if isinstance(p, FineTuned) for q in p.quality
    }
    assert [told[name] for name in order] == alike


def test_the_next_image_is_seen_by_a_head_that_knows_the_last(
    loop: TaskLoop, session: Session
) -> None:
    someone = person_at(session, loop, Annotate)
    step = session.step()
    assert isinstance(step, Annotate)
    before = loop.attention(session.progress, 1, 1, step.images)
    someone.do(step)
    # nothing is learnt yet: what was shown is still what would be shown
    assert np.array_equal(loop.attention(session.progress, 1, 1, step.images), before)
    someone.do(session.step())
    assert not np.allclose(loop.attention(session.progress, 1, 1, step.images), before)


def test_a_head_that_was_lost_learns_the_same_again(
    file: StudyFile, directory: StudyDirectory, loop: TaskLoop, session: Session
) -> None:
    person_at(session, loop, FineTune, images=6)
    progress = session.progress
    updates = progress.task(1).updates
    here = weights(loop._head(progress, 1, updates))
    # another process finds the file
    assert weights(loop_of(file, directory)._head(progress, 1, updates)) == here
    # and without it, the log
    directory.head("P01", 1).unlink()
    assert weights(loop_of(file, directory)._head(progress, 1, updates)) == here
    # a file that is ahead of the log, or damaged, is not believed
    earlier = weights(loop_of(file, directory)._head(progress, 1, updates[:3]))
    directory.head("P01", 1).write_bytes(b"not a head")
    assert weights(loop_of(file, directory)._head(progress, 1, updates[:3])) == earlier
    assert earlier != here
    # a cycle's model is made again by the same updates
    cycle = weights(loop.learner(progress, 1, 1))
    directory.model("P01", 1, 1).unlink()
    directory.head("P01", 1).unlink()
    assert weights(loop_of(file, directory).learner(progress, 1, 1)) == cycle


@pytest.mark.parametrize("after", [TuneHead, Annotate])
def test_a_participant_who_was_killed_goes_on_as_if_nothing_had_happened(
    after: type[Step], file: StudyFile, tmp_path: Path
) -> None:
    logs = []
    for name in ("whole", "killed"):
        directory = StudyDirectory.create(tmp_path / name, file)
        session = enrol(directory.study(), "P01", "simulated", at=0.0)
        if name == "killed":
            person_at(session, loop_of(file, directory), after, images=3)
            session = Session(directory.study(), "P01")
        person_at(session, loop_of(file, directory))
        logs.append(said(session))
    assert logs[0] == logs[1]


def test_an_update_that_fails_is_said_and_the_head_stays(
    loop: TaskLoop, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone = person_at(session, loop, TuneHead)
    before = weights(loop._head(session.progress, 1, []))

    def fails(*args: object, **more: object) -> None:
        raise RuntimeError("out of memory\nand more")

    with monkeypatch.context() as broken:
        broken.setattr(live, "update", fails)
        someone.do(session.step())
    (update,) = [
        event.payload
        for event in session.study.store.events("P01")
        if isinstance(event.payload, HeadTuned)
    ]
    assert (update.problem, update.steps) == ("out of memory", 0)
    progress = session.progress
    assert progress.task(1).updates == []
    assert weights(loop._head(progress, 1, progress.task(1).updates)) == before
    assert isinstance(session.step(), Annotate)


def test_a_preview_moves_this_images_attention_and_nothing_else(
    loop: TaskLoop, session: Session
) -> None:
    person_at(session, loop, Annotate, images=2)
    step = session.step()
    assert isinstance(step, Annotate)
    name = step.remaining[0]
    now = loop.attention(session.progress, 1, 1, [name])[0]
    assert np.allclose(loop.preview(session.progress, 1, name, Annotation()), now)
    rows, columns = now.shape

    def share(grid: np.ndarray) -> float:
        """Attention in the corner's quarter, of all."""
        return float(grid[: rows // 2, : columns // 2].sum() / grid.sum())

    corner = Annotation(positive_points=((0.15, 0.15),))
    assert share(loop.preview(session.progress, 1, name, corner)) > share(now)
    assert np.array_equal(loop.attention(session.progress, 1, 1, [name])[0], now)


@pytest.mark.parametrize("images", [1, 2, 6])
def test_few_images_move_a_head_no_more_than_a_batch_allows_them(
    loop: TaskLoop, session: Session, images: int
) -> None:
    """The pull stands against the sum of the losses until a batch is annotated, then the mean."""
    person_at(session, loop, FineTune, images=6)
    progress, task = session.progress, session.progress.task(1)
    positions = loop.pool.positions
    known = {positions[name]: drawn for name, drawn in list(task.annotations().items())[:images]}
    condition = loop.config.for_condition(task.condition)
    beginning = loop.learner(progress, 1, 0)

    def after(batch: int, anchor: float) -> torch.Tensor:
        here = condition.model_copy(
            update={
                "task": condition.task.model_copy(update={"batch": batch}),
                "fine_tuning": condition.fine_tuning.model_copy(update={"anchor": anchor}),
            }
        )
        pool = loop.start.data(here)["train"]
        learner, _ = live.update(
            beginning, beginning, pool, known, here, lambda *names: 0, images, loop.device
        )
        return torch.tensor(weights(learner))

    assert torch.equal(after(4 * images, 0.1), after(images, 0.4))
    assert torch.equal(after(1, 0.1), after(images, 0.1))  # a round's, from a batch on
    begun = torch.tensor(weights(beginning))
    moved = [float((after(batch, 0.1) - begun).norm()) for batch in (images, 64, 4096)]
    assert moved[0] > moved[1] > moved[2]
    assert moved[2] < 0.1 * moved[0]


def test_what_few_steps_minimise_has_no_edges_unless_the_file_says_so(loop: TaskLoop) -> None:
    config = loop.config
    assert live._of_an_update(config, 4).guidance.score == "label"
    auto = config.model_copy(update={"guidance": GuidanceConfig()})
    assert live._of_an_update(auto, 4).guidance == GuidanceConfig(score="rounded")


def test_a_strategy_that_looks_back_over_a_training_is_refused(
    file: StudyFile, directory: StudyDirectory
) -> None:
    text = file.path.read_text().replace('active = "entropy"', 'active = "label-dispersion"')
    file.path.write_text(text)
    with pytest.raises(UserError, match="click-active: label-dispersion looks back"):
        TaskLoop(load(file.path), directory, "cpu")
