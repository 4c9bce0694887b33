"""``clickstudy simulate``: the whole study with simulated participants."""

from __future__ import annotations

from typing import Annotated

import typer

from apps.commands.attention import pictures
from apps.commands.console import console, counted
from apps.commands.options import (
    DeviceOption,
    EngineOption,
    OutOption,
    SlurmOption,
    StudyFileArgument,
    WorkersOption,
)


def simulate(
    study: StudyFileArgument,
    out: OutOption,
    participants: Annotated[int, typer.Option(min=1, help="Simulated participants.")] = 16,
    workers: WorkersOption = 0,
    engine: EngineOption = "local",
    device: DeviceOption = "auto",
    slurm: SlurmOption = None,
) -> None:
    """Run the whole study with simulated participants; run again, it resumes."""
    from simulators.runner import require_masks
    from simulators.runner import simulate as run
    from simulators.slurm_options import SlurmOptions
    from study.config import load
    from study.directory import StudyDirectory
    from study.loop import TaskLoop

    file = load(study)
    options = SlurmOptions.parse(slurm) if slurm else None
    directory = StudyDirectory.create(out, file)
    console.print(f"[bold]{file.config.name}[/bold] with {participants} SIMULATED participants")
    with counted("Reading the images") as reading:
        loop = TaskLoop(file, directory, device, reading)
    require_masks(loop)
    if not loop.prepared:
        with counted("Pretraining the biased classifier") as progress:
            loop.prepare(progress)
    run(file, directory, participants, workers, engine, device, slurm=options)
    console.print(f"Done: the study is in {out}, what the classifiers look at in:")
    for picture in pictures(directory, loop, out / "pictures"):
        console.print(f"  {picture}")
    console.print(f"Next: clickstudy report {out} --out {out / 'report'}")
