"""The tests, as functions from a long table to a table: one row per effect or comparison.

Arguments are pingouin's, `data, dv, within, subject`; numbers have full precision; what the data
cannot say is NaN, with a `note`. The order of levels is that of a Categorical, else sorted; a
difference is the first minus the second. Incomplete participants are refused by name, never left
out in silence: `complete` leaves them out and says whom. docs/analysis/methods.md says who
computes each quantity and against what it is checked.
"""

from analysis.stats.anova import anova
from analysis.stats.assumptions import Assumptions, assume, published
from analysis.stats.cells import cells, complete
from analysis.stats.correlation import repeated_correlation
from analysis.stats.describe import describe
from analysis.stats.equivalence import equivalence
from analysis.stats.estimates import estimates
from analysis.stats.groups import kruskal, mann_whitney, welch_anova
from analysis.stats.holm import holm
from analysis.stats.instruments import items, scores
from analysis.stats.mixed import mixed
from analysis.stats.models import Model
from analysis.stats.order import by_position, order
from analysis.stats.ordinal import ordinal
from analysis.stats.pairwise import bayes_factor, normality, pairwise
from analysis.stats.power import lab_hours, power, sensitivity
from analysis.stats.questionnaire import agreement, alpha, preferences
from analysis.stats.ranks import aligned_ranks, friedman, wilcoxon
from analysis.stats.simple import simple_effects
from analysis.stats.studies import power_curve

__all__ = [
    "Assumptions",
    "Model",
    "agreement",
    "aligned_ranks",
    "alpha",
    "anova",
    "assume",
    "bayes_factor",
    "by_position",
    "cells",
    "complete",
    "describe",
    "equivalence",
    "estimates",
    "friedman",
    "holm",
    "items",
    "kruskal",
    "lab_hours",
    "mann_whitney",
    "mixed",
    "normality",
    "order",
    "ordinal",
    "pairwise",
    "power",
    "power_curve",
    "preferences",
    "published",
    "repeated_correlation",
    "scores",
    "sensitivity",
    "simple_effects",
    "welch_anova",
    "wilcoxon",
]
