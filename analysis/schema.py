"""Every column that the analysis reads, once: its words, unit and range.

A number outside its range cannot be one: whoever has it is set aside by name (`analysis.tables`).
Columns that are not here are carried along as text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

#: What people may be: `mode` of a row.
MODES = ("live", "pilot", "simulated")

#: What a participant's status may be.
STATUSES = ("active", "completed", "withdrawn", "excluded")

DAY = 86_400.0


@dataclass(frozen=True)
class Column:
    """A numeric column: the words and unit that pages print, and what its values may be.

    `above` and `most` bound the values: `above < value <= most`, or `least <= value`.
    """

    words: str
    unit: str = ""
    least: float = 0.0
    most: float = 1e12
    positive: bool = False

    def outside(self, value: float) -> str | None:
        """Why `value` cannot be a value of this column; `None` where it can."""
        if self.positive and value <= 0:
            return "must be larger than 0"
        if value < self.least:
            return f"is not a {self.noun}: it is below {self.least:g}"
        if value > self.most:
            return f"is not a {self.noun}: it is above {self.most:g}"
        return None

    @property
    def noun(self) -> str:
        """What a value is called: a share, a number of seconds, a number."""
        if self.is_share:
            return "share"
        return "number of seconds" if self.unit == "s" else "number"

    @property
    def is_share(self) -> bool:
        """Whether values are shares, 0 to 1."""
        return self.most == 1.0


def _seconds(words: str, *, positive: bool = False, most: float = 100 * DAY) -> Column:
    return Column(words, "s", most=most, positive=positive)


def _share(words: str, unit: str = "share correct") -> Column:
    return Column(words, unit, most=1.0)


#: Outcomes of a task, in the order of the report.
METRICS: dict[str, Column] = {
    "seconds_per_image": _seconds("Time per image", positive=True, most=DAY),
    "log_seconds_per_image": Column("Log time per image", "log s", least=-math.inf),
    "accuracy_after": _share("Accuracy after fine-tuning"),
    "conflicting_accuracy_after": _share("Accuracy on conflicting images"),
    "worst_group_accuracy_after": _share("Accuracy of the worst group"),
    "attention_inside_after": _share("Attention inside the object", "share of attention"),
    "on_object": _share("Marks on the object", "share of points or area"),
    "objects_hit": _share("Objects hit", "share of objects"),
    "map_similarity": _share("Similarity of successive attention maps", "correlation"),
}

#: Accuracy on a test set of the study file (`dataset.tests`), before and after.
TEST_SET = re.compile(r"accuracy_on_(?P<test>[a-z][a-z0-9_]*)_(?P<when>before|after)")

#: What is measured of one feature alone, where an image may show several, before and after.
FEATURE = re.compile(
    r"(?P<metric>accuracy|balanced_accuracy|conflicting_accuracy|attention_inside)"
    r"_of_(?P<feature>[a-z0-9_]+?)(?P<when>_before|_after|)"
)

#: The measures of one feature, in the order of its table.
OF_FEATURES: dict[str, Column] = {
    "accuracy": _share("Accuracy"),
    "balanced_accuracy": _share("Balanced accuracy"),
    "conflicting_accuracy": _share("Accuracy on conflicting images"),
    "attention_inside": _share("Attention inside the object", "share of attention"),
}

#: Scores of instruments, analysed as metrics are.
SCORES: dict[str, Column] = {
    "sus": Column("SUS score", "points (0–100)", most=100),
    "nasa-tlx": Column("Raw NASA-TLX", "points (0–100)", most=100),
}

#: The columns of a folder's tables that hold numbers.
NUMBERS: dict[str, dict[str, Column]] = {
    "tasks": {
        **{name: column for name, column in METRICS.items() if not name.startswith("log_")},
        "accuracy_before": _share("Accuracy before fine-tuning"),
        "conflicting_accuracy_before": _share("Accuracy on conflicting images, before"),
        "worst_group_accuracy_before": _share("Accuracy of the worst group, before"),
        "attention_inside_before": _share("Attention inside the object, before"),
        "outline_iou": _share("Overlap of outlines and objects", "IoU"),
        "coverage": _share("Share of the objects that is outlined", "share of area"),
        "regions_on_object": _share("Share of negative regions on objects", "share of area"),
        "position": Column("place of the task in the participant's sequence"),
        "images": Column("images annotated"),
        "annotation_seconds": _seconds("annotation time of the task"),
        "waiting_seconds": _seconds("waiting time of the task"),
        "training_seconds": _seconds("computing time of fine-tuning"),
        "collapsed": Column("cycles in which attention collapsed"),
        "failed": Column("cycles whose fine-tuning failed"),
    },
    "reveals": {
        "share": Column("share of the pixels that was shown", "share", most=1.0, positive=True),
    },
    "items": {
        "seconds": _seconds("time from onset to confirmation", positive=True, most=DAY),
        "idle_seconds": _seconds("of these: out of sight, or long pauses", most=DAY),
        "position": Column("place of the task"),
        "trial": Column("order in the task"),
        "cycle": Column("cycle, from 1"),
        "page": Column("page of candidates, from 1"),
        "positive_points": Column("positive points"),
        "negative_regions": Column("negative regions"),
        "vertices": Column("vertices of all polygons"),
        "undos": Column("undo actions"),
        "on_object": _share("of what was marked, how much is on the object", "share"),
        "outline_iou": _share("overlap of outlines and objects", "IoU"),
        "coverage": _share("share of the objects that is outlined", "share of area"),
        "map_similarity": _share("correlation with the maps seen before", "correlation"),
    },
    "participants": {
        "attention_checks": Column("attention checks shown"),
        "attention_checks_failed": Column("attention checks missed"),
        "practice_attempts": Column("practice items attempted"),
        "tasks_finished": Column("tasks done to the end"),
        "demographic_age": Column("age", "years", most=130),
    },
}


#: Columns that have words but no range: what a participant is described by.
DESCRIBED = {
    "age": "Age",
    "gender": "Gender",
    "experience": "Experience with machine learning",
    "compensation": "Compensation",
}


def of_the_study(columns: Iterable[str]) -> list[str]:
    """The columns that a study file brings: test sets and features, before and after."""
    return [c for c in columns if TEST_SET.fullmatch(c) or _feature(c)]


def _feature(column: str) -> re.Match[str] | None:
    found = FEATURE.fullmatch(column)
    return found if found and found["when"] else None


def rule(table: str, column: str) -> Column | None:
    """What the values of a column of a table may be; None where nobody says."""
    if table != "tasks":
        return NUMBERS[table].get(column)
    if match := TEST_SET.fullmatch(column):
        named = match["test"].replace("_", " ")
        return _share(f"Accuracy on “{named}”" + ", before" * (match["when"] == "before"))
    if match := _feature(column):
        named = match["feature"].replace("_", " ")
        measure = OF_FEATURES[match["metric"]]
        words = f"{measure.words}, “{named}” alone" + ", before" * (match["when"] == "_before")
        return _share(words, measure.unit)
    return NUMBERS[table].get(column)


def _of_task(metric: str) -> Column | None:
    return METRICS.get(metric) or rule("tasks", metric)


def words(metric: str) -> str:
    """A metric's name in words."""
    found = _of_task(metric) or SCORES.get(metric)
    return found.words if found else metric.replace("_", " ")


def unit(metric: str) -> str:
    """A metric's unit, or nothing."""
    found = _of_task(metric) or SCORES.get(metric)
    return found.unit if found else ""


def is_share(metric: str) -> bool:
    """Whether a metric is a share (0 to 1), whose differences are percentage points."""
    found = _of_task(metric)
    return found is not None and found.is_share


def is_log(metric: str) -> bool:
    """Whether a metric is a natural logarithm, whose differences are ratios."""
    return metric.startswith("log_")


def before(metric: str) -> str | None:
    """The column that holds the same measure of the pretrained model, where there can be one."""
    return metric.removesuffix("_after") + "_before" if metric.endswith("_after") else None
