"""``clickstudy replicate``: the experiments of the documents, beside what was published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apps.commands.console import console, counted
from apps.commands.options import DeviceOption, RunsOption, WorkersOption

if TYPE_CHECKING:
    import pandas as pd

    from simulators.replications.published import Experiment


def replicate(
    name: Annotated[
        str | None, typer.Argument(help="Which; without it, all are listed.", metavar="NAME")
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="The dataset's folder, or one with coco, celeba, awa2.")
    ] = None,
    out: RunsOption = None,
    workers: WorkersOption = 0,
    device: DeviceOption = "auto",
    small: Annotated[
        bool, typer.Option("--small", help="Scaled down, to try the way; numbers mean nothing.")
    ] = False,
) -> None:
    """Run an experiment of the documents, SIMULATED; without a name, list them and their cost."""
    from simulators.replications import running
    from simulators.replications.published import EXPERIMENTS
    from study.config import nearest
    from study.errors import UserError

    if name is None:
        _list(root)
        return
    if name not in EXPERIMENTS:
        raise UserError(f"{name!r} is no experiment{nearest(name, list(EXPERIMENTS))}")
    experiment = EXPERIMENTS[name]
    if root is None:
        raise UserError(f"{name} needs {', '.join(experiment.datasets)}: give its folder as --root")
    place = out or Path("runs") / name
    with counted("Reading the images") as progress:
        found = running.run(
            experiment, root, place, workers=workers, device=device, small=small, progress=progress
        )
    _write(experiment, found, place, small)


def _list(root: Path | None) -> None:
    """Every experiment with what it needs, whether that is there, and what it costs here."""
    from rich.table import Table

    from simulators.replications import cost, running
    from simulators.replications.published import EXPERIMENTS
    from study.data import recipes

    speeds: dict[str, cost.Speed] = {}
    table = Table("experiment", "what", "needs", "at most, on one core here", box=None)
    for one in EXPERIMENTS.values():
        hours = "reading the files"
        if one.kind != "counts":
            network = one.settings["model"]["name"]
            if network not in speeds:
                with console.status(f"Measuring {network} on this machine"):
                    speeds[network] = cost.probe(network)
            hours = f"{cost.hours(one, speeds[network]):,.0f} h"
        needs = ", ".join(one.datasets)
        if root is not None:
            gone = [d for d in one.datasets if recipes.recipe(d).missing(running.place_of(d, root))]
            needs += f" (missing: {', '.join(gone)})" if gone else " (there)"
        table.add_row(one.name, f"{one.title}. {one.source}", needs, hours)
    console.print(table)
    for network, speed in speeds.items():
        console.print(
            f"{network}, 224 px, measured just now on the CPU: {1000 * speed.training:.0f} ms an "
            f"image to train, {1000 * speed.looking:.0f} ms to look. A GPU is many times faster; "
            f"early stopping ends pretraining sooner."
        )


def _write(experiment: Experiment, found: pd.DataFrame, place: Path, small: bool) -> None:
    from rich.table import Table

    table = Table(*found.columns, box=None)
    published = found["published"].map("{:g}".format).replace("nan", "a picture")
    for row in found.assign(published=published).itertuples(index=False):
        table.add_row(
            str(row.arm), str(row.measure), str(row.published), f"{row.here:.4g}", str(row.runs)
        )
    counts = experiment.kind == "counts"
    label = "" if counts else "SIMULATED annotators. "
    label += "SCALED DOWN: the numbers mean nothing. " if small else ""
    console.print(f"[bold red]{label}[/bold red]{experiment.title}. {experiment.source}.")
    console.print(table)
    marked = found.assign(mode="published" if counts else "simulated", scaled_down=small)
    marked.to_csv(place / "replication.csv", index=False)
    if not counts:
        _draw(experiment, found, place / "replication.png", label)
    if experiment.kind == "benchmark":
        _maps(place)
    console.print(f"Wrote {place / 'replication.csv'}", markup=False, soft_wrap=True)


def _maps(place: Path) -> None:
    """What the classifiers look at before and after, as in Figure 8."""
    from apps.commands.benchmark_pictures import before_after
    from simulators.benchmark.config import load

    for picture, caption in before_after(load(place / "bench.toml"), place / "benchmark"):
        (place / "maps.png").write_bytes(picture)
        console.print(f"{place / 'maps.png'}: {caption}", markup=False, soft_wrap=True)


def _draw(experiment: Experiment, found: pd.DataFrame, file: Path, label: str) -> None:
    """Published (hollow) and measured (filled), a panel for each measure."""
    from matplotlib.figure import Figure

    groups = list(found.groupby("measure", sort=False))
    figure = Figure(figsize=(3.4 * len(groups), 1.4 + 0.3 * found["arm"].nunique()))
    figure.set_layout_engine("constrained")
    panels = figure.subplots(1, len(groups), squeeze=False)[0]
    for axes, (measure, rows) in zip(panels, groups, strict=True):
        y = range(len(rows))
        axes.plot(rows["published"], y, "o", mfc="none", color="#444444", label="published")
        axes.plot(rows["here"], y, "o", color="#0b6fa4", label="here, SIMULATED")
        axes.set_yticks(list(y), rows["arm"].tolist())
        axes.invert_yaxis()
        axes.margins(y=0.15)
        axes.set_title(str(measure), fontsize=9)
        axes.grid(axis="x", alpha=0.3)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.suptitle(f"{label}{experiment.source}", fontsize=9, color="#b00020")
    figure.savefig(file, dpi=150)
