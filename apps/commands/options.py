"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from apps.commands.console import errors

StudyFileArgument = Annotated[Path, typer.Argument(help="The study file.", metavar="STUDY.toml")]
StudyArgument = Annotated[Path, typer.Argument(help="A study directory.", metavar="STUDY_DIR")]
OutOption = Annotated[Path, typer.Option("--out", help="Where to write.")]
RunsOption = Annotated[
    Path | None, typer.Option("--out", help="Where to write.", show_default="runs/NAME")
]
WorkersOption = Annotated[
    int, typer.Option(min=0, help="Runs at once; 0: one for each core.", show_default="cores")
]
DeviceOption = Annotated[
    str, typer.Option(help="auto takes a GPU where there is one; or cpu, cuda, cuda:1, mps.")
]
EngineOption = Annotated[
    str, typer.Option(help="local, or slurm / ray / dask (the cluster extra).")
]
SlurmOption = Annotated[
    list[str] | None,
    typer.Option(
        "--slurm",
        help="What a Slurm job asks for: partition, minutes, memory (GB), cpus, gpus, setup, or an "
        "option of sbatch. Give it again for another.",
        metavar="KEY=VALUE",
    ),
]


class Mode(StrEnum):
    """How participants took part."""

    live = "live"
    pilot = "pilot"
    simulated = "simulated"


@contextmanager
def one_sentence() -> Iterator[None]:
    """A mistake in the data or the options ends with its sentence and exit code 2."""
    from analysis.errors import InputError

    try:
        yield
    except InputError as error:
        errors.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(2) from None


def margins_of(texts: list[str]) -> dict[str, float]:
    """``--margin`` options, as ``accuracy_after=0.01``.

    Raises:
        InputError: for one that is written otherwise.
    """
    from analysis.errors import InputError

    margins = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            margins[name.strip()] = float(value)
        except ValueError:
            raise InputError(f"--margin {text}: write it as accuracy_after=0.01.") from None
    return margins
