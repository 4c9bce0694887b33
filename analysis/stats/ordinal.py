"""Ordered answers: a cumulative-link mixed model, each effect with slopes of its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import linalg, stats

from analysis.errors import InputError
from analysis.stats.columns import Names
from analysis.stats.cumulative import Fit, fit, independent
from analysis.stats.likelihood import MAX_EFFECTS
from analysis.stats.models import Model, column_names, design, orthonormal

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Estimates beyond these have run away: the answers are separated by the factor.
RUNAWAY_ESTIMATE, RUNAWAY_SE = 12.0, 8.0

EFFECTS = [
    *("effect", "estimate", "se", "z", "p_wald", "ci_low", "ci_high", "ci_level"),
    *("odds_ratio", "or_low", "or_high", "lr_chi2", "lr_df", "lr_p", "p", "p_method"),
    *("slope_sd", "note"),
]


def ordinal(
    data: pd.DataFrame,
    dv: str,
    within: Names | None,
    subject: str,
    between: Names | None = None,
    covariates: Sequence[str] = (),
    *,
    slopes: bool = True,
    level: float = 0.95,
) -> Model:
    """logit P(answer > j) = within * ... * between + participant's own intercept and slopes.

    Each effect is tested in a model in which it varies between participants, beside their
    intercepts (uncorrelated, one SD for the columns of a term): with a random intercept alone
    and slopes that vary by 2 logits the false positives were .10 instead of .05. Maximum
    likelihood by adaptive quadrature; no Python library fits this model (see `cumulative`). Where
    every participant gave one answer there are no random effects: statsmodels' `OrderedModel`.

    Args:
        data: answers to one question, one row each; gaps and unequal numbers are allowed.
        dv: the ordered answers, as numbers.
        within: factors that vary within participants; sum-coded, so a coefficient of a two-level
            factor is the log odds ratio of a higher answer, first level against second.
        subject: the column that names the participant.
        between: factors that vary between participants.
        covariates: numbers (centred) or factors, as fixed effects without interactions.
        slopes: by-participant slopes; without them it is R's `clmm(... + (1 | subject))`.
        level: of Wald's interval.

    Returns:
        `effects`, one row per coefficient: `effect, estimate, se, z, p_wald, ci_low, ci_high,
        ci_level` (log odds), `odds_ratio, or_low, or_high`; of its term: `lr_chi2, lr_df, lr_p`,
        and `p`, the one to report, with `p_method`; `slope_sd, note`. `parameters`: `group, name,
        value` of the model without slopes. `fit`: one row, `log_likelihood, answers, participants,
        slopes, converged, note`.

    Raises:
        InputError: for a missing column, an answer that is no number, answers without variation,
            one answer per participant to factors within them, or no factor that varies.

    Examples:
        >>> rng = np.random.default_rng(3)
        >>> data = pd.DataFrame({"who": np.repeat(range(12), 2), "tool": ["x", "y"] * 12})
        >>> data["answer"] = rng.integers(1, 4, 24) + 2 * (data["tool"] == "x")
        >>> ordinal(data, "answer", "tool", "who").effects["p_method"].iloc[0]
        'likelihood ratio, F(1, 11)'
    """
    made = design(data, dv, within, subject, between, covariates)
    values = np.unique(made.y)
    people = len(made.participants)
    if len(values) < 2:
        raise InputError(f"ordinal: every answer is {values[0]:g}: there is nothing to model.")
    if not made.terms:
        raise InputError("ordinal: asked about one condition only: no factor varies.")
    single = people == len(made.y)
    if single and made.random:
        raise InputError(
            "ordinal: one answer per participant: there is no within-participant comparison."
        )
    y = np.searchsorted(values, made.y).astype(np.int64)
    matrix = np.column_stack(list(made.terms.values()))
    first = len(values) - 1  # thresholds come before coefficients
    plain = independent(y, matrix) if single else fit(y, matrix, made.people)
    rows: list[dict[str, Any]] = []
    notes, converged, start = list(made.notes), plain.converged, 0
    for name, block in made.terms.items():
        width = block.shape[1]
        varying = None
        if slopes and name in made.random:
            if width < MAX_EFFECTS:
                # One SD for all of a term's columns, whatever the order of its levels.
                turn = orthonormal(block) if width > 1 else np.eye(1)
                varying = block @ linalg.inv(turn)
            else:
                notes.append(f"{name} has too many columns for slopes")
        full = plain
        if varying is not None:
            full = fit(y, matrix, made.people, varying, near=plain.parameters)
        columns = slice(first + start, first + start + width)
        others = np.delete(matrix, slice(start, start + width), axis=1)
        if single:
            reduced = independent(y, others)
        else:
            near = np.delete(full.parameters, columns)
            reduced = fit(y, others, made.people, varying, near=near, errors=False)
        converged = converged and full.converged and reduced.converged
        chi2 = max(0.0, 2 * (full.log_likelihood - reduced.log_likelihood))
        test = _test(chi2, width, people - (matrix.shape[1] + 1 if single else 1))
        for i in range(start, start + width):
            sd = float(full.sds[1]) if varying is not None else np.nan
            rows.append(_coefficient(full, i, level) | test | {"slope_sd": sd})
        start += width
    effects = pd.DataFrame(rows)
    effects.insert(0, "effect", column_names(made.terms))
    names = [f"{low:g}|{high:g}" for low, high in pairwise(values)]
    parameters = pd.DataFrame(
        [
            {"group": "threshold", "name": name, "value": float(value)}
            for name, value in zip(names, plain.thresholds, strict=True)
        ]
        + [
            {"group": "participant", "name": "intercept", "value": float(sd)}
            for sd in plain.sds[:1]
        ]
    )
    row = {
        "log_likelihood": plain.log_likelihood,
        "answers": len(y),
        "participants": people,
        "slopes": slopes and bool(made.random),
        "converged": converged,
        "note": "; ".join(notes),
    }
    return Model(effects[EFFECTS], parameters, pd.DataFrame([row]))


def _test(chi2: float, df: int, df2: int) -> dict[str, Any]:
    """The likelihood ratio as chi-squared, and as F(df, df2), which is reported."""
    return {
        "lr_chi2": chi2,
        "lr_df": df,
        "lr_p": float(stats.chi2.sf(chi2, df)),
        "p": float(stats.f.sf(chi2 / df, df, df2)) if df2 > 0 else np.nan,
        "p_method": f"likelihood ratio, F({df}, {df2})",
    }


def _coefficient(full: Fit, i: int, level: float) -> dict[str, Any]:
    estimate, se = float(full.coefficients[i]), float(full.standard_errors[i])
    row: dict[str, Any] = dict.fromkeys(EFFECTS[1:11], np.nan) | {"ci_level": level, "note": ""}
    if not np.isfinite(se) or abs(estimate) > RUNAWAY_ESTIMATE or se > RUNAWAY_SE:
        direction = "higher" if estimate > 0 else "lower"
        row["note"] = (
            f"the answers are (almost) separated, {direction} for the first level: the odds "
            "ratio has no finite estimate"
        )
        return row
    half = stats.norm.ppf((1 + level) / 2) * se
    row |= {"estimate": estimate, "se": se, "z": estimate / se}
    row["p_wald"] = float(2 * stats.norm.sf(abs(estimate / se)))
    row |= {"ci_low": estimate - half, "ci_high": estimate + half}
    for new, old in (("odds_ratio", "estimate"), ("or_low", "ci_low"), ("or_high", "ci_high")):
        row[new] = float(np.exp(row[old]))
    return row
