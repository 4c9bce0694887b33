"""The worker's machine steps, with a loop that fails as told."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from apps.web.layout import Layout, step_name
from apps.web.worker import ATTEMPTS, Worker
from study.annotation import Annotation
from study.config import load
from study.directory import StudyDirectory
from study.protocol.events import (
    BatchSelected,
    Consented,
    Evaluated,
    Excluded,
    FineTuned,
    FineTuningFailed,
    Instructed,
    ItemAnnotated,
    Payload,
    TaskStarted,
)
from study.protocol.session import Session, enrol
from study.protocol.steps import Evaluate, FineTune, Select, Step

STUDY = """
name = "worker"
demographics = []
[[conditions]]
interface = "polygon"
sampling = "random"
[task]
images = 4
batch = 2
page = 2
[practice]
items = 0
"""


class FakeLoop:
    """Does machine steps at once; ``problem`` is raised instead, where there is one."""

    def __init__(self) -> None:
        self.problem: Exception | None = None
        self.done: list[str] = []

    def perform(self, session: Session, step: Step, progress: Any) -> Payload:
        if self.problem is not None:
            raise self.problem
        self.done.append(step_name(step))
        progress(1, 1)
        match step:
            case Select(position=position, cycle=cycle):
                images = (f"{cycle}-a", f"{cycle}-b")
                return BatchSelected(
                    position=position, cycle=cycle, strategy="random", images=images, seconds=0.0
                )
            case FineTune(position=position, cycle=cycle):
                count = len(session.progress.task(position).annotations())
                return FineTuned(
                    position=position, cycle=cycle, images=count, epochs=1, seconds=0.0,
                    waiting_seconds=0.0,
                )  # fmt: skip
            case Evaluate(position=position, cycle=cycle):
                return Evaluated(position=position, cycle=cycle, metrics={}, seconds=0.0)
        raise AssertionError(step)


class PlainWorker(Worker):
    """A worker without a dataset: it writes no stimuli."""

    def __init__(self, path: Path, name: str = "cpu") -> None:
        self.name = name
        self.layout = Layout.open(path)
        self.board, self.jobs = self.layout.board, self.layout.jobs
        self.loop = FakeLoop()  # type: ignore[assignment]

    @property
    def fake(self) -> FakeLoop:
        return self.loop  # type: ignore[return-value]

    def _write_batch(self, *arguments: Any) -> None: ...

    def _follow_up(self, *arguments: Any) -> None: ...


@pytest.fixture
def worker(tmp_path: Path) -> PlainWorker:
    file = tmp_path / "study.toml"
    file.write_text(STUDY)
    directory = StudyDirectory.create(tmp_path / "run", load(file))
    return PlainWorker(directory.path)


@pytest.fixture
def session(worker: PlainWorker) -> Session:
    """A participant whose first batch is annotated."""
    session = enrol(worker.layout.study, "P01", "pilot", time.time())
    session.record(Consented(), time.time())
    session.record(Instructed(interface="polygon"), time.time())
    worker.jobs.request("P01", "Evaluate/1/0")
    worker.advance("P01")
    session.record(TaskStarted(position=1), time.time())
    worker.jobs.request("P01", "Select/1/1")
    worker.advance("P01")
    for image in ("1-a", "1-b"):
        item = ItemAnnotated(
            position=1, cycle=1, page=1, image=image, annotation=Annotation(), seconds=1.0
        )
        session.record(item, time.time())
    return session


def of(session: Session, kind: type[Payload]) -> list[Payload]:
    events = session.study.store.events(session.participant)
    return [event.payload for event in events if isinstance(event.payload, kind)]


def test_machine_steps_follow_one_another_until_a_person_is_needed(
    worker: PlainWorker, session: Session
) -> None:
    worker.jobs.request("P01", "FineTune/1/1")
    worker.advance("P01")
    assert worker.fake.done[-3:] == ["FineTune/1/1", "Evaluate/1/1", "Select/1/2"]
    assert worker.jobs.of("P01") is None


def test_a_worker_takes_what_is_wanted_and_what_a_dead_one_left(
    worker: PlainWorker, session: Session
) -> None:
    worker.jobs.request("P01", "FineTune/1/1")
    worker.jobs.take("cpu")
    worker.jobs.start("P01", "FineTune/1/1", "cpu")  # and then the process is gone
    worker.jobs.orphan("cpu")
    worker.work()
    assert len(of(session, FineTuned)) == 1
    assert worker.jobs.all() == []


def test_fine_tuning_is_not_begun_unasked(worker: PlainWorker, session: Session) -> None:
    worker.advance("P01")
    assert of(session, FineTuned) == []


def test_a_job_that_comes_twice_is_done_once(worker: PlainWorker, session: Session) -> None:
    worker.jobs.request("P01", "FineTune/1/1")
    worker.advance("P01")
    worker.advance("P01")
    assert len(of(session, FineTuned)) == 1


def test_a_step_that_cannot_be_done_is_shown_and_can_be_retried(
    worker: PlainWorker, session: Session
) -> None:
    worker.fake.problem = MemoryError("no memory left")
    worker.jobs.request("P01", "FineTune/1/1")
    worker.advance("P01")
    job = worker.jobs.of("P01")
    assert job is not None
    assert (job.state, job.problem) == ("failed", "FineTune/1/1: no memory left")
    worker.fake.problem = None
    worker.jobs.retry("P01")
    worker.advance("P01")
    assert len(of(session, FineTuned)) == 1


def test_a_fine_tuning_that_kills_its_workers_is_given_up_and_the_task_goes_on(
    worker: PlainWorker, session: Session
) -> None:
    worker.jobs.request("P01", "FineTune/1/1")
    for _ in range(ATTEMPTS):
        worker.jobs.start("P01", "FineTune/1/1", "cpu")  # and then the process is gone
    worker.advance("P01")
    assert of(session, FineTuned) == []
    (failed,) = of(session, FineTuningFailed)
    assert "died 3 times" in failed.reason  # type: ignore[attr-defined]
    assert len(of(session, BatchSelected)) == 2


def test_a_result_that_comes_too_late_is_dropped_and_the_worker_goes_on(
    worker: PlainWorker, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    perform = worker.fake.perform

    def excluded_meanwhile(session: Session, step: Step, progress: Any) -> Payload:
        payload = perform(session, step, progress)
        session.record(Excluded(reason="left the room"), time.time())
        return payload

    monkeypatch.setattr(worker.loop, "perform", excluded_meanwhile)
    worker.jobs.request("P01", "FineTune/1/1")
    worker.advance("P01")
    assert of(session, FineTuned) == []
    assert worker.jobs.of("P01") is None
