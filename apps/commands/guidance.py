"""``clickstudy guidance``: forms of attention guidance compared on drawn scenes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from apps.commands.console import console, counted
from apps.commands.options import DeviceOption, OutOption


class Scene(StrEnum):
    """Kinds of drawn scenes."""

    beside = "beside"
    background = "background"


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
