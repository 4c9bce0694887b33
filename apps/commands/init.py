"""``clickstudy init``: a study file to start from."""

from __future__ import annotations

import tomllib
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from apps.commands.console import console


class Example(StrEnum):
    """The files that come with clickstudy."""

    scenes = "scenes"
    demo = "demo"
    photographs = "photographs"
    he2023 = "he2023"
    nasa_tlx = "nasa-tlx"
    sus = "sus"
    two_by_three = "two-by-three"
    folder = "folder"
    live_feedback = "live-feedback"
    benchmark = "benchmark"
    guidance = "guidance"
    baselines = "baselines"
    baselines_whole = "baselines-whole"
    labels = "labels"


def init(
    directory: Annotated[Path, typer.Argument(help="Made when missing.")],
    example: Annotated[
        Example,
        typer.Option(
            help="scenes: every setting, commented; demo: a short study; photographs: COCO; "
            "he2023: the paper's study; nasa-tlx, sus: a questionnaire after each task; "
            "two-by-three: six conditions; folder: your own photographs; "
            "live-feedback: a model that learns after each image; benchmark: strategies compared; "
            "guidance: forms of guidance compared; baselines: beside other debiasing, with a head; "
            "baselines-whole: the same with a whole network and input gradients; "
            "labels: which images to label, few of them."
        ),
    ] = Example.scenes,
) -> None:
    """Write a commented study file (or benchmark file) into DIRECTORY."""
    from study.errors import UserError

    text = files("apps").joinpath("examples", f"{example}.toml").read_text()
    bench = "strategies" in tomllib.loads(text)
    target = directory / (f"{example}.toml" if bench else "study.toml")
    if target.exists():
        raise UserError(f"{target} exists already: choose another directory, or edit that file")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    except OSError as error:
        raise UserError(f"{target} cannot be written ({error.strerror})") from error
    then = "Run it with: clickstudy benchmark" if bench else "Check it with: clickstudy check"
    console.print(f"Wrote {target}. {then} {target}")
