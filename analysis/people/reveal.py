"""Rapid categorisation: how many people know an image by how little of it, map by map."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import stats

from analysis.tables import Study

Named = tuple[str, pd.DataFrame]
CHANCE = 0.5
"""Of two answers."""
LEVEL = 0.95


def tables(study: Study) -> Iterator[Named]:
    """`reveals`, where the study had a rapid categorisation."""
    if study.reveals is not None and len(study.reveals):
        yield "reveals", accuracy(study.reveals)


def accuracy(rows: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by whose map said what is important, and by how much was shown.

    `rows` has `participant, source, share, correct`. A participant's share of right answers is one
    value; returned are `map, shown, n` (participants), `trials`, `mean` and its 95% interval over
    participants (t, cut off at 0 and 1; none with one participant).
    """
    found = []
    for key, part in rows.groupby(["source", "share"], sort=True):
        source, share = key
        each = part.groupby("participant")["correct"].mean()
        mean, n = float(each.mean()), len(each)
        half = np.nan
        if n > 1:
            half = float(each.std() / np.sqrt(n) * stats.t.ppf((1 + LEVEL) / 2, n - 1))
        found.append(
            {
                "map": str(source),
                "shown": float(str(share)),
                "n": n,
                "trials": len(part),
                "mean": mean,
                "ci_low": np.nan if n < 2 else max(mean - half, 0.0),
                "ci_high": np.nan if n < 2 else min(mean + half, 1.0),
                "ci_level": LEVEL,
            }
        )
    return pd.DataFrame(found)
