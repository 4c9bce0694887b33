"""Which of the options people prefer: counts, Wilson's interval, exact tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats


@dataclass(frozen=True)
class Preference:
    """Answers to a choice question.

    With two options `p` is the exact two-sided binomial test against one half. With more, each
    option is tested against 1/k and `p` is None; `options[].p_holm` adjusts over options.
    """

    n: int
    options: list[dict[str, object]]
    p: float | None


def wilson(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval for a proportion (without continuity correction)."""
    interval = stats.binomtest(successes, n).proportion_ci(level, method="wilson")
    return float(interval.low), float(interval.high)


def preference(answers: Sequence[str], options: Sequence[str] = ()) -> Preference:
    """Count `answers`; `options` adds those that nobody chose."""
    from analysis.pairwise import holm

    counts = Counter(answers)
    names = sorted({*counts, *options}, key=lambda name: (-counts[name], name))
    n, k = len(answers), max(len(names), 2)
    p_values = [float(stats.binomtest(counts[name], n, 1 / k).pvalue) for name in names]
    rows: list[dict[str, object]] = [
        {
            "option": name,
            "count": counts[name],
            "share": counts[name] / n,
            "share_ci95": wilson(counts[name], n),
            "p": p,
            "p_holm": adjusted if k > 2 else None,
        }
        for name, p, adjusted in zip(names, p_values, holm(p_values), strict=True)
    ]
    return Preference(n, rows, p_values[0] if k == 2 else None)
