"""Trial-level linear mixed model: by-participant slopes, image intercepts, Satterthwaite."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.errors import InputError
from analysis.stats.columns import Names
from analysis.stats.models import Design, Model, Progress, column_names, design, orthonormal
from analysis.stats.satterthwaite import degrees_of_freedom, derivatives, joint

Array = NDArray[np.float64]

#: Two fits agree if the criterion and the fixed effects (in standard errors) do.
CRITERION_TOLERANCE, EFFECT_TOLERANCE = 0.01, 0.02
#: More by-participant effects than this cannot be estimated from a study's participants.
MAX_SLOPES = 9
#: Images seen less often than this on average have no intercept of their own.
REPEATS = 2.0
IMAGES = " + (1 | item)"

EFFECTS = [
    *("effect", "estimate", "se", "t", "F", "df1", "df", "p", "ci_low", "ci_high", "ci_level"),
    "note",
]


def mixed(
    data: pd.DataFrame,
    dv: str,
    within: Names | None,
    subject: str,
    item: str | None = None,
    between: Names | None = None,
    covariates: Sequence[str] = (),
    *,
    df: str = "satterthwaite",
    log: bool = False,
    level: float = 0.95,
    progress: Progress | None = None,
) -> Model:
    """`dv ~ within * ... * between + covariates + (1 + within * ... | subject) + (1 | item)`.

    REML by mixedlm (checked against lmerTest), from two starts that must agree. A random
    intercept alone is invalid: its false positives were .19 to .54 where slopes stayed at .05.
    statsmodels' `MixedLM` cannot write correlated slopes with crossed images.

    Args:
        data: trials, one row each; gaps and unequal numbers are allowed.
        dv: the outcome on the scale that is modelled (log seconds).
        within: factors that vary within participants; sum-coded, so a coefficient of a two-level
            factor is first level minus second. `None`: the participants' intercepts are their only
            random effects.
        subject: the column that names the participant.
        item: the column that names the image; intercepts where it is given and images repeat.
        between: factors that vary between participants.
        covariates: numbers (centred) or factors, as fixed effects without interactions.
        df: `satterthwaite`, or `n-1` (participants - 1).
        log: add `ratio`, exp of estimate and interval.
        level: of the intervals.
        progress: called with a line now and then.

    Returns:
        `effects`: `effect, estimate, se, t, df, p, ci_low, ci_high, ci_level, note`, one row per
        coefficient, and one with `F, df1` for a term of several columns. `parameters`: `group,
        name, sd, correlation`. `fit`: one row, `formula, criterion, trials, participants, items,
        singular, converged, criterion_disagreement, effect_disagreement, df_method, seconds, note`.

    Raises:
        InputError: for a missing column, a measure that is no number, or data that cannot carry
            the model (the sentence says why).

    Examples:
        >>> rng = np.random.default_rng(1)
        >>> data = pd.DataFrame({"who": np.repeat(range(6), 20), "tool": ["x", "y"] * 60})
        >>> data["log_s"] = rng.normal(size=120) + (data["tool"] == "x")
        >>> mixed(data, "log_s", "tool", "who").effects[["effect", "estimate", "df"]].round(2)
              effect  estimate     df
        0  intercept      0.45  118.0
        1       tool      1.03  118.0
    """
    if df not in ("satterthwaite", "n-1"):
        raise InputError(f"mixed: df = {df!r} is neither 'satterthwaite' nor 'n-1'.")
    say = progress or (lambda line: None)
    started = time.perf_counter()
    made = design(data, dv, within, subject, between, covariates, [item] if item else [])
    notes = list(made.notes)
    people, trials = len(made.participants), len(made.y)
    slopes = 1 + sum(made.terms[name].shape[1] for name in made.random)
    if not made.terms:
        raise InputError("mixed: no factor varies over the trials.")
    if people < 3:
        raise InputError("mixed: fewer than three participants have trials.")
    if slopes > MAX_SLOPES:
        raise InputError(f"mixed: {slopes} by-participant effects are too many to estimate.")
    if trials < 2 * people * slopes:
        raise InputError(
            "mixed: too few trials per participant and condition for by-participant slopes."
        )
    if made.y.std() <= 1e-12 * max(float(np.abs(made.y).max()), 1e-300):
        raise InputError(f"mixed: every trial has the same {dv}.")
    table, fixed, random = _columns(made)
    if item is not None:
        table["item"] = made.rows[item].astype(str)
        if made.rows[item].isna().any() or (table["item"] == "").any():
            notes.append(f"{item} is missing in some trials: no {item} intercepts")
            item = None
        elif trials / table["item"].nunique() < REPEATS:
            notes.append(f"{item}s are seen less than twice on average: no {item} intercepts")
            item = None
    formula = f"y ~ {' + '.join(fixed)} + ({' + '.join(random)} | who)"
    formula += IMAGES if item else ""
    say(f"mixed model: {trials} trials of {people} participants")
    fit, gap, shift = _fit(formula, table, say)
    beta = np.asarray(fit.beta, dtype=float)
    covariance = np.asarray(fit.vcov(), dtype=float)
    se = np.sqrt(np.diag(covariance))
    if df == "n-1":
        dfs = np.full(len(beta), people - 1.0)
        gradients, spread = np.zeros((0, len(beta), len(beta))), np.zeros((0, 0))
    else:
        gradients, spread = derivatives(fit, say)
        dfs = degrees_of_freedom(np.eye(len(beta)), covariance, gradients, spread, trials)
    beta[0] += made.y.mean()
    effects = _effects(["intercept", *column_names(made.terms)], beta, se, dfs, level)
    start = 1
    for name, block in made.terms.items():
        width = block.shape[1]
        if width > 1:
            part = slice(start, start + width)
            turn = orthonormal(block)
            test = joint(
                turn @ beta[part],
                turn @ covariance[part, part] @ turn.T,
                turn @ gradients[:, part, part] @ turn.T,
                spread,
                trials,
                people if df == "n-1" else None,
            )
            effects.append({"effect": name} | test)
        start += width
    converged = gap < CRITERION_TOLERANCE and shift < EFFECT_TOLERANCE
    parameters, singular = _parameters(fit, ["intercept", *_random_names(made)], item)
    if singular:
        notes.append("singular fit: a variance or a correlation is at its bound")
    if not converged:
        notes.append("two fits disagree: read the ANOVA on participants' means instead")
    found = pd.DataFrame(effects, columns=EFFECTS)
    found["note"] = ""
    if log:
        for new, old in (("ratio", "estimate"), ("ratio_low", "ci_low"), ("ratio_high", "ci_high")):
            found.insert(len(found.columns) - 1, new, np.exp(found[old]))
    within_terms = " * ".join(name for name in made.random if " * " not in name) or "1"
    row: dict[str, Any] = {
        "formula": f"{dv} ~ {' + '.join(made.terms)} + ({within_terms} | {subject})"
        + (f" + (1 | {item})" if item else ""),
        "criterion": float(fit.deviance),
        "trials": trials,
        "participants": people,
        "items": table["item"].nunique() if item else np.nan,
        "singular": singular,
        "converged": converged,
        "criterion_disagreement": gap,
        "effect_disagreement": shift,
        "df_method": df,
        "seconds": time.perf_counter() - started,
        "note": "; ".join(notes),
    }
    return Model(found, parameters, pd.DataFrame([row]))


def _random_names(made: Design) -> list[str]:
    return column_names({name: made.terms[name] for name in made.random})


def _columns(made: Design) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Plain columns x1, x2, ...: mixedlm gets numbers, so no name or coding can surprise it."""
    matrix = np.column_stack(list(made.terms.values()))
    fixed = [f"x{i + 1}" for i in range(matrix.shape[1])]
    table = pd.DataFrame(matrix, columns=fixed)
    # Centred: a large mean would cost digits of the criterion.
    table["y"] = made.y - made.y.mean()
    table["who"] = [f"s{code:06d}" for code in made.people]
    random, start = ["1"], 0
    for name, block in made.terms.items():
        if name in made.random:
            random += fixed[start : start + block.shape[1]]
        start += block.shape[1]
    if np.linalg.matrix_rank(np.column_stack([np.ones(len(table)), matrix])) < len(fixed) + 1:
        raise InputError(
            "mixed: the factors and covariates repeat one another (one is a sum of others); "
            "leave one out."
        )
    return table, fixed, random


def _fit(formula: str, table: pd.DataFrame, say: Progress) -> tuple[Any, float, float]:
    """The better of two fits by exact gradients; a search without them where they disagree.

    The second starts elsewhere: with image intercepts, at the fit without them, which costs next
    to nothing; else half way to no variance.
    """
    from mixedlm import lmer, lmerControl

    exact: dict[str, Any] = {"optimizer": "L-BFGS-B", "use_analytic_gradient": True}
    exact |= {"ftol": 1e-11, "gtol": 1e-6, "check_conv": False, "check_singular": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = lmer(formula, table, control=lmerControl(**exact))
        say(f"mixed model: first fit done, criterion {first.deviance:.2f}")
        plain, images, _ = formula.partition(IMAGES)
        if images:
            start = np.append(lmer(plain, table, control=lmerControl(**exact)).theta, 0.5)
        else:
            start = np.where(np.abs(first.theta) > 0.1, 0.5 * np.asarray(first.theta), 0.3)
        second = lmer(formula, table, control=lmerControl(**exact), start=start)
        say("mixed model: second fit done")
        fits = [first, second]
        if not _agree(*fits):
            fits.append(
                lmer(formula, table, control=lmerControl(check_conv=False, check_singular=False))
            )
            say("mixed model: third fit done, by a search without gradients")
    fits.sort(key=lambda fit: float(fit.deviance))
    best, other = fits[:2]
    se = np.sqrt(np.diag(best.vcov()))
    gap = float(other.deviance - best.deviance)
    shift = float(np.max(np.abs(np.asarray(best.beta) - np.asarray(other.beta)) / se))
    return best, gap, shift


def _agree(a: Any, b: Any) -> bool:
    se = np.sqrt(np.diag(a.vcov()))
    shift = np.max(np.abs(np.asarray(a.beta) - np.asarray(b.beta)) / se)
    return bool(abs(a.deviance - b.deviance) < 1e-4 and shift < EFFECT_TOLERANCE / 10)


def _effects(
    labels: list[str], beta: Array, se: Array, dfs: Array, level: float
) -> list[dict[str, Any]]:
    half = stats.t.ppf((1 + level) / 2, dfs) * se
    return [
        {
            "effect": label,
            "estimate": float(b),
            "se": float(s),
            "t": float(b / s),
            "df": float(d),
            "p": float(2 * stats.t.sf(abs(b / s), d)),
            "ci_low": float(b - h),
            "ci_high": float(b + h),
            "ci_level": level,
        }
        for label, b, s, d, h in zip(labels, beta, se, dfs, half, strict=True)
    ]


def _parameters(fit: Any, labels: list[str], item: str | None) -> tuple[pd.DataFrame, bool]:
    """SDs and correlations; and whether one of them is at its bound."""
    size = len(labels)
    lower = np.zeros((size, size))
    lower[np.tril_indices(size)] = np.asarray(fit.theta)[: size * (size + 1) // 2]
    covariance = fit.sigma**2 * lower @ lower.T
    sd = np.sqrt(np.diag(covariance))
    rows: list[dict[str, Any]] = [
        {"group": "participant", "name": label, "sd": float(s)}
        for label, s in zip(labels, sd, strict=True)
    ]
    for i, j in combinations(range(size), 2):
        together = float(covariance[i, j] / (sd[i] * sd[j])) if sd[i] * sd[j] > 0 else np.nan
        rows.append(
            {"group": "participant", "name": f"{labels[i]}, {labels[j]}", "correlation": together}
        )
    singular = bool(np.min(np.abs(np.diag(lower))) < 1e-4)
    if item:
        spread = abs(float(np.asarray(fit.theta)[-1]))
        rows.append({"group": item, "name": "intercept", "sd": spread * float(fit.sigma)})
        singular |= spread < 1e-4
    rows.append({"group": "residual", "name": "residual", "sd": float(fit.sigma)})
    return pd.DataFrame(rows, columns=["group", "name", "sd", "correlation"]), singular
