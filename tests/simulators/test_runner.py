"""The whole study with simulated people: complete, resumable, blind to the number of workers."""

import dataclasses
import logging

import pytest

from simulators import runner
from simulators.participant import Participant
from simulators.person import Person
from simulators.population import Law, Population
from simulators.runner import SimulationError, simulate
from study.errors import UserError
from study.export.tables import tables
from study.protocol.events import (
    Answered,
    Checked,
    Enrolled,
    Evaluated,
    FineTuned,
    ItemAnnotated,
    Opened,
    Practised,
)

MEASURED = {"seconds", "waiting_seconds"}
"""Computing times: the only fields that a repetition may change."""


@pytest.fixture(scope="module", autouse=True)
def _one_process_forgets_its_study():
    yield
    runner._loop.cache_clear()


def run(prepared, directory, **how):
    how = {"participants": 2, "workers": 1, "device": "cpu", "waiting": 5.0} | how
    return simulate(prepared[0], directory, progress=False, **how)


def told(directory):
    """Everything the participants' logs say, computing times of the machine apart."""
    lines = {}
    for event in directory.study().store.events():
        payload = event.payload
        if isinstance(payload, Opened):
            continue
        said = payload.model_dump()
        if payload.type in ("batch_selected", "fine_tuned", "evaluated"):
            said = {key: value for key, value in said.items() if key not in MEASURED}
        lines.setdefault(event.participant, []).append((event.at, payload.key, said))
    return lines


@pytest.fixture(scope="module")
def finished(prepared, tmp_path_factory):
    import shutil

    from study.directory import StudyDirectory

    place = tmp_path_factory.mktemp("finished") / "run"
    shutil.copytree(prepared[1], place)
    directory = StudyDirectory.open(place)
    outcomes = run(prepared, directory)
    assert [outcome.status for outcome in outcomes] == ["completed", "completed"]
    return directory


def test_simulated_people_complete_the_study(finished, prepared):
    study = finished.study()
    events = study.store.events("S01")
    kinds = (Enrolled, Practised, ItemAnnotated, Checked, FineTuned, Evaluated, Answered)
    by = {kind: [e.payload for e in events if isinstance(e.payload, kind)] for kind in kinds}
    assert events[0].mode == "simulated"
    assert Person.model_validate(by[Enrolled][0].simulated["person"]).speed != 1.0
    assert sum(payload.correct for payload in by[Practised]) == 4
    assert len(by[ItemAnnotated]) == 4 * 6
    # who misses one is asked once more
    assert sum(check.attempt == 1 for check in by[Checked]) == 4
    assert sum(check.attempt == 2 for check in by[Checked]) == sum(
        not check.passed for check in by[Checked] if check.attempt == 1
    )
    assert len(by[FineTuned]) == 8
    asked = {(payload.instrument, payload.question) for payload in by[Answered]}
    assert {("paper", "Q1"), ("paper", "Q8"), ("sus", "S10"), ("nasa-tlx", "effort")} <= asked
    comment = next(payload for payload in by[Answered] if payload.question == "Q9")
    assert comment.answer.startswith("(simulated answer)")
    times = [event.at for event in events]
    assert times == sorted(times)
    frames = tables(study.config, study.store.events())
    assert len(frames["tasks"]) == 8
    assert frames["items"]["seconds"].between(1.0, 120.0).all()


def test_the_log_is_the_same_for_any_number_of_workers(finished, prepared, fresh):
    other = fresh("two-workers")
    run(prepared, other, workers=2)
    assert told(other) == told(finished)


class Killed(BaseException):
    """Like a killed process: nothing catches it."""


@pytest.mark.parametrize("after", [4, 11, 19, 33])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(
    finished, prepared, fresh, monkeypatch, after
):
    directory = fresh("killed")
    do = Participant.do
    steps = iter(range(10_000))

    def mortal(self, step):
        if next(steps) == after:
            raise Killed
        do(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(Participant, "do", mortal)
        with pytest.raises(Killed):
            run(prepared, directory, participants=1)
    runner._loop.cache_clear()
    run(prepared, directory, participants=1)
    assert told(directory)["S01"] == told(finished)["S01"]


def test_running_again_changes_nothing_and_more_people_can_come(prepared, fresh):
    directory = fresh("again")
    run(prepared, directory, participants=1)
    first = told(directory)
    run(prepared, directory, participants=1)
    assert told(directory) == first
    outcomes = run(prepared, directory, participants=2)
    assert [outcome.participant for outcome in outcomes] == ["S01", "S02"]
    assert told(directory)["S01"] == first["S01"]


def test_one_who_cannot_go_on_does_not_stop_the_others(prepared, fresh, monkeypatch, caplog):
    directory = fresh("one-fails")
    annotate = Participant._annotate

    def clumsy(self, step):
        if self.session.participant == "S01":
            raise RuntimeError("the mouse broke")
        annotate(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(Participant, "_annotate", clumsy)
        with (
            caplog.at_level(logging.CRITICAL),
            pytest.raises(SimulationError, match=r"1 of 2 .*S01: RuntimeError the mouse broke"),
        ):
            run(prepared, directory)
    status = directory.study().store.participants("simulated")
    assert status == ["S01", "S02"]
    assert told(directory)["S02"][-1][1] == "debriefed"
    outcomes = run(prepared, directory)
    assert {outcome.status for outcome in outcomes} == {"completed"}


def test_people_are_the_files_and_the_built_in_hypothesis_can_be_taken_out(
    prepared, fresh, tmp_path
):
    people = tmp_path / "people.toml"
    Population({"speed": Law(centre=3.0, spread=0.0)}, {"source": "our pilot"}).write(people)
    config = prepared[0].config.model_copy(update={"people": str(people)})
    directory = fresh("no-hypothesis")
    file = dataclasses.replace(prepared[0], config=config)
    run((file,), directory, participants=1, fixed={"familiarity": 0.0})
    enrolled = directory.study().store.events("S01")[0].payload
    assert enrolled.simulated["person"]["familiarity"] == 0.0
    assert enrolled.simulated["person"]["speed"] == 3.0
    assert enrolled.simulated["people"] == str(people)
    assert str(people) in enrolled.simulated["note"]


def test_engines_are_named_errors(prepared, fresh):
    directory = fresh("engines")
    with pytest.raises(UserError, match="did you mean 'dask'"):
        run(prepared, directory, engine="dsk")
    assert directory.study().store.participants() == []


def test_a_dataset_without_masks_is_refused_with_the_way_out(prepared, fresh):
    from dataclasses import replace

    from study.data.dataset import Dataset
    from study.loop import TaskLoop
    from study.protocol.session import Session, enrol

    directory = fresh("no-masks")
    loop = TaskLoop(prepared[0], directory, "cpu")
    loop.start.dataset = Dataset(
        "bare", {name: replace(split, masks=None) for name, split in loop.dataset.splits.items()}
    )
    session: Session = enrol(directory.study(), "S01", "simulated", 0.0)
    with pytest.raises(UserError, match="simulated participant needs object masks"):
        Participant(session, loop, Person()).run()
