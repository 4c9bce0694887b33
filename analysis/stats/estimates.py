"""Effects with one degree of freedom as differences, in the measure's own unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.stats.cells import Cells, require
from analysis.stats.columns import Names
from analysis.stats.contrasts import subsets
from analysis.stats.groups import contrast
from analysis.stats.pairwise import Row, one_sample

Array = NDArray[np.float64]


def estimates(
    data: pd.DataFrame,
    dv: str,
    within: Names | None,
    subject: str,
    between: Names | None = None,
    *,
    log: bool = False,
    level: float = 0.95,
    bayes: bool = False,
) -> pd.DataFrame:
    """Two-level factors and their interactions as differences in the measure's own unit.

    Sum coding: a main effect is the mean of the first level minus that of the second, over the
    cells of the other factors and with groups of participants weighing the same; an interaction is
    a difference of differences. In designs within participants and mixed ones t squared is the F
    of `anova`; between participants each group has its own variance (Welch; see
    `groups.contrast`).

    Returns:
        One row per effect with one degree of freedom: `source, contrast, n, estimate, ci_low,
        ci_high, ci_level, t, df, p`, `dz, dz_low, dz_high` (over the SD of the participants'
        differences, within groups) or, of an effect between participants, `d, d_low, d_high`;
        `ratio` with its interval if `log`, `bf10` if `bayes` and nobody is divided, `note`.

    Raises:
        InputError: as `pairwise`, and for an incomplete grid.

    Examples:
        >>> data = pd.DataFrame({"who": list("aabbcc"), "tool": list("xyxyxy"),
        ...                      "seconds": [5, 3, 6, 5, 8, 5]})
        >>> estimates(data, "seconds", "tool", "who")[["source", "contrast", "estimate"]]
          source contrast  estimate
        0   tool    x - y       2.0
    """
    cells = require(data, dv, within, subject, between)
    cells.require_crossed("the estimates")
    rows = [
        {"source": effect.source, "contrast": effect.contrast}
        | effect.test(cells, level, log=log, bayes=bayes)
        for effect in single_effects(cells)
    ]
    columns = ["source", "contrast", "n", "estimate", "ci_low", "ci_high", "ci_level", "t", "df"]
    table = pd.DataFrame(rows, columns=None if rows else [*columns, "p", "note"])
    return table[[c for c in table if c != "note"] + ["note"]]


@dataclass(frozen=True)
class Effect:
    """An effect with one degree of freedom: participants' scores, and a weight for each group."""

    source: str
    contrast: str
    scores: Array
    weights: Array
    varies_within: bool

    def test(self, cells: Cells, level: float, *, log: bool, bayes: bool) -> Row:
        """Its row of `estimates`, without its name."""
        if not cells.between:
            scale = float(np.max(np.abs(cells.table), initial=0.0))
            return one_sample(self.scores, scale, level, log=log, bayes=bayes)
        row = contrast(self.scores, cells.groups, self.weights, level, equal=bool(cells.levels))
        note = row.pop("note")
        if self.varies_within:
            row |= {key.replace("d", "dz", 1): row.pop(key) for key in ("d", "d_low", "d_high")}
        if log:
            row |= {"ratio": float(np.exp(row["estimate"]))}
            row |= {f"ratio_{end}": float(np.exp(row[f"ci_{end}"])) for end in ("low", "high")}
        return row | {"note": note}


def single_effects(cells: Cells) -> Iterator[Effect]:
    """Every effect with one degree of freedom, main effects first, between before within."""
    within, between = (
        [name for name, levels in known.items() if len(levels) == 2]
        for known in (cells.levels, cells.between)
    )
    for subset in subsets([*between, *within])[1:]:
        of_cells = _signs(cells.levels, cells.cells, [n for n in subset if n in cells.levels])
        of_groups = _signs(cells.between, cells.group_cells, [n for n in subset if n in between])
        levels = cells.levels | cells.between
        first, second = levels[subset[0]]
        simple = len(subset) == 1
        yield Effect(
            " * ".join(subset),
            f"{first} - {second}" if simple else "difference of differences",
            cells.table @ of_cells,
            of_groups,
            any(name in cells.levels for name in subset),
        )


def _signs(
    levels: dict[str, tuple[str, ...]], cells: Sequence[tuple[int, ...]], factors: list[str]
) -> Array:
    """Weights of the cells: the difference (of differences) of these factors; of none, the mean."""
    keys = np.array(cells, dtype=int).reshape(len(cells), len(levels))
    position = {name: i for i, name in enumerate(levels)}
    sign = np.prod([1 - 2 * keys[:, position[name]] for name in factors], axis=0)
    return np.asarray(np.ones(len(cells)) * sign * 2 ** len(factors) / len(cells))
