"""Calibration of every primary test: 2,000 null studies, and coverage of the intervals.

Not a test (it takes about half an hour on one core); its table is kept in
docs/analysis/calibration.md. Run: python -m tests.analysis.calibration OUT.json [STUDIES [STEP...]]
"""

from __future__ import annotations

import json
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from analysis import stats as tests
from analysis.paper import ORDERS, SECONDS_MEAN, SECONDS_SD, compound
from analysis.stats.equivalence import tost
from analysis.stats.groups import contrast
from analysis.stats.intervals import mean_interval
from analysis.stats.ranks import signed_rank

N, NAMES = 16, ["PR", "CR", "PA", "CA"]
FACTORS = ["interface", "sampling"]
X = np.array([[0.5, 0.5], [-0.5, 0.5], [0.5, -0.5], [-0.5, -0.5]])
Counts = dict[str, list[float]]  # by test: 1 where it rejects, or covers


def cells(rng: np.random.Generator, *, spherical: bool = True) -> np.ndarray:
    """Null log seconds of one study: the paper's spread, correlation .5, no effect."""
    relative = np.array(SECONDS_SD) / np.array(SECONDS_MEAN)
    spread = np.full(4, relative.mean()) if spherical else relative * [0.4, 0.8, 1.2, 2.5]
    root = np.linalg.cholesky(compound(tuple(spread), 0.5))
    return 1.9 + rng.normal(size=(N, 4)) @ root.T


def long(values: np.ndarray) -> pd.DataFrame:
    """Cells as a long table, in the paper's orders."""
    table = pd.DataFrame(
        [
            (i, NAMES[c][0], NAMES[c][1], NAMES[c], position, values[i, c])
            for i in range(len(values))
            for position, c in enumerate(ORDERS[i % 4], 1)
        ],
        columns=["who", "interface", "sampling", "condition", "position", "y"],
    )
    return table.assign(
        interface=pd.Categorical(table["interface"], ["P", "C"]),
        sampling=pd.Categorical(table["sampling"], ["R", "A"]),
    )


def study(rng: np.random.Generator, add: Counts) -> None:
    """Everything that is computed from participants' cells."""
    values = cells(rng)
    data = long(values)
    for row in tests.anova(data, "y", FACTORS, "who").to_dict("records"):
        add[f"2x2 ANOVA: {row['source']}"].append(row["p"] < 0.05)
        add["coverage 90%: partial eta squared (null)"].append(row["np2_low"] == 0.0)
        add["coverage 90%: generalised eta squared (null)"].append(row["ng2_low"] == 0.0)
    for label, table in (("", data), (", non-spherical", long(cells(rng, spherical=False)))):
        one = tests.anova(table, "y", "condition", "who").iloc[0]
        for name, key in (("uncorrected", "p"), ("GG", "p_gg"), ("HF", "p_hf")):
            add[f"one-way ANOVA, {name}{label}"].append(one[key] < 0.05)
    pairs = tests.pairwise(data, "y", "condition", "who")
    add["paired t-test"].append(pairs["p"].iloc[0] < 0.05)
    add["six paired t-tests, Holm: any"].append((pairs["p_holm"] < 0.05).any())
    add["exact Wilcoxon"].append(signed_rank(values[:, 0] - values[:, 1])["p"] < 0.05)
    rounded = np.round(np.round(values[:, 0], 1) - np.round(values[:, 1], 1), 6)
    add["exact Wilcoxon, many ties"].append(signed_rank(rounded)["p"] < 0.05)
    add["Friedman"].append(tests.friedman(data, "y", "condition", "who")["p"].iloc[0] < 0.05)
    for row in tests.order(data, "y", "condition", "who", "position").to_dict("records"):
        add[row["source"]].append(row["p"] < 0.05)
    margin = 0.2  # four standard errors: a smaller margin makes TOST conservative
    shifted = values[:, 0] - values[:, 1] + margin
    add["TOST at the margin"].append(tost("", shifted, margin, 0.05)["equivalent"])


def intervals(rng: np.random.Generator, add: Counts) -> None:
    """Coverage with a true effect: d_z = .8, the unit-free part known."""
    true_dz, sd = 0.8, 0.2
    difference = sd * (true_dz + rng.normal(size=N))
    base = 2 + 0.15 * rng.normal(size=N)
    pair = _pair(base + difference, base)
    covers(add, "95%: mean difference", pair, "ci", sd * true_dz)
    covers(add, "95%: d_z", pair, "dz", true_dz)
    low, high = np.exp(mean_interval(difference))
    add["coverage 95%: ratio of geometric means"].append(low <= np.exp(sd * true_dz) <= high)
    # d_av with the population's own average SD, both conditions measured with noise.
    xy = rng.multivariate_normal([0.7, 0.0], compound((1.0, 1.3), 0.5), size=N)
    covers(add, "95%: d_av", _pair(*xy.T), "dav", 0.7 / np.sqrt((1 + 1.69) / 2))
    # A 2x2 with one effect: partial and generalised eta squared, cells correlated by .5.
    spreads = {"even": np.ones(4), "uneven": np.array([0.4, 0.8, 1.2, 2.5])}
    effect = np.array([0.5, -0.5, 0.5, -0.5])
    for name, spread in spreads.items():
        covariance = compound(tuple(spread), 0.5)
        values = rng.multivariate_normal(effect, covariance, size=N)
        row = tests.anova(long(values), "y", FACTORS, "who").iloc[0]
        own = float(effect @ covariance @ effect)
        covers(add, f"90%: partial eta squared, {name}", row, "np2", N / (N + own * (N - 1)))
        truth = 1 / (1 + float(np.trace(covariance)))
        covers(add, f"90%: generalised eta squared, {name}", row, "ng2", truth)


def _pair(x: np.ndarray, y: np.ndarray) -> pd.Series:
    data = pd.DataFrame(
        {"who": [*range(len(x))] * 2, "which": ["a"] * len(x) + ["b"] * len(y), "y": [*x, *y]}
    )
    return tests.pairwise(data, "y", "which", "who").iloc[0]


def covers(add: Counts, label: str, row: pd.Series, key: str, truth: float) -> None:
    add[f"coverage {label}"].append(row[f"{key}_low"] <= truth <= row[f"{key}_high"])


def trials(rng: np.random.Generator, add: Counts) -> None:
    """The mixed model with real by-participant slopes and 10% missing trials."""
    people = np.repeat(np.arange(N), 4 * 12)
    cell = np.tile(np.repeat(np.arange(4), 12), N)
    kept = rng.random(len(people)) > 0.1
    people, cell = people[kept], cell[kept]
    x = np.column_stack([np.ones(len(people)), X[cell], X[cell].prod(axis=1)])
    b = rng.normal(size=(N, 4)) * [0.25, 0.15, 0.12, 0.12]
    y = 1.9 + (x * b[people]).sum(axis=1) + 0.35 * rng.normal(size=len(people))
    data = pd.DataFrame({"who": people, "i": x[:, 1], "s": x[:, 2], "y": y})
    model = tests.mixed(data, "y", ["i", "s"], "who")
    for row in model.effects.iloc[1:].to_dict("records"):
        add[f"mixed model: {row['effect']}"].append(row["p"] < 0.05)
        add["coverage 95%: mixed model"].append(row["ci_low"] <= 0 <= row["ci_high"])
    add["mixed model: two fits agree"].append(model.fit["converged"].iloc[0])


def answers(rng: np.random.Generator, add: Counts) -> None:
    """The cumulative-link mixed model: no effect, slopes that vary by 0 or 2 logits."""
    people, cell = np.repeat(np.arange(N), 4), np.tile(np.arange(4), N)
    u = 1.2 * rng.normal(size=N)[people]
    terms = np.column_stack([X[cell], X[cell].prod(axis=1)])
    for sd in (0.0, 2.0):
        slopes = sd * rng.normal(size=(N, 3))[people]
        latent = u + (slopes * terms).sum(axis=1) + rng.logistic(size=len(u))
        y = np.searchsorted([-2.2, -0.7, 0.7, 2.2], latent)
        if len(set(y)) < 2:
            continue
        data = pd.DataFrame({"who": people, "i": terms[:, 0], "s": terms[:, 1], "y": y})
        for name, slopes_of in (("with slopes", True), ("intercepts only", False)):
            model = tests.ordinal(data, "y", ["i", "s"], "who", slopes=slopes_of)
            for row in model.effects.to_dict("records"):
                label = f"clmm {name}, slope SD {sd:g}: {row['effect']}"
                add[f"{label}, F"].append(row["p"] < 0.05)
                add[f"{label}, chi-squared"].append(row["lr_p"] < 0.05)


def groups(rng: np.random.Generator, add: Counts) -> None:
    """Groups of participants: Welch's contrasts beside those of equal variances."""
    for label, sizes, spread in (
        ("8 and 24", (8, 24), (2.0, 1.0)),
        ("four of 8", (8, 8, 8, 8), (1.0, 1.0, 1.0, 1.0)),
        ("4, 6, 10 and 12", (4, 6, 10, 12), (3.0, 1.0, 1.0, 1.0)),
    ):
        code = np.repeat(np.arange(len(sizes)), sizes)
        scores = 1.9 + 0.2 * np.repeat(spread, sizes) * rng.normal(size=len(code))
        weights = np.array([1.0, -1.0, 1.0, -1.0][: len(sizes)]) / (len(sizes) / 2)
        for name, equal in (("Welch", False), ("equal variances", True)):
            row = contrast(scores, code, weights, 0.95, equal=equal)
            add[f"groups of {label}: {name}"].append(row["p"] < 0.05)


def odds(rng: np.random.Generator, add: Counts) -> None:
    """Proportional odds, one answer per participant: two groups of 12, and 2x2 groups of 8."""
    for label, count, factors in (("two groups of 12", 24, ["i"]), ("2x2, 8 each", 32, ["i", "s"])):
        cell = np.arange(count) % (2 * len(factors))
        y = np.searchsorted([-2.2, -0.7, 0.7, 2.2], rng.logistic(size=count))
        data = pd.DataFrame({"who": range(count), "i": cell % 2, "s": cell // 2, "y": y})
        for row in tests.ordinal(data, "y", None, "who", factors).effects.to_dict("records"):
            add[f"proportional odds, {label}: {row['effect']}, F"].append(row["p"] < 0.05)
            chi2 = f"proportional odds, {label}: {row['effect']}, chi-squared"
            add[chi2].append(row["lr_p"] < 0.05)


def split(rng: np.random.Generator, add: Counts) -> None:
    """Ordered answers of a mixed design: two groups of 8, two tasks each, one answer a task."""
    people, task = np.repeat(np.arange(N), 2), np.tile([0.5, -0.5], N)
    group = people % 2
    own = 1.2 * rng.normal(size=N)[people]
    for sd in (0.0, 2.0):
        latent = own + sd * rng.normal(size=N)[people] * task + rng.logistic(size=len(people))
        y = np.searchsorted([-2.2, -0.7, 0.7, 2.2], latent)
        data = pd.DataFrame({"who": people, "task": task, "group": group, "y": y})
        for row in tests.ordinal(data, "y", "task", "who", "group").effects.to_dict("records"):
            label = f"clmm of groups, slope SD {sd:g}: {row['effect']}"
            add[f"{label}, F"].append(row["p"] < 0.05)
            add[f"{label}, chi-squared"].append(row["lr_p"] < 0.05)


STEPS = {f.__name__: f for f in (study, intervals, trials, answers, groups, odds, split)}


def wilson_coverage() -> Iterator[float]:
    """Exact coverage of Wilson's interval at N, averaged over true proportions."""
    grid = np.linspace(0.05, 0.95, 181)
    bounds = [stats.binomtest(k, N).proportion_ci(method="wilson") for k in range(N + 1)]
    for p in grid:
        yield sum(stats.binom.pmf(k, N, p) for k, b in enumerate(bounds) if b.low <= p <= b.high)


def main(out: Path, studies: int = 2000, *steps: str) -> None:
    """Run the steps and write their rates, every 50 studies and in the end."""
    found: Counts = defaultdict(list)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fits that are counted as they are
        for step in [STEPS[name] for name in steps or STEPS]:
            rng = np.random.default_rng([7, studies])
            for done in range(1, studies + 1):
                step(rng, found)
                if done % 50 == 0 or done == studies:
                    write(out, found)
                    print(step.__name__, done, "of", studies, flush=True)


def write(out: Path, found: Counts) -> None:
    rows = {name: {"rate": float(np.mean(v)), "n": len(v)} for name, v in found.items()}
    wilson = {"rate": float(np.mean(list(wilson_coverage()))), "n": 0}
    rows["coverage 95%: Wilson (mean over p)"] = wilson
    out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:3]), *sys.argv[3:])
