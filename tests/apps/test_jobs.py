"""The table of jobs, which is the queue."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from still_clock import Clock

from apps.web.jobs import SILENT_SECONDS, STUCK_SECONDS, Job, Jobs


@pytest.fixture
def jobs(tmp_path: Path, clock: Clock) -> Jobs:
    return Jobs(tmp_path / "jobs.sqlite", clock)


def of(jobs: Jobs, participant: str) -> Job:
    found = jobs.of(participant)
    assert found is not None
    return found


def test_a_job_is_done_once_however_often_it_is_wanted(jobs: Jobs) -> None:
    for _ in range(3):
        jobs.request("P01", "Select/1/1")
    assert jobs.take("cpu") == "P01"
    assert jobs.take("cpu") is None
    assert jobs.start("P01", "Select/1/1", "cpu") == 1
    jobs.request("P01", "Select/1/1")
    jobs.finish("P01")
    assert jobs.take("cpu") is None
    assert jobs.of("P01") is None


def test_what_is_wanted_while_a_worker_is_at_an_earlier_step_is_done_after_it(jobs: Jobs) -> None:
    """FINE-TUNE, pressed while the superpixels of later pages were still being made, was lost."""
    jobs.request("P01", "Select/1/1")
    jobs.take("cpu")
    jobs.start("P01", "Select/1/1", "cpu")
    jobs.request("P01", "FineTune/1/1")
    jobs.finish("P01")
    assert (of(jobs, "P01").step, of(jobs, "P01").state) == ("FineTune/1/1", "queued")
    # what the worker went on to by itself is not wanted any more
    jobs.take("cpu")
    jobs.start("P01", "FineTune/1/1", "cpu")
    jobs.request("P01", "Evaluate/1/1")
    jobs.start("P01", "Evaluate/1/1", "cpu")
    jobs.finish("P01")
    assert jobs.of("P01") is None


def test_two_workers_do_not_do_the_same_job(jobs: Jobs, clock: Clock) -> None:
    jobs.request("P01", "FineTune/1/1")
    assert jobs.start("P01", "FineTune/1/1", "cuda:0") == 1
    assert jobs.start("P01", "FineTune/1/1", "cuda:1") is None
    assert jobs.take("cuda:1") is None
    clock.now += SILENT_SECONDS + 1
    assert jobs.take("cuda:1") == "P01"
    assert jobs.start("P01", "FineTune/1/1", "cuda:1") == 2


def test_many_workers_at_once_take_each_job_once(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite"
    names = [f"P{number:02d}" for number in range(20)]
    for name in names:
        Jobs(path).request(name, "Select/1/1")
    taken: list[str] = []

    def work(worker: str) -> None:
        jobs = Jobs(path)
        while (name := jobs.take(worker)) is not None:
            taken.append(name)

    threads = [threading.Thread(target=work, args=(f"worker {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == names


def test_a_dead_worker_s_job_is_taken_again_and_its_attempts_count(
    jobs: Jobs, clock: Clock
) -> None:
    jobs.request("P01", "FineTune/1/1")
    for attempt in (1, 2, 3):
        assert jobs.take("cpu") == "P01"
        assert jobs.start("P01", "FineTune/1/1", "cpu") == attempt
        clock.now += SILENT_SECONDS + 1
    assert jobs.start("P01", "Evaluate/1/1", "cpu") == 1


def test_a_worker_that_starts_again_goes_on_at_once(jobs: Jobs) -> None:
    jobs.request("P01", "FineTune/1/1")
    jobs.take("cpu")
    jobs.start("P01", "FineTune/1/1", "cpu")
    jobs.orphan("cpu")
    assert jobs.take("cpu") == "P01"
    assert jobs.start("P01", "FineTune/1/1", "cpu") == 2


def test_a_worker_that_lives_and_gets_no_further_is_stuck(jobs: Jobs, clock: Clock) -> None:
    jobs.request("P01", "FineTune/1/1")
    jobs.take("cpu")
    jobs.start("P01", "FineTune/1/1", "cpu")
    jobs.report("P01", 1, 9)
    clock.now += STUCK_SECONDS + 1
    jobs.alive("cpu")
    assert of(jobs, "P01").stuck(clock.now)
    assert jobs.take("cuda:1") is None
    jobs.report("P01", 2, 9)
    assert not of(jobs, "P01").stuck(clock.now)


def test_a_failed_job_waits_for_the_experimenter(jobs: Jobs) -> None:
    jobs.request("P01", "Select/1/1")
    jobs.start("P01", "Select/1/1", "cpu")
    jobs.fail("P01", "no memory")
    jobs.request("P01", "Select/1/1")
    assert jobs.take("cpu") is None
    jobs.retry("P01")
    assert (of(jobs, "P01").state, of(jobs, "P01").problem) == ("queued", "")


def test_who_waits_for_images_comes_before_who_waits_for_a_model(jobs: Jobs, clock: Clock) -> None:
    for name, step in (("P01", "FineTune/1/1"), ("P02", "FineTune/1/1"), ("P03", "Select/1/1")):
        jobs.request(name, step)
        clock.now += 1
    assert [jobs.take("cpu") for _ in range(4)] == ["P03", "P01", "P02", None]


def test_an_estimate_follows_the_progress(jobs: Jobs, clock: Clock) -> None:
    jobs.request("P01", "FineTune/1/1")
    jobs.start("P01", "FineTune/1/1", "cpu")
    clock.now += 10
    jobs.report("P01", 5, 20)
    assert of(jobs, "P01").seconds_left(clock.now) == pytest.approx(30)


def test_who_waits_is_told_how_many_are_before(jobs: Jobs, clock: Clock) -> None:
    for name in ("P01", "P02", "P03"):
        jobs.request(name, "FineTune/1/1")
        clock.now += 1
    jobs.start("P02", "FineTune/1/1", "cpu")
    assert [(job.participant, job.ahead) for job in jobs.all()] == [
        ("P02", 0), ("P01", 1), ("P03", 2),
    ]  # fmt: skip
