"""A small study, prepared once, served by real processes that a test may kill."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from scipy import ndimage

from apps.web.desk import Desk, Seat
from apps.web.stimuli import unpack_regions
from simulators.hands.correct import worst
from study.annotation import Annotation
from study.config import load
from study.directory import StudyDirectory
from study.interfaces import OURS, interface
from study.interfaces.growing import regrown
from study.interfaces.judging import overlap
from study.interfaces.verify import right_answer
from study.protocol.events import (
    Consented,
    Described,
    Enrolled,
    Event,
    Instructed,
    Payload,
    Practised,
    TaskStarted,
)
from study.protocol.session import enrol
from study.protocol.steps import (
    Consent,
    Demographics,
    Instructions,
    Practice,
    StartTask,
)
from tests.apps.browser.person import VIEWPORT, Person, launch

CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "a long password"
STUDY = """
name = "browser"
title = "What should the computer look at?"
seed = 3
[dataset]
kind = "scenes"
size = 64
train = 60
val = 12
test = 16
balanced = 16
[model]
name = "small"
width = 4
[pretraining]
epochs = 1
[fine_tuning]
epochs = {epochs}
[acquisition]
active = "entropy"
[task]
images = {images}
batch = {batch}
page = {page}
[practice]
items = 1
polygon_iou = 0.2
[breaks]
seconds = 1
[attention_checks]
every = {every}
radius = 0.1
[factors]
{factors}
[sequences]
plan = "listed"
listed = {listed}
{more}
"""


EVERY = (*OURS, "dialogue")
CONDITIONS = """
[dialogue]
interfaces = ["correct", "verify5", "paint"]
""" + "".join(
    f'[[conditions]]\ninterface = "{name}"\nsampling = "random"\n' for name in EVERY
) + '[conditions.fine_tuning]\ntrain = "head"\n'  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            # frames are timed: not while tests of clusters start a dozen processes beside it
            item.add_marker(pytest.mark.xdist_group("many processes"))
            if not CHROMIUM.exists():
                item.add_marker(pytest.mark.skip(reason="/usr/bin/chromium is not installed"))


def write_study(folder: Path, first: str = "click", **values: object) -> Path:
    """The study file, with the order of the interfaces that a test wants.

    With ``first`` "every" there is a condition for each interface, and one for a dialogue; each has
    a sequence that begins with it, by its place in :data:`EVERY`.
    """
    if first == "every":
        names = [f"{name}-random" for name in EVERY]
        turned = [names[i:] + names[:i] for i in range(len(names))]
        return _written(folder, values, factors="", listed=turned, more=CONDITIONS)
    second = "polygon" if first == "click" else "click"
    factors = "" if first in ("click", "polygon") else f'interface = ["{first}", "{second}"]'
    names = [f"{name}-{sampling}" for sampling in ("random", "active") for name in (first, second)]
    return _written(folder, values, factors=factors, listed=[names], more="")


def _written(folder: Path, values: dict[str, object], **rest: object) -> Path:
    settings = {"images": 4, "batch": 3, "page": 2, "every": 3, "epochs": 2} | values | rest
    path = folder / "study.toml"
    path.write_text(STUDY.format(**settings))
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Served:
    """``clickstudy serve`` on a study file; its processes can be killed and started again."""

    def __init__(self, study: Path, out: Path) -> None:
        self.study, self.out = study, out
        StudyDirectory.create(out, load(study))
        self.desk = Desk(out)
        self.port = free_port()
        self.start()

    def start(self) -> None:
        environment = os.environ | {"CLICKSTUDY_PASSWORD": PASSWORD, "OMP_NUM_THREADS": "1"}
        command = [
            sys.executable, "-m", "apps.commands.serve", str(self.study), "--out", str(self.out),
            "--port", str(self.port), "--device", "cpu",
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
        )
        self.wait()

    def wait(self, timeout: float = 60) -> None:
        """Until the web process answers."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(
                    f"http://127.0.0.1:{self.port}/_stcore/health", timeout=2
                ).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("the web process does not answer")

    def child(self, module: str) -> int:
        """The process id of the web process (apps.web.server) or the worker (apps.web.worker)."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        for pid in " ".join(path.read_text() for path in children).split():
            if module in Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
                return int(pid)
        raise LookupError(module)

    def kill(self, module: str) -> None:
        """SIGKILL a child; the supervisor starts it again."""
        os.kill(self.child(module), signal.SIGKILL)

    def kill_everything(self) -> None:
        """SIGKILL the supervisor; its children have to notice by themselves."""
        children = [self.child("apps.web.server"), self.child("apps.web.worker")]
        self.process.kill()
        self.process.wait()
        end = time.monotonic() + 10
        while any(_alive(pid) for pid in children):
            assert time.monotonic() < end, "a child outlived the supervisor"
            time.sleep(0.1)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def link(self, participant: str) -> str:
        return f"http://127.0.0.1:{self.port}/?p={self.desk.token(participant)}"

    def enrolled(self, participant: str, sequence: int | None = None) -> Seat:
        """A new participant's seat; ``sequence``: of the study's, which one it gets."""
        study = self.desk.layout.study
        if sequence is None:
            enrol(study, participant, "pilot", time.time())
        else:
            order = study.config.sequences.listed[sequence]
            given = Enrolled(sequence=sequence, order=order)
            event = Event.of(
                given, participant=participant, mode="pilot", study_hash=study.hash, at=time.time()
            )
            study.store.append([event])
        seat = self.desk.seat(participant)
        assert seat is not None
        return seat

    def at_work(self, participant: str, sequence: int | None = None) -> Seat:
        """A new participant who has done everything up to the first task."""
        return self.to_work(self.enrolled(participant, sequence))

    def to_work(self, seat: Seat) -> Seat:
        """Let somebody do everything up to the first task."""
        while True:
            step = seat.step()
            said: Payload
            match step:
                case Consent():
                    said = Consented()
                case Demographics():
                    said = Described(answers={})
                case Instructions(interface=interface):
                    said = Instructed(interface=interface)
                case Practice(interface=interface, attempt=attempt):
                    said = Practised(
                        interface=interface, attempt=attempt, image="x", correct=True,
                        annotation=Annotation(), seconds=1.0,
                    )  # fmt: skip
                case StartTask(position=position):
                    seat.record(TaskStarted(position=position))
                    return seat
                case _:
                    time.sleep(0.2)  # the baseline is still being made
                    continue
            seat.record(said)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


class Participant(Person):
    """A scripted person who knows the masks, and so does practice rightly."""

    def __init__(
        self, page: Page, served: Served, name: str, shot: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(page, served.link(name), shot)
        self.seat = served.desk.seat(name)
        self.stimuli = served.desk.layout.stimuli

    def object_of(
        self, practice: dict[str, object]
    ) -> tuple[float, float, list[tuple[float, float]]]:
        assert self.seat is not None
        step = self.seat.session.step()
        assert isinstance(step, Practice)
        mask = self.stimuli.practice_mask(self.seat.practice_item(step))
        assert mask is not None
        rows, columns = np.nonzero(mask)
        middle = len(rows) // 2
        left, right = columns.min() / mask.shape[1], (columns.max() + 1) / mask.shape[1]
        top, bottom = rows.min() / mask.shape[0], (rows.max() + 1) / mask.shape[0]
        around = [(left, top), (right, top), (right, bottom), (left, bottom)]
        x, y = (columns[middle] + 0.5) / mask.shape[1], (rows[middle] + 0.5) / mask.shape[0]
        return x, y, [(float(a), float(b)) for a, b in around]

    def answer_of(self, practice: dict[str, Any]) -> int:
        assert self.seat is not None
        step = self.seat.session.step()
        assert isinstance(step, Practice)
        index = self.seat.practice_item(step)
        mask = self.stimuli.practice_mask(index)
        assert mask is not None
        shown = unpack_regions(self.stimuli.practice_regions_path(index, True).read_bytes())
        answers = interface(step.interface).answers
        return answers.index(right_answer(shown == 1, mask, answers))

    def corrections_of(self, practice: dict[str, Any]) -> list[tuple[str, tuple[float, float]]]:
        assert self.seat is not None
        step = self.seat.session.step()
        assert isinstance(step, Practice)
        index = self.seat.practice_item(step)
        mask = self.stimuli.practice_mask(index)
        assert mask is not None
        shown = unpack_regions(self.stimuli.practice_regions_path(index, True).read_bytes()) == 1
        validation = self.stimuli.validation()
        assert validation is not None
        path = self.stimuli.image_path("val", validation.names[index])
        assert path is not None
        colours = np.asarray(Image.open(path).convert("RGB").resize(mask.shape[::-1]))
        clicks: list[tuple[str, tuple[float, float]]] = []
        region = shown
        while overlap(region, mask) < 0.5 and len(clicks) < 8:
            missing, fault = worst(region, mask)
            depth = ndimage.distance_transform_edt(np.pad(fault, 1))[1:-1, 1:-1]
            row, column = np.unravel_index(int(depth.argmax()), mask.shape)
            spot = (float(column + 0.5) / mask.shape[1], float(row + 0.5) / mask.shape[0])
            clicks.append(("left" if missing else "right", spot))
            grow, shrink = (
                [spot for button, spot in clicks if button == which] for which in ("left", "right")
            )
            region = regrown(shown, grow, shrink, colours)
        return clicks

    def region_of(self, key: str) -> tuple[float, float] | None:
        """A pixel of the largest region that is not what no colour lies on."""
        parts = key.split("/")
        mask = None
        if parts[0] == "practice":
            assert self.seat is not None
            step = self.seat.session.step()
            assert isinstance(step, Practice)
            index = self.seat.practice_item(step)
            path, mask = (
                self.stimuli.practice_regions_path(index),
                self.stimuli.practice_mask(index),
            )
        else:
            assert self.seat is not None
            position, cycle, index = map(int, parts)
            path = self.stimuli.regions_path(self.seat.participant, position, cycle, index)
        regions = unpack_regions(path.read_bytes())
        sizes = np.bincount(regions.ravel())
        sizes[sizes > regions.size / 2] = 0
        for label in sizes.argsort()[::-1]:
            region = regions == label
            if not sizes[label] or (
                mask is not None and (region & mask).sum() > 0.4 * region.sum()
            ):
                continue
            rows, columns = np.nonzero(region)
            middle = len(rows) // 2
            height, width = regions.shape
            return float((columns[middle] + 0.5) / width), float((rows[middle] + 0.5) / height)
        return None


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study directory's cache and biased model: made once, copied by every served study."""
    from apps.web.worker import Worker

    folder = tmp_path_factory.mktemp("prepared")
    file = load(write_study(folder))
    StudyDirectory.create(folder / "run", file)
    Worker(folder / "run", "cpu").prepare()
    return folder / "run"


@pytest.fixture(scope="session")
def serve(
    prepared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Served]]:
    """Serve a study that differs from the prepared one in its protocol only."""
    running: list[Served] = []

    def begin(first: str = "click", **values: object) -> Served:
        folder = tmp_path_factory.mktemp("served")
        out = folder / "run"
        shutil.copytree(
            prepared, out, ignore=shutil.ignore_patterns("study.toml", "events.sqlite*", "serving")
        )
        running.append(Served(write_study(folder, first, **values), out))
        return running[-1]

    yield begin
    for served in running:
        served.stop()


@pytest.fixture(scope="session")
def clicking(serve: Callable[..., Served]) -> Served:
    """A served study that begins with clicks: one round of 24 images, no attention checks."""
    return serve("click", images=24, batch=24, page=12, every=0)


@pytest.fixture(scope="session")
def tracing(serve: Callable[..., Served]) -> Served:
    """A served study that begins with polygons."""
    return serve("polygon", images=12, batch=12, page=12, every=0)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    found = launch(playwright)
    yield found
    found.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=VIEWPORT)
    yield context.new_page()
    context.close()
