"""Images that may show several features: what the classifiers know of each, before and after."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.design import Design
from analysis.schema import FEATURE, OF_FEATURES, of_the_study
from analysis.tables import Study

Named = tuple[str, pd.DataFrame]


def tables(study: Study) -> Iterator[Named]:
    """`features`, where the tasks have columns of features."""
    found = features(study.tasks, study.design)
    if len(found):
        yield "features", found


def features(tasks: pd.DataFrame, design: Design) -> pd.DataFrame:
    """Means over participants: one row for each feature, condition, and before or after.

    Columns: `feature, condition, when, n` (participants), and those of `schema.OF_FEATURES`.
    """
    own = [match for c in of_the_study(map(str, tasks)) if (match := FEATURE.fullmatch(c))]
    rows = [
        {"feature": feature.replace("_", " "), "condition": condition, "when": when, "n": len(here)}
        | {
            metric: here[column].mean()
            for metric in OF_FEATURES
            if (column := f"{metric}_of_{feature}_{when}") in here
        }
        for feature in dict.fromkeys(match["feature"] for match in own)
        for condition in design.conditions
        for when in ("before", "after")
        if len(here := tasks[tasks["condition"] == condition])
    ]
    return pd.DataFrame(rows)
