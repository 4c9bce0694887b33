"""Which numbers of a benchmark are compared: the primary one, and those that qualify it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.benchmark.checks import LOWER_IS_BETTER, METRICS, metric_columns
from analysis.benchmark.tables import Benchmark
from analysis.schema import FEATURE, OF_FEATURES

USUAL = ("test", "balanced")
NAMES = {
    "accuracy": "Accuracy",
    "aligned_accuracy": "Accuracy on aligned images",
    "conflicting_accuracy": "Accuracy on conflicting images",
    "worst_group_accuracy": "Accuracy of the worst group",
    "balanced_accuracy": "Balanced accuracy",
    "attention_inside": "Attention inside the object",
    "pointing_game": "Pointing game",
    "attention_iou": "Attention IoU",
    "barycentre_distance": "Distance of attention's barycentre",
    "dead_maps": "Share of dead maps",
}


def measures(data: Benchmark) -> pd.DataFrame:
    """The primary measure first; then groups of images and attention, none without the others.

    Returns one row per measure: `key` (`split:metric`), `slug` (for file names), `split`,
    `metric`, `label`, `higher_is_better`, `primary`.
    """
    split, metric = data.info["primary"]["split"], data.info["primary"]["metric"]
    wanted = [
        (split, metric),
        *([(split, "balanced_accuracy")] if data.buys_labels else []),
        (split, "aligned_accuracy"),
        (split, "conflicting_accuracy"),
        (split, "attention_inside"),
        ("test", "accuracy"),
        # further test sets: "all images without context B" (He et al. 2023, Table 3)
        *((name, "accuracy") for name in data.splits if name not in USUAL),
    ]
    found = table(data, list(dict.fromkeys(wanted)))
    return found.assign(primary=found["key"] == f"{split}:{metric}")


def classes(data: Benchmark) -> pd.DataFrame:
    """Accuracy on each class and group of the primary split, as in the paper's Tables 2 and 3.

    Where an image may show several features, what is measured of each.
    """
    split = data.info["primary"]["split"]
    own = [column for column in metric_columns(data.cycles) if column not in METRICS]
    return table(data, [(split, column) for column in own])


def target(data: Benchmark) -> pd.DataFrame:
    """The measure whose target the benchmark's file sets, if it sets one and it was measured."""
    aim = data.info["target"]
    return table(data, [] if aim["value"] is None else [(aim["split"], aim["metric"])])


def table(data: Benchmark, wanted: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """One row for each metric on a split that any run has a number of."""
    rows = [
        {
            "key": f"{split}:{metric}",
            "slug": f"{split}-{metric}".replace("_", "-").replace(" ", "-"),
            "split": split,
            "metric": metric,
            "label": f"{name(metric)}, {split} split",
            "higher_is_better": metric not in LOWER_IS_BETTER,
        }
        for split, metric in wanted
        if metric in data.cycles
        and data.cycles.loc[data.cycles["split"] == split, metric].notna().any()
    ]
    columns = ("key", "slug", "split", "metric", "label", "higher_is_better")
    return pd.DataFrame(rows, columns=list(columns))


def name(metric: str) -> str:
    """A metric in words."""
    if match := FEATURE.fullmatch(metric):
        named = match["feature"].replace("_", " ")
        return f"{OF_FEATURES[match['metric']].words}, “{named}” alone"
    return NAMES.get(metric) or "Accuracy on " + metric.removeprefix("accuracy_")


def short(metric: str) -> str:
    """A metric of a class, of a group or of a feature, as a column's heading."""
    if FEATURE.fullmatch(metric):
        return name(metric)
    return metric.removeprefix("accuracy_").replace("_", ", ")
