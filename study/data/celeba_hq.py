"""CelebAMask-HQ: 30,000 photographs of CelebA, larger, with outlined parts of the face.

Layout: ``root/CelebAMask-HQ/`` with ``CelebA-HQ-img/0.jpg``,
``CelebAMask-HQ-mask-anno/0/00000_u_lip.png`` (2,000 photographs in each folder) and
``CelebA-HQ-to-CelebA-mapping.txt``, which says which photograph of CelebA each is. Attributes and
splits are then CelebA's. The photographs are cut otherwise than CelebA's aligned ones, so that its
landmarks do not fit them.

Source: Lee et al., MaskGAN: Towards Diverse and Interactive Facial Image Manipulation, CVPR 2020.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from study.data.dataset import DataError
from study.data.outlines import MaskFile, Nothing, Outline, Several

PARTS = {"mouth": ("u_lip", "l_lip", "mouth"), "eyes": ("l_eye", "r_eye")}
HEADER = ["idx", "orig_idx", "orig_file"]
IN_A_FOLDER = 2000
FETCH = "download CelebAMask-HQ.zip and unpack it in"


@dataclass(frozen=True)
class Photograph:
    """One photograph: its number, its file, and the file name of the one in CelebA."""

    number: int
    file: Path
    original: str


def mapping_file(root: Path) -> Path:
    """Which photograph of CelebA each is."""
    return root / "CelebAMask-HQ" / "CelebA-HQ-to-CelebA-mapping.txt"


def sources(root: Path) -> list[Path]:
    """The mapping, and the folders of masks: a part that is hidden has none."""
    return [mapping_file(root), *sorted(_masks(root).glob("*"))]


def _masks(root: Path) -> Path:
    return root / "CelebAMask-HQ" / "CelebAMask-HQ-mask-anno"


def photographs(root: Path, known: Collection[str]) -> Iterator[Photograph]:
    """Every photograph of the mapping.

    Args:
        root: the dataset's folder.
        known: names of the photographs of CelebA.

    Raises:
        DataError: a missing or damaged mapping, a photograph that CelebA does not have or that is
            listed twice; the message names the line.
    """
    file = mapping_file(root)
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read ({error}): {FETCH} {root}") from error
    if not lines or lines[0].split() != HEADER:
        raise DataError(f"{file} must begin with {' '.join(HEADER)}: {FETCH} {root}")
    numbers: set[int] = set()
    originals: set[str] = set()
    for at, line in enumerate(lines[1:], start=2):
        parts = line.split()
        where = f"{file}, line {at}"
        if len(parts) != 3 or not (parts[0].isdigit() and parts[1].isdigit()):
            raise DataError(f"{where}: must be two numbers and a file name: {FETCH} {root}")
        number, original = int(parts[0]), parts[2]
        if original not in known or int(parts[1]) + 1 != int(Path(original).stem):
            raise DataError(f"{where}: {original!r} is not photograph {parts[1]} of CelebA's lists")
        if number in numbers or original in originals:
            raise DataError(f"{where}: {number} or {original} is listed twice: {FETCH} {root}")
        numbers.add(number)
        originals.add(original)
        place = root / "CelebAMask-HQ" / "CelebA-HQ-img" / f"{number}.jpg"
        yield Photograph(number, place, original)


class Masks:
    """The mask files that are there; every folder is listed once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.present: dict[Path, set[str]] = {}

    def outline(self, photograph: Photograph, region: str | None) -> Outline:
        """The union of the parts that make up a region; a part that is hidden has no file.

        Raises:
            DataError: there is no mask of any part of this photograph.
        """
        if region is None:
            return Nothing()
        folder = _masks(self.root) / str(photograph.number // IN_A_FOLDER)
        number = f"{photograph.number:05d}"
        if folder not in self.present:
            names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
            self.present[folder] = {*names, *(name.split("_")[0] for name in names)}
        present = self.present[folder]
        if number not in present:
            raise DataError(
                f"{folder / number}_skin.png and all other masks of the photograph "
                f"{photograph.number} are missing: {FETCH} {self.root}"
            )
        parts = [f"{number}_{part}.png" for part in PARTS[region]]
        there = tuple(MaskFile(folder / part) for part in parts if part in present)
        return Several(there) if there else Nothing()
