"""Where labels are bought: how much of what all labels give a strategy has reached."""

from __future__ import annotations

import pandas as pd

from analysis.benchmark.contrasts import describe
from analysis.benchmark.curves import FAMILY
from analysis.benchmark.rows import records

#: Columns of the table.
COLUMNS = [*FAMILY, "strategy", "n", "mean", "low", "high"]


def all_data(reference: pd.DataFrame, measures: pd.DataFrame) -> pd.DataFrame:
    """What a model that knows every label of the pool has: `measure, seed, value`.

    `reference` are the rows of reference.csv.
    """
    columns = ["measure", "seed", "value"]
    parts = []
    for m in records(measures):
        if m["metric"] in reference:
            rows = reference[reference["split"] == m["split"]]
            values = pd.to_numeric(rows[m["metric"]], errors="coerce")
            seeds = rows["seed"].astype(int)
            parts.append(pd.DataFrame({"measure": m["key"], "seed": seeds, "value": values}))
    found = pd.concat(parts) if parts else pd.DataFrame(columns=columns)
    return found[found["value"].notna()].reset_index(drop=True)


def relative(found: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Each strategy's measure at the budget as a share of that with all labels, seed by seed.

    The thesis's Table 3.1 ("relative to using all data"); the mean of the seeds' ratios, with 95%
    intervals. `found` is what `outcomes` gives, `known` what `all_data` gives; a seed whose
    reference is 0 or missing is left out, and the row `all data` is the reference itself, not a
    share.
    """
    if known.empty:
        return pd.DataFrame(columns=COLUMNS)
    both = found.merge(known.rename(columns={"value": "all"}), on=["measure", "seed"])
    both = both[both["all"] > 0]
    shares = describe(
        both.assign(share=both["final"] / both["all"]), [*FAMILY, "strategy"], "share"
    )
    rows = found[FAMILY].drop_duplicates().merge(known, on="measure")
    whole = describe(rows.assign(strategy="all data"), [*FAMILY, "strategy"], "value")
    return pd.concat([whole, shares], ignore_index=True)[COLUMNS]
