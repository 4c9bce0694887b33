"""``clickstudy data``: the paper's photographs, ready to run, and any data to look at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
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


class Known(StrEnum):
    """Datasets that the documents name."""

    coco = "coco"
    celeba = "celeba"
    awa2 = "awa2"
    waterbirds = "waterbirds"
    cifar = "cifar"


@dataclass(frozen=True)
class Recipe:
    """How a dataset becomes a study.

    Attributes:
        settings: the ``[dataset]`` table, after its root.
        fetch: what to download, and where to put it below the root.
    """

    settings: str
    fetch: str


CIFAR_CLASSES = ("airplane", "ship")
RECIPES = {
    Known.coco: Recipe(
        'kind = "coco"\ncategories = ["airplane", "boat"]\n'
        'split = "he2023"                   # Table 1: val2017 is val, a fifth of train2017 test\n'
        'several = "drop"                   # images with both: drop, or largest\nsize = 224\n',
        "https://cocodataset.org/#download: unpack train2017.zip, val2017.zip and "
        "annotations_trainval2017.zip there, as train2017/, val2017/ and annotations/",
    ),
    Known.celeba: Recipe(
        'kind = "celeba"\nattribute = "Wearing_Lipstick"      # or High_Cheekbones, Double_Chin\n'
        'context = "Heavy_Makeup"            # or Smiling, Chubby\n'
        'region = "mouth"                   # or cheeks, chin\nsize = 224\n'
        "# all faces without make-up, beside the groups (Table 3)\n"
        'tests = [{ name = "without-heavy-makeup", without = ["Heavy_Makeup"] }]\n',
        "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html: unpack img_align_celeba.zip there as "
        "celeba/img_align_celeba/, and put the five lists (list_*.txt, identity_CelebA.txt) "
        "into celeba/",
    ),
    Known.awa2: Recipe(
        'kind = "folder"\nclasses = ["humpback+whale", "horse"]\nsize = 224\n',
        "https://cvml.ista.ac.at/AwA2/: unpack AwA2-data.zip there, so that its class folders lie "
        "in JPEGImages/",
    ),
    Known.waterbirds: Recipe(
        'kind = "table"\nfile = "metadata.csv"\nimage = "img_filename"\nlabel = "y"\n'
        'context = "place"\nsplit = "split"\n'
        'label_names = { 0 = "landbird", 1 = "waterbird" }\n'
        'context_names = { 0 = "land", 1 = "water" }\nsize = 224\n',
        "https://github.com/kohpangwei/group_DRO: unpack waterbird_complete95_forest2water2.tar.gz "
        "there, so that metadata.csv lies in it",
    ),
    Known.cifar: Recipe(
        f'kind = "folder"\nclasses = {json.dumps(CIFAR_CLASSES)}\nsize = 32\n',
        "https://www.cs.toronto.edu/~kriz/cifar.html: unpack cifar-10-python.tar.gz there, as "
        "cifar-10-batches-py/",
    ),
}
INSIDE = {Known.awa2: "JPEGImages", Known.cifar: "cifar-10-photographs"}
STUDY = """# {name}: everything left out has the paper's value. Fine-tuning wants a GPU.
# Change what you like, and run `clickstudy check` again.

name = "{name}"
seed = 0

[dataset]
root = {root}
{settings}
[model]
name = "resnet18"
weights = "none"
"""


@app.command()
def prepare(
    dataset: Annotated[Known, typer.Argument(help="Which dataset.")],
    root: Annotated[Path, typer.Option(help="The folder that it was unpacked in.")],
    out: Annotated[Path, typer.Option("--out", help="The study's folder; made when missing.")],
) -> None:
    """Write a study file for a dataset, verify and decode its images, and draw them."""
    from study import beginning
    from study.config import load
    from study.data import cifar
    from study.data.dataset import DataError
    from study.errors import UserError

    recipe = RECIPES[dataset]
    place = (root / INSIDE.get(dataset, "")).resolve()
    text = STUDY.format(name=dataset, root=json.dumps(str(place)), settings=recipe.settings)
    target = out / "study.toml"
    try:
        if dataset is Known.cifar:
            with counted("Writing the photographs") as progress:
                cifar.unpack(root, place, CIFAR_CLASSES, progress)
        if not target.exists():
            out.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            console.print(f"Wrote {target}.", markup=False, soft_wrap=True)
        open_study(load(target), out / beginning.CHECKED.parent)
    except DataError as error:
        raise UserError(f"{error}\nWhere to get it: {recipe.fetch} ({root.resolve()})") from error
    except OSError as error:
        raise UserError(f"{target} cannot be written ({error.strerror}): choose --out") from error
    console.print(f"Next: clickstudy simulate {target} --participants 4 --out {out / 'run'}")


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
