"""How a published dataset becomes a study: what must be there, where to get it, which settings.

A recipe looks at which of the files are there: with panoptic annotations COCO has its contexts,
with CelebAMask-HQ faces have outlined lips.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.config import CocoConfig, VocConfig, nearest
from study.data import awa2, celeba, celeba_hq, cifar, coco, panoptic, voc
from study.data.dataset import DataError
from study.data.reading import Progress

CIFAR_CLASSES = ("airplane", "ship")
WATER = ("sea", "river", "water-other")
"""The stuff that boats are on (COCO's panoptic categories)."""
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Need:
    """Something that must lie below the root.

    Attributes:
        place: relative to the root; one of several where each will do.
        fetch: what to download and unpack, with its size.
    """

    place: str | tuple[str, ...]
    fetch: str

    def is_there(self, root: Path) -> bool:
        """Whether one of the places exists, and is not an empty folder."""
        places = (self.place,) if isinstance(self.place, str) else self.place
        return any(_filled(root / place) for place in places)

    @property
    def name(self) -> str:
        """The first place."""
        return self.place if isinstance(self.place, str) else self.place[0]


@dataclass(frozen=True)
class Recipe:
    """How a dataset becomes a study.

    Attributes:
        needs: what must be there.
        source: where all of it is offered.
        settings: the ``[dataset]`` table after its root, by what is there.
        prepared: writes files below the root that the settings are of; where there are any.
        inside: the folder below the root that the settings are of.
        people_only: why simulated people cannot annotate, or None.
    """

    needs: tuple[Need, ...]
    source: str
    settings: Callable[[Path], Settings]
    prepared: Callable[[Path, Progress | None], None] | None = None
    inside: str = ""
    people_only: str | None = None

    def missing(self, root: Path) -> list[Need]:
        """What is not there."""
        return [need for need in self.needs if not need.is_there(root)]

    def require(self, root: Path) -> None:
        """Raise a :class:`DataError` that lists everything that is missing and how to get it."""
        missing = self.missing(root)
        if missing:
            listed = "; ".join(f"{root / need.name} is missing: {need.fetch}" for need in missing)
            raise DataError(f"{listed} ({self.source})")


def _filled(place: Path) -> bool:
    return place.is_file() or (place.is_dir() and any(place.iterdir()))


def _coco(root: Path) -> Settings:
    settings: dict[str, Any] = {
        "kind": "coco",
        "categories": ["airplane", "boat"],
        "split": "he2023",
        "several": "drop",
        "size": 224,
    }
    config = CocoConfig(kind="coco", root=root, categories=("airplane", "boat"))
    if panoptic.json_file(root, config.train).is_file():
        settings |= {
            "contexts": list(WATER),
            "context_name": "water",
            "tests": [
                {"name": "without-water", "without": ["water"]},
                {"name": "only-water", "only": ["water"]},
            ],
        }
    return settings


def faces(attribute: str) -> Callable[[Path], Settings]:
    """Settings for one of the three pairs of attributes."""
    context, region = celeba.PAIRS[attribute]

    def settings(root: Path) -> Settings:
        outlined = celeba_hq.mapping_file(root).is_file() and region in celeba_hq.PARTS
        return {
            "kind": "celeba",
            "attribute": attribute,
            "context": context,
            "region": region,
            "masks": "celebamask-hq" if outlined else "landmarks",
            **({} if outlined or attribute != "Wearing_Lipstick" else {"split": "he2023"}),
            "size": 224,
            "tests": [
                {"name": f"without-{context.lower().replace('_', '-')}", "without": [context]}
            ],
        }

    return settings


def _voc(root: Path) -> Settings:
    years = [year for year in ("2012", "2007", "2011", "2010", "2009", "2008")
             if voc.folder(VocConfig(kind="voc", root=root, categories=("boat", "horse"),
                                     year=year), root).is_dir()]  # fmt: skip
    return {
        "kind": "voc",
        "year": years[0] if years else "2012",
        "categories": ["aeroplane", "boat"],
        "masks": "outlines",
        "size": 224,
    }


def _awa2(root: Path) -> Settings:
    return {"kind": "awa2", "classes": ["humpback whale", "horse"], "size": 224}


def _waterbirds(root: Path) -> Settings:
    return {
        "kind": "table",
        "file": "metadata.csv",
        "image": "img_filename",
        "label": "y",
        "context": "place",
        "split": "split",
        "label_names": {"0": "landbird", "1": "waterbird"},
        "context_names": {"0": "land", "1": "water"},
        "size": 224,
    }


WILDS_COLUMNS = {
    "image": ("img_filename", "filename", "image", "path"),
    "label": ("label", "y", "target"),
    "context": ("place", "context", "background", "location"),
    "split": ("split",),
}
"""What WILDS and its relatives call the columns of metadata.csv, the likeliest first."""


def _wilds(root: Path) -> Settings:
    file = root / "metadata.csv"
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            columns = next(csv.reader(stream), [])
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{file} cannot be read ({error}): put the table of images there"
        ) from error
    found = {
        setting: next((name for name in names if name in columns), None)
        for setting, names in WILDS_COLUMNS.items()
    }
    for setting in ("image", "label"):
        if found[setting] is None:
            raise DataError(
                f"{file} has none of the columns {', '.join(WILDS_COLUMNS[setting])}, but "
                f"{', '.join(columns)}: write a study file with kind = 'table' that names the "
                f"column of the {setting}"
            )
    named = {setting: name for setting, name in found.items() if name is not None}
    return {"kind": "table", "file": "metadata.csv", **named, "size": 224}


def _cifar(root: Path) -> Settings:
    return {"kind": "folder", "classes": list(CIFAR_CLASSES), "size": 32}


def _unpack_cifar(root: Path, progress: Progress | None) -> None:
    cifar.unpack(root, root / "cifar-10-photographs", CIFAR_CLASSES, progress)


CELEBA_NEEDS = (
    Need("celeba/img_align_celeba", "unpack img_align_celeba.zip (1.3 GB) there"),
    *(Need(f"celeba/{name}", f"put {name} there") for name in celeba.FILES),
)
CELEBA_SOURCE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
NO_MASKS = "has no masks, which simulated people need: people annotate it"

RECIPES: dict[str, Recipe] = {
    "coco": Recipe(
        (
            Need("train2017", "unpack train2017.zip (18 GB) there"),
            Need("val2017", "unpack val2017.zip (1 GB) there"),
            *(
                Need(
                    str(coco.annotation_file(Path(), split)),
                    "unpack annotations_trainval2017.zip (241 MB) there",
                )
                for split in ("train2017", "val2017")
            ),
        ),
        "https://cocodataset.org/#download; for contexts also "
        "panoptic_annotations_trainval2017.zip (821 MB)",
        _coco,
    ),
    "celeba": Recipe(CELEBA_NEEDS, CELEBA_SOURCE, faces("Wearing_Lipstick")),
    "celeba-cheekbones": Recipe(CELEBA_NEEDS, CELEBA_SOURCE, faces("High_Cheekbones")),
    "celeba-chin": Recipe(CELEBA_NEEDS, CELEBA_SOURCE, faces("Double_Chin")),
    "awa2": Recipe(
        (
            Need((f"{awa2.NAME}/JPEGImages", "JPEGImages"), "unpack AwA2-data.zip (13 GB) there"),
            Need((f"{awa2.NAME}/classes.txt", "classes.txt"), "unpack AwA2-base.zip there"),
        ),
        "https://cvml.ista.ac.at/AwA2/",
        _awa2,
        people_only=f"AwA2 {NO_MASKS}",
    ),
    "voc": Recipe(
        (
            Need(
                (
                    *(f"VOCdevkit/VOC{year}" for year in (2012, 2007, 2010, 2009, 2008)),
                    "TrainVal/VOCdevkit/VOC2011",
                ),
                "unpack VOCtrainval_11-May-2012.tar (2 GB) there",
            ),
        ),
        "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/",
        _voc,
    ),
    "waterbirds": Recipe(
        (Need("metadata.csv", "unpack waterbird_complete95_forest2water2.tar.gz there"),),
        "https://github.com/kohpangwei/group_DRO",
        _waterbirds,
        people_only=f"Waterbirds {NO_MASKS}",
    ),
    "wilds": Recipe(
        (Need("metadata.csv", "put the table of images there, beside them"),),
        "https://wilds.stanford.edu/datasets/",
        _wilds,
        people_only=f"this table {NO_MASKS}",
    ),
    "cifar": Recipe(
        (Need("cifar-10-batches-py", "unpack cifar-10-python.tar.gz (170 MB) there"),),
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        _cifar,
        _unpack_cifar,
        "cifar-10-photographs",
        f"CIFAR-10 {NO_MASKS}",
    ),
}
"""Datasets by the name that ``clickstudy data prepare`` takes."""

HINTS = {
    ("coco", "split"): "Table 1: val2017 is val, a fifth of train2017 test",
    ("coco", "several"): "images with both: drop, or largest",
    ("celeba", "masks"): "or celebamask-hq, where that lies beside celeba/",
    ("celeba", "split"): "as many of each split as in Table 1; or official",
    ("voc", "masks"): "the segmented images; boxes takes all",
}
"""Comments in the study file, by dataset and setting."""


def recipe(name: str) -> Recipe:
    """The recipe of a dataset.

    Raises:
        DataError: there is none of that name; the message names those that are.
    """
    if name not in RECIPES:
        known = list(RECIPES)
        raise DataError(f"{name!r} is no dataset that can be prepared{nearest(name, known)}")
    return RECIPES[name]


def dataset_table(name: str, root: Path) -> str:
    """The ``[dataset]`` table of a study file, of what lies below ``root``."""
    found = RECIPES[name]
    place = (root / found.inside).resolve()
    lines = ["[dataset]", f"root = {json.dumps(str(place), ensure_ascii=False)}"]
    for setting, value in found.settings(root).items():
        hint = HINTS.get((name, setting))
        line = f"{setting} = {_toml(value)}"
        lines.append(line + (f"  # {hint}" if hint else ""))
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(v)}" for key, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
