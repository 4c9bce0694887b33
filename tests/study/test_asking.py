"""A machine that asks for the annotation that is worth most per second."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tiny

from simulators.participant import Participant
from simulators.population import Population
from study import asking
from study.asking.worth import DOUBT
from study.config import StudyFileError, load
from study.directory import StudyDirectory
from study.export.tables import tables
from study.interfaces import interface
from study.loop import TaskLoop
from study.protocol.events import BatchSelected, Instructed, ItemAnnotated
from study.protocol.session import enrol
from study.seeds import rng

STUDY = """
name = "asking"
seed = 3
demographics = []
questionnaires = []
conditions = [{ interface = "dialogue", sampling = "random" }]
[dialogue]
interfaces = ["click", "verify"]
[task]
images = 8
batch = 4
page = 4
[practice]
items = 1
[breaks]
seconds = 0
""" + tiny.learning().replace("epochs = 1\n\n[fine_tuning]\nepochs = 1\n",
                              'train = "head"\n\n[fine_tuning]\ntrain = "head"\n')  # fmt: skip


def test_ones_own_times_count_more_the_more_there_are() -> None:
    usual = interface("click").seconds
    assert asking.cost("click", []) == usual
    assert asking.cost("click", [1.0] * DOUBT) == pytest.approx((usual + 1) / 2)
    assert asking.cost("click", [1.0] * 1000) == pytest.approx(1, abs=0.05)


def test_a_simulated_person_does_what_is_asked_and_the_log_says_why(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(STUDY)
    file = load(tmp_path / "study.toml")
    directory = StudyDirectory.create(tmp_path / "run", file)
    loop = TaskLoop(file, directory, "cpu")
    loop.prepare()
    study = directory.study()
    session = enrol(study, "P01", "simulated", at=0.0)
    person = Population().draw(rng(1, "someone")).model_copy(update={"diligence": 1.0})
    assert Participant(session, loop, person, waiting=1.0).run() == "completed"
    said = [event.payload for event in study.store.events("P01")]
    assert [p.interface for p in said if isinstance(p, Instructed)] == ["click", "verify"]
    first, second = [p for p in said if isinstance(p, BatchSelected)]
    assert Counter(first.asked) == {"click": 2, "verify": 2}
    assert not first.expected
    assert all(worth.gain is None for worth in first.reasons.values())
    rates = [[w.for_a_second for w in each.values()] for each in second.expected]
    best = [
        list(each)[int(np.argmax(rate))] for each, rate in zip(second.expected, rates, strict=True)
    ]
    assert sum(a == b for a, b in zip(second.asked, best, strict=True)) >= 3
    assert set(second.asked) == {"click", "verify"}
    assert second.reasons["click"].images == 2
    for each in (first, second):
        assert all(0 <= signs["certainty"] <= 1 for signs in each.signs)
    asked = dict(zip(first.images + second.images, first.asked + second.asked, strict=True))
    items = [p for p in said if isinstance(p, ItemAnnotated)]
    assert len(items) == 8
    for item in items:
        assert interface(asked[item.image]).refusal(item.annotation) is None
    mine = [i.seconds for i in items[:4] if asked[i.image] == "verify"]
    assert second.reasons["verify"].seconds == pytest.approx(asking.cost("verify", mine))
    table = tables(file.config, study.store.events("P01"))["items"]
    assert dict(zip(table["image"], table["asked"], strict=True)) == asked
    assert set(table["interface"]) == {"dialogue"}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"click", "verify"', '"click"', "two interfaces or more"),
        ('"click", "verify"', '"click", "template"', "template is drawn once for a whole class"),
        (
            '[fine_tuning]\ntrain = "head"',
            "[fine_tuning]\nepochs = 1",
            "which only heads do quickly",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(old: str, new: str, says: str, tmp_path: Path) -> None:
    assert old in STUDY
    (tmp_path / "study.toml").write_text(STUDY.replace(old, new))
    with pytest.raises(StudyFileError, match=says):
        load(tmp_path / "study.toml")
