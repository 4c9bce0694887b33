"""``clickstudy benchmark``: compare acquisition strategies with simulated annotators."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from apps.commands.console import console, errors
from apps.commands.options import (
    DeviceOption,
    EngineOption,
    RunsOption,
    SlurmOption,
    WorkersOption,
)
from simulators.progress import progress_bar

if TYPE_CHECKING:
    from simulators.benchmark.config import BenchFile
    from simulators.benchmark.sweep import Failure


class RunByDefault(TyperGroup):
    """``benchmark BENCH.toml`` is short for ``benchmark run BENCH.toml``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command first where none is named."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=RunByDefault,
    no_args_is_help=True,
    help="Compare acquisition strategies with simulated annotators: BENCH.toml, or a command.",
)


@app.command()
def run(
    bench: Annotated[
        Path | None,
        typer.Argument(help="The benchmark file.", metavar="BENCH.toml", show_default=False),
    ] = None,
    out: RunsOption = None,
    workers: WorkersOption = 0,
    engine: EngineOption = "local",
    device: DeviceOption = "auto",
    slurm: SlurmOption = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting in place of the file's: dataset.bias=1.0"),
    ] = None,
    profile: Annotated[bool, typer.Option("--profile", help="Say where the time went.")] = False,
    speed: Annotated[
        bool, typer.Option("--speed", help="Measure the speeds that we promise, and no strategy.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Where to write what --speed measured.")
    ] = None,
) -> None:
    """Do every run that is not finished, then write the report; run again, it resumes."""
    from study.errors import UserError

    if speed:
        _speed(device, json_file)
        return
    if json_file is not None:
        raise UserError("--json is where --speed writes: give --speed too")
    if bench is None:
        raise UserError("benchmark needs a BENCH.toml: `clickstudy init DIR --example benchmark`")
    from simulators.benchmark.config import load
    from simulators.benchmark.sweep import run as sweep
    from simulators.slurm_options import SlurmOptions

    file = load(bench, changes or ())
    place = out or Path("runs") / file.config.name
    options = SlurmOptions.parse(slurm) if slurm else None
    try:
        failures = sweep(file, place, workers, engine, device, slurm=options)
    except KeyboardInterrupt:
        command = ["clickstudy", "benchmark", str(bench), "--out", str(place)]
        command += [word for change in changes or () for word in ("--set", change)]
        command += ["--workers", str(workers), "--engine", engine, "--device", device]
        command += options.arguments() if options else []
        errors.print(
            f"\nInterrupted; finished runs and cycles are kept. To go on: {shlex.join(command)}",
            soft_wrap=True,
            markup=False,
        )
        raise
    if len(failures) == len(list(file.runs())):
        _say_failed(failures, "all of them")  # there is nothing to report
    if profile:
        _profile(place)
    _write_report(file, place, place / "report")
    _say_failed(failures)


@app.command()
def report(
    directory: Annotated[
        Path, typer.Argument(help="What `clickstudy benchmark` wrote.", metavar="DIR")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write.", show_default="DIR/report")
    ] = None,
    baseline: Annotated[
        str, typer.Option(help="The arm that others are compared with.", show_default="the file's")
    ] = "",
) -> None:
    """Tables, learning curves, attention before and after, critical differences, cost."""
    from simulators.benchmark.places import Places

    file = Places(directory.resolve()).read()
    _write_report(file, directory, out or directory / "report", baseline)


@app.command()
def weights(
    bench: Annotated[Path, typer.Argument(help="A file that buys labels.", metavar="BENCH.toml")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write.", show_default="runs/NAME")
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Entropy and class balance of a batch against lambda, and the smallest that suffices."""
    from analysis.benchmark import label_figures
    from analysis.page import style
    from simulators.benchmark.config import load
    from simulators.benchmark.weights import smallest, sweep

    file = load(bench)
    place = out or Path("runs") / file.config.name
    table = sweep(file, place, device=device)
    table.assign(mode="simulated").to_csv(place / "weights.csv", index=False)
    enough = smallest(table)
    with style.styled():
        style.save(label_figures.weights(table, enough), place / "figures", "weights")
    console.print(
        f"The smallest lambda after which L1 does not fall further is {enough:g} "
        f"({table['seed'].nunique()} seeds). Wrote {place / 'weights.csv'} and "
        f"{place / 'figures' / 'weights.png'}."
    )


@app.command()
def classes(
    directories: Annotated[
        list[Path],
        typer.Argument(
            help="What benchmarks with different numbers of classes wrote.", metavar="DIR..."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Where to write.")],
) -> None:
    """Labels per class from which on strategies beat random, against the number of classes."""
    from analysis.benchmark import label_figures, read
    from analysis.benchmark.enough import correlations, enough
    from analysis.errors import InputError
    from analysis.page import style
    from study.errors import UserError

    try:
        table = enough([read(directory) for directory in directories])
    except InputError as error:
        raise UserError(str(error)) from error
    out.mkdir(parents=True, exist_ok=True)
    table.assign(mode="simulated").to_csv(out / "enough.csv", index=False)
    with style.styled():
        style.save(label_figures.enough(table), out / "figures", "enough")
    console.print("[bold red]SIMULATED annotators[/bold red]")
    for row in correlations(table).to_dict("records"):
        told = f"correlation with the number of classes {row['r']:.2f}"
        if row["r"] != row["r"]:
            told = "too few to correlate"
        console.print(
            f"- {row['strategy']}: beats random from some budget on in {row['benchmarks']} of "
            f"{table['classes'].nunique()} benchmarks; {told}.",
            markup=False,
        )
    console.print(f"Wrote {out / 'enough.csv'} and {out / 'figures' / 'enough.png'}.")


def _write_report(file: BenchFile, place: Path, out: Path, baseline: str = "") -> None:
    from analysis.benchmark import summary, write
    from analysis.errors import InputError
    from apps.commands.benchmark_pictures import before_after
    from study.errors import UserError

    try:
        tables = write(place, out, before_after(file, place), baseline)
    except InputError as error:
        raise UserError(str(error)) from error
    console.print("[bold red]SIMULATED annotators[/bold red]")
    for sentence in summary(tables):
        console.print(f"- {sentence}", markup=False)
    console.print(f"Wrote {out / 'report.html'}, {out / 'results.json'} and {out / 'figures'}.")


def _profile(place: Path) -> None:
    """Where the time of computing went, over all trials that are finished."""
    import pandas as pd
    from rich.table import Table

    from simulators.benchmark.tables import profile

    rows = profile(pd.read_csv(place / "cycles.csv"))
    table = Table("step", "seconds", "share", "ms per image", box=None)
    for row in rows:
        table.add_row(
            row["step"], f"{row['seconds']:.1f}", f"{row['share']:.1%}", f"{row['per_image']:.2f}"
        )
    console.print(table)


def _say_failed(failures: list[Failure], rest: str = "the others are finished") -> None:
    from study.errors import UserError

    if failures:
        lines = "; ".join(
            f"{failure.run.arm.name}, {failure.run.interface}, seed {failure.run.number}: "
            f"{failure.problem}"
            for failure in failures
        )
        raise UserError(
            f"{len(failures)} runs failed, {rest} ({lines}): put it right and "
            f"run the same command again"
        )


def _speed(device: str, json_file: Path | None) -> None:
    from simulators.speed import Speed, measure, write

    console.print("Nothing else should run on this machine.")
    found: list[Speed] = []
    with progress_bar(console, counts=False) as bar:
        task = bar.add_task("", total=1.0)

        def told(words: str, share: float, seconds: float) -> None:
            about = f"{words}; about {max(1, round(seconds / 60))} min left in all"
            bar.update(task, description=about, completed=share)

        try:
            for one in measure(device, told):
                found.append(one)
                holds = "holds" if one.holds else "[bold red]does not hold[/bold red]"
                bar.console.print(f"{one.name}: {one.ratio:.3g} ({one.target}) {holds}")
                bar.console.print(f"[dim]  {one.detail}[/dim]")
                if json_file is not None:  # what is measured is kept, whatever comes
                    write(json_file, found)
            bar.update(task, completed=1.0)
        except KeyboardInterrupt:
            kept = f"in {json_file}" if json_file is not None else "above"
            errors.print(f"\nInterrupted: the {len(found)} speeds that were measured are {kept}.")
            raise
    if json_file is not None:
        console.print(f"Wrote {json_file}")
