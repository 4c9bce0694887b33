"""``clickstudy power``: how many participants a study needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from apps.commands.console import console
from apps.commands.options import one_sentence


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
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write power.json and the figure here.")
    ] = None,
) -> None:
    """How many participants the planned tests need, and how long the study takes."""
    with one_sentence():
        from analysis import power_report
        from analysis.power import published

        assumed = published(correlation) if pilot is None else power_report.from_pilot(pilot, mode)
        result = power_report.analyse(
            assumed,
            participants,
            studies=studies,
            alpha=alpha,
            task_minutes=task_minutes,
            overhead_minutes=overhead_minutes,
        )
        if out is not None:
            power_report.save(result, out)
    _print_power(result)
    if pilot is not None:
        console.print(power_report.PILOT_CAVEAT)
    if out is not None:
        console.print(f"Wrote {out / 'power.json'} and {out / 'power.svg'}.")


def _print_power(result: dict[str, Any]) -> None:
    from rich.table import Table

    from analysis.page.formatting import label, number

    for metric, line in result["metrics"].items():
        table = Table(title=f"{label(metric)}, from {line['source']}", title_justify="left")
        for heading in ("Test", "d_z", "Power", "Simulated (Holm)", "N for 80%", "N for 90%"):
            table.add_column(heading)
        for name, row in line["closed_form"].items():
            needed = [str(row[n]) if row[n] is not None else "> 100,000" for n in ("n_80", "n_90")]
            simulated = number(line["simulated"][name])
            table.add_row(name, number(row["dz"], 2), number(row["power"]), simulated, *needed)
        for name in ("one-way (GG)", "every true difference"):
            if name in line["simulated"]:
                table.add_row(name, "", "", number(line["simulated"][name]), "", "")
        console.print(table)
    found = result["sensitivity"]
    console.print(
        f"{result['participants']} participants detect d_z of {found['dz_80']:.3f} or more with "
        f"80% power, {found['dz_80_holm_first_step']:.3f} at Holm's first step; they take "
        f"{result['lab_hours']:.0f} hours in the lab."
    )
