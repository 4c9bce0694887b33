"""The sandbox: choose images, a strategy and weights, correct, and see at once what it does.

For demonstrations and teaching, outside any study: the paper's parameter panel (section 3.4). One
person at one computer; a head learns on kept features, so that a round takes about a second. What
is drawn is held in memory and gone when it stops; there is no log.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from apps.web.stimuli import Maps, pack_regions, shares
from study import cycle
from study.acquisition import build as build_strategy
from study.acquisition.registry import STRATEGIES
from study.annotation import Annotation
from study.config import StudyConfig, StudyFile, parse
from study.config.design import InterfaceName
from study.config.file import read_toml
from study.cycle import Metrics, Needs, Sight
from study.data.dataset import Dataset
from study.directory import StudyDirectory
from study.errors import UserError
from study.interfaces import DIALOGUE, interface
from study.learning.learner import Learner
from study.learning.superpixels import layer
from study.loop import TaskLoop
from study.seeds import seed

OWN = "own"
DATASETS: dict[str, dict[str, Any] | None] = {
    OWN: None,
    "beside": {"scene": "beside", "bias": 0.95},
    "background": {"scene": "background", "bias": 0.95},
}
"""The study file's own images, and drawn ones for teaching."""
DRAWN = {"kind": "scenes", "train": 600, "val": 60, "test": 200, "balanced": 200}
KEPT = ("name", "title", "seed", "dataset", "model", "pretraining", "guidance", "fine_tuning")
"""What the sandbox takes of a study file; nobody is asked anything in it."""
log = logging.getLogger(__name__)


class Panel(BaseModel):
    """What can be chosen before START."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: Literal["own", "beside", "background"] = "own"
    interface: InterfaceName = "click"
    strategy: str = "entropy"
    candidates: Annotated[int, Field(ge=1, le=256)] = 16
    w_g: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = 0.75
    w_c: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = 0.25
    anchor: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.05


def strategies() -> list[str]:
    """What can choose candidates without a whole training to look back on."""
    return [name for name, make in STRATEGIES.items() if not make().needs_predictions]


def panel_of(said: dict[str, Any]) -> Panel:
    """What a page says was chosen.

    Raises:
        UserError: one sentence about the first field that cannot be.
    """
    try:
        panel = Panel.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise UserError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if panel.interface == DIALOGUE.name:
        raise UserError("interface: here one interface is chosen, and a dialogue chooses itself")
    if panel.strategy not in strategies():
        raise UserError(f"strategy: there is no {panel.strategy!r} here")
    return panel


def config_of(file: StudyFile, panel: Panel) -> StudyConfig:
    """A study file's images and classifier, with what the panel says, for a head that learns."""
    values = {key: value for key, value in read_toml(file.path)[0].items() if key in KEPT}
    drawn = DATASETS[panel.dataset]
    if drawn is not None:
        values["dataset"] = DRAWN | drawn
    values["acquisition"] = {"active": panel.strategy}
    values["guidance"] = values.get("guidance", {}) | {"w_g": panel.w_g, "w_c": panel.w_c}
    values["fine_tuning"] = {"train": "head", "anchor": panel.anchor}
    values["conditions"] = [{"interface": panel.interface, "sampling": "active"}]
    config = parse(values, "the sandbox")
    return config.for_condition(config.conditions[0])


@dataclass
class Round:
    """Candidates that were chosen at once, and what was drawn on them."""

    number: int
    indices: list[int]
    names: tuple[str, ...]
    labels: tuple[str, ...]
    maps: Maps
    drawn: dict[int, Annotation] = field(default_factory=dict)
    tuned: bool = False


@dataclass
class Run:
    """What began with one START."""

    number: int
    panel: Panel
    config: StudyConfig
    loop: TaskLoop
    data: Dataset
    beginning: Learner
    learner: Learner
    sights: list[Sight]
    metrics: list[Metrics]
    seconds: list[float] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)

    def annotations(self) -> dict[int, Annotation]:
        """Everything drawn so far, by index into the pool."""
        return {each.indices[i]: drawn for each in self.rounds for i, drawn in each.drawn.items()}

    @property
    def frozen(self) -> list[Round]:
        """Rounds that the model has learnt from."""
        return [each for each in self.rounds if each.tuned]


class Sandbox:
    """One person's sandbox.

    Args:
        file: says which images and which classifier.
        folder: keeps decoded images, features and first models; nothing that anybody did.
        device: ``auto``, ``cpu``, ...
    """

    def __init__(self, file: StudyFile, folder: Path, device: str = "auto") -> None:
        self.file = file
        self.folder = folder
        self.device = device
        self.run: Run | None = None
        self.problem = ""
        self.job: dict[str, Any] | None = None
        self._count = 0
        self._lock = threading.RLock()
        # one thread: learning and selecting come one after the other
        self._work = ThreadPoolExecutor(1)
        self._loops: dict[str, TaskLoop] = {}
        self._ids: set[str] = set()

    # -- START, FINE-TUNE, STOP ------------------------------------------------------------

    def start(self, panel: Panel) -> None:
        """START: a new run, from the biased classifier.

        Raises:
            UserError: when the file and the panel do not go together.
        """
        config = config_of(self.file, panel)
        with self._lock:
            self.stop()
            self._count += 1
            number = self._count
        self._do("Select", functools.partial(self._begin, number, panel, config))

    def stop(self) -> None:
        """STOP: what was done is forgotten."""
        with self._lock:
            self._count += 1  # what is under way is for a run that nobody has any more
            self.run, self.job, self.problem = None, None, ""
            self._ids.clear()

    def accept(self, position: int, index: int, annotation: Annotation, id: str) -> None:
        """An image of the current round is confirmed; saying it twice changes nothing."""
        with self._lock:
            run = self.run
            if run is None or position != run.number or id in self._ids:
                return
            current = run.rounds[-1]
            if not current.tuned and 0 <= index < len(current.indices):
                self._ids.add(id)
                current.drawn[index] = annotation

    def fine_tune(self) -> None:
        """FINE-TUNE, once every candidate of the round is done."""
        with self._lock:
            if self.step() == "FineTune" and self.job is None:
                run = self.run
                assert run is not None
                self._do("FineTune", functools.partial(self._tune, run))

    def _do(self, step: str, work: Callable[[], None]) -> None:
        number = self._count

        def done() -> None:
            try:
                work()
            except Exception as error:
                log.exception("the sandbox could not go on")
                with self._lock:
                    if number == self._count:
                        self.run = None
                        self.problem = str(error) or type(error).__name__
            finally:
                with self._lock:
                    if number == self._count:
                        self.job = None

        with self._lock:
            self.job = {
                "step": step, "what": "", "done": 0, "total": 0, "began": time.monotonic(),
            }  # fmt: skip
        self._work.submit(done)

    def _progress(self, what: str, done: int, total: int) -> None:
        """How far the job is; of what follows something else, one knows nothing at first."""
        with self._lock:
            if self.job is None:
                return
            if (what, total) != (self.job["what"], self.job["total"]):
                self.job |= {"began": time.monotonic(), "first": done}
            self.job |= {"what": what, "done": done, "total": total}

    def _telling(self, what: str) -> Callable[[int, int], None]:
        return functools.partial(self._progress, what)

    def wait(self, timeout: float = 120.0) -> None:
        """Until the machine has nothing to do (for tests)."""
        self._work.submit(lambda: None).result(timeout)

    # -- the machine's work ----------------------------------------------------------------

    def _begin(self, number: int, panel: Panel, config: StudyConfig) -> None:
        loop = self._loop(config)
        needs = Needs.of(config, build_strategy(config.acquisition))
        data = loop.start.data(config, self._telling("features"))
        learner = loop.start.learner(config, needs)
        run = Run(
            number, panel, config, loop, data, learner, learner,
            [cycle.see(cycle.predictor(learner, config), data["val"].items, loop.device)],
            [loop.start.metrics],
        )  # fmt: skip
        self._choose(run)
        with self._lock:
            if number == self._count:
                self.run = run

    def _loop(self, config: StudyConfig) -> TaskLoop:
        """Images and the biased classifier of a configuration, made once and kept on the disk."""
        own = {part: getattr(config, part).model_dump(mode="json") for part in KEPT[3:6]}
        own |= {"seed": config.seed, "file": str(self.file.path)}
        name = hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:12]
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        file = StudyFile(self.file.path, config, name)
        known = self._loops.get(name)
        if known is None:
            reading = self._telling("read")
            known = TaskLoop(file, StudyDirectory(path), self.device, reading)
            self._loops[name] = known
        known.start.prepare(Needs(), self._telling("train"), self._telling("features"))
        return known

    def _choose(self, run: Run) -> None:
        """The next candidates, with what the model looks at on them."""
        number = len(run.rounds) + 1
        images = run.data["train"].items
        picked = cycle.select(
            run.learner,
            images,
            list(run.annotations()),
            run.panel.candidates,
            build_strategy(run.config.acquisition),
            run.config,
            self._stream(run),
            number,
            run.loop.device,
        ).tolist()
        pool = run.loop.pool
        model = cycle.predictor(run.learner, run.config)
        maps = cycle.see(model, images.subset(picked), run.loop.device).maps
        names = tuple(pool.names[i] for i in picked)
        labels = tuple(pool.classes[int(pool.asked[i])] for i in picked)
        run.rounds.append(Round(number, picked, names, labels, maps))

    def _tune(self, run: Run) -> None:
        began = time.perf_counter()
        needs = Needs.of(run.config, build_strategy(run.config.acquisition))
        number = len(run.rounds)
        learner, _ = cycle.tune(
            run.learner,
            run.beginning,
            run.data["train"].items,
            run.annotations(),
            run.config,
            needs,
            self._stream(run),
            number,
            run.loop.device,
            self._telling("train"),
        )
        seconds = time.perf_counter() - began
        model = cycle.predictor(learner, run.config)
        sight = cycle.see(model, run.data["val"].items, run.loop.device)
        metrics = cycle.measure(model, run.data, run.loop.device)
        with self._lock:
            run.learner = learner
            run.rounds[-1].tuned = True
            run.sights.append(sight)
            run.metrics.append(metrics)
            run.seconds.append(seconds)
        self._choose(run)

    def _stream(self, run: Run) -> cycle.Stream:
        return functools.partial(seed, run.config.seed, "sandbox")

    # -- what is shown ---------------------------------------------------------------------

    def step(self) -> str:
        """What comes next: Panel, Select, Annotate or FineTune."""
        with self._lock:
            run = self.run
            if run is None:
                return "Select" if self.job else "Panel"
            current = run.rounds[-1]
            if current.tuned:  # the next candidates are being chosen
                return "Select"
            return "FineTune" if len(current.drawn) >= len(current.indices) else "Annotate"

    def state(self) -> dict[str, Any]:
        """What the workspace is told; the same words as in a study."""
        with self._lock:
            step, run = self.step(), self.run
            state: dict[str, Any] = {
                "page": "panel" if step == "Panel" else "workspace",
                "step": step,
                "place": {"stages": ["Sandbox"], "current": 0, "share": 0.0},
                "paused": False,
                "now": time.time(),
                "problem": self.problem,
            }
            if self.job is not None:
                now = time.monotonic()
                done, total = self.job["done"], self.job["total"]
                new = done - self.job.get("first", 0)
                left = (total - done) * (now - self.job["began"]) / new if new > 0 else None
                state["job"] = {
                    "step": self.job["step"], "state": "running", "ahead": 0, "done": done,
                    "total": total, "seconds_left": left,
                }  # fmt: skip
                if run is None:
                    state["preparing"] = f"{self.job['what'] or 'train'} {done}/{total}"
            elif step != "Panel":
                state["job"] = None
            if run is not None:
                state["task"] = self._task(run)
                state["rounds"] = self.results(run)
                if step in ("Annotate", "FineTune"):
                    current = run.rounds[-1]
                    state["batch"] = {
                        "cycle": current.number,
                        "size": len(current.indices),
                        "page_size": min(len(current.indices), 64),
                        "done": sorted(current.drawn),
                        "learnt": None,
                    }
            return state

    def _task(self, run: Run) -> dict[str, Any]:
        return {
            "position": run.number,
            "interface": run.panel.interface,
            "images": len(run.annotations()),
            "budget": None,
            "clock": "none",
            "seconds_left": None,
            "over": False,
            "tuned": len(run.frozen),
            "feedback": "round",
            "learnt": None,
            "may_end": False,
            "rest": None,
        }

    def results(self, run: Run) -> list[dict[str, Any]]:
        """By round, the biased classifier first: images annotated, accuracy, seconds to learn."""
        images, found = 0, []
        for number, metrics in enumerate(run.metrics):
            images += len(run.rounds[number - 1].drawn) if number else 0
            found.append(
                {
                    "round": number,
                    "images": images,
                    "usual": metrics.get("test", {}).get("accuracy"),
                    "unusual": metrics.get("balanced", {}).get("conflicting_accuracy"),
                    "seconds": run.seconds[number - 1] if number else None,
                }
            )
        return found

    def gallery(self) -> dict[str, Any] | None:
        """Every validation image: which are right before and now; None without a run."""
        with self._lock:
            run = self.run
            if run is None:
                return None
            first, last = run.sights[0], run.sights[-1]
            val = run.data["val"].items
            moved = np.abs(shares(last.maps) - shares(first.maps)).sum((1, 2))
            kinds = {"usual images": "usual", "images with unusual surroundings": "unusual"}
            rows = self.results(run)
            return {
                "position": run.number,
                "cycle": len(run.sights) - 1,
                "tuned": len(run.frozen),
                "labels": [val.classes[int(label)] for label in val.asked],
                "moved": [float(value) for value in moved],
                "before": [bool(right) for right in first.correct],
                "after": [bool(right) for right in last.correct],
                "accuracy": {
                    kind: (rows[0][key], rows[-1][key])
                    for kind, key in kinds.items()
                    if rows[0][key] is not None
                },
            }

    def round(self, position: int, number: int) -> Round | None:
        """A round of the current run."""
        with self._lock:
            run = self.run
            if run is None or run.number != position or not 1 <= number <= len(run.rounds):
                return None
            return run.rounds[number - 1]

    def picture(self, split: str, index: int) -> Image.Image | None:
        """An image as people see it."""
        run = self.run
        if run is None or not 0 <= index < len(run.data[split].items):
            return None
        return run.loop.picture(split, index)

    def sight(self, number: int) -> Sight | None:
        """What the model looked at after so many rounds."""
        run = self.run
        return None if run is None or number >= len(run.sights) else run.sights[number]

    def regions(self, current: Round, index: int) -> bytes:
        """The superpixels of a candidate, or what is proposed, by the model that chose it."""
        run = self.run
        assert run is not None
        pool = run.loop.pool
        proposes = interface(run.panel.interface).proposes
        labels = layer(proposes, current.maps[index], *pool.size)
        return pack_regions(labels, pool.frame(current.indices[index]))
