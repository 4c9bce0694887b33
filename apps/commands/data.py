"""``clickstudy data``: the paper's photographs, ready to run, and any data to look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apps.commands.check import describe, open_study
from apps.commands.console import console, counted

if TYPE_CHECKING:
    import numpy as np

    from study.data.dataset import ImageSet
    from study.directory import StudyDirectory

app = typer.Typer(help="Prepare photographs, and look at them.", no_args_is_help=True)


STUDY = """# {name}: everything left out has the paper's value. Fine-tuning wants a GPU.
# Change what you like, and run `clickstudy check` again.

name = "{name}"
seed = 0

{dataset}
[model]
name = "resnet18"
weights = "none"
"""
NAMES = "coco, celeba, celeba-cheekbones, celeba-chin, awa2, voc, waterbirds, wilds or cifar"


@app.command()
def prepare(
    dataset: Annotated[str, typer.Argument(help=f"Which dataset: {NAMES}.", metavar="NAME")],
    root: Annotated[Path, typer.Option(help="The folder that it was unpacked in.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The study's folder; made when missing.", show_default="NAME"),
    ] = None,
) -> None:
    """Write a study file for a dataset, verify and decode its images, and draw them."""
    from study import beginning
    from study.config import load
    from study.data import recipes
    from study.errors import UserError

    recipe = recipes.recipe(dataset)
    recipe.require(root)
    out = out or Path(dataset)
    target = out / "study.toml"
    try:
        if recipe.prepared is not None:
            with counted("Writing the photographs") as progress:
                recipe.prepared(root, progress)
        if not target.exists():
            out.mkdir(parents=True, exist_ok=True)
            text = STUDY.format(name=dataset, dataset=recipes.dataset_table(dataset, root))
            target.write_text(text, encoding="utf-8")
            console.print(f"Wrote {target}.", markup=False, soft_wrap=True)
        open_study(load(target), out / beginning.CHECKED.parent)
    except OSError as error:
        raise UserError(f"{target} cannot be written ({error.strerror}): choose --out") from error
    run = f"{target} --out {out / 'run'}"
    if recipe.people_only is not None:
        console.print(f"{recipe.people_only}.", markup=False, soft_wrap=True)
        console.print(f"Next: clickstudy serve {run}", markup=False, soft_wrap=True)
    else:
        simulate = f"clickstudy simulate {run} --participants 4"
        console.print(f"Next: {simulate}", markup=False, soft_wrap=True)


@app.command()
def show(
    study: Annotated[Path, typer.Argument(help="A study file, or a study directory.")],
    out: Annotated[Path, typer.Option("--out", help="Where contact sheets are written.")],
    images: Annotated[int, typer.Option(min=1, help="Images of each split.")] = 64,
) -> None:
    """Draw images with outlines, classes and contexts; of a study directory, attention too."""
    from study import beginning
    from study.config import load
    from study.data.sheets import contact_sheet
    from study.directory import StudyDirectory
    from study.errors import UserError
    from study.readiness import sample_of

    directory = StudyDirectory.open(study) if study.is_dir() else None
    with counted("Reading the images") as progress:
        if directory is None:
            dataset = sample_of(load(study), out / "cache", progress)
        else:
            dataset = beginning.dataset_of(directory.file(), directory, progress)
    describe(dataset)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for split, whole in dataset.splits.items():
            members = whole.items
            sheet = contact_sheet(members, images, outlines=True)
            sheet.save(out / f"{split}.png")
            console.print(f"Wrote {out / f'{split}.png'}", soft_wrap=True, markup=False)
            if directory is not None and directory.pretrained.exists():
                picture = out / f"{split}-attention.png"
                maps = _attention(directory, members, images)
                contact_sheet(members, images, outlines=True, maps=maps).save(picture)
                console.print(f"Wrote {picture}", soft_wrap=True, markup=False)
    except OSError as error:
        raise UserError(f"{out} cannot be written ({error.strerror}): choose --out") from error


def _attention(directory: StudyDirectory, members: ImageSet, n: int) -> np.ndarray:
    """What the biased classifier looks at in the images of a contact sheet, [n, h, w]."""
    from study.data.sheets import spread
    from study.learning import checkpoints
    from study.learning.attention import attention_maps

    model, _ = checkpoints.load(directory.pretrained, "cpu")
    some = members.subset(spread(members, n).tolist())
    return attention_maps(model, some.images[:], some.asked, "cpu").float().numpy()
