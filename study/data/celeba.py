"""CelebA: an attribute as the class, another as the context, the face's region as the mask.

Layout: ``root/celeba/img_align_celeba/`` and beside it the lists (:data:`FILES`), as
torchvision.datasets.CelebA reads them. The classes are the attribute and its absence; the splits
are CelebA's own, or with ``split = "he2023"`` as many images of each as Table 1 of He et al. (2023)
states. The mask is a region around the landmarks (:mod:`study.data.face`), which the aligned faces
have, or with ``masks = "celebamask-hq"`` what that dataset outlines, of its own photographs
(:mod:`study.data.celeba_hq`). A face without the attribute has an empty mask.
Several attributes (:data:`PAIRS`) each have a context and a region of their own.

Source: Liu et al., Deep Learning Face Attributes in the Wild, ICCV 2015.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torchvision import datasets

from study.config import CelebaConfig, nearest
from study.data import celeba_hq, face
from study.data.catalogue import Catalogue, Feature, Record, require_features, stratified
from study.data.dataset import DataError
from study.data.division import Division, beside_the_paper, require_files
from study.data.outlines import Nothing, Outline

SPLITS = {"train": 0, "val": 1, "test": 2}
FILES = (
    "list_attr_celeba.txt",
    "list_eval_partition.txt",
    "list_landmarks_align_celeba.txt",
    "list_bbox_celeba.txt",
    "identity_CelebA.txt",
)
PAPER_COUNTS = {"train": 13436, "test": 3839, "val": 1920}
"""He et al. (2023), Table 1: images for Wearing Lipstick."""
PAIRS = {
    "Wearing_Lipstick": ("Heavy_Makeup", "mouth"),
    "High_Cheekbones": ("Smiling", "cheeks"),
    "Double_Chin": ("Chubby", "chin"),
}
"""Attributes, what co-occurs with them (Yang et al. 2019), and where on the face they are."""


class _Reader(datasets.CelebA):
    """torchvision's reader of the lists; which images are there is for us to say."""

    def __init__(self, root: Path) -> None:
        self.listed: dict[str, list[str]] = {}
        super().__init__(str(root), split="all", target_type=["attr", "landmarks"])

    def _check_integrity(self) -> bool:
        return True

    def _load_csv(self, filename: str, header: int | None = None) -> Any:
        found = super()._load_csv(filename, header)
        self.listed[filename] = list(found.index)
        return found


@dataclass(frozen=True)
class _Face:
    """What the lists say of one photograph of CelebA."""

    name: str
    split: str
    attributes: torch.Tensor
    landmarks: list[float]


def sources(config: CelebaConfig, root: Path) -> list[Path]:
    """The files whose change means other data."""
    lists = [root / "celeba" / name for name in FILES]
    return [*lists, *celeba_hq.sources(root)] if config.masks == "celebamask-hq" else lists


def catalogue(config: CelebaConfig, root: Path) -> Catalogue:
    """List the photographs of each split.

    Raises:
        DataError: a missing file or image, lists that do not go together, an unknown attribute, a
            class without images; the message names it.
    """
    read = _read(root)
    if config.labels == "several":
        return _of_several(config, root, read)
    known = [name for name in read.attr_names if name]
    for setting in ("attribute", "context"):
        name = getattr(config, setting)
        if name is not None and name not in known:
            raise DataError(f"dataset.{setting} = {name!r} is no attribute{nearest(name, known)}")
    own = read.attr_names.index(config.attribute)
    beside = None if config.context is None else read.attr_names.index(config.context)
    given: dict[str, list[Record]] = {split: [] for split in SPLITS}
    for found, file, outline in _photographs(config, root, list(_faces(read, root))):
        shown = bool(found.attributes[own])
        given[found.split].append(
            Record(
                name=file.name,
                file=file,
                label=int(not shown),
                outline=outline if shown else Nothing(),
                context=None if beside is None else int(found.attributes[beside]),
            )
        )
    classes = (config.attribute, f"no {config.attribute}")
    parts, notes = Division((config.seed, "celeba"), limit=_limits(config)).of(given, classes)
    kind = "CelebA-HQ-img" if config.masks == "celebamask-hq" else "img_align_celeba.zip"
    require_files(parts, f"unpack {kind} again below {root}")
    if config.split == "he2023":
        whole = {split: [Record(r.name, r.file, 0) for r in rs] for split, rs in parts.items()}
        notes += beside_the_paper(whole, ["both classes"], {"both classes": PAPER_COUNTS})
    return Catalogue(
        name=f"CelebA ({config.attribute})",
        classes=classes,
        splits=parts,
        masked=config.region is not None,
        context_names=() if config.context is None else (f"no {config.context}", config.context),
        notes=tuple(notes),
    )


def _of_several(config: CelebaConfig, root: Path, read: _Reader) -> Catalogue:
    """Every attribute of a face, with what co-occurs with it and where it is."""
    names = list(read.attr_names)
    for name in config.attributes:
        for wanted in (name, PAIRS[name][0]):
            if wanted not in names:
                raise DataError(
                    f"{root / 'celeba' / FILES[0]} has no attribute {wanted}, which {name} needs: "
                    f"download it again"
                )
    columns = [(names.index(name), names.index(PAIRS[name][0])) for name in config.attributes]
    given: dict[str, list[Record]] = {split: [] for split in SPLITS}
    folder = root / "celeba" / "img_align_celeba"
    for found in _faces(read, root):
        features = []
        for number, (name, (own, beside)) in enumerate(
            zip(config.attributes, columns, strict=True)
        ):
            shown = bool(found.attributes[own])
            where = f"the landmarks of {found.name}"
            outline = face.region(PAIRS[name][1], found.landmarks, where) if shown else Nothing()
            context = 2 * number + int(found.attributes[beside])
            features.append(Feature(shown, outline, context))
        record = Record(found.name, folder / found.name, -1, features=tuple(features))
        given[found.split].append(record)
    division = Division((config.seed, "celeba"), limit=_limits(config))
    parts, notes = division.of(stratified(given), ())
    require_files(parts, f"unpack img_align_celeba.zip again below {root}")
    require_features(parts, config.attributes)
    beside_each = [PAIRS[name][0] for name in config.attributes]
    return Catalogue(
        name=f"CelebA ({', '.join(config.attributes)})",
        classes=config.attributes,
        splits=parts,
        masked=True,
        context_names=tuple(word for name in beside_each for word in (f"no {name}", name)),
        notes=tuple(notes),
        several=True,
    )


def _limits(config: CelebaConfig) -> int | dict[str, int] | None:
    if config.split == "official":
        return config.limit
    most = {split: config.limit or count for split, count in PAPER_COUNTS.items()}
    return {split: min(most[split], count) for split, count in PAPER_COUNTS.items()}


def _read(root: Path) -> _Reader:
    folder = root / "celeba"
    for name in FILES:
        if not (folder / name).is_file():
            raise DataError(
                f"{folder / name} is missing: download CelebA (img_align_celeba.zip and the lists) "
                f"and unpack it into {folder}"
            )
    try:
        read = _Reader(root)
    except (ValueError, IndexError, RuntimeError) as error:
        raise DataError(
            f"{folder}: the lists are damaged ({error}): download them again"
        ) from error
    order = read.listed[FILES[0]]
    for name in FILES[1:]:
        other = read.listed[name]
        if other != order:  # torchvision goes by the line
            at = next((i for i, pair in enumerate(zip(order, other, strict=False))
                       if pair[0] != pair[1]), min(len(order), len(other)))  # fmt: skip
            raise DataError(
                f"{folder / name} lists {len(other):,} images and {FILES[0]} {len(order):,}, and "
                f"they differ from image {at + 1:,} on: download both again"
            )
    width = len([name for name in read.attr_names if name])
    if read.attr.shape[1] != width:
        raise DataError(
            f"{folder / FILES[0]} names {width} attributes and has {read.attr.shape[1]} "
            f"values in a line: download it again"
        )
    return read


def _faces(read: _Reader, root: Path) -> Iterator[_Face]:
    wanted = {number: split for split, number in SPLITS.items()}
    file = root / "celeba" / "list_eval_partition.txt"
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
        said = line.split()[1:]
        if said not in (["0"], ["1"], ["2"]):
            raise DataError(f"{file}, line {number + 1}: must be an image and 0, 1 or 2")
        yield _Face(
            name=read.filename[number],
            split=wanted[int(said[0])],
            attributes=read.attr[number],
            landmarks=[float(value) for value in read.landmarks_align[number].tolist()],
        )


def _photographs(
    config: CelebaConfig, root: Path, faces: list[_Face]
) -> Iterator[tuple[_Face, Path, Outline]]:
    """Every face with its photograph and the outline of its region."""
    if config.masks == "celebamask-hq":
        known = {found.name: found for found in faces}
        masks = celeba_hq.Masks(root)
        for photograph in celeba_hq.photographs(root, known):
            outline = masks.outline(photograph, config.region)
            yield known[photograph.original], photograph.file, outline
        return
    for found in faces:
        outline = Nothing() if config.region is None else face.region(
            config.region, found.landmarks, f"the landmarks of {found.name}"
        )  # fmt: skip
        yield found, root / "celeba" / "img_align_celeba" / found.name, outline
