"""``clickstudy calibrate``: simulated people fitted to the people of a study."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from apps.commands.console import console, counted
from apps.commands.options import DeviceOption, Mode, StudyArgument

if TYPE_CHECKING:
    import pandas as pd

    from simulators.calibration.fit import Calibration
    from simulators.calibration.logged import Source


def calibrate(
    study: StudyArgument,
    out: Annotated[Path, typer.Option("--out", help="The file of laws to write.")] = Path(
        "people.toml"
    ),
    tables: Annotated[
        Path | None,
        typer.Option(help="Where tables and figures go.", show_default="OUT without .toml"),
    ] = None,
    mode: Annotated[
        Mode | None, typer.Option(help="Whom to read, where the log has several.")
    ] = None,
    items: Annotated[
        int, typer.Option(min=32, help="Images read of each task, evenly over it.")
    ] = 256,
    device: DeviceOption = "auto",
) -> None:
    """Fit simulated people to those of a study: their times, their clicks, what they correct."""
    from apps.commands.calibration_figures import draw
    from simulators.calibration import fit, heldout, predictive
    from simulators.calibration.logged import read
    from study.directory import StudyDirectory
    from study.loop import TaskLoop

    folder = tables or out.with_suffix("")
    directory = StudyDirectory.open(study)
    with counted("Reading the images") as reading:
        loop = TaskLoop(directory.file(), directory, device, reading)
    log = directory.study(loop.file)
    with counted("Reading the log") as tasks:
        source = read(loop, log, None if mode is None else mode.value, items, progress=tasks)
    log.store.close()
    with console.status("Fitting") as status:
        found = fit.fit(source.evidence, lambda what: status.update(f"Fitting: {what}"))
        status.update("Scoring what was held out")
        scores = {
            "heldout_placement": heldout.placement(source.evidence),
            "heldout_times": heldout.times(source.evidence),
        }
    population = found.population(_about(source, study))
    population.write(out)
    with counted("Asking the fitted people") as draws:
        again = predictive.replicated(source.items, population, progress=draws)
    seen = predictive.observed(source.items)
    written = {
        "parameters": fit.parameters(found),
        "people": _people(source, found),
        "predictive": predictive.checks(seen, again),
        **scores,
    }
    folder.mkdir(parents=True, exist_ok=True)
    simulated = "SIMULATED" if source.mode == "simulated" else None
    for name, table in written.items():
        table.assign(mode=source.mode).to_csv(folder / f"{name}.csv", index=False)
    drawn = draw(written, seen, again, simulated, folder)
    _say(source, written, out, folder, drawn)


def _about(source: Source, study: Path) -> dict[str, Any]:
    evidence = source.evidence
    return {
        "source": f"calibrated on {study.resolve().name}",
        "mode": source.mode,
        "participants": len(evidence.people),
        "images": len(evidence.items),
        "conditions": source.conditions,
        "fitted_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _people(source: Source, found: Calibration) -> pd.DataFrame:
    """Each participant's values."""
    import pandas as pd

    return pd.DataFrame({"participant": source.evidence.people} | found.people)


def _say(
    source: Source, written: dict[str, pd.DataFrame], out: Path, folder: Path, drawn: list[Path]
) -> None:
    from analysis.frames import records

    evidence = source.evidence
    if source.mode == "simulated":
        console.print("[bold red]SIMULATED participants: these laws are no measurement[/bold red]")
    console.print(f"{len(evidence.people)} people, {len(evidence.items)} images.")
    for reason, count in source.left_out.items():
        console.print(f"Left out: {count} images {reason}.", style="yellow")
    parameters = written["parameters"]
    shown = Table(title="Fitted", title_justify="left")
    for heading in ("parameter", "declared", "centre", "95%", "spread", "95%"):
        shown.add_column(heading)
    for row in records(parameters[parameters["fitted"]]):
        shown.add_row(
            row["parameter"],
            f"{row['declared']:.4g}",
            f"{row['centre']:.4g}",
            _interval(row["low"], row["high"]),
            f"{row['spread']:.3g}" if row["spread"] else "",
            _interval(row["spread_low"], row["spread_high"]),
        )
    console.print(shown)
    kept = parameters[~parameters["fitted"]]
    for note, rows in kept.groupby("note", sort=False):
        names = ", ".join(rows["parameter"])
        console.print(f"As declared, because {note}: {names}.", soft_wrap=True)
    for name, what in (("heldout_placement", "clicks"), ("heldout_times", "times")):
        table = written[name]
        if len(table):
            first, last = table.iloc[0], table.iloc[-1]
            console.print(
                f"Held-out {what}: {first['better_than_last']:.3f} (SE {first['better_se']:.3f}) "
                f"log units better than {last['model']}."
            )
    missed = written["predictive"]
    outside = (missed["observed"] < missed["low"]) | (missed["observed"] > missed["high"])
    console.print(
        f"{int((~outside).sum())} of {len(missed)} measures of what people did lie in the fitted "
        f"people's 95% intervals."
    )
    console.print(f"Wrote {out}, tables and {len(drawn)} figures in {folder}.")
    console.print(f'Next: people = "{out}" in a study or benchmark file.')


def _interval(low: float, high: float) -> str:
    import pandas as pd

    return "" if pd.isna(low) else f"{low:.3g} to {high:.3g}"
