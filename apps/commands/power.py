"""``clickstudy power``: how many participants a study needs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from apps.commands.console import console
from apps.commands.options import margins_of, one_sentence
from apps.commands.report import tables_of

if TYPE_CHECKING:
    import pandas as pd


def power(
    participants: Annotated[int, typer.Option(min=3, help="How many you think of.")] = 16,
    correlation: Annotated[
        float, typer.Option(min=0, max=0.99, help="Between conditions; the paper gives none.")
    ] = 0.5,
    pilot: Annotated[
        Path | None, typer.Option(help="Plan from this study or export instead of the paper.")
    ] = None,
    mode: Annotated[str | None, typer.Option(help="Which rows of the pilot.")] = None,
    alpha: Annotated[float, typer.Option(min=0.0001, max=0.4)] = 0.05,
    studies: Annotated[int, typer.Option(min=100, help="Simulated studies for each N.")] = 2000,
    task_minutes: Annotated[float, typer.Option(min=0.1, help="One task.")] = 45,
    overhead_minutes: Annotated[
        float, typer.Option(min=0, help="The rest of a session: consent, practice, breaks.")
    ] = 45,
    margin: Annotated[
        list[str] | None,
        typer.Option(
            help="Add the power of equivalence within a margin, as accuracy_after=0.01; repeatable."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write power.json and the figure here.")
    ] = None,
) -> None:
    """How many participants the planned tests need, and how long the study takes."""
    with one_sentence():
        from analysis.page import power as page
        from analysis.people import power as question
        from analysis.stats import published

        margins = margins_of(margin or [])
        if pilot is None:
            assumed = published(correlation)
        else:
            with tempfile.TemporaryDirectory() as folder:
                assumed = question.from_pilot(tables_of(pilot, Path(folder) / pilot.name), mode)
        found = question.tables(
            assumed,
            participants,
            margins=margins,
            studies=studies,
            alpha=alpha,
            task_minutes=task_minutes,
            overhead_minutes=overhead_minutes,
        )
        unknown = sorted(set(margins) - {a.metric for a in assumed})
        if unknown:
            raise typer.BadParameter(f"--margin {unknown[0]}: power is computed for no such metric")
        if out is not None:
            page.save(found, assumed, participants, alpha, studies, out)
    for _, rows in found["power"].groupby("metric", sort=False):
        _print(page.shown(rows))
    best = found["sensitivity"].set_index("power").loc[0.8]
    hours = found["hours"].set_index("participants")["hours"][participants]
    console.print(
        f"{participants} participants detect d_z of {best['dz']:.3f} or more with 80% power, "
        f"{best['dz_holm']:.3f} at Holm's first step; they take {hours:.0f} hours in the lab."
    )
    if pilot is not None:
        console.print(question.PILOT_CAVEAT)
    if out is not None:
        console.print(f"Wrote {out / 'power.json'} and {out / 'power.svg'}.")


def _print(shown: pd.DataFrame) -> None:
    table = Table(title=shown.attrs["caption"], title_justify="left")
    for heading in shown.columns:
        table.add_column(heading)
    for row in shown.to_numpy():
        table.add_row(*row)
    console.print(table)
