"""Arms that were drawn several times a seed: their mean is one run.

A strategy that picks at random is one draw of many. Every difference from it has that draw's luck
in common, and no number of strategies helps; several draws a seed do.
"""

from __future__ import annotations

import pandas as pd

from analysis.benchmark.checks import RUN


def together(cycles: pd.DataFrame) -> pd.DataFrame:
    """Rows of cycles.csv with one run a strategy, interface and seed.

    Numbers of a cycle and split are averaged over the draws, a number that one of them lacks is
    lacking; only cycles that every draw reached count. The run goes by the first draw's `trial`,
    and what was picked is the first draw's.

    >>> rows = [("a", 0, 0.5), ("b", 1, 0.7)]
    >>> table = pd.DataFrame(rows, columns=["trial", "draw", "accuracy"])
    >>> table[["strategy", "interface", "split", "note"]] = ["random", "click", "test", ""]
    >>> table[["seed", "cycle", "collapsed"]] = [3, 1, False]
    >>> together(table)[["trial", "accuracy"]].to_dict("records")
    [{'trial': 'a', 'accuracy': 0.6}]
    """
    if not cycles["draw"].any():
        return cycles
    key = [*RUN, "cycle", "split"]
    groups = cycles.groupby(key, sort=False)
    numbers = [c for c in cycles.select_dtypes("number") if c not in (*key, "draw")]
    means = groups[numbers].mean(skipna=False)
    said = groups["note"].agg(lambda notes: "; ".join(dict.fromkeys(filter(None, notes))))
    flags = groups["collapsed"].any()
    first = cycles.drop_duplicates(key).set_index(key)
    first = first.assign(**means, note=said, collapsed=flags).astype(dict.fromkeys(numbers, float))
    runs = cycles.groupby(list(RUN), sort=False)["trial"].nunique()
    reached = groups.size()
    whole = reached.to_numpy() == runs.loc[pd.MultiIndex.from_frame(_runs(reached))].to_numpy()
    return first[whole].copy().reset_index()[list(cycles)]


def _runs(of: pd.Series) -> pd.DataFrame:
    return of.index.to_frame(index=False)[list(RUN)]
