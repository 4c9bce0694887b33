"""What the experimenter is told about data quality, and small helpers of the pages."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from streamlit.testing.v1 import AppTest

from apps.web.overview import ago, alarm, left, pace
from study.config import load
from study.directory import StudyDirectory
from study.export.flags import flags, quality
from study.protocol.events import Consented, Excluded
from study.protocol.recruiting import new_names
from study.protocol.session import enrol
from study.protocol.steps import Break, Instructions, Step
from study.protocol.timeline import Progress


def test_data_quality_says_who_stands_out_and_why() -> None:
    def items(name: str, seconds: float, points: int, idle: float = 0.0) -> list[dict[str, object]]:
        return [
            {
                "participant": name, "position": 1, "interface": "click", "seconds": seconds,
                "idle_seconds": idle, "positive_points": points, "negative_regions": 0,
                "polygons": 0,
                "boxes": 0,
                "strokes": 0,
                "answer": "",
            }
        ] * 10  # fmt: skip

    frame = pd.DataFrame(
        [*items("careful", 4.0, 1), *items("hasty", 0.3, 0), *items("away", 20.0, 1, idle=15.0)]
    )
    people = pd.DataFrame(
        {"participant": ["careful", "hasty", "away"], "attention_checks_failed": [0, 3, 0]}
    )
    found = quality(frame, people).set_index("participant")["stands out"].to_dict()
    hasty = (
        "too fast (100% of images under 0.8 s), few corrections (0% of images), "
        "checks failed (3 in the study)"
    )
    assert found == {"careful": "", "hasty": hasty, "away": "idle (75% of the time)"}
    assert list(flags(frame, people)) == ["", f"task 1: {hasty}", "task 1: idle (75% of the time)"]


def test_durations_are_as_people_say_them() -> None:
    assert [ago(seconds) for seconds in (3, 40, 200, 9000)] == [
        "now",
        "40 s ago",
        "3 min ago",
        "2 h ago",
    ]


def test_new_participants_take_the_free_names() -> None:
    assert new_names(["P01", "P03"], "P", 3) == ["P02", "P04", "P05"]


def test_who_should_do_something_and_does_not_is_told_of() -> None:
    def said(step: Step, idle: float, heard: float | None, paused: bool = False) -> str | None:
        progress = Progress("P01", consented=True, last_at=10_000.0 - idle)
        seen = None if heard is None else 10_000.0 - heard
        return alarm(progress, step, seen, paused, now=10_000.0)

    step = Instructions("click")
    assert said(step, 299, 1) is None
    assert said(step, 480, 1) == "P01 has the page open and has done nothing for 8 min."
    assert said(step, 480, 420) == "P01's browser has not been heard of for 7 min."
    assert said(step, 9000, 9000) is None  # gone
    assert said(step, 480, None) is None  # has not come yet
    assert said(Break(1, 300.0), 480, 1) is None
    assert said(step, 480, 1, paused=True) is None


def test_who_left_is_listed_with_the_reason_and_what_is_kept() -> None:
    def row(
        name: str, status: str, why: str = "", erased: float | None = None
    ) -> dict[str, object]:
        return {
            "participant": name, "mode": "live", "status": status, "excluded_reason": why,
            "erased_images": erased, "erased_tasks": None if erased is None else 2.0,
        }  # fmt: skip

    people = pd.DataFrame(
        [
            row("P1", "completed"),
            row("P2", "excluded", "slept"),
            row("P3", "withdrawn", "asked by mail", 40.0),
            row("P4", "active"),
        ]
    )
    assert left(people).to_numpy().tolist() == [
        ["P2", "live", "excluded", "slept", "kept"],
        ["P3", "live", "withdrawn", "asked by mail", "erased: 40 images, 2 finished tasks"],
    ]
    assert left(people.iloc[:1]).empty


def quality_tab(run: str) -> None:
    from pathlib import Path

    from apps.web import experimenter
    from apps.web.desk import Desk

    experimenter._quality(Desk(Path(run)))


def test_the_experimenter_sees_who_left(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text('name = "left"\n')
    directory = StudyDirectory.create(tmp_path / "run", load(tmp_path / "study.toml"))
    for name in ("P01", "P02"):
        session = enrol(directory.study(), name, "live", 1.0)
        session.record(Consented(), at=2.0)
    session.record(Excluded(reason="slept"), at=3.0)
    app = AppTest.from_function(quality_tab, args=(str(directory.path),)).run(timeout=60)
    assert not app.exception
    assert app.dataframe[0].value.to_numpy().tolist() == [
        ["P02", "live", "excluded", "slept", "kept"]
    ]


def test_pace_counts_images_from_each_participants_first() -> None:
    items = pd.DataFrame({"participant": ["a", "b", "a"], "confirmed_at": [120.0, 500.0, 60.0]})
    done = pace(items).sort_values(["participant", "images"])
    assert list(done["minutes"]) == [0.0, 1.0, 0.0]
    assert list(done["images"]) == [1, 2, 1]
