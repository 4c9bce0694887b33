"""Who took part: recruited, left out, and what they said of themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.checks import MISSING
from analysis.schema import DESCRIBED
from analysis.tables import Study

Named = tuple[str, pd.DataFrame]


def tables(study: Study) -> Iterator[Named]:
    """`sample` (who is analysed, in words and numbers) and `excluded` (who is not, and why)."""
    yield "sample", sample(study)
    if study.excluded:
        yield (
            "excluded",
            pd.DataFrame(
                {"participant": list(study.excluded), "reason": list(study.excluded.values())}
            ),
        )


def sample(study: Study) -> pd.DataFrame:
    """One row per number or answer: `variable, level, n, share, mean, sd, low, high, missing`.

    The first rows count the people who were recruited, left out and analysed. A demographic
    answer is described as a number where every answer is one, else its answers are counted.
    """
    people = sorted(study.tasks["participant"].unique())
    rows: list[dict[str, object]] = [
        {"variable": "recruited", "n": len({*people, *study.excluded})},
        {"variable": "left out", "n": len(study.excluded)},
        {"variable": "analysed", "n": len(people)},
    ]
    each = study.tasks.drop_duplicates("participant")
    for factor in study.design.divided:
        rows += _counts(factor, each[factor].astype(str))
    table = study.participants
    if table is not None:
        table = table[table["participant"].isin(people)]
        for column in _described(table):
            name = DESCRIBED.get(column.removeprefix("demographic_"))
            name = name or column.removeprefix("demographic_").replace("_", " ").capitalize()
            answers = table[column].astype(str)
            known = answers[~answers.str.lower().isin(MISSING)]
            if not len(known):
                continue
            values = pd.to_numeric(known, errors="coerce")
            if values.notna().all():
                rows.append(
                    {
                        "variable": name,
                        "n": len(values),
                        "mean": values.mean(),
                        "sd": values.std(ddof=1) if len(values) > 1 else None,
                        "low": values.min(),
                        "high": values.max(),
                        "missing": len(answers) - len(known),
                    }
                )
            else:
                rows += _counts(name, known, missing=len(answers) - len(known))
    columns = ["variable", "level", "n", "share", "mean", "sd", "low", "high", "missing"]
    return pd.DataFrame(rows, columns=columns)


def _described(table: pd.DataFrame) -> list[str]:
    return [c for c in map(str, table) if c.startswith("demographic_") or c in DESCRIBED]


def _counts(name: str, known: pd.Series, missing: int = 0) -> list[dict[str, object]]:
    return [
        {
            "variable": name,
            "level": level,
            "n": int(count),
            "share": count / len(known),
            "missing": missing,
        }
        for level, count in known.value_counts().items()
    ]
