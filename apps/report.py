"""The commands that read results: ``clickstudy report``, ``power`` and ``plan``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from apps.console import console, errors

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
        from analysis.report import write
        from analysis.sentences import summary

        results = write(
            path, out, mode=mode, plan=plan, bayes=bayes, aligned=aligned_ranks, pdf=pdf
        )
    if results["study"]["label"]:
        console.print(f"[bold red]{results['study']['label']}[/bold red]")
    for sentence in summary(results):
        console.print(f"- {sentence}", markup=False)
    console.print(f"Wrote {out / 'report.html'}, {out / 'results.json'} and {out / 'figures'}.")
