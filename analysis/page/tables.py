"""The report's tables as a reader sees them: a frame of numbers in, a frame of text out.

Every function takes one table of the report (of one metric, or of all: a column of measures is
put in front then) and returns text with printed column heads and `attrs["caption"]`. The page is
made from these.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from analysis.page import answer_tables, measure_tables, sample_tables


def shown(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table `name` of a report as text, with its caption in `attrs`."""
    return SHOWN[name](table)


SHOWN: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    make.__name__: make
    for make in (
        measure_tables.verdicts,
        sample_tables.sample,
        sample_tables.excluded,
        sample_tables.quality,
        sample_tables.remarks,
        sample_tables.missing,
        measure_tables.conditions,
        measure_tables.groups,
        measure_tables.changes,
        measure_tables.anova,
        measure_tables.estimates,
        measure_tables.simple_effects,
        measure_tables.pairwise,
        measure_tables.pairwise_groups,
        measure_tables.wilcoxon,
        measure_tables.equivalence,
        measure_tables.normality,
        measure_tables.order,
        measure_tables.mixed_effects,
        measure_tables.mixed_parameters,
        answer_tables.agreement,
        answer_tables.answer_counts,
        answer_tables.ordinal_effects,
        answer_tables.answer_tests,
        answer_tables.answer_scores,
        answer_tables.preferences,
        sample_tables.missing_trials,
        sample_tables.learning,
        measure_tables.sensitivity,
    )
}
