"""The commands that read results: ``clickstudy report``, ``power`` and ``plan``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from apps.commands.console import console, errors

DataArgument = Annotated[
    Path,
    typer.Argument(
        metavar="PATH",
        help="A study folder, a folder written by clickstudy export, or a folder of CSVs.",
    ),
]


@contextmanager
def _one_sentence() -> Iterator[None]:
    """A mistake in the data or the options ends with its sentence and exit code 2."""
    from analysis.errors import InputError

    try:
        yield
    except InputError as error:
        errors.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(2) from None


def check_plan(study: Path) -> None:
    """Refuse a study file whose ``[analysis]`` table is not a plan."""
    with _one_sentence():
        from analysis.plan import read

        read(study)


def report(
    path: DataArgument,
    out: Annotated[Path, typer.Option("--out", help="Folder of the report; made when missing.")],
    mode: Annotated[
        str | None,
        typer.Option(help="live, pilot or simulated: which rows, where there are several."),
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(help="The registered plan, where it is not in PATH.")
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Also write report.pdf.")] = False,
    bayes: Annotated[bool, typer.Option("--bayes", help="Add Bayes factors.")] = False,
    aligned_ranks: Annotated[
        bool, typer.Option("--aligned-ranks", help="Add aligned-rank ANOVA, with its caveat.")
    ] = False,
) -> None:
    """Estimates, tests and figures: report.html, results.json and figures/ in OUT."""
    with _one_sentence():
        from analysis.page.report import write
        from analysis.page.sentences import summary

        results = write(
            path, out, mode=mode, plan=plan, bayes=bayes, aligned=aligned_ranks, pdf=pdf
        )
    if results["study"]["label"]:
        console.print(f"[bold red]{results['study']['label']}[/bold red]")
    for sentence in summary(results):
        console.print(f"- {sentence}", markup=False)
    console.print(f"Wrote {out / 'report.html'}, {out / 'results.json'} and {out / 'figures'}.")


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
    with _one_sentence():
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


def plan(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study file, or its folder.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for plan.toml and plan.md.")],
    participants: Annotated[int, typer.Option(min=2, help="Planned participants.")] = 16,
    margin: Annotated[
        list[str] | None,
        typer.Option(help="An equivalence margin, as accuracy_after=0.01; repeatable."),
    ] = None,
    primary: Annotated[str | None, typer.Option(help="The primary measure.")] = None,
) -> None:
    """Write the analysis plan before any data exist; the report states departures from it."""
    with _one_sentence():
        from analysis import registration
        from analysis.errors import InputError

        margins = {}
        for text in margin or []:
            name, _, value = text.partition("=")
            try:
                margins[name.strip()] = float(value)
            except ValueError:
                raise InputError(f"--margin {text}: write it as accuracy_after=0.01.") from None
        written = registration.compose(
            study, participants=participants, margins=margins, primary=primary
        )
        title = study.stem if study.stem != "study" else study.resolve().parent.name
        target = registration.save(
            written, out, title, conditions=registration.condition_count(study)
        )
    if written.participants_at_writing:
        console.print(
            f"[yellow]{written.participants_at_writing} participants are recorded already: the "
            "report will say so.[/yellow]"
        )
    console.print(f"Wrote {target} and {target.with_suffix('.md')}.")
