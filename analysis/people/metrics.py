"""One measure of the tasks: described, tested, compared; a table for each question."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
    people, there = kept[SUBJECT].nunique(), kept["condition"].nunique()
    if people < 2 or there < 2:
        said = "every condition: no tests" if design.paired else "a value: no conditions to compare"
        note = f"fewer than two participants have {said}"
        if people >= 2:
            note = f"everybody who has a value is {kept['condition'].iloc[0]}: no tests"
        yield "too_few", pd.DataFrame({"n": [people], "note": [note]})
        return
    yield "people", pd.DataFrame({SUBJECT: sorted(kept[SUBJECT].unique())})
    yield "conditions", conditions(tasks, metric, design)
    yield from _effects(kept, metric, design, log=log, bayes=bayes)
    one: dict[str, Any] = {"data": kept, "dv": metric, "subject": SUBJECT}
    if design.paired:
        pairs = stats.pairwise(**one, within="condition", log=log, bayes=bayes)
        yield "pairwise", pairs
        yield "wilcoxon", stats.wilcoxon(**one, within="condition")
        if len(design.conditions) > 2:
            yield "friedman", stats.friedman(**one, within="condition")
    else:
        pairs = stats.pairwise(**one, within=None, between="condition", log=log, bayes=bayes)
        yield "pairwise", pairs
        yield "mann_whitney", stats.mann_whitney(**one, between="condition")
        if len(design.conditions) > 2:
            yield "kruskal", stats.kruskal(**one, between="condition")
    margin = plan.equivalence_margins.get(metric)
    if margin is not None:
        yield (
            "equivalence",
            stats.equivalence(**one, **design.by, margin=margin, alpha=plan.alpha),
        )
    yield "normality", stats.normality(**one, **design.one_way)
    yield from _order(kept, metric)
    yield "changes", changes(kept, metric, design)


def _effects(
    kept: pd.DataFrame, metric: str, design: Design, *, log: bool, bayes: bool
) -> Iterator[Named]:
    """The effects of the factors and of the groups."""
    one: dict[str, Any] = {"data": kept, "dv": metric, "subject": SUBJECT}
    if design.crossed:
        if len(design.levels) > 1:
            yield "anova", _model("factors", stats.anova(**one, **design.by))
        yield "estimates", stats.estimates(**one, **design.by, log=log, bayes=bayes)
    yield "anova", _model("conditions", stats.anova(**one, **design.one_way))
    if not design.paired:
        yield "anova", _model("welch", stats.welch_anova(**one, between="condition"))
    if design.crossed and len(design.levels) > 1:
        yield "simple_effects", stats.simple_effects(**one, **design.by, log=log)
    if design.between:
        groups = list(design.between)
        yield "groups", _groups(kept, metric, groups)
        yield "pairwise_groups", stats.pairwise(**one, within=None, between=groups, log=log)


def _groups(kept: pd.DataFrame, metric: str, groups: list[str]) -> pd.DataFrame:
    """Each condition in each group of participants."""
    found = stats.describe(kept, metric, "condition", SUBJECT, between=groups, log=is_log(metric))
    found = found.drop(columns="condition").rename(columns={"cell": "condition"})
    named = found[groups].astype(str).agg("-".join, axis=1)
    return found.drop(columns=groups).assign(group=named, factor=" x ".join(groups))


def _model(name: str, table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(model=name)[["model", *table.columns]]


def lacking(tasks: pd.DataFrame, metric: str, design: Design) -> pd.DataFrame:
    """The conditions that a participant lacks: one row for each, in the design's order.

    Where every participant has one condition, those who have no value in it.
    """
    if not design.paired:
        gone = tasks.loc[tasks[metric].isna(), [SUBJECT, "condition"]]
        return gone.astype(object).sort_values(SUBJECT).reset_index(drop=True)
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


def conditions(tasks: pd.DataFrame, metric: str, design: Design) -> pd.DataFrame:
    """Each condition over complete participants, and how many have it at all (`n_available`)."""
    found = stats.describe(tasks, metric, subject=SUBJECT, log=is_log(metric), **design.one_way)
    if design.paired:
        return found.drop(columns="condition").rename(columns={"cell": "condition"})
    there = tasks.groupby("condition", observed=True).size()
    available = found["condition"].map(there).astype(int)
    return found.drop(columns="cell").assign(n_available=available)


def changes(kept: pd.DataFrame, metric: str, design: Design) -> pd.DataFrame:
    """After fine-tuning against before it, in each condition: paired differences."""
    earlier = before(metric)
    if earlier is None or earlier not in kept or kept[earlier].isna().any():
        return pd.DataFrame()
    out = []
    for condition in design.conditions:
        rows = kept[kept["condition"] == condition]
        if rows[SUBJECT].nunique() < 2:
            continue
        long = rows.melt(
            id_vars=[SUBJECT], value_vars=[metric, earlier], var_name="when", value_name="value"
        )
        long["when"] = pd.Categorical(
            long["when"].map({metric: "after", earlier: "before"}), ["after", "before"]
        )
        found = stats.pairwise(long, "value", "when", SUBJECT)
        out.append(found.assign(condition=condition)[["condition", *found.columns]])
    return pd.concat(out, ignore_index=True) if out else pd.DataFrame()


def _order(kept: pd.DataFrame, metric: str) -> Iterator[Named]:
    if "position" not in kept or not kept[SUBJECT].duplicated().any():
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
