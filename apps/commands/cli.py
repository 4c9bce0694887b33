"""The command line: ``clickstudy serve | simulate | export | report | ...``.

Commands import what they need when they run, so that ``--help`` answers at once. A user's mistake
prints one sentence and exits with 2; an interruption exits with 130 and says how to go on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from apps.commands import benchmark, data, human
from apps.commands.attention import attention
from apps.commands.backup import backup, restore
from apps.commands.bundle import bundle
from apps.commands.calibrate import calibrate
from apps.commands.check import check
from apps.commands.console import errors
from apps.commands.doctor import doctor
from apps.commands.enrol import enrol
from apps.commands.export import export
from apps.commands.extrapolate import extrapolate
from apps.commands.forget import forget
from apps.commands.init import init
from apps.commands.plan import plan
from apps.commands.power import power
from apps.commands.replicate import replicate
from apps.commands.report import report
from apps.commands.sandbox import sandbox
from apps.commands.schema import schema
from apps.commands.serve import serve
from apps.commands.simulate import simulate

app = typer.Typer(
    name="clickstudy",
    help="User studies and benchmarks of human-in-the-loop attention guidance.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

PREPARE, RUN, READ = "Prepare a study", "Run it", "Read the results"

COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    PREPARE: (init, check, doctor, plan, power, extrapolate, schema),
    RUN: (replicate, serve, sandbox, enrol, simulate, backup, restore, forget),
    READ: (export, report, bundle, attention, calibrate),
}
for panel, commands in COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
app.add_typer(data.app, name="data", rich_help_panel=PREPARE)
app.add_typer(benchmark.app, name="benchmark", rich_help_panel=RUN)
app.add_typer(human.app, name="annotations", rich_help_panel=READ)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"clickstudy {version('clickstudy')}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """User studies and benchmarks of human-in-the-loop attention guidance."""


def main() -> None:
    """Run the command line; a user's mistake becomes one sentence on standard error."""
    from study.errors import UserError
    from study.extras import explained

    # workers of joblib, Ray and Dask: an analysis.py in the working directory is not ours
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        with explained():
            app()
    except UserError as error:
        errors.print("Error:", style="red", end=" ")
        errors.print(str(error), soft_wrap=True, markup=False)
        sys.exit(2)
    except KeyboardInterrupt:
        errors.print("Interrupted. Nothing is lost: run the same command again to go on.")
        sys.exit(130)


if __name__ == "__main__":
    main()
