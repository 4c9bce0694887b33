"""Feedback after each image: the head learns between two images, and the log says so."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_driver import Lab, at_step, begin, config, item, log

from study.config import StudyConfig
from study.export.tables import tables
from study.protocol.events import FineTuned, HeadTuned, ItemAnnotated
from study.protocol.session import ProtocolError
from study.protocol.steps import Annotate, FineTune, StartTask, TuneHead
from study.protocol.timeline import next_step, replay

ONE = ({"interface": "click", "sampling": "active"},)


def live(**values: Any) -> StudyConfig:
    """A study whose heads learn after each image."""
    known = {"conditions": ONE, "fine_tuning": {"train": "head"}}
    return config(**{**known, "workspace": {"feedback": "image"}, **values})


def head(step: TuneHead, **values: Any) -> HeadTuned:
    known: dict[str, Any] = {
        "position": step.position,
        "cycle": step.cycle,
        "items": step.items,
        "images": step.items,
        "steps": 3,
        "seconds": 0.1,
    }
    return HeadTuned.model_validate(known | values)


def test_the_head_learns_after_every_image_and_the_round_ends_as_ever() -> None:
    session, lab = begin(live(task={"images": 3, "batch": 2, "page": 2}))
    steps = [type(step).__name__ for step in lab.run(session)]
    begin_task = steps.index("StartTask")
    assert steps[begin_task + 1 : -1] == [
        "Select", "Annotate", "TuneHead", "Annotate", "TuneHead", "FineTune", "Evaluate",
        "Select", "Annotate", "TuneHead", "FineTune", "Evaluate",
    ]  # fmt: skip


def test_the_next_image_shows_what_the_last_one_taught() -> None:
    session, lab = begin(live(task={"images": 5, "batch": 2, "page": 2}))
    seen = lab.run(session)
    assert [step.learnt for step in seen if isinstance(step, Annotate)] == [0, 1, 2, 3, 4]


def test_feedback_by_round_shows_what_the_last_round_taught() -> None:
    session, lab = begin(config(conditions=ONE, task={"images": 5, "batch": 2, "page": 2}))
    seen = lab.run(session)
    assert [step.learnt for step in seen if isinstance(step, Annotate)] == [0, 0, 2, 2, 4]
    assert not any(isinstance(event.payload, HeadTuned) for event in log(session))


def test_only_the_conditions_with_that_level_learn_after_each_image() -> None:
    both = config(
        factors={"feedback": ["round", "image"]},
        conditions=[{**ONE[0], "feedback": level} for level in ("round", "image")],
        fine_tuning={"train": "head"},
        task={"images": 2, "batch": 2, "page": 2},
    )
    session, lab = begin(both)
    lab.run(session)
    learning = {step.condition.name for step in lab.seen if isinstance(step, TuneHead)}
    assert learning == {"click-active-image"}
    assert sum(isinstance(step, StartTask) for step in lab.seen) == 2


def test_what_was_confirmed_meanwhile_is_learnt_at_once() -> None:
    session, _, step = at_step(Annotate, live())
    for image in step.images:  # two confirmations arrive together, as after a lost connection
        session.record(item(step, image), 2_000.0)
    due = session.step()
    assert due == TuneHead(step.position, step.condition, 1, items=2)
    # a worker that had begun with the first is still believed
    session.record(head(due, items=1, images=1), 2_001.0)
    assert session.step() == due
    session.record(head(due), 2_002.0)
    assert isinstance(session.step(), FineTune)
    assert session.progress.task(1).updates == [1, 2]


def test_a_revisit_is_learnt_as_well() -> None:
    session, lab, _ = at_step(FineTune, live())
    annotate = next(s for s in lab.seen if isinstance(s, Annotate))
    session.record(item(annotate, annotate.images[0], visit=2), 3_000.0)
    due = session.step()
    assert isinstance(due, TuneHead)
    assert due.items == 3
    task = session.progress.task(1)
    assert len(task.after(3)) == len(task.annotations()) == 2
    session.record(head(due, images=2), 3_001.0)
    assert isinstance(session.step(), FineTune)


def test_a_head_that_could_not_learn_stays_as_it_was_and_the_task_goes_on() -> None:
    session, lab = begin(live(), Lab(unlucky=frozenset({(1, 2)})))
    lab.run(session)
    assert session.progress.task(1).updates == [1, 3, 4]
    shown = [step.learnt for step in lab.seen if isinstance(step, Annotate)]
    assert shown == [0, 1, 1, 3]


REFUSED = {
    "more than there is": ({"items": 3, "images": 3}, "cannot learn from 3 now"),
    "another number of images": ({"images": 1}, "2 confirmations of task 1 of P01 are 2 images"),
    "no such cycle": ({"cycle": 2}, "has no cycle 2 yet"),
}


@pytest.mark.parametrize(("values", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_an_update_that_the_log_could_not_replay_is_refused(
    values: dict[str, int], why: str
) -> None:
    session, lab = begin(live())
    lab.run(session, until=lambda step: isinstance(step, TuneHead) and step.items == 2)
    due = session.step()
    assert isinstance(due, TuneHead)
    with pytest.raises(ProtocolError, match=why):
        session.record(head(due, **values), lab.now)


def test_an_update_said_again_is_acknowledged() -> None:
    session, lab = begin(live())
    lab.run(session, until=lambda step: isinstance(step, TuneHead) and step.items == 2)
    due = session.step()
    assert isinstance(due, TuneHead)
    assert session.record(head(due, items=1, images=1), lab.now) is False


def test_a_head_does_not_learn_where_feedback_is_by_round_or_the_cycle_is_over() -> None:
    session, lab, _ = at_step(FineTune, config(conditions=ONE))
    late = HeadTuned(position=1, cycle=1, items=2, images=2, steps=1, seconds=0)
    with pytest.raises(ProtocolError, match="does not learn after each image"):
        session.record(late, lab.now)
    session, lab = begin(live())
    lab.run(session, until=lambda s: s.machine and type(s).__name__ == "Evaluate" and s.cycle == 1)
    with pytest.raises(ProtocolError, match="already fine-tuned"):
        session.record(late.model_copy(update={"items": 9}), lab.now)


def test_the_tables_say_how_often_the_head_learnt_and_how_long_it_took() -> None:
    settings = live(task={"images": 3, "batch": 2, "page": 2})
    session, lab = begin(settings)
    lab.run(session)
    found = tables(settings, log(session))
    cycles = found["cycles"].set_index("cycle")
    assert cycles["updates"].to_dict() == {0: 0, 1: 2, 2: 1}
    # two updates of .1 s and three steps each, and what the round's end says
    assert cycles.loc[1, "training_seconds"] == pytest.approx(1.2)
    assert cycles.loc[1, "epochs"] == 8
    assert found["items"]["learnt"].isna().all()


def test_the_tables_say_which_model_was_shown() -> None:
    settings = live(task={"images": 2, "batch": 2, "page": 2})
    session, lab = begin(settings)
    while not isinstance(step := session.step(), FineTune):
        if isinstance(step, Annotate):
            shown = item(step, step.remaining[0]).model_copy(update={"learnt": step.learnt})
            session.record(shown, lab.now)
        else:
            lab.advance(session, step)
    assert tables(settings, log(session))["items"]["learnt"].tolist() == [0, 1]


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(1, 3), st.sets(st.tuples(st.just(1), st.integers(1, 5))))
def test_any_prefix_of_the_log_gives_the_same_step_and_every_confirmation_is_learnt_once(
    images: int, batch: int, unlucky: set[tuple[int, int]]
) -> None:
    study = live(task={"images": images, "batch": batch, "page": 1})
    session, lab = begin(study, Lab(unlucky=frozenset(unlucky)))
    lab.run(session)
    events = log(session)
    kinds = Counter(type(event.payload) for event in events)
    assert kinds[HeadTuned] == kinds[ItemAnnotated] == images
    assert kinds[FineTuned] == -(-images // batch)
    for length in range(1, len(events)):
        progress = replay(study, "P01", events[:length])
        step = next_step(study, progress)
        following = events[length].payload
        if isinstance(following, HeadTuned):
            assert step == TuneHead(
                1, progress.tasks[0].condition, following.cycle, following.items
            )
