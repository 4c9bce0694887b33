"""What the experimenter is told about data quality, and small helpers of the pages."""

from __future__ import annotations

import pandas as pd

from apps.web.overview import ago, quality
from study.protocol.recruiting import new_names


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
    assert found == {
        "careful": "",
        "hasty": "too fast, few corrections, checks failed",
        "away": "idle",
    }


def test_durations_are_as_people_say_them() -> None:
    assert [ago(seconds) for seconds in (3, 40, 200, 9000)] == [
        "now",
        "40 s ago",
        "3 min ago",
        "2 h ago",
    ]


def test_new_participants_take_the_free_names() -> None:
    assert new_names(["P01", "P03"], "P", 3) == ["P02", "P04", "P05"]
