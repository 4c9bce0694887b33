"""The speeds that we promise, measured side by side in one run: ``clickstudy benchmark --speed``.

Ratios, not seconds: both sides of every comparison run here, one after the other in turns, with
the same data. On a CPU they count processor time where one process is compared with itself, and
nothing else should run beside them.
"""

from __future__ import annotations

import copy
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from simulators.annotator import Shape
from simulators.batch import performed
from simulators.benchmark import sweep
from simulators.benchmark.config import BenchConfig, BenchFile
from simulators.crowd_speed import million
from simulators.head_speed import head_against_whole
from simulators.person import Person
from study.acquisition.balance import balanced_selection
from study.acquisition.coverage import k_center
from study.config import FineTuningConfig, GuidanceConfig, ModelConfig, ScenesConfig
from study.data import scenes
from study.device import pick_device
from study.errors import UserError
from study.files import write_atomically
from study.interfaces import OURS
from study.learning import models, tuning
from study.learning.attention import attention_maps
from study.learning.cost import step_cost
from study.learning.models import Classifier
from study.seeds import seed, torch_generator


@dataclass(frozen=True)
class Speed:
    """One promise and what became of it.

    Attributes:
        name: what is compared.
        ratio: what was measured, in the sense of ``target``.
        target: what it must be, with its comparison sign.
        holds: whether it is.
        detail: sizes, absolute times and the machine's part in them.
    """

    name: str
    ratio: float
    target: str
    holds: bool
    detail: str


@dataclass(frozen=True)
class Part:
    """Promises that are measured together.

    Attributes:
        words: what is measured.
        seconds: about how long it takes on one core: so much of the whole it is.
        go: measures, on a device.
    """

    words: str
    seconds: float
    go: Callable[[torch.device], Iterable[Speed]]


Told = Callable[[str, float, float], None]
"""Called with what is measured next, the share that is done, and the seconds left (about)."""


def measure(device: str = "auto", told: Told | None = None) -> Iterator[Speed]:
    """Every promise, on ``device`` where it has to do with one; minutes on two cores.

    Each is yielded when it is measured: whoever stops taking them has those.

    Raises:
        UserError: when the libraries that we compare ourselves with are not installed.
    """
    try:
        import pytorch_grad_cam  # noqa: F401
        import skactiveml  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"{error.name} is not installed, and --speed compares us with it: "
            f"pip install 'clickstudy[speed]'"
        ) from error
    return _in_order(PARTS, pick_device(device), told)


def _in_order(
    parts: Sequence[Part], device: torch.device, told: Told | None = None
) -> Iterator[Speed]:
    whole, done, began = sum(part.seconds for part in parts), 0.0, time.perf_counter()
    for part in parts:
        # this machine may be slower than the one on which the parts were timed
        pace = (time.perf_counter() - began) / done if done else 1.0
        if told is not None:
            told(part.words, done / whole, pace * (whole - done))
        yield from part.go(device)
        done += part.seconds


def write(path: Path, found: list[Speed]) -> None:
    """The list as JSON."""
    content = json.dumps([asdict(one) for one in found], indent=1)
    write_atomically(path, content.encode())


def _guided_step(device: torch.device) -> Iterator[Speed]:
    size = 224 if device.type == "cuda" else 112
    model = models.build(ModelConfig(name="resnet18"), 2, seed=0).to(device)
    cost = step_cost(model, _images(128, size), repeats=5)
    yield _at_most(
        "guided fine-tuning step / plain step",
        cost.ratio,
        1.10,
        f"ResNet-18, batch 128, {size} px, clicks; plain {cost.plain:.3f} s, "
        f"guided {cost.guided:.3f} s on {device}, one thread",
    )


def _attention(device: torch.device) -> Iterator[Speed]:
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    size, batch = (224, 256) if device.type == "cuda" else (112, 64)
    model = models.build(ModelConfig(name="resnet18"), 2, seed=0).to(device).eval()
    images = _images(2 * batch, size).to(device)
    labels = torch.arange(len(images), device=device) % 2

    def forward() -> None:
        with torch.no_grad():
            for part in images.split(batch):
                model(part)

    def ours() -> None:
        attention_maps(model, images, labels, device, batch)

    layers = [model.network.layer4[-1]]  # type: ignore[index]
    theirs = GradCAM(_Float(model), layers)

    def grad_cam() -> None:
        for part, wanted in zip(images.split(batch), labels.split(batch), strict=True):
            targets = [ClassifierOutputTarget(label) for label in wanted.tolist()]
            theirs(models.normalise_images(part), targets)

    plain, mapped, other = _in_turn(device, 5, forward, ours, grad_cam)
    detail = f"{len(images)} images of {size} px, ResNet-18, batch {batch} on {device}, one thread"
    yield _at_most(
        "attention for a pool / forward pass alone",
        mapped / plain,
        1.05,
        f"{detail}; forward {plain:.3f} s, with attention {mapped:.3f} s",
    )
    yield _at_least(
        "pytorch-grad-cam / attention for a pool",
        other / mapped,
        3.0,
        f"{detail}; pytorch-grad-cam {other:.3f} s, ours {mapped:.3f} s",
    )


class _Float(torch.nn.Module):
    """A classifier as pytorch-grad-cam takes it: its network, on normalised images."""

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.network = model.network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images)


def _k_center(device: torch.device) -> Iterator[Speed]:
    """On the CPU, whatever the device: scikit-activeml has no other."""
    from skactiveml.pool import CoreSet

    labelled, picks = 200, 256
    features = np.random.default_rng(0).normal(size=(20_000 + labelled, 512))
    known = np.full(len(features), np.nan)
    known[:labelled] = 0.0
    tensor = torch.from_numpy(features)
    k_center(tensor[:500], tensor[500:510], 5, None)  # the first product of a process is slow
    began = time.process_time()
    ours = k_center(tensor[labelled:], tensor[:labelled], picks, None)
    spent = time.process_time() - began
    began = time.process_time()
    theirs = CoreSet(random_state=0).query(features, known, batch_size=picks)
    other = time.process_time() - began
    same = (ours + labelled).tolist() == theirs.tolist()
    speed = _at_least(
        "scikit-activeml's CoreSet / k-center greedy",
        other / spent,
        10.0,
        f"20,000 x 512, {labelled} labelled, {picks} picks, "
        f"{'the same' if same else 'NOT THE SAME'}; scikit-activeml {other:.2f} s, ours "
        f"{spent:.2f} s of one core",
    )
    yield speed if same else replace(speed, holds=False)


def _balanced(device: torch.device) -> Iterator[Speed]:
    """On the CPU: flat probabilities (softmax of standard normal logits) and sharper ones."""
    for words, sharpness in (("", 1.0), (", logits x 3", 3.0), (", logits x 10", 10.0)):
        gaps, seconds = [], []
        for number in range(3):
            stream = np.random.default_rng(number)
            weights = np.exp(sharpness * stream.normal(size=(10_000, 100)))
            shares = weights / weights.sum(1, keepdims=True)
            entropy = -(shares * np.log(shares)).sum(1)
            began = time.process_time()
            found = balanced_selection(entropy, shares, np.full(100, 5.0), 500, 1.0)
            seconds.append(time.process_time() - began)
            gaps.append(found.gap)
        detail = (
            f"N=10,000, C=100, 500 picks by entropy, 5 wanted of each class, weight 1, softmax of "
            f"normal logits{words}; gaps {', '.join(f'{gap:.1e}' for gap in gaps)}; seconds "
            f"{', '.join(f'{second:.2f}' for second in seconds)} of one core"
        )
        name = f"class-balanced selection{words}"
        yield _at_most(f"{name}: gap to the bound", max(gaps), 1e-3, detail)
        yield _at_most(f"{name}: seconds", max(seconds), 3.0, detail)


def _annotation(device: torch.device) -> Iterator[Speed]:
    """With the paper's fine-tuning (150 epochs, batch 128) of the small network, the cheapest."""
    data = scenes.render(ScenesConfig(train=256, val=8, test=8, balanced=8))["train"]
    model = models.build(ModelConfig(name="small"), 2, seed=0).to(device)
    maps = attention_maps(model, data, device=device).float().cpu().numpy()
    masks = data.require_masks("--speed")
    for interface in OURS:
        began = time.perf_counter()
        keys = [seed(0, interface, number) for number in range(len(data))]
        items = performed(interface, masks, maps, Person(), Shape(), keys, device)
        drawn = [item.annotation for item in items]
        spent = time.perf_counter() - began
        epochs = 15
        config = FineTuningConfig(epochs=epochs)
        tuned = tuning.fine_tune(
            copy.deepcopy(model), data, drawn, config, GuidanceConfig(), 0, device
        )
        whole = tuned.seconds * FineTuningConfig().epochs / epochs
        yield _at_most(
            f"simulated annotation / fine-tuning of the same cycle, {interface}",
            spent / whole,
            0.05,
            f"256 scenes of 80 px: annotation {spent:.2f} s, 150 epochs of the small network "
            f"{whole:.1f} s (15 measured) on {device}, one thread",
        )


BENCH = {
    "name": "speed",
    "seeds": [0],
    "interfaces": OURS,
    "strategies": ["random", "entropy"],
    "budget": {"batch": 32, "cycles": 4},
    "dataset": {"kind": "scenes", "train": 400, "val": 50, "test": 200, "balanced": 200},
    "model": {"name": "small"},
    "pretraining": {"epochs": 2},
    "fine_tuning": {"epochs": 15, "batch": 16},
}


def _two_workers(where: torch.device) -> Iterator[Speed]:
    device = str(where)
    config = BenchConfig.model_validate_json(json.dumps(BENCH))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.toml"
        path.write_text("# made by --speed\n")
        file = BenchFile(path, config, "", b"")
        first = BenchFile(
            path, config.model_copy(update={"strategies": config.strategies[:1]}), "", b""
        )
        spent = []
        for workers in (1, 2):
            out = Path(folder) / str(workers)
            sweep.run(first, out, workers, device=device, progress=False)  # baseline and warm-up
            began = time.perf_counter()
            failed = sweep.run(file, out, workers, device=device, progress=False)
            spent.append(time.perf_counter() - began)
            if failed:
                raise UserError(f"--speed: a run failed ({failed[0].problem})")
    runs = len(config.interfaces) * (len(config.strategies) - 1)
    yield _at_least(
        "one worker / two workers",
        spent[0] / spent[1],
        1.7,
        f"{runs} runs of the small network, {spent[0]:.1f} s with one and {spent[1]:.1f} s "
        f"with two workers on {device}, {os.cpu_count()} cores, one thread each",
    )


def _in_turn(device: torch.device, repeats: int, *jobs: Callable[[], None]) -> list[float]:
    """Median seconds of each job, done in turns after one unmeasured turn."""
    clock = time.perf_counter if device.type != "cpu" else time.process_time
    spent: list[list[float]] = [[] for _ in jobs]
    for turn in range(repeats + 1):
        for job, times in zip(jobs, spent, strict=True):
            _wait(device)
            began = clock()
            job()
            _wait(device)
            if turn:
                times.append(clock() - began)
    return [statistics.median(times) for times in spent]


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _images(count: int, size: int) -> torch.Tensor:
    stream = torch_generator("speed")
    return torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=stream)


def _at_most(name: str, ratio: float, target: float, detail: str) -> Speed:
    return Speed(name, float(ratio), f"<= {target:g}", bool(ratio <= target), detail)


def _at_least(name: str, ratio: float, target: float, detail: str) -> Speed:
    return Speed(name, float(ratio), f">= {target:g}", bool(ratio >= target), detail)


def _million(device: torch.device) -> Iterator[Speed]:
    return (_at_most(*row) for row in million(device))


def _heads(device: torch.device) -> Iterator[Speed]:
    return (_at_most(*row) for row in head_against_whole(device))


def _alone(go: Callable[[torch.device], Iterable[Speed]]) -> Callable[..., Iterator[Speed]]:
    """Measured on one thread."""

    def measured(device: torch.device) -> Iterator[Speed]:
        with _threads(1):
            yield from go(device)

    return measured


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


PARTS = (
    Part("a guided step beside a plain one", 40, _alone(_guided_step)),
    Part("attention beside a forward pass", 40, _alone(_attention)),
    Part("k-center greedy", 30, _alone(_k_center)),
    Part("class-balanced selection", 30, _alone(_balanced)),
    Part("simulated annotation", 60, _alone(_annotation)),
    Part("a million simulated clicks", 45, _alone(_million)),
    Part("a head beside a whole network", 150, _alone(_heads)),
    Part("two workers", 60, _two_workers),
)
"""In the order in which they are measured."""
