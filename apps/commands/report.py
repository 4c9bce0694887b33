"""``clickstudy report``: estimates, tests and figures."""

from __future__ import annotations

import os
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


def tables_of(path: Path, out: Path) -> Path:
    """The folder of tables to analyse: ``path``, or what is exported from its log to ``out``.

    A folder with a log in it is exported first; so is a study folder whose log lies in the
    database named by ``CLICKSTUDY_STORE``, unless it holds tables already.

    Raises:
        InputError: when the log cannot be read.
    """
    from analysis.errors import InputError
    from study.directory import STORE_VARIABLE
    from study.export.folder import export
    from study.export.tables import TablesError

    if not path.is_dir():
        raise InputError(f"{path}: there is no such folder of tables, or study directory")
    if not (path / "study.toml").is_file():
        return path
    tables = any((path / f"tasks.{kind}").exists() for kind in ("csv", "parquet"))
    elsewhere = bool(os.environ.get(STORE_VARIABLE)) and not tables
    if not (path / "events.sqlite").exists() and not elsewhere:
        return path
    try:
        with console.status("Exporting the log"):
            export(path, out)
    except TablesError as error:
        raise InputError(str(error)) from None
    return out


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
    latex: Annotated[bool, typer.Option("--latex", help="Also APA tables as tables.tex.")] = False,
    word: Annotated[bool, typer.Option("--word", help="The same as tables.docx.")] = False,
    excel: Annotated[
        bool, typer.Option("--excel", help="Every table, numbers as numbers, as tables.xlsx.")
    ] = False,
    scripts: Annotated[
        bool, typer.Option("--scripts", help="The same tests as report.R and report.py.")
    ] = False,
    aligned_ranks: Annotated[
        bool, typer.Option("--aligned-ranks", help="Add aligned-rank ANOVA, with its caveat.")
    ] = False,
) -> None:
    """Estimates, tests and figures: report.html, results.json, tables/ and figures/ in OUT."""
    with one_sentence():
        from analysis.frames import records
        from analysis.page import export as exports
        from analysis.page.report import make_folder, write
        from analysis.page.sentences import summary, verdict

        tables = tables_of(path, out / "export")
        make_folder(out)
        if plan is None and (path / "plan.toml").exists():
            plan = path / "plan.toml"
        with console.status("Analysing") as status:
            study, found = write(
                tables,
                out,
                mode=mode,
                plan=plan,
                bayes=bayes,
                aligned=aligned_ranks,
                pdf=pdf,
                progress=lambda what: status.update(f"Analysing: {what}"),
            )
        wanted = {"latex": latex, "word": word, "excel": excel, "scripts": scripts}
        exports.write(study, found, out, [name for name, wish in wanted.items() if wish])
    if study.label:
        console.print(f"[bold red]{study.label}[/bold red]")
    if "verdicts" in found:
        for row in records(found["verdicts"]):
            console.print(f"- {verdict(row)}", markup=False)
    for sentence in summary(study, found):
        console.print(f"- {sentence}", markup=False)
    for note in found["notes"]["note"]:
        console.print(f"Note: {note}", markup=False, style="yellow")
    console.print(f"Wrote {out / 'report.html'}, results.json, tables/, data/ and figures/.")
