"""The command line: ``clickstudy serve | simulate | export | report | ...``.

Commands import what they need when they run, so that ``--help`` answers at once. A user's mistake
prints one sentence and exits with 2; an interruption exits with 130 and says how to go on.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apps.commands import benchmark as benchmarking
from apps.commands import report as reading
from apps.commands import serve as serving
from apps.commands.console import console, counted, errors

if TYPE_CHECKING:
    from study.directory import StudyDirectory
    from study.loop import TaskLoop

app = typer.Typer(
    name="clickstudy",
    help="User studies and benchmarks of human-in-the-loop attention guidance.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

PREPARE, RUN, READ = "Prepare a study", "Run it", "Read the results"

StudyFileArgument = Annotated[Path, typer.Argument(help="The study file.", metavar="STUDY.toml")]
OutOption = Annotated[Path, typer.Option("--out", help="Where to write.")]
DeviceOption = Annotated[
    str, typer.Option(help="auto takes a GPU where there is one; or cpu, cuda, cuda:1, mps.")
]


class Example(StrEnum):
    """The files that come with clickstudy."""

    scenes = "scenes"
    demo = "demo"
    photographs = "photographs"
    benchmark = "benchmark"


class Mode(StrEnum):
    """How participants took part."""

    live = "live"
    pilot = "pilot"
    simulated = "simulated"


@app.command(rich_help_panel=PREPARE)
def init(
    directory: Annotated[Path, typer.Argument(help="Made when missing.")],
    example: Annotated[
        Example,
        typer.Option(
            help="scenes: every setting, commented; demo: a short study; photographs: COCO; "
            "benchmark: a benchmark file."
        ),
    ] = Example.scenes,
) -> None:
    """Write a commented study file (or benchmark file) into DIRECTORY."""
    from study.errors import UserError

    bench = example is Example.benchmark
    target = directory / ("benchmark.toml" if bench else "study.toml")
    if target.exists():
        raise UserError(f"{target} exists already: choose another directory, or edit that file")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        target.write_text(files("apps").joinpath("examples", f"{example}.toml").read_text())
    except OSError as error:
        raise UserError(f"{target} cannot be written ({error.strerror})") from error
    then = "Run it with: clickstudy benchmark" if bench else "Check it with: clickstudy check"
    console.print(f"Wrote {target}. {then} {target}")


@app.command(rich_help_panel=PREPARE)
def check(study: StudyFileArgument) -> None:
    """Report every mistake in a study file at once."""
    from study.acquisition import build
    from study.config import load
    from study.protocol.conditions import sequences

    file = load(study)
    config = file.config
    build(config.acquisition.active, config.acquisition)
    reading.check_plan(study)
    plan = sequences(config)
    console.print(f"[bold]{config.name}[/bold] is valid (sha256 {file.hash[:12]}).")
    console.print(
        f"{len(config.conditions)} conditions, {len(plan)} sequences: a balanced study has a "
        f"multiple of {len(plan)} participants."
    )
    for index, sequence in enumerate(plan):
        console.print(f"  sequence {index}: {', '.join(sequence)}")


@app.command(rich_help_panel=PREPARE)
def doctor(
    directory: Annotated[Path, typer.Argument(help="Where studies will be written.")] = Path(
        "runs"
    ),
) -> None:
    """Say what is installed, which device will be used, whether the store is writable."""
    from rich.markup import escape
    from rich.table import Table

    from apps.commands.doctor import diagnose

    table = Table(box=None, show_header=False, pad_edge=False)
    findings = diagnose(directory)
    for finding in findings:
        mark = {True: "[green]ok[/green]", False: "[red]no[/red]", None: "[dim]-[/dim]"}
        table.add_row(mark[finding.ok], finding.name, escape(finding.detail))
    console.print(table)
    if any(finding.ok is False for finding in findings):
        raise typer.Exit(1)


@app.command(rich_help_panel=RUN)
def simulate(
    study: StudyFileArgument,
    out: OutOption,
    participants: Annotated[int, typer.Option(min=1, help="Simulated participants.")] = 16,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes; 0: one for each core.", show_default="cores")
    ] = 0,
    engine: Annotated[
        str, typer.Option(help="local, or ray / dask (the cluster extra).")
    ] = "local",
    device: DeviceOption = "auto",
) -> None:
    """Run the whole study with simulated participants; run again, it resumes."""
    from simulators.runner import simulate as run
    from study.config import load
    from study.directory import StudyDirectory
    from study.loop import TaskLoop

    file = load(study)
    directory = StudyDirectory.create(out, file)
    console.print(f"[bold]{file.config.name}[/bold] with {participants} SIMULATED participants")
    loop = TaskLoop(file, directory, device)
    if not loop.prepared:
        with counted("Pretraining the biased classifier") as progress:
            loop.prepare(progress)
    run(file, directory, participants, workers, engine, device)
    console.print(f"Done: the study is in {out}, what the classifiers look at in:")
    for picture in _pictures(directory, loop, out / "pictures"):
        console.print(f"  {picture}")
    console.print(f"Next: clickstudy report {out} --out {out / 'report'}")


class Scene(StrEnum):
    """Kinds of drawn scenes."""

    beside = "beside"
    background = "background"


@app.command(rich_help_panel=RUN)
def guidance(
    out: OutOption,
    scene: Annotated[list[Scene] | None, typer.Option(help="Kinds of scenes; all.")] = None,
    bias: Annotated[
        list[float] | None, typer.Option(min=0.5, max=1.0, help="Shares of usual contexts.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 3,
    form: Annotated[list[str] | None, typer.Option(help="Forms of guidance; all.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of fine-tuning.")] = 40,
    device: DeviceOption = "auto",
) -> None:
    """Compare forms of attention guidance on drawn scenes; run again, it resumes."""
    from simulators.forms import FORMS, compare, summary
    from study.device import pick_device

    with counted("Comparing forms of guidance (SIMULATED)") as progress:
        frame = compare(
            out,
            scenes=[kind.value for kind in scene or list(Scene)],
            biases=bias or (0.95, 1.0),
            seeds=range(seeds),
            forms=form or tuple(FORMS),
            epochs=epochs,
            device=pick_device(device),
            progress=progress,
        )
    table = summary(frame)
    (out / "guidance.md").write_text(f"SIMULATED annotators.\n\n{table}\n")
    console.print(table, markup=False, soft_wrap=True)
    console.print(f"Wrote {out / 'guidance.csv'}, {out / 'guidance.md'}, {out / 'guidance.svg'}")


@app.command(rich_help_panel=READ)
def attention(
    study: Annotated[Path, typer.Argument(help="A study directory.", metavar="STUDY_DIR")],
    out: OutOption,
    participant: Annotated[
        str | None, typer.Option(help="Whose tasks; the first who finished one.")
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Draw what a participant's classifiers look at, before and after each task."""
    from study.directory import StudyDirectory
    from study.loop import TaskLoop

    directory = StudyDirectory.open(study)
    loop = TaskLoop(directory.file(), directory, device)
    for picture in _pictures(directory, loop, out, participant):
        console.print(f"Wrote {picture}")


def _pictures(
    directory: StudyDirectory, loop: TaskLoop, out: Path, participant: str | None = None
) -> list[Path]:
    """Attention before and after each finished task of one participant."""
    from apps.commands.pictures import before_after
    from study.errors import UserError
    from study.protocol.session import Session

    study = directory.study(loop.file)
    names = study.store.participants() if participant is None else [participant]
    for session in (Session(study, name) for name in names):
        done = [task for task in session.progress.tasks if task.finished(loop.config)]
        if done:
            return [
                before_after(
                    loop,
                    session,
                    task.position,
                    out / f"{session.participant}-{task.condition.name}.png",
                )
                for task in done
            ]
    who = participant or "nobody"
    raise UserError(f"{who} has finished no task in {directory.path}: let the study go on first")


@app.command(rich_help_panel=READ)
def export(
    study: Annotated[Path, typer.Argument(help="A study directory.", metavar="STUDY_DIR")],
    out: OutOption,
    mode: Annotated[Mode | None, typer.Option(help="Only participants of this mode.")] = None,
) -> None:
    """Write the tables as CSV and Parquet, with a data dictionary."""
    from study.export.folder import export as write

    frames = write(study, out, None if mode is None else mode.value)
    for name, frame in frames.items():
        console.print(f"  {name}.csv  {len(frame)} rows")
    console.print(f"Wrote {out}; data_dictionary.csv says what every column means.")


app.add_typer(benchmarking.app, name="benchmark", rich_help_panel=RUN)
app.command(rich_help_panel=RUN)(serving.serve)
app.command(rich_help_panel=READ)(reading.report)
app.command(rich_help_panel=PREPARE)(reading.plan)
app.command(rich_help_panel=PREPARE)(reading.power)


def main() -> None:
    """Run the command line; a user's mistake becomes one sentence on standard error."""
    from study.errors import UserError

    try:
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
