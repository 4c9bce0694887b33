"""``clickstudy bundle``: everything that belongs on OSF, in one file."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from apps.commands.console import console
from apps.commands.options import one_sentence
from apps.commands.report import DataArgument, tables_of


def bundle(
    path: DataArgument,
    out: Annotated[Path, typer.Option("--out", help="The zip file to write.")],
    mode: Annotated[
        str | None,
        typer.Option(help="live, pilot or simulated: which rows are analysed."),
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(help="The registered plan, where it is not in PATH.")
    ] = None,
    events: Annotated[
        bool, typer.Option("--events", help="Also the events: every click, with its payload.")
    ] = False,
) -> None:
    """Plan, data with dictionary (Psych-DS), report, R and Python scripts, versions: one zip."""
    with one_sentence(), TemporaryDirectory() as scratch:
        import shutil

        from analysis.errors import InputError
        from analysis.page import bundle as bundles
        from analysis.page.export import FORMATS
        from analysis.page.export import write as write_tables
        from analysis.page.report import make_folder, write

        if out.suffix != ".zip":
            raise InputError(f"--out {out}: a bundle is a zip file; call it {out.name}.zip.")
        report = Path(scratch) / "report"
        export = report / "export"
        make_folder(export)
        tables = tables_of(path, export)
        if tables != export:
            shutil.copytree(tables, export, dirs_exist_ok=True, ignore=_only_tables)
        if plan is None and (path / "plan.toml").exists():
            plan = path / "plan.toml"
        for written in (plan, None if plan is None else plan.with_suffix(".md")):
            if written is not None and written.is_file():
                shutil.copyfile(written, export / f"plan{written.suffix}")
        with console.status("Analysing") as status:
            study, found = write(
                tables,
                report,
                mode=mode,
                plan=plan,
                progress=lambda what: status.update(f"Analysing: {what}"),
            )
        write_tables(
            study, found, report, [f for f in FORMATS if f != "scripts" or study.design.paired]
        )
        names = bundles.write(export, report, out, title=study.title, mode=study.mode, raw=events)
    console.print(f"Wrote {out}: {len(names)} files, checked by the rules of Psych-DS.")
    console.print("Before it is public, read the comments and notes in it for names.")


def _only_tables(folder: str, names: list[str]) -> set[str]:
    """What is beside the tables of an export and does not belong to it."""
    wanted = (".csv", ".json", ".toml", ".md", ".parquet")
    return {name for name in names if not name.endswith(wanted)}
