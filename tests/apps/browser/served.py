"""Studies served by real processes, which a test may kill, and the people in them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from apps.web.desk import Desk, Seat
from study.annotation import Annotation
from study.config import load
from study.directory import StudyDirectory
from study.interfaces import OURS
from study.protocol.conditions import sequences
from study.protocol.events import (
    Answered,
    BatchSelected,
    Consented,
    Described,
    Enrolled,
    Event,
    Instructed,
    Payload,
    Practised,
    Rested,
    TaskStarted,
)
from study.protocol.steps import (
    Annotate,
    Break,
    Categorise,
    Consent,
    Demographics,
    Instructions,
    Practice,
    Questionnaire,
    Select,
    StartTask,
    Step,
)

CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "a long password"
STUDY = """
name = "browser"
questionnaires = ["paper", "own"]
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
[[instruments]]
name = "own"
title = "And this"
[[instruments.questions]]
key = "hurry"
text = "How hurried were you?"
kind = "scale"
low = 0
high = 100
step = 25
[[instruments.questions]]
key = "why"
text = "What made it hard?"
kind = "text"
[attention_checks]
every = {every}
radius = 0.1
[reveal]
items = {reveal}
sources = ["attention", "saliency"]
shares = [0.3]
seconds = 0.2
[sequences]
plan = "listed"
listed = {sequences}
{conditions}
"""
DIALOGUE = """[conditions.fine_tuning]
train = "head"
[dialogue]
interfaces = ["correct", "verify5", "paint"]
"""
EVERY = (*OURS, "dialogue")
"""All that a condition can have people do."""


def write_study(
    folder: Path,
    interfaces: Sequence[str] = ("click", "polygon"),
    samplings: Sequence[str] = ("random", "active"),
    **values: object,
) -> Path:
    """The study file, with a sequence that begins with each of the interfaces.

    A dialogue among some of them has to be the last.
    """
    turns = [[*interfaces[turn:], *interfaces[:turn]] for turn in range(len(interfaces))]
    settings = {"images": 4, "batch": 3, "page": 2, "every": 3, "epochs": 2, "reveal": 0} | values
    settings |= {
        "conditions": "".join(
            f'[[conditions]]\ninterface = "{name}"\nsampling = "{sampling}"\n'
            for sampling in samplings
            for name in interfaces
        )
        + (DIALOGUE if "dialogue" in interfaces else ""),
        "sequences": json.dumps(
            [[f"{name}-{sampling}" for sampling in samplings for name in turn] for turn in turns]
        ),
    }
    path = folder / "study.toml"
    path.write_text(STUDY.format(**settings))
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def hosted(app: Starlette) -> Iterator[int]:
    """Serve an application from a thread of this process; gives its port."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    serving = threading.Thread(target=server.run, daemon=True)
    serving.start()
    while not server.started:
        time.sleep(0.02)
    yield port
    server.should_exit = True
    serving.join(10)


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
        try:
            self.wait()
        except AssertionError:
            self.stop()  # nobody else would
            raise

    def wait(self, timeout: float = 240) -> None:
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

    def enrolled(self, participant: str, first: str = "click") -> Seat:
        """A new participant's seat, in the sequence that begins with an interface."""
        study = self.desk.layout.study
        plan = sequences(study.config)
        turn = next(number for number, names in enumerate(plan) if names[0].startswith(f"{first}-"))
        enrolled = Enrolled(sequence=turn, order=plan[turn])
        event = Event.of(
            enrolled,
            participant=participant, mode="pilot", study_hash=study.hash, at=time.time(),
        )  # fmt: skip
        study.store.append([event])
        seat = self.desk.seat(participant)
        assert seat is not None
        return seat

    def at(self, wanted: type[Step], participant: str, first: str = "click") -> Seat:
        """A new participant who has done everything up to a kind of step."""
        return go_on(self.enrolled(participant, first), wanted)

    def at_work(self, participant: str, first: str = "click") -> Seat:
        """A new participant who has just begun the first task."""
        seat = self.at(StartTask, participant, first)
        seat.record(TaskStarted(position=1))
        return seat


def go_on(seat: Seat, wanted: type[Step]) -> Seat:
    """Do what a participant does before the first task, as the log sees it."""
    while not isinstance(step := seat.step(), wanted):
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
                said = TaskStarted(position=position)
            case _:
                seat.state()  # asks the machine for its step, as a browser does
                time.sleep(0.05)
                continue
        seat.record(said)
    return seat


def past_the_tasks(seat: Seat) -> Seat:
    """Every task begun, without an image to annotate, and every question answered."""
    while not isinstance(step := seat.step(), Categorise):
        match step:
            case Select(position=position, cycle=cycle):
                nothing = BatchSelected(
                    position=position, cycle=cycle, strategy="random", images=(), seconds=0.0
                )
                seat.record(nothing)
            case Questionnaire():
                for instrument, question in step.questions:
                    answer = 3.0 if question.kind == "likert" else 50.0
                    seat.record(
                        Answered(
                            instrument=instrument.name, question=question.key,
                            answer="nothing" if question.kind == "text" else answer,
                            position=step.position,
                        )
                    )  # fmt: skip
            case Break(position=position, seconds=seconds):
                seat.record(Rested(position=position, seconds=seconds))
            case _:
                go_on(seat, Select)
    return seat


def done_but(seat: Seat, count: int) -> None:
    """Annotate the images of the open round as a browser would, all but the last so many."""
    step = go_on(seat, Annotate).step()
    assert isinstance(step, Annotate)
    batch = seat.desk.layout.stimuli.batch(seat.participant, step.position, step.cycle)
    assert batch is not None
    said = [
        {
            "type": "annotated", "id": f"done-{seat.participant}-{index}", "at": time.time(),
            "position": step.position, "cycle": step.cycle, "image": image, "seconds": 1.0,
            "annotation": {"positive_points": [[0.5, 0.5]]},
        }
        for index, image in enumerate(batch.images[:-count])
    ]  # fmt: skip
    assert set(seat.accept(said).values()) == {None}


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False
