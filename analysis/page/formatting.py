"""Numbers as text: the one place where anything is rounded."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from analysis import schema

MINUS = "−"


def _sign(text: str) -> str:
    return text.replace("-", MINUS)


def number(value: float | None, digits: int = 3) -> str:
    """`digits` decimals, fewer for large numbers, more for small ones; a true minus sign."""
    if value is None or math.isnan(value):
        return "–"
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 10000:
        return _sign(f"{value:,.0f}")
    if size >= 100:
        return _sign(f"{value:.1f}")
    if size < 0.5 * 10**-digits:
        return _scientific(value)
    return _sign(f"{value:.{digits}f}")


def fixed(value: float | None, digits: int = 2) -> str:
    """Exactly `digits` decimals, for test statistics: an F of .004 is 0.00."""
    if value is None or not abs(value) < 10000:
        return number(value, digits)
    text = f"{value:.{digits}f}"
    return _sign(text.lstrip("-") if float(text) == 0 else text)


def contrast(text: str, *, ratio: bool = False) -> str:
    """`polygon - click` with a true minus, or as the quotient that a ratio is."""
    return text.replace(" - ", " ÷ " if ratio else f" {MINUS} ")


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{_sign(mantissa)}×10{raised}"


def p_value(value: float | None) -> str:
    """An exact p, without a leading zero: `.032`, or `4.1×10⁻⁷` below .001."""
    if value is None or math.isnan(value):
        return "–"
    if value == 0:
        return "< 10⁻³⁰⁰"
    if value < 0.001:
        return _scientific(value)
    return f"{value:.3f}".replace("0.", ".", 1) if value < 0.9995 else "1.000"


def p_equals(value: float | None) -> str:
    """`p = .032`."""
    if value is None or math.isnan(value):
        return "no test, because the differences do not vary"
    text = p_value(value)
    return f"p\u00a0{text}" if text.startswith("<") else f"p\u00a0=\u00a0{text}"


def bayes_factor(value: float | None) -> str:
    """Two decimals, and powers of ten from a thousand."""
    return number(value, 2) if value is None or value < 1000 else _scientific(value)


def interval(bounds: Sequence[float | None] | None, digits: int = 3) -> str:
    """`[0.12, 0.34]`."""
    known = [b for b in bounds or () if b is not None and not math.isnan(b)]
    if len(known) < 2:
        return "–"
    if max(abs(b) for b in known) < 10**-digits or max(abs(b) for b in known) >= 10000:
        return f"[{number(known[0], digits)}, {number(known[1], digits)}]"
    # Beside a larger bound a tiny one is 0.00, with its sign, rather than a power of ten.
    return "[" + ", ".join(_sign(f"{b:.{digits}f}") for b in known) + "]"


def share(value: float | None, digits: int = 1) -> str:
    """A proportion as per cent."""
    return "–" if value is None or math.isnan(value) else _sign(f"{100 * value:.{digits}f}%")


def change(ratio: float | None) -> str:
    """A ratio as a relative change: .77 is `−23.0%`."""
    return "–" if ratio is None else _sign(f"{100 * (ratio - 1):+.1f}%")


def plural(count: int, noun: str) -> str:
    """`1 participant`, `2 participants`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def written(value: object, kind: str, *, exact: bool = False) -> str:
    """A cell of a table, as its kind in `page.headings` wants it; nothing where it is empty.

    American Psychological Association (2020), Publication manual (7th ed.), section 6.36: p to
    three decimals and `< .001` below that (unless `exact`), no zero before the point where a
    number cannot exceed 1.
    """
    if _empty(value):
        return ""
    if kind == "yes":
        return "yes" if value is True else "not shown"
    if isinstance(value, str):
        return schema.words(value) if kind == "metric" else _symbols(value, kind)
    number_ = float(value)  # type: ignore[arg-type]
    if kind == "p":
        small = number_ < 0.001
        return "< .001" if small and not exact else p_value(number_)
    if kind in ("count", "text"):
        return f"{number_:,.0f}" if number_ >= 10000 else f"{number_:.0f}"
    if kind == "bounded":
        text = _sign(f"{number_:.2f}")
        return text.replace("0.", ".", 1) if abs(number_) < 1 else text
    return {
        "df": whole,
        "percent": lambda v: share(v, 0),
        "statistic": fixed,
        "factor": bayes_factor,
        "number": lambda v: number(v, 2 if abs(v) >= 10 else 3),
    }[kind](number_)


def _empty(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _symbols(text: str, kind: str) -> str:
    if kind == "effect":
        return text.replace(" * ", " × ")
    return contrast(text).replace("!=", "≠") if kind == "contrast" else text


def bounds(low: float, high: float, kind: str) -> str:
    """`[0.12, 0.34]`, in the digits of its estimate's kind."""
    if _empty(low) or _empty(high):
        return ""
    if kind == "number":
        return interval([low, high], 2 if max(abs(low), abs(high)) >= 10 else 3)
    return f"[{written(low, kind)}, {written(high, kind)}]"


def spans(text: str) -> list[tuple[str, str]]:
    """A heading or note as parts, each with its style: `italic`, `below` or none."""
    parts = re.split(r"\*([^*]+)\*|_\{([^}]+)\}", text)
    styled = zip(parts[::3], [*parts[1::3], None], [*parts[2::3], None], strict=True)
    out = []
    for plain_, italic, below in styled:
        out += [(plain_, ""), (italic or "", "italic"), (below or "", "below")]
    return [(part, style) for part, style in out if part]


def unstyled(text: str) -> str:
    """A heading without its styles."""
    return "".join(part for part, _ in spans(text))


def whole(value: Any) -> str:
    """Degrees of freedom: whole where they are, else two decimals."""
    if value is None or math.isnan(value):
        return "–"
    return f"{int(value)}" if float(value).is_integer() else f"{value:.2f}"
