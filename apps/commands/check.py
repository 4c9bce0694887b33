"""``clickstudy check``: every mistake in a study file, its images and its model at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apps.commands.console import console, counted
from apps.commands.options import StudyFileArgument, one_sentence

if TYPE_CHECKING:
    from study.config import StudyConfig, StudyFile
    from study.data.dataset import Dataset


def check(
    study: StudyFileArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Where contact sheets and decoded images are written.",
            show_default="check, beside the study file",
        ),
    ] = None,
    file_only: Annotated[
        bool, typer.Option("--file-only", help="Open neither the images nor the model.")
    ] = False,
) -> None:
    """Report every mistake in a study file; open its images, its model and its checkpoint."""
    from study import extras
    from study.config import load
    from study.protocol.conditions import sequences

    file = load(study)
    config = file.config
    if not file_only:
        extras.require("learn")
    if extras.missing("learn"):
        left = f"Not checked: whether the strategies can be built. {extras.installing('learn')}"
        console.print(left, markup=False, soft_wrap=True)
    else:
        _build_strategies(config)
    check_plan(study)
    plan = sequences(config)
    console.print(f"[bold]{config.name}[/bold] is valid (sha256 {file.hash[:12]}).")
    console.print(
        f"{len(config.conditions)} conditions, {len(plan)} sequences: a balanced study has a "
        f"multiple of {len(plan)} participants."
    )
    for index, sequence in enumerate(plan):
        console.print(f"  sequence {index}: {', '.join(sequence)}")
    if not file_only:
        from study.beginning import CHECKED

        open_study(file, out or study.parent / CHECKED.parent)


def _build_strategies(config: StudyConfig) -> None:
    """Refuse what the settings of a strategy alone do not show: combinations that do not rank."""
    from study.acquisition import build

    for condition in config.conditions:
        build(config.for_condition(condition).acquisition)


def open_study(file: StudyFile, out: Path) -> None:
    """Read the images, say what was read, draw them, and let the classifier see two."""
    from study.data.sheets import contact_sheet
    from study.errors import UserError
    from study.readiness import classifier_of, sample_of
    from study.showing import people_of

    with counted("Reading the images") as progress:
        dataset = sample_of(file, out / "cache", progress)
    describe(dataset)
    model = classifier_of(file, dataset)
    size = sum(weights.numel() for weights in model.parameters()) / 1e6
    given = file.config.model.checkpoint
    source = f"the checkpoint {given}" if given else file.config.model.name
    console.print(f"The classifier: {source}, {size:.1f} million weights.", markup=False)
    for note in model.notes:
        console.print(f"  - {note}", markup=False, soft_wrap=True)
    shown = file.config.reveal
    if shown.items and shown.maps:
        split, gave = people_of(dataset, file.resolve(Path(shown.maps)))
        console.print(f"People's maps of {len(gave)} images of the {split} split.", markup=False)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for split, images in dataset.splits.items():
            contact_sheet(images.items, outlines=True).save(out / f"{split}.png")
    except OSError as error:
        raise UserError(f"{out} cannot be written ({error.strerror}): choose --out") from error
    sheets = ", ".join(str(out / f"{split}.png") for split in dataset.splits)
    console.print(f"Look at the outlines in {sheets}", soft_wrap=True, markup=False)


def describe(dataset: Dataset) -> None:
    """Print the images by class and split, and by context where it is known, and every note."""
    from rich.table import Table

    from study.data.counts import counts

    table = Table(box=None, pad_edge=False, title=dataset.name, title_justify="left")
    frame = counts(dataset)
    for column in frame.columns:
        table.add_column(column, justify="left" if column in ("class", "context") else "right")
    for row in frame.itertuples(index=False):
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in row))
    console.print(table)
    for note in dataset.notes:
        console.print(f"  - {note}", markup=False, soft_wrap=True)


def check_plan(study: Path) -> None:
    """Refuse a study file whose ``[analysis]`` table is not a plan."""
    with one_sentence():
        from analysis.plan import read

        read(study)
