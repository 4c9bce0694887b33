"""One measure of the tasks: described, tested, compared; a table for each question."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis import stats
from analysis.design import Design
from analysis.errors import InputError
from analysis.plan import Plan
from analysis.schema import before, is_log

Named = tuple[str, pd.DataFrame]
SUBJECT = "participant"


def tables(
    tasks: pd.DataFrame,
    metric: str,
    design: Design,
    plan: Plan,
    *,
    bayes: bool = False,
) -> Iterator[Named]:
    """Every table of one metric over the participants who have every condition.

    `tasks` has one row per participant and condition, as `analysis.tables.read` makes them.
    """
    for name, table in _tables(tasks, metric, design, plan, bayes=bayes):
        if len(table):
            yield name, table.assign(metric=metric)[["metric", *table.columns]]


def _tables(
    tasks: pd.DataFrame, metric: str, design: Design, plan: Plan, *, bayes: bool
) -> Iterator[Named]:
    log = is_log(metric)
    missing = lacking(tasks, metric, design)
    yield "missing", missing
    kept = tasks[~tasks[SUBJECT].isin(missing[SUBJECT])].reset_index(drop=True)
    people = kept[SUBJECT].nunique()
    if people < 2:
        yield (
            "too_few",
            pd.DataFrame(
                {
                    "n": [people],
                    "note": ["fewer than two participants have every condition: no tests"],
                }
            ),
        )
        return
    yield "people", pd.DataFrame({SUBJECT: sorted(kept[SUBJECT].unique())})
    yield "conditions", conditions(tasks, metric)
    if design.group is not None:
        yield "groups", _groups(kept, metric, design.group)
    factors, group = list(design.factors), design.group
    if design.crossed and (len(factors) > 1 or group is not None):
        yield "anova", _model("factors", stats.anova(kept, metric, factors, SUBJECT, between=group))
    if design.crossed:
        found = stats.estimates(kept, metric, factors, SUBJECT, log=log, bayes=bayes)
        yield "estimates", found
    yield "anova", _model("conditions", stats.anova(kept, metric, "condition", SUBJECT))
    if design.crossed and len(factors) > 1:
        yield "simple_effects", stats.simple_effects(kept, metric, factors, SUBJECT, log=log)
    yield "pairwise", stats.pairwise(kept, metric, "condition", SUBJECT, log=log, bayes=bayes)
    if group is not None:
        means = kept.groupby([SUBJECT, group], observed=True)[metric].mean().reset_index()
        yield "pairwise_groups", stats.pairwise(means, metric, None, SUBJECT, between=group)
    yield "wilcoxon", stats.wilcoxon(kept, metric, "condition", SUBJECT)
    if len(design.conditions) > 2:
        yield "friedman", stats.friedman(kept, metric, "condition", SUBJECT)
    margin = plan.equivalence_margins.get(metric)
    if margin is not None:
        yield (
            "equivalence",
            stats.equivalence(
                kept, metric, design.within, SUBJECT, margin=margin, alpha=plan.alpha
            ),
        )
    yield "normality", stats.normality(kept, metric, "condition", SUBJECT)
    yield from _order(kept, metric)
    yield "changes", changes(kept, metric, design)


def _groups(kept: pd.DataFrame, metric: str, group: str) -> pd.DataFrame:
    """Each condition in each group of participants; `factor` names what divides them."""
    found = stats.describe(kept, metric, "condition", SUBJECT, between=group, log=is_log(metric))
    found = found.drop(columns="condition").rename(columns={"cell": "condition", group: "group"})
    return found.assign(factor=group)


def _model(name: str, table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(model=name)[["model", *table.columns]]


def lacking(tasks: pd.DataFrame, metric: str, design: Design) -> pd.DataFrame:
    """The conditions that a participant lacks: one row for each, in the design's order."""
    known = tasks[tasks[metric].notna()]
    wide = pd.crosstab(known[SUBJECT], known["condition"], dropna=False)
    wide = wide.reindex(
        index=sorted(tasks[SUBJECT].unique()), columns=list(design.conditions), fill_value=0
    )
    rows = [
        (person, condition)
        for person, line in wide[(wide == 0).any(axis=1)].iterrows()
        for condition in design.conditions
        if not line[condition]
    ]
    return pd.DataFrame(rows, columns=[SUBJECT, "condition"], dtype=object)


def conditions(tasks: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Each condition over complete participants, and how many have it at all (`n_available`)."""
    found = stats.describe(tasks, metric, within="condition", subject=SUBJECT, log=is_log(metric))
    return found.drop(columns="condition").rename(columns={"cell": "condition"})


def changes(kept: pd.DataFrame, metric: str, design: Design) -> pd.DataFrame:
    """After fine-tuning against before it, in each condition: paired differences."""
    earlier = before(metric)
    if earlier is None or earlier not in kept or kept[earlier].isna().any():
        return pd.DataFrame()
    out = []
    for condition in design.conditions:
        rows = kept[kept["condition"] == condition]
        long = rows.melt(
            id_vars=[SUBJECT], value_vars=[metric, earlier], var_name="when", value_name="value"
        )
        long["when"] = pd.Categorical(
            long["when"].map({metric: "after", earlier: "before"}), ["after", "before"]
        )
        found = stats.pairwise(long, "value", "when", SUBJECT)
        out.append(found.assign(condition=condition)[["condition", *found.columns]])
    return pd.concat(out, ignore_index=True)


def _order(kept: pd.DataFrame, metric: str) -> Iterator[Named]:
    if "position" not in kept:
        return
    if kept["position"].isna().any():
        yield "order", pd.DataFrame({"note": ["position is missing for some tasks"]})
        return
    if kept.duplicated([SUBJECT, "position"]).any():
        yield "order", pd.DataFrame({"note": ["some participants have two tasks at one position"]})
        return
    by = {"dv": metric, "within": "condition", "subject": SUBJECT, "position": "position"}
    try:
        yield "order", stats.order(kept, **by)
    except InputError as error:
        yield "order", pd.DataFrame({"note": [str(error)]})
        return
    yield "by_position", stats.by_position(kept, **by)
