"""Every table that is printed: which columns of the report's table, under which title."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Spec:
    """How a table of the report is printed: `paper` columns, and the page's `more`.

    `note` stands below it, and each sentence of `where` if its column is printed.
    """

    title: str
    paper: str = ""
    more: str = ""
    note: str = ""
    where: Mapping[str, str] = field(default_factory=dict)


T = "t df p"


SPECS: dict[str, Spec] = {
    "sample": Spec("The sample", "variable level n share mean sd low high missing"),
    "verdicts": Spec(
        "The plan’s hypotheses",
        "hypothesis predicted contrast estimate unit p p_holm verdict",
        "note",
        "Each hypothesis has one test, two-sided at the plan’s α; Holm’s adjustment over all of "
        "them stands beside it. Ratios are of geometric means.",
    ),
    "conditions": Spec(
        "Means by condition",
        "metric condition n n_available mean sd median geometric_mean",
        "within min max",
        where={
            "within": "Of the participants who have every condition; intervals within participants "
            "(Morey, 2008) are those from which differences can be read off."
        },
    ),
    "features": Spec(
        "Each feature by itself",
        "feature condition when n accuracy balanced_accuracy conflicting_accuracy attention_inside",
        "",
        "Means over participants, before and after fine-tuning. Accuracy is of test images, the "
        "rest of balanced ones where there are some. Attention is on the feature's own object: "
        "neither stands for the other.",
    ),
    "groups": Spec("Conditions by group of participants", "metric group condition n mean sd"),
    "changes": Spec(
        "After fine-tuning against before it",
        f"metric condition mean_b mean_a difference {T} dz",
    ),
    "anova": Spec(
        "Analysis of variance",
        "metric source F df1 df2 p p_gg np2 ng2",
        "p_hf eps_gg eps_hf mauchly_w mauchly_p note",
        where={
            "p_gg": "GG and HF = Greenhouse–Geisser and Huynh–Feldt corrected, where an effect "
            "within participants has several degrees of freedom.",
            "np2": "η²_{p} and η²_{G} = partial and generalised eta squared.",
        },
    ),
    "estimates": Spec(
        "Effects",
        f"metric source contrast estimate {T} dz d ratio",
        "bf10 note",
        "The first level minus the second; an interaction is a difference of differences.",
        {"ratio": "Of logs, ratios are of geometric means."},
    ),
    "simple_effects": Spec(
        "Simple effects",
        f"metric factor at a b difference {T} p_holm ratio",
        "dz d",
        "Each factor at each level of the others; *p* (Holm) is adjusted over one factor’s rows.",
    ),
    "pairwise": Spec(
        "Comparisons of conditions",
        f"metric a b difference {T} p_holm dz d ratio",
        "dav bf10",
        "*p* (Holm) is adjusted over all comparisons of one measure.",
        {
            "dz": "*d*_{z} divides by the SD of the differences.",
            "dav": "*d*_{av} divides by the average SD.",
            "d": "*d* divides by the SD pooled within groups.",
        },
    ),
    "pairwise_groups": Spec(
        "Comparisons of groups",
        f"metric a b difference {T} p_holm d ratio",
        "",
        "Groups of participants by Welch’s test, over each participant’s mean of the conditions.",
    ),
    "wilcoxon": Spec(
        "Wilcoxon’s signed ranks",
        "metric a b n w_plus p p_holm",
        "zeros p_pratt rank_biserial",
        "Exact with ties up to 300 differences; zero differences are dropped (*p*) or ranked "
        "(Pratt).",
    ),
    "mann_whitney": Spec(
        "Mann and Whitney’s test",
        "metric a b n u p p_holm rank_biserial",
        "",
        "Exact with ties up to 100 participants.",
    ),
    "friedman": Spec("Friedman’s test", "metric n chi2 df p w"),
    "kruskal": Spec("Kruskal and Wallis’s test", "metric n chi2 df p epsilon2"),
    "equivalence": Spec(
        "Equivalence",
        "metric contrast margin difference p equivalent",
        "note",
        "Two one-sided tests against the margin that the plan fixed; equivalent where the "
        "interval lies inside it.",
    ),
    "normality": Spec(
        "How the differences are distributed",
        "",
        "a b skew largest_z shapiro_w shapiro_p",
        "A description: no test was chosen by it.",
    ),
    "order": Spec(
        "Order and carry-over",
        "",
        "metric source F df1 df2 p note",
        "Position and the preceding condition beside participant and condition; sequence × "
        "condition as a diagnostic of carry-over.",
    ),
    "mixed_effects": Spec(
        "Mixed model of the trials",
        "effect estimate se t F df1 df p ratio",
        "",
        "Log seconds per trial, by REML.",
    ),
    "mixed_parameters": Spec(
        "How much participants, images and trials differ", "", "group name sd"
    ),
    "agreement": Spec(
        "Agreement",
        "question cell n disagree neutral agree agree_share median_answer words",
        "",
        "Answers on both sides of the scale’s middle, one per participant and condition; Wilson’s "
        "interval of the share that agrees.",
    ),
    "answer_counts": Spec("Counts of the answers", "", "question cell n median_answer counts"),
    "ordinal_effects": Spec(
        "Cumulative-link models of the answers",
        "question effect odds_ratio lr_chi2 lr_df p",
        "p_method z p_wald lr_p note",
        "Odds of a higher answer; *p* is the one to report.",
    ),
    "answer_tests": Spec(
        "The same questions by ranks",
        "",
        "question cells n test chi2 df w w_plus u zeros p averaged note",
    ),
    "answer_scores": Spec("Single questions of the scales", "", "question cell n mean sd median"),
    "preferences": Spec(
        "Preferences",
        "question cell option count n share p p_holm",
        "",
        "One choice per participant, Wilson’s interval, exact binomial test against equal shares.",
    ),
    "reveals": Spec(
        "Rapid categorisation",
        "map shown n trials mean",
        "",
        "Right answers of two, where only the most important pixels were shown, by whose map of "
        "importance; means over participants, chance is .50.",
    ),
    "alpha": Spec("Reliability", "instrument alpha"),
    "sensitivity": Spec(
        "Other choices of the analysis",
        "metric specification source contrast n trials estimate unit p",
        "",
        "The first row of a measure is what was planned; the others ask whether it hangs on that "
        "choice, and are not tests of their own.",
    ),
    "excluded": Spec("Participants left out", "", "participant reason"),
    "quality": Spec(
        "Data quality by participant",
        "",
        "participant attention_checks_failed attention_checks practice_attempts seconds "
        "idle_seconds idle_share trimmed collapsed failed flags",
        "Idle: the page out of sight, or pauses beyond the study file’s threshold, of the time "
        "from onset to confirmation.",
    ),
    "remarks": Spec("Notes of the experimenters", "", "participant notes"),
    "missing": Spec(
        "Missing cells",
        "",
        "metric participant missing_conditions",
        "A participant with a gap is left out of that measure’s tests, not of the others.",
    ),
    "missing_trials": Spec("Missing trials", "", "participant condition missing"),
    "learning": Spec(
        "Change of time per doubling of practice within a task",
        "condition n ratio",
        "",
        "A ratio below 1 is faster.",
    ),
}
