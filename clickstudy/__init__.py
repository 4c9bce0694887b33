"""The face of clickstudy: everything that a notebook needs, by one name each.

>>> import clickstudy as cs
>>> "anova" in dir(cs)
True

Nothing is loaded before its name is used, so importing this costs nothing. What needs
PyTorch says so where it is not installed: ``pip install 'clickstudy[learn]'``.

A study: :func:`load_study`, :func:`simulate`, :func:`open_study`, :func:`tables`, :func:`report`.
A benchmark: :func:`strategies`, :func:`benchmark`, :func:`attention_maps`, :func:`guidance_loss`.
Statistics, a table in and a table out: :func:`anova`, :func:`pairwise`, and the others.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analysis.stats import agreement as agreement
    from analysis.stats import aligned_ranks as aligned_ranks
    from analysis.stats import alpha as alpha
    from analysis.stats import anova as anova
    from analysis.stats import assume as assume
    from analysis.stats import bayes_factor as bayes_factor
    from analysis.stats import by_position as by_position
    from analysis.stats import cells as cells
    from analysis.stats import complete as complete
    from analysis.stats import describe as describe
    from analysis.stats import equivalence as equivalence
    from analysis.stats import estimates as estimates
    from analysis.stats import friedman as friedman
    from analysis.stats import holm as holm
    from analysis.stats import items as items
    from analysis.stats import lab_hours as lab_hours
    from analysis.stats import mixed as mixed
    from analysis.stats import normality as normality
    from analysis.stats import order as order
    from analysis.stats import ordinal as ordinal
    from analysis.stats import pairwise as pairwise
    from analysis.stats import power as power
    from analysis.stats import power_curve as power_curve
    from analysis.stats import preferences as preferences
    from analysis.stats import published as published
    from analysis.stats import repeated_correlation as repeated_correlation
    from analysis.stats import scores as scores
    from analysis.stats import sensitivity as sensitivity
    from analysis.stats import simple_effects as simple_effects
    from analysis.stats import wilcoxon as wilcoxon
    from clickstudy.jobs import benchmark as benchmark
    from clickstudy.jobs import load_study as load_study
    from clickstudy.jobs import open_study as open_study
    from clickstudy.jobs import report as report
    from clickstudy.jobs import simulate as simulate
    from clickstudy.jobs import strategies as strategies
    from clickstudy.jobs import tables as tables
    from study.learning.attention import attention_maps as attention_maps
    from study.learning.guidance import guidance_loss as guidance_loss

_HOME = {
    "analysis.stats": (
        "agreement", "aligned_ranks", "alpha", "anova", "assume", "bayes_factor", "by_position",
        "cells", "complete", "describe", "equivalence", "estimates", "friedman", "holm", "items",
        "lab_hours", "mixed", "normality", "order", "ordinal", "pairwise", "power",
        "power_curve", "preferences", "published", "repeated_correlation", "scores",
        "sensitivity", "simple_effects", "wilcoxon",
    ),
    "clickstudy.jobs": (
        "benchmark", "load_study", "open_study", "report", "simulate", "strategies", "tables",
    ),
    "study.learning.attention": ("attention_maps",),
    "study.learning.guidance": ("guidance_loss",),
}  # fmt: skip
_MODULE = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    """The named function, from the module that it lives in."""
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from study.extras import explained

    with explained():
        value = getattr(import_module(_MODULE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_MODULE)
