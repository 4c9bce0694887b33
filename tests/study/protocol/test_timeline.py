"""What comes next for a participant, whatever the study file says and whatever goes wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from protocol_driver import CLICK, HASH, Lab, at_step, begin, config, item, log, study

from study.annotation import Annotation
from study.config import StudyConfig
from study.protocol.events import (
    Answered,
    BatchSelected,
    Checked,
    Consented,
    Debriefed,
    Described,
    Evaluated,
    Event,
    Excluded,
    FineTuned,
    FineTuningFailed,
    Instructed,
    ItemAnnotated,
    Noted,
    Payload,
    Practised,
    Rested,
    TaskEnded,
    TaskExtended,
    TaskStarted,
    Withdrawn,
)
from study.protocol.session import ProtocolError, Session, enrol
from study.protocol.steps import (
    Annotate,
    Break,
    Check,
    Debriefing,
    Demographics,
    Done,
    Evaluate,
    FineTune,
    Instructions,
    Practice,
    Questionnaire,
    Select,
    StartTask,
    Step,
)
from study.protocol.timeline import next_step, replay

ONE = ({"interface": "click", "sampling": "active"},)
TWO = (*ONE, {"interface": "polygon", "sampling": "random"})
FOUR = (
    *TWO,
    {"interface": "click", "sampling": "random"},
    {"interface": "polygon", "sampling": "active"},
)


def names(steps: list[Step]) -> list[str]:
    return [type(step).__name__ for step in steps]


def done(session: Session) -> str:
    step = session.step()
    assert isinstance(step, Done)
    return step.status


# -- one plain run, step by step -----------------------------------------------------------


def test_a_study_in_full() -> None:
    session, lab = begin(
        config(
            conditions=TWO,
            demographics=({"key": "age", "text": "Age?", "kind": "number"},),
            practice={"items": 1},
            breaks={"seconds": 60},
            questionnaires=("paper",),
            task={"images": 3, "batch": 2, "page": 2},
        )
    )
    task = [
        "Evaluate",
        "StartTask",
        "Select",
        "Annotate",
        "Annotate",
        "FineTune",
        "Evaluate",
        "Select",
        "Annotate",
        "FineTune",
        "Evaluate",
    ]
    assert names(lab.run(session)) == [
        *["Consent", "Demographics"],
        *["Instructions", "Practice", "Practice", "Instructions", "Practice", "Practice"],
        *task,
        *["Questionnaire"] * 2,  # Q1 Q3
        "Break",
        *task,
        *["Questionnaire"] * 2,  # Q2 Q4; no break after the last task
        *["Questionnaire"] * 3,  # Q5 Q6 Q7, with the maps
        *["Questionnaire"] * 2,  # Q8 Q9
        "Debriefing",
    ]
    assert done(session) == "completed"


def test_practice_goes_on_until_enough_items_are_correct() -> None:
    session, lab, step = at_step(Practice, config(conditions=ONE, practice={"items": 2}))
    assert (step.attempt, step.done) == (1, 0)
    lab.run(session, until=lambda step: not isinstance(step, Practice))
    # every second attempt of the driver is correct
    assert session.progress.attempts == Counter(click=4)


def test_the_last_batch_is_only_what_the_budget_leaves() -> None:
    session, lab = begin(config(conditions=ONE, task={"images": 5, "batch": 3, "page": 3}))
    counts = [step.count for step in lab.run(session) if isinstance(step, Select)]
    assert counts == [3, 2]


def test_a_task_ends_when_annotation_time_is_up_and_overruns_by_one_item_at_most() -> None:
    session, lab = begin(
        config(conditions=ONE, task={"minutes": 1, "batch": 50, "page": 10}),
        Lab(pool=tuple(f"{n:03d}" for n in range(100)), item_seconds=25.0, machine_seconds=1e6),
    )
    lab.run(session)
    # 25, 50, 75 >= 60; the machine's million seconds do not count
    assert session.progress.task(1).images == 3


def test_the_total_clock_counts_waiting_too() -> None:
    session, lab = begin(
        config(conditions=ONE, task={"minutes": 1, "batch": 1, "page": 1, "clock": "total"}),
        Lab(item_seconds=5.0, machine_seconds=10.0),
    )
    lab.run(session)
    # each cycle is 10 + 5 + 10 + 10; the second cycle ends at 70 s
    assert session.progress.task(1).images == 2


def test_the_total_clock_may_begin_at_zero() -> None:
    session, lab = begin(
        config(
            conditions=ONE,
            task={"minutes": 1, "batch": 1, "page": 1, "clock": "total"},
        ),
        Lab(item_seconds=0.0, machine_seconds=0.0, now=0.0),
    )
    lab.run(session, until=lambda step: isinstance(step, Annotate))
    lab.item_seconds, lab.now = 0.0, 61.0
    lab.run(session, until=lambda step: isinstance(step, FineTune))
    assert session.progress.task(1).started_at == 0.0
    assert session.progress.task(1).images == 1
    lab.run(session)
    assert session.progress.task(1).images == 1


def test_a_clock_that_jumps_back_neither_ends_nor_stretches_a_task() -> None:
    session, lab, _ = at_step(
        Annotate,
        config(conditions=ONE, task={"minutes": 1, "batch": 9, "page": 9, "clock": "total"}),
    )
    lab.now -= 500.0
    lab.advance(session, session.step())
    assert isinstance(session.step(), Annotate)
    assert session.progress.task(1).seconds_left(session.study.config) == pytest.approx(57.0)
    lab.now += 500.0 + 60.0
    lab.advance(session, session.step())
    assert isinstance(session.step(), FineTune)


def test_a_pool_that_runs_dry_ends_the_task() -> None:
    session, lab = begin(
        config(conditions=ONE, task={"batch": 4, "page": 4}), Lab(pool=tuple("abcdef"))
    )
    lab.run(session)
    assert done(session) == "completed"
    assert [len(c.annotations) for c in session.progress.task(1).cycles] == [4, 2, 0]


def test_an_empty_pool_ends_the_task_without_training() -> None:
    session, lab = begin(config(conditions=ONE), Lab(pool=()))
    assert "FineTune" not in names(lab.run(session))
    assert done(session) == "completed"


def test_after_a_failed_fine_tuning_the_task_goes_on_and_keeps_the_annotations() -> None:
    session, lab = begin(config(conditions=ONE), Lab(failing=frozenset({(1, 1)})))
    lab.run(session)
    (task,) = session.progress.tasks
    assert [(cycle.trained, cycle.tuned) for cycle in task.cycles] == [(True, False), (True, True)]
    tuned = [e.payload for e in log(session) if isinstance(e.payload, FineTuned)]
    assert [payload.images for payload in tuned] == [4]


def test_attention_checks_come_after_every_so_many_images_and_at_the_same_place_on_reload() -> None:
    settings_ = config(
        conditions=ONE,
        attention_checks={"every": 2},
        task={"images": 6, "batch": 6, "page": 6},
    )
    session, lab = begin(settings_)
    steps = lab.run(session, until=lambda step: isinstance(step, Check))
    assert names(steps).count("Annotate") == 2
    check = session.step()
    assert check == Session(session.study, "P01").step()
    assert isinstance(check, Check)
    assert all(check.radius < value < 1 - check.radius for value in check.target)
    lab.run(session)
    assert [s.number for s in lab.seen if isinstance(s, Check)] == [1, 2]


def test_a_participant_who_is_excluded_in_a_task_stops_there() -> None:
    session, lab, step = at_step(Annotate)
    session.record(Excluded(reason="asleep"), lab.now)
    assert done(session) == "excluded"
    before = len(log(session))
    for late in (item(step, step.images[0]), TaskStarted(position=2), Debriefed(), Consented()):
        if late.key in session.progress.keys:
            assert session.record(late, lab.now) is False
            continue
        with pytest.raises(ProtocolError, match="P01 is excluded and records nothing more"):
            session.record(late, lab.now)
    assert len(log(session)) == before


def test_a_participant_may_withdraw_at_any_step_but_not_after_completing() -> None:
    session, lab = begin(config(conditions=ONE))
    session.record(Withdrawn(reason="no time"), lab.now)
    assert done(session) == "withdrawn"
    session, lab = begin(config(conditions=ONE))
    lab.run(session)
    with pytest.raises(ProtocolError, match="has finished the study and cannot withdraw"):
        session.record(Withdrawn(reason="delete my data"), lab.now)
    assert done(session) == "completed"
    # the experimenter may still exclude
    session.record(Excluded(reason="asked for it"), lab.now)
    assert done(session) == "excluded"


# -- the experimenter ----------------------------------------------------------------------

TIMED = {"minutes": 1, "batch": 40, "page": 40}


def timed(**task: Any) -> tuple[Session, Lab, Annotate]:
    session, lab, step = at_step(
        Annotate,
        config(conditions=ONE, task=TIMED | task),
        Lab(pool=tuple(f"{n:03d}" for n in range(100)), item_seconds=30.0),
    )
    assert isinstance(step, Annotate)
    return session, lab, step


def test_an_extension_gives_more_time() -> None:
    session, lab, _ = timed()
    session.record(TaskExtended(position=1, seconds=60.0), lab.now)
    session.record(TaskExtended(position=1, seconds=30.0, number=2), lab.now)
    lab.run(session)
    assert session.progress.task(1).images == 5


def test_an_extension_is_given_once_for_each_number() -> None:
    session, lab, _ = timed()
    assert session.record(TaskExtended(position=1, seconds=60.0), lab.now)
    assert not session.record(TaskExtended(position=1, seconds=60.0), lab.now)
    with pytest.raises(ProtocolError, match="extended 1 times, so this is not 3"):
        session.record(TaskExtended(position=1, seconds=60.0, number=3), lab.now)


def test_an_extension_before_fine_tuning_lets_the_participant_go_on_in_the_batch() -> None:
    session, lab, _ = timed()
    lab.run(session, until=lambda step: isinstance(step, FineTune))
    session.record(TaskExtended(position=1, seconds=60.0), lab.now)
    assert isinstance(session.step(), Annotate)
    late = FineTuned(position=1, cycle=1, images=2, epochs=1, seconds=1, waiting_seconds=1)
    with pytest.raises(ProtocolError, match="next step of P01 is Annotate"):
        session.record(late, lab.now)


def test_a_task_that_was_ended_is_trained_on_what_was_annotated() -> None:
    session, lab, _ = timed()
    lab.advance(session, session.step())
    session.record(TaskEnded(position=1, reason="fire alarm"), lab.now)
    assert isinstance(session.step(), FineTune)
    with pytest.raises(ProtocolError, match="was ended by the experimenter"):
        session.record(TaskExtended(position=1, seconds=60.0), lab.now)
    lab.run(session)
    assert session.progress.task(1).images == 1
    assert done(session) == "completed"


def test_a_task_that_was_ended_before_anything_was_annotated_is_not_trained() -> None:
    session, lab, step = timed()
    session.record(TaskEnded(position=1), lab.now)
    assert isinstance(session.step(), Debriefing)
    with pytest.raises(ProtocolError, match="task 1 of P01 is finished"):
        session.record(item(step, step.images[0]), lab.now)


def test_a_finished_task_cannot_be_extended_or_ended() -> None:
    session, lab = begin(config(conditions=TWO))
    lab.run(session, until=lambda step: isinstance(step, StartTask) and step.position == 2)
    for payload in (TaskExtended(position=1, seconds=60.0), TaskEnded(position=1)):
        with pytest.raises(ProtocolError, match="task 1 of P01 is finished"):
            session.record(payload, lab.now)


def test_the_experimenters_clock_is_not_the_participants() -> None:
    session, lab, _ = timed(clock="total")
    session.record(TaskExtended(position=1, seconds=1.0), lab.now + 1e6)
    session.record(Noted(text="yawned"), lab.now + 1e6)
    assert isinstance(session.step(), Annotate)
    assert session.progress.last_at == lab.now


# -- items ---------------------------------------------------------------------------------


def test_items_may_be_confirmed_in_any_order_and_again() -> None:
    session, lab, step = at_step(Annotate, config(conditions=ONE))
    last, first = step.images[1], step.images[0]
    session.record(item(step, last, seconds=4.0), lab.now)
    session.record(item(step, first, seconds=5.0), lab.now)
    moved = Annotation(positive_points=((0.75, 0.75),))
    again = item(step, last, visit=2, seconds=2.5).model_copy(update={"annotation": moved})
    assert session.record(again, lab.now)
    task = session.progress.task(1)
    assert task.annotations() == {last: moved, first: CLICK}
    assert task.annotation_seconds == 11.5
    assert task.images == 2
    assert task.cycles[0].visits == Counter({last: 2, first: 1})


def test_an_item_confirmed_as_time_ran_out_counts_until_the_cycle_is_trained() -> None:
    session, lab, step = timed()
    for image in step.images[:2]:
        session.record(item(step, image, seconds=30.0), lab.now)
    assert isinstance(session.step(), FineTune)
    assert session.record(item(step, step.images[2], seconds=30.0), lab.now)
    stale = FineTuned(position=1, cycle=1, images=2, epochs=1, seconds=1, waiting_seconds=1)
    with pytest.raises(ProtocolError, match="has 3 annotated images, but 2 were fine-tuned on"):
        session.record(stale, lab.now)
    lab.advance(session, session.step())
    with pytest.raises(ProtocolError, match="cycle 1 of task 1 of P01 is already fine-tuned"):
        session.record(item(step, step.images[3]), lab.now)


def test_a_late_retry_is_acknowledged_after_the_cycle_was_fine_tuned() -> None:
    session, lab, step = at_step(Annotate)
    sent = item(step, step.images[0])
    assert session.record(sent, lab.now, id="browser-1")
    lab.run(session, until=lambda step: isinstance(step, Select) and step.cycle == 2)
    before = len(log(session))
    assert session.record(sent, lab.now, id="browser-1") is False
    assert session.record(sent, lab.now, id="browser-after-reload") is False
    assert len(log(session)) == before


def test_a_retry_that_was_numbered_anew_is_known_by_its_id() -> None:
    session, lab, step = at_step(Annotate)
    session.record(item(step, step.images[0], visit=1), lab.now, id="browser-1")
    again = item(step, step.images[0], visit=2)
    other = item(step, step.images[1])
    results = session.record_all([again, other], lab.now, ["browser-1", "browser-2"])
    assert results == [False, True]
    assert session.progress.task(1).cycles[0].visits == Counter(step.images)
    assert session.progress == Session(session.study, "P01").progress


def test_the_experimenter_may_take_time_away() -> None:
    session, lab, _ = timed()
    lab.advance(session, session.step())
    session.record(TaskExtended(position=1, seconds=-30.0), lab.now)
    assert isinstance(session.step(), FineTune)


def test_an_answered_question_sent_again_when_the_study_is_over_is_acknowledged() -> None:
    session, lab = begin(config(conditions=ONE, questionnaires=("paper",)))
    lab.run(session)
    answered = next(e.payload for e in log(session) if isinstance(e.payload, Answered))
    assert session.record(answered, lab.now) is False


BAD_ITEMS: dict[str, tuple[Callable[[Annotate], Payload], str]] = {
    "not in the batch": (
        lambda s: item(s, s.images[0]).model_copy(update={"image": "x.png"}),
        "image 'x.png' is not in cycle 1",
    ),
    "another page": (
        lambda s: item(s, s.images[0]).model_copy(update={"page": 2}),
        "is on page 1 of task 1 of P01, not on 2",
    ),
    "a later cycle": (
        lambda s: item(s, s.images[0]).model_copy(update={"cycle": 2}),
        "has no cycle 2 yet",
    ),
    "cycle 0": (
        lambda s: item(s, s.images[0]).model_copy(update={"cycle": 0}),
        "has no cycle 0 yet",
    ),
    "a visit too many": (
        lambda s: item(s, s.images[0], visit=2),
        "was visited 0 times, not 1",
    ),
    "another interface": (
        lambda s: item(s, s.images[0]).model_copy(
            update={"annotation": Annotation(polygons=(((0, 0), (1, 0), (1, 1)),))}
        ),
        "click yields positive points",
    ),
    "a later task": (
        lambda s: item(s, s.images[0]).model_copy(update={"position": 2}),
        "task 2 of P01 has no cycle 1 yet",
    ),
    "no such task": (
        lambda s: item(s, s.images[0]).model_copy(update={"position": 9}),
        "P01 has 2 tasks, not 9",
    ),
    "a check nobody asked for": (
        lambda s: Checked(position=1, cycle=1, number=1, passed=True, seconds=1),
        "does not ask for attention check 1 now",
    ),
}


@pytest.mark.parametrize(("make", "why"), BAD_ITEMS.values(), ids=BAD_ITEMS.keys())
def test_an_item_that_would_corrupt_the_log_is_refused(
    make: Callable[[Annotate], Payload], why: str
) -> None:
    session, lab, step = at_step(Annotate, config(conditions=TWO))
    before = log(session)
    with pytest.raises(ProtocolError, match=why):
        session.record(make(step), lab.now)
    assert log(session) == before


@pytest.mark.parametrize(
    ("images", "why"),
    [
        (("a", "a"), "1 of the picked images are there twice or annotated already"),
        (("a", "00.png"), "1 of the picked images are there twice or annotated already"),
        (("a", "b", "c"), "3 images were picked where 2 were asked for"),
    ],
)
def test_a_batch_that_would_corrupt_the_log_is_refused(images: tuple[str, ...], why: str) -> None:
    session, lab = begin(config(conditions=ONE))
    lab.run(session, until=lambda step: isinstance(step, Select) and step.cycle == 2)
    batch = BatchSelected(position=1, cycle=2, strategy="random", images=images, seconds=0)
    with pytest.raises(ProtocolError, match=why):
        session.record(batch, lab.now)


# -- what is out of place ------------------------------------------------------------------


def palette() -> dict[type[Step], Payload]:
    """For each step the event it asks for, wherever the study is; nothing else fits there."""
    place = {"position": 1}
    return {
        Demographics: Described(answers={}),
        Instructions: Instructed(interface="click"),
        Practice: Practised(
            interface="click", attempt=1, image="p", annotation=CLICK, correct=True, seconds=1
        ),
        StartTask: TaskStarted(**place),
        Select: BatchSelected(**place, cycle=1, strategy="random", images=("00.png",), seconds=0),
        FineTune: FineTuned(position=1, cycle=1, images=2, epochs=1, seconds=1, waiting_seconds=1),
        Evaluate: Evaluated(**place, cycle=1, metrics={}, seconds=1),
        Questionnaire: Answered(instrument="paper", question="Q7", answer=4, **place),
        Break: Rested(**place, seconds=60),
        Debriefing: Debriefed(),
    }


def test_at_every_step_what_belongs_to_another_step_is_refused_and_not_stored() -> None:
    settings_ = config(
        conditions=TWO,
        demographics=({"key": "age", "text": "Age?", "kind": "number"},),
        practice={"items": 1},
        breaks={"seconds": 60},
        questionnaires=("paper",),
        task={"images": 2, "batch": 2, "page": 2},
    )
    session, lab = begin(settings_)
    refused = Counter[str]()
    while not isinstance(step := session.step(), Done):
        before = len(log(session))
        for kind, payload in palette().items():
            here = getattr(step, "position", 1), getattr(step, "cycle", 1)
            if (isinstance(step, kind) and here in ((1, 1), (1, None))) or (
                payload.key in session.progress.keys
            ):
                continue
            with pytest.raises(ProtocolError, match=r"cannot happen now|P01"):
                session.record(payload, lab.now)
            refused[kind.__name__] += 1
        assert len(log(session)) == before
        lab.advance(session, step)
    assert min(refused[kind.__name__] for kind in palette()) >= 1


def test_failed_fine_tuning_is_not_recorded_where_nothing_is_fine_tuned() -> None:
    session, lab, _ = at_step(Annotate)
    with pytest.raises(ProtocolError, match="fine_tuning_failed/1/1 cannot happen now"):
        session.record(FineTuningFailed(position=1, cycle=1, reason="?"), lab.now)


def test_of_several_events_all_are_stored_or_none() -> None:
    session, lab, step = at_step(Annotate)
    before = log(session)
    good, bad = item(step, step.images[0]), item(step, step.images[1], visit=3)
    with pytest.raises(ProtocolError):
        session.record_all([good, bad], lab.now)
    assert log(session) == before
    assert session.step() == step
    assert session.record_all([good, good], lab.now) == [True, False]
    assert session.progress.task(1).annotation_seconds == 5.0


def test_events_may_build_on_one_another_in_one_call() -> None:
    session, lab, step = at_step(Annotate, config(conditions=ONE))
    payloads = [item(step, image) for image in step.images]
    tuned = FineTuned(position=1, cycle=1, images=2, epochs=1, seconds=1, waiting_seconds=1)
    assert session.record_all([*payloads, tuned], lab.now) == [True, True, True]
    assert isinstance(session.step(), Evaluate)


# -- two tabs, and other processes ---------------------------------------------------------


def test_two_tabs_see_one_another() -> None:
    session, lab, step = at_step(Annotate)
    other = Session(session.study, "P01")
    session.record(item(step, step.images[0]), lab.now)
    seen = other.step()
    assert isinstance(seen, Annotate)
    assert seen.done == (step.images[0],)


def test_the_same_item_confirmed_in_two_tabs_is_one_row_and_the_first_counts() -> None:
    session, lab, step = at_step(Annotate)
    other = Session(session.study, "P01")
    assert session.record(item(step, step.images[0], seconds=3.0), lab.now, id="tab-1")
    assert not other.record(item(step, step.images[0], seconds=9.0), lab.now, id="tab-2")
    for tab in (session, other):
        assert tab.progress.task(1).annotation_seconds == 3.0


def test_two_workers_that_select_at_once_make_one_batch() -> None:
    session, lab, step = at_step(Select, config(conditions=ONE))
    other = Session(session.study, "P01")
    assert isinstance(other.step(), Select)
    lab.advance(session, step)
    late = BatchSelected(position=1, cycle=1, strategy="random", images=("z",), seconds=0)
    assert not other.record(late, lab.now)
    assert other.progress.task(1).cycles[0].images == session.progress.task(1).cycles[0].images


def test_what_another_tab_made_impossible_is_refused_by_the_log_not_by_what_was_cached() -> None:
    session, lab, step = at_step(Annotate, config(conditions=ONE))
    stale = Session(session.study, "P01")
    lab.run(session, until=lambda step: isinstance(step, Evaluate) and step.cycle == 1)
    with pytest.raises(ProtocolError, match="already fine-tuned"):
        stale.record(item(step, step.images[0], visit=2), lab.now)


# -- who may take part ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["P01", "sim-003", "a_b", "7", "x" * 64])
def test_a_name_that_can_be_a_folder_is_taken(name: str) -> None:
    assert enrol(study(), name, "live", 0.0).participant == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../../etc", "a/b", "a\\b", "P 1", "-x", "Jörg", "x" * 65, "a\n", "~"]
)
def test_a_name_that_could_leave_its_folder_is_refused(name: str) -> None:
    lab = study()
    with pytest.raises(ProtocolError, match="cannot be a participant's name"):
        enrol(lab, name, "live", 0.0)
    assert lab.store.events() == []


def test_who_is_not_enrolled_has_no_session() -> None:
    with pytest.raises(ProtocolError, match="'P01' is not enrolled"):
        Session(study(), "P01")


def test_a_participant_goes_on_only_with_the_study_file_it_began_with() -> None:
    session, _ = begin()
    changed = type(session.study)(config(), "e" * 64, session.study.store)
    with pytest.raises(ProtocolError, match="another version of the study file"):
        Session(changed, "P01")


@pytest.mark.parametrize("at", [float("nan"), float("inf")])
def test_an_event_without_a_time_is_refused(at: float) -> None:
    session, _ = begin()
    with pytest.raises(ProtocolError, match="seconds since 1970"):
        session.record(Consented(), at)


@pytest.mark.parametrize("id", ["", "x" * 65])
def test_an_id_that_no_database_keeps_is_refused(id: str) -> None:
    session, _ = begin()
    with pytest.raises(ProtocolError, match="1 to 64 characters"):
        session.record(Consented(), 0.0, id)


# -- any study, any trouble ----------------------------------------------------------------


@st.composite
def studies(draw: st.DrawFn) -> StudyConfig:
    batch = draw(st.integers(1, 5))
    return config(
        conditions=draw(st.sampled_from([ONE, TWO, FOUR])),
        task={
            "minutes": draw(st.sampled_from([0.05, 0.5, 2.0, 1e6])),
            "clock": draw(st.sampled_from(["annotation", "total"])),
            "images": draw(st.none() | st.integers(1, 9)),
            "cycles": draw(st.none() | st.integers(1, 3)),
            "batch": batch,
            "page": draw(st.integers(1, batch)),
        },
        practice={"items": draw(st.integers(0, 1))},
        breaks={"seconds": draw(st.sampled_from([0, 30]))},
        attention_checks={"every": draw(st.integers(0, 3))},
        questionnaires=draw(st.sampled_from([(), ("paper",), ("paper", "nasa-tlx", "sus")])),
    )


labs = st.builds(
    Lab,
    pool=st.integers(0, 12).map(lambda n: tuple(f"{i:02d}.png" for i in range(n))),
    item_seconds=st.sampled_from([0.5, 7.0, 40.0]),
    machine_seconds=st.sampled_from([0.0, 3.0]),
    failing=st.frozensets(st.tuples(st.integers(1, 4), st.integers(1, 3)), max_size=4),
)
trouble = st.dictionaries(
    st.integers(0, 60), st.sampled_from(["extend", "end", "again", "note"]), max_size=4
)


def disturb(session: Session, lab: Lab, what: str, number: int) -> None:
    """What an experimenter or a bad network does between two steps."""
    position = getattr(session.step(), "position", None) or 1
    task = session.progress.task(position)
    match what:
        case "extend":
            more = TaskExtended(position=position, seconds=20.0, number=task.extensions + 1)
            if not task.finished(session.study.config) and not task.ended:
                session.record(more, lab.now)
        case "end":
            if not task.finished(session.study.config):
                session.record(TaskEnded(position=position), lab.now)
        case "again":
            last = log(session)[-1]
            assert session.record(last.payload, lab.now, last.id) is False
        case "note":
            session.record(Noted(text="?", note=str(number)), lab.now)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(studies(), labs, trouble, st.none() | st.integers(0, 120))
def test_any_study_ends_within_its_budgets_and_can_be_resumed_anywhere(
    settings_: StudyConfig, lab: Lab, troubles: dict[int, str], excluded_at: int | None
) -> None:
    session, _ = begin(settings_, lab)
    steps: list[tuple[int, Step]] = []
    for number in range(2_000):
        if number == excluded_at:
            session.record(Excluded(reason="?"), lab.now)
        if number in troubles and excluded_at is None:
            disturb(session, lab, troubles[number], number)
        step = session.step()
        steps.append((session.progress.number, step))
        if isinstance(step, Done):
            break
        lab.advance(session, step)
    events = log(session)

    # it ends, and how
    assert isinstance(step, Done)
    assert step.status == (
        "excluded" if number == excluded_at or was_excluded(events) else "completed"
    )

    # a reload at any step comes back to that step
    progress = replay(settings_, "P01", [])
    finished: set[int] = set()
    resumed = []
    for event in events:
        progress.apply(event, settings_)
        resumed.append((progress.number, next_step(settings_, progress)))
        now = {task.position for task in progress.tasks if task.finished(settings_)}
        # a finished task stays finished
        assert finished <= now
        finished = now
    assert progress == session.progress == replay(settings_, "P01", events)
    assert set(map(repr, steps)) <= set(map(repr, resumed))

    # every task once, in order, within its budgets
    starts = [e.payload.position for e in events if isinstance(e.payload, TaskStarted)]
    assert starts == list(range(1, len(starts) + 1))
    for task in progress.tasks:
        check_budgets(settings_, task.position, events)
    if step.status == "completed":
        assert len(starts) == len(settings_.conditions)
        assert finished == set(starts)


def was_excluded(events: list[Event]) -> bool:
    return any(isinstance(event.payload, Excluded) for event in events)


def check_budgets(settings_: StudyConfig, position: int, events: list[Event]) -> None:
    in_task = [e for e in events if getattr(e.payload, "position", None) == position]
    items = [e.payload for e in in_task if isinstance(e.payload, ItemAnnotated)]
    images = [payload.image for payload in items]
    assert len(images) == len(set(images))
    assert len(images) <= (settings_.task.images or len(images))
    for cycle in {payload.cycle for payload in items}:
        assert sum(payload.cycle == cycle for payload in items) <= settings_.task.batch
    extension = sum(e.payload.seconds for e in in_task if isinstance(e.payload, TaskExtended))
    limit = settings_.task.minutes * 60 + extension
    if settings_.task.clock == "annotation":
        assert sum(payload.seconds for payload in items[:-1]) < limit
    elif items:
        start = next(e.at for e in in_task if isinstance(e.payload, TaskStarted))
        before_last = [e.at for e in in_task if isinstance(e.payload, ItemAnnotated)][:-1]
        assert all(at - start < limit for at in before_last)
    evaluated = [e for e in in_task if isinstance(e.payload, Evaluated) and e.payload.cycle > 0]
    assert len(evaluated) <= (settings_.task.cycles or len(evaluated))
    every = settings_.attention_checks.every
    checks = sum(isinstance(e.payload, Checked) for e in in_task)
    assert checks <= (len(images) // every if every else 0)


def test_the_default_id_is_the_same_for_the_same_thing_said_again() -> None:
    first = Event.of(Consented(), participant="P01", mode="live", study_hash=HASH, at=0.0)
    again = Event.of(Consented(), participant="P01", mode="live", study_hash=HASH, at=9.0)
    other = Event.of(Consented(), participant="P02", mode="live", study_hash=HASH, at=0.0)
    assert first.id == again.id != other.id
