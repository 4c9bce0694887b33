"""Calibration of every primary test: 2,000 null studies, and coverage of the intervals.

Not a test (it takes about half an hour on one core); its table is kept in
docs/analysis/calibration.md. Run: python -m tests.analysis.calibration OUT.json [STUDIES]
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
from scipy import optimize, stats

from analysis import mixed, ordinal
from analysis.anova import repeated_measures
from analysis.equivalence import tost
from analysis.order import additive_tests, sequence_by_condition
from analysis.pairwise import all_pairs, compare, mean_interval
from analysis.paper import ORDERS, SECONDS_MEAN, SECONDS_SD, compound
from analysis.ranks import friedman, signed_rank

N, NAMES = 16, ["PR", "CR", "PA", "CA"]
X = np.array([[0.5, 0.5], [-0.5, 0.5], [0.5, -0.5], [-0.5, -0.5]])
Counts = dict[str, list[float]]


def cells(rng: np.random.Generator, *, spherical: bool = True) -> np.ndarray:
    """Null log seconds of one study: the paper's spread, correlation .5, no effect."""
    relative = np.array(SECONDS_SD) / np.array(SECONDS_MEAN)
    spread = np.full(4, relative.mean()) if spherical else relative * [0.4, 0.8, 1.2, 2.5]
    root = np.linalg.cholesky(compound(tuple(spread), 0.5))
    return 1.9 + rng.normal(size=(N, 4)) @ root.T


def study(rng: np.random.Generator, add: dict[str, list[float]]) -> None:
    """Everything that is computed from participants' cells."""
    values = cells(rng)
    table = repeated_measures(values, (2, 2))
    for name, effect in (("interface", (1,)), ("sampling", (0,)), ("interaction", (0, 1))):
        add[f"2x2 ANOVA: {name}"].append(table[effect].p < 0.05)
        np2 = table[effect].np2_ci90
        add["coverage 90%: partial eta squared (null)"].append(np2[0] == 0.0)
    one = repeated_measures(values, (4,))[(0,)]
    add["one-way ANOVA, uncorrected"].append(one.p < 0.05)
    add["one-way ANOVA, GG"].append(one.p_gg < 0.05)
    add["one-way ANOVA, HF"].append(one.p_hf < 0.05)
    uneven = repeated_measures(cells(rng, spherical=False), (4,))[(0,)]
    add["one-way ANOVA, uncorrected, non-spherical"].append(uneven.p < 0.05)
    add["one-way ANOVA, GG, non-spherical"].append(uneven.p_gg < 0.05)
    add["one-way ANOVA, HF, non-spherical"].append(uneven.p_hf < 0.05)
    pairs = all_pairs(values, NAMES)
    add["paired t-test"].append(pairs[0].p < 0.05)
    add["six paired t-tests, Holm: any"].append(any(p.p_holm < 0.05 for p in pairs))
    add["exact Wilcoxon"].append(pairs[0].wilcoxon_p < 0.05)
    rounded = np.round(values, 1)
    add["exact Wilcoxon, many ties"].append(signed_rank(rounded[:, 0], rounded[:, 1]).p < 0.05)
    add["Friedman"].append(friedman(values).p < 0.05)
    long = pd.DataFrame(
        [
            {"participant": i, "condition": NAMES[c], "position": position, "value": values[i, c]}
            for i in range(N)
            for position, c in enumerate(ORDERS[i % 4], 1)
        ]
    )
    order = additive_tests(long)
    add["position"].append(order["position"].p < 0.05)
    add["preceding condition"].append(order["previous"].p < 0.05)
    add["sequence x condition"].append(
        sequence_by_condition(values, [str(i % 4) for i in range(N)]).p < 0.05
    )
    margin = 0.2  # four standard errors: a smaller margin makes TOST conservative
    shifted = values[:, 0] - values[:, 1] + margin
    add["TOST at the margin"].append(tost("", shifted, margin).equivalent)


def intervals(rng: np.random.Generator, add: dict[str, list[float]]) -> None:
    """Coverage with a true effect: d_z = .8, the unit-free part known."""
    true_dz, sd = 0.8, 0.2
    difference = sd * (true_dz + rng.normal(size=N))
    base = 2 + 0.15 * rng.normal(size=N)
    pair = compare("a", "b", base + difference, base)
    low, high = pair.ci95
    add["coverage 95%: mean difference"].append(low <= sd * true_dz <= high)
    low, high = np.exp(mean_interval(difference))
    add["coverage 95%: ratio of geometric means"].append(low <= np.exp(sd * true_dz) <= high)
    low, high = pair.dz_ci95
    add["coverage 95%: d_z"].append(low <= true_dz <= high)
    # d_av with the population's own average SD, both conditions measured with noise.
    covariance = compound((1.0, 1.3), 0.5)
    xy = rng.multivariate_normal([0.7, 0.0], covariance, size=N)
    low, high = compare("a", "b", xy[:, 0], xy[:, 1]).dav_ci95
    add["coverage 95%: d_av"].append(low <= 0.7 / np.sqrt((1 + 1.69) / 2) <= high)
    effect = repeated_measures(np.column_stack([difference, np.zeros(N)]), (2,))[(0,)]
    low, high = effect.np2_ci90
    ncp = N * true_dz**2
    add["coverage 90%: partial eta squared"].append(low <= ncp / (ncp + N - 1) <= high)


def trials(rng: np.random.Generator, add: dict[str, list[float]]) -> None:
    """The mixed model with real by-participant slopes and 10% missing trials."""
    people = np.repeat(np.arange(N), 4 * 12)
    cell = np.tile(np.repeat(np.arange(4), 12), N)
    kept = rng.random(len(people)) > 0.1
    people, cell = people[kept], cell[kept]
    x = np.column_stack([np.ones(len(people)), X[cell], X[cell].prod(axis=1)])
    b = rng.normal(size=(N, 4)) * [0.25, 0.15, 0.12, 0.12]
    y = 1.9 + (x * b[people]).sum(axis=1) + 0.35 * rng.normal(size=len(people))
    fit = mixed.fit(y, x, ["1", "i", "s", "is"], people, None)
    for effect in fit.effects[1:]:
        add[f"mixed model: {effect.name}"].append(effect.p < 0.05)
        add["coverage 95%: mixed model"].append(effect.ci95[0] <= 0 <= effect.ci95[1])
    add["mixed model: optimizers agree"].append(fit.converged)


def answers(rng: np.random.Generator, add: dict[str, list[float]]) -> None:
    """The cumulative-link mixed model, null and with an odds ratio of 3 for the interface."""
    people, cell = np.repeat(np.arange(N), 4), np.tile(np.arange(4), N)
    u = 1.2 * rng.normal(size=N)[people]
    terms = {
        "interface": X[cell][:, :1],
        "sampling": X[cell][:, 1:],
        "interaction": X[cell].prod(axis=1)[:, None],
    }
    for effect, label in ((0.0, "clmm"), (np.log(3), "clmm, OR 3")):
        latent = u + effect * X[cell][:, 0] + rng.logistic(size=len(u))
        levels, y = np.unique(np.searchsorted([-2.2, -0.7, 0.7, 2.2], latent), return_inverse=True)
        if len(levels) < 2:
            continue
        _, found = ordinal.analyse(y, terms, people)
        line = found["interface"][0]
        if line.estimate is None:
            add[f"{label}: no finite estimate"].append(1)
            continue
        low, high = line.estimate_ci95
        add[f"coverage 95%: {label} odds ratio"].append(low <= effect <= high)
        if effect == 0:
            add["clmm: interface, Wald"].append(line.p < 0.05)
            for name, lines in found.items():
                add[f"clmm: {name}, likelihood ratio"].append(lines[0].lr_p < 0.05)
                add[f"clmm: {name}, likelihood ratio as F"].append(lines[0].lr_p_f < 0.05)


def wilson_coverage() -> Iterator[float]:
    """Exact coverage of Wilson's interval at N, averaged over true proportions."""
    grid = np.linspace(0.05, 0.95, 181)
    bounds = [stats.binomtest(k, N).proportion_ci(method="wilson") for k in range(N + 1)]
    for p in grid:
        yield sum(stats.binom.pmf(k, N, p) for k, b in enumerate(bounds) if b.low <= p <= b.high)


def main(out: Path, studies: int = 2000) -> None:
    found: Counts = defaultdict(list)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optimize.OptimizeWarning)
        for step in (study, intervals, answers, trials):
            rng = np.random.default_rng([7, studies])
            for _ in range(studies):
                step(rng, found)
            rows = {name: {"rate": float(np.mean(v)), "n": len(v)} for name, v in found.items()}
            out.write_text(json.dumps(rows, indent=1))
            print(step.__name__, "done", flush=True)
    rows["coverage 95%: Wilson (mean over p)"] = {
        "rate": float(np.mean(list(wilson_coverage()))),
        "n": 0,
    }
    out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:3]))
