"""Which numbers of a benchmark are compared: the primary one, and those that qualify it."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.benchmark.checks import LOWER_IS_BETTER, METRICS, metric_columns
from analysis.benchmark.tables import Benchmark

NAMES = {
    "accuracy": "Accuracy",
    "aligned_accuracy": "Accuracy on aligned images",
    "conflicting_accuracy": "Accuracy on conflicting images",
    "worst_group_accuracy": "Accuracy of the worst group",
    "attention_inside": "Attention inside the object",
    "pointing_game": "Pointing game",
    "attention_iou": "Attention IoU",
    "barycentre_distance": "Distance of attention's barycentre",
    "dead_maps": "Share of dead maps",
}


@dataclass(frozen=True)
class Measure:
    """A metric on a split."""

    split: str
    metric: str

    @property
    def key(self) -> str:
        """Its name in results.json."""
        return f"{self.split}:{self.metric}"

    @property
    def label(self) -> str:
        """Its name in words, with the split."""
        name = NAMES.get(self.metric)
        if name is None:
            name = "Accuracy on " + self.metric.removeprefix("accuracy_")
        return f"{name}, {self.split} split"

    @property
    def slug(self) -> str:
        """Its name in files and anchors."""
        return f"{self.split}-{self.metric}".replace("_", "-").replace(" ", "-")

    @property
    def higher_is_better(self) -> bool:
        """Whether a better model has more of it."""
        return self.metric not in LOWER_IS_BETTER


def primary(data: Benchmark) -> Measure:
    """The measure that the benchmark's file names."""
    return Measure(data.info["primary"]["split"], data.info["primary"]["metric"])


def target(data: Benchmark) -> Measure | None:
    """The measure whose target the benchmark's file sets, if it sets one."""
    if data.info["target"]["value"] is None:
        return None
    found = Measure(data.info["target"]["split"], data.info["target"]["metric"])
    return found if measured(data, found) else None


def measured(data: Benchmark, measure: Measure) -> bool:
    """Whether any trial has a number of it."""
    if measure.metric not in data.cycles:
        return False
    rows = data.cycles.loc[data.cycles["split"] == measure.split, measure.metric]
    return bool(rows.notna().any())


def measures(data: Benchmark) -> list[Measure]:
    """The primary measure first; then conflicting images, attention, and the biased test split."""
    first = primary(data)
    wanted = [
        first,
        Measure(first.split, "conflicting_accuracy"),
        Measure(first.split, "attention_inside"),
        Measure("test", "accuracy"),
    ]
    return [m for m in dict.fromkeys(wanted) if measured(data, m)]


def classes(data: Benchmark) -> list[Measure]:
    """Accuracy on each class of the primary split, as in the paper's Tables 2 and 3."""
    found = [
        Measure(primary(data).split, column)
        for column in metric_columns(data.cycles)
        if column not in METRICS
    ]
    return [m for m in found if measured(data, m)]
