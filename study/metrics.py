"""Names of metrics: of a whole split, and of one feature where images may show several."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

OF_FEATURE = ": "
"""Between the name of a feature and that of its metric."""
FEATURE_METRICS = (
    "count",
    "count_shown",
    "accuracy",
    "balanced_accuracy",
    "sensitivity",
    "specificity",
    "aligned_accuracy",
    "conflicting_accuracy",
    "worst_group_accuracy",
    "count_aligned",
    "count_conflicting",
    "attention_inside",
    "attention_inside_small",
    "attention_inside_medium",
    "attention_inside_large",
    "count_small",
    "count_medium",
    "count_large",
    "pointing_game",
    "attention_iou",
    "barycentre_distance",
    "dead_maps",
)
"""What is measured of every feature for itself."""
FEATURE_COLUMNS = ("accuracy", "balanced_accuracy", "conflicting_accuracy", "attention_inside")
"""Those of a feature that have a column beside the whole's (:func:`column_of`)."""


def by_feature(
    metrics: Mapping[str, float | None],
) -> tuple[dict[str, float | None], dict[str, dict[str, float | None]]]:
    """The metrics of a split apart: those of the whole, and those of each feature by its name.

    >>> by_feature({"accuracy": 0.9, "boat: accuracy": 0.8})
    ({'accuracy': 0.9}, {'boat': {'accuracy': 0.8}})
    """
    whole: dict[str, float | None] = {}
    features: dict[str, dict[str, float | None]] = {}
    for name, value in metrics.items():
        feature, found, metric = name.rpartition(OF_FEATURE)
        if found and metric in FEATURE_METRICS:
            features.setdefault(feature, {})[metric] = value
        else:
            whole[name] = value
    return whole, features


def column_of(metric: str, feature: str) -> str:
    """The column that a feature's metric has in tables of wholes.

    >>> column_of("accuracy", "Double_Chin")
    'accuracy_of_double_chin'
    """
    return f"{metric}_of_{_plain(feature)}"


def alike(features: Sequence[str]) -> tuple[str, ...]:
    """The first features of which the columns have one name; of none, none.

    >>> alike(["boat", "Double Chin", "double_chin"])
    ('Double Chin', 'double_chin')
    """
    by_name: dict[str, list[str]] = {}
    for feature in features:
        by_name.setdefault(_plain(feature), []).append(feature)
    return next((tuple(found) for found in by_name.values() if len(found) > 1), ())


def _plain(feature: str) -> str:
    return re.sub(r"[\W_]+", "_", feature.lower()).strip("_")


def feature_columns(metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    """What a split's metrics say of each feature, by :func:`column_of`.

    >>> feature_columns({"accuracy": 0.9, "boat: accuracy": 0.8})
    {'accuracy_of_boat': 0.8}
    """
    return {
        column_of(metric, feature): found[metric]
        for feature, found in by_feature(metrics)[1].items()
        for metric in FEATURE_COLUMNS
        if metric in found
    }
