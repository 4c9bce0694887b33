"""``clickstudy report``: estimates, tests and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apps.commands.console import console
from apps.commands.options import one_sentence

DataArgument = Annotated[
    Path,
    typer.Argument(
        metavar="PATH",
        help="A study folder, a folder written by clickstudy export, or a folder of CSVs.",
    ),
]


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
    with one_sentence():
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
