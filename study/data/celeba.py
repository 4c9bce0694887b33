"""CelebA: an attribute as the class, another as the context, the face's region as the mask.

Layout: ``root/celeba/img_align_celeba/`` and beside it the lists (:data:`FILES`), as
torchvision.datasets.CelebA reads them. The classes are the
attribute and its absence; the splits are CelebA's own. The mask is a region around the landmarks
(:data:`REGIONS`), which the aligned faces have; without ``region`` there are no masks.

Source: Liu et al., Deep Learning Face Attributes in the Wild, ICCV 2015.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torchvision import datasets

from study.config import CelebaConfig, nearest
from study.data import splits
from study.data.catalogue import Catalogue, Record, labels_of
from study.data.dataset import DataError
from study.data.outlines import Nothing, Outline, Shapes

SPLITS = {"train": 0, "val": 1, "test": 2}
FILES = (
    "list_attr_celeba.txt",
    "list_eval_partition.txt",
    "list_landmarks_align_celeba.txt",
    "list_bbox_celeba.txt",
    "identity_CelebA.txt",
)
CORNERS = 32
Point = tuple[float, float]


class _Reader(datasets.CelebA):
    """torchvision's reader of the lists; which images are there is for us to say."""

    def _check_integrity(self) -> bool:
        return True


def sources(config: CelebaConfig, root: Path) -> list[Path]:
    """The files whose change means other data."""
    return [root / "celeba" / name for name in FILES]


def catalogue(config: CelebaConfig, root: Path) -> Catalogue:
    """List the photographs of each split.

    Raises:
        DataError: a missing file or image, an unknown attribute, a class without images.
    """
    for file in sources(config, root):
        if not file.is_file():
            raise DataError(
                f"{file} is missing: download CelebA (img_align_celeba.zip and the lists) and "
                f"unpack it into {root / 'celeba'}"
            )
    try:
        read = _Reader(str(root), split="all", target_type=["attr", "landmarks"], download=False)
    except (ValueError, IndexError, RuntimeError) as error:
        raise DataError(
            f"{root / 'celeba'}: the lists are damaged ({error}): download them again"
        ) from error
    known = [name for name in read.attr_names if name]
    for setting in ("attribute", "context"):
        name = getattr(config, setting)
        if name is not None and name not in known:
            raise DataError(f"dataset.{setting} = {name!r} is no attribute{nearest(name, known)}")
    parts = _splits(root)
    shown = read.attr[:, read.attr_names.index(config.attribute)].bool()
    beside = None
    if config.context is not None:
        beside = read.attr[:, read.attr_names.index(config.context)].bool()
    classes = (config.attribute, f"no {config.attribute}")
    folder = root / "celeba" / "img_align_celeba"
    done = {}
    for split in SPLITS:
        records = [
            Record(
                name=name,
                file=folder / name,
                label=int(not shown[i]),
                outline=_outline(config, read.landmarks_align[i], name, bool(shown[i])),
                context=None if beside is None else int(beside[i]),
            )
            for i, name in enumerate(read.filename)
            if parts.get(name) == split
        ]
        splits.require_enough(labels_of(records), classes, [], split)
        drawn = splits.numbers([r.name for r in records], config.seed, "celeba", "limit")
        kept = splits.limited(labels_of(records), config.limit, drawn)
        done[split] = tuple(records[i] for i in kept)
        missing = [r.file for r in done[split] if not r.file.is_file()]
        if missing:
            raise DataError(
                f"{missing[0]} and {len(missing) - 1:,} more of {split} are missing: unpack "
                f"img_align_celeba.zip into {root / 'celeba'}"
            )
    names = () if config.context is None else (f"no {config.context}", config.context)
    return Catalogue(
        name=f"CelebA ({config.attribute})",
        classes=classes,
        splits=done,
        masked=config.region is not None,
        context_names=names,
    )


def _splits(root: Path) -> dict[str, str]:
    """The split of every image, by its name."""
    wanted = {str(number): split for split, number in SPLITS.items()}
    file = root / "celeba" / "list_eval_partition.txt"
    found = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        parts = line.split()
        if len(parts) != 2 or parts[1] not in wanted:
            raise DataError(f"{file}, line {number}: must be an image and 0, 1 or 2")
        found[parts[0]] = wanted[parts[1]]
    return found


def _outline(config: CelebaConfig, landmarks: torch.Tensor, name: str, shown: bool) -> Outline:
    """The region of the attribute; nothing where the face does not have it."""
    if config.region is None or not shown:
        return Nothing()
    xy = landmarks.tolist()
    eyes = [(xy[0], xy[1]), (xy[2], xy[3])]
    nose = (xy[4], xy[5])
    mouth = [(xy[6], xy[7]), (xy[8], xy[9])]
    polygons = {
        "mouth": lambda: [_ellipse(_middle(*mouth), _gap(*mouth) * 0.65, _gap(*mouth) * 0.4)],
        "eyes": lambda: [_ellipse(eye, _gap(*eyes) * 0.35, _gap(*eyes) * 0.25) for eye in eyes],
        "cheeks": lambda: [
            _ellipse(_middle(eye, corner), _gap(*eyes) * 0.3, _gap(*eyes) * 0.3)
            for eye, corner in zip(eyes, mouth, strict=True)
        ],
        "chin": lambda: [
            _ellipse(_below(nose, _middle(*mouth)), _gap(*mouth) * 0.9, _gap(*mouth) * 0.5)
        ],
    }[config.region]()
    return Shapes(tuple(polygons), where=f"the landmarks of {name}")


def _middle(a: Point, b: Point) -> Point:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


def _gap(a: Point, b: Point) -> float:
    return max(math.dist(a, b), 1.0)


def _below(nose: Point, mouth: Point) -> Point:
    """As far below the mouth as the mouth is below the nose."""
    return 2 * mouth[0] - nose[0], 2 * mouth[1] - nose[1]


def _ellipse(centre: Point, width: float, height: float) -> tuple[float, ...]:
    turns = [2 * math.pi * i / CORNERS for i in range(CORNERS)]
    points = (
        (centre[0] + width * math.cos(turn), centre[1] + height * math.sin(turn)) for turn in turns
    )
    return tuple(coordinate for point in points for coordinate in point)
