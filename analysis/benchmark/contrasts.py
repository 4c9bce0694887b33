"""Means and paired differences over seeds, one row per group."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from analysis.stats import holm

#: Differences that vary by less than this share of the numbers are rounding: there is no test.
NOISE = 1e-11


def describe(data: pd.DataFrame, by: list[str], value: str) -> pd.DataFrame:
    """`n`, `mean` and Student's 95% interval (`low`, `high`) of what is finite, by group.

    There is no interval (NaN) below two values.
    """
    groups = data.groupby(by, sort=False, observed=True)[value].agg(["count", "mean", "std"])
    half = _half_width(groups)
    return pd.DataFrame(
        {
            "n": groups["count"],
            "mean": groups["mean"],
            "low": groups["mean"] - half,
            "high": groups["mean"] + half,
        }
    ).reset_index()


def differences(data: pd.DataFrame, by: list[str], a: str, b: str) -> pd.DataFrame:
    """Column `a` minus column `b` over the rows that have both, by group.

    Returns `pairs, estimate, low, high` (95% interval), `t` and `p` of the paired t test; there is
    no test (NaN) with fewer than two pairs, or where the differences do not vary.
    """
    both = data[by].assign(
        difference=data[a] - data[b],
        size=data[[a, b]].abs().max(axis=1).where(data[a].notna() & data[b].notna()),
    )
    groups = both.groupby(by, sort=False, observed=True)
    found = groups["difference"].agg(["count", "mean", "std"])
    half = _half_width(found)
    varies = found["std"] > NOISE * groups["size"].max()
    t = (found["mean"] / (found["std"] / np.sqrt(found["count"]))).where(varies)
    return pd.DataFrame(
        {
            "pairs": found["count"],
            "estimate": found["mean"],
            "low": found["mean"] - half,
            "high": found["mean"] + half,
            "t": t,
            "p": 2 * stats.t.sf(t.abs(), found["count"] - 1),
        }
    ).reset_index()


def _half_width(groups: pd.DataFrame) -> pd.Series:
    quantile = stats.t.ppf(0.975, (groups["count"] - 1).clip(lower=1))
    return quantile * groups["std"] / np.sqrt(groups["count"])  # std is NaN below two


def against(
    outcomes: pd.DataFrame, value: str, baseline: str, higher: pd.Series, family: list[str]
) -> pd.DataFrame:
    """Each strategy's mean and its difference from the baseline over the seeds both have.

    Args:
        outcomes: one row per run, complete grid: the columns of `family`, `strategy`, `seed`.
        value: the column that is compared.
        baseline: the strategy to compare with; it has no difference itself.
        higher: by measure, whether more of it is better.
        family: the columns within which Holm's adjustment holds.

    Returns:
        `n, mean, low, high, missing_seeds`, then `difference, difference_low, difference_high,
        pairs, t, p, p_holm, verdict` (`better` or `worse` where the 95% interval of the difference
        excludes 0, else `open`; empty for the baseline).
    """
    by = [*family, "strategy"]
    lines = describe(outcomes, by, value)
    gaps = outcomes["seed"].astype(str).where(outcomes[value].isna(), "")
    missing = gaps.groupby([outcomes[c] for c in by], sort=False)
    lines["missing_seeds"] = missing.agg(lambda seeds: " ".join(filter(None, seeds))).to_numpy()
    own = outcomes[outcomes["strategy"] == baseline].rename(columns={value: "baseline"})
    pairs = outcomes[outcomes["strategy"] != baseline].merge(
        own[[*family, "seed", "baseline"]], on=[*family, "seed"]
    )
    found = differences(pairs, by, value, "baseline").rename(
        columns={"estimate": "difference", "low": "difference_low", "high": "difference_high"}
    )
    found["p_holm"] = found.groupby(family, sort=False)["p"].transform(
        lambda p: pd.Series(holm(list(p)), index=p.index)
    )
    found["verdict"] = verdicts(found, found["measure"].map(higher).astype(bool))
    return lines.merge(found, how="left", on=by).fillna({"verdict": ""})


def verdicts(found: pd.DataFrame, higher_is_better: pd.Series | bool) -> np.ndarray:
    """`better`, `worse` or `open` for each difference; without a test it stays `open`."""
    sign = np.where(higher_is_better, 1, -1)
    above = found["difference_low"] > 0
    below = found["difference_high"] < 0
    told = np.where(above, sign, np.where(below, -sign, 0)) * found["p"].notna()
    return np.select([told > 0, told < 0], ["better", "worse"], "open")
