"""Animals with Attributes 2: photographs in folders of their classes.

Layout: ``root/JPEGImages/humpback+whale/`` and so on, and ``root/classes.txt``; ``root`` is the
folder Animals_with_Attributes2, or the one that it lies in. A class is named as there, with
spaces. The splits are shares of every class, by default about those of Table 1 of He et al. (2023).
AwA2 has neither masks nor contexts of images.

Source: Xian et al., Zero-Shot Learning, TPAMI 2019.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from study.config import Awa2Config, FolderConfig, nearest
from study.data import folder
from study.data.catalogue import Catalogue
from study.data.dataset import DataError
from study.data.division import beside_the_paper

NAME = "Animals_with_Attributes2"
FETCH = "download AwA2-data.zip and unpack it in"
PAPER_COUNTS = {
    "humpback whale": {"train": 651, "test": 150, "val": 50},
    "horse": {"train": 1316, "test": 264, "val": 65},
}
"""He et al. (2023), Table 1: images of each class."""


def base(root: Path) -> Path:
    """The folder that has JPEGImages."""
    return root / NAME if (root / NAME).is_dir() else root


def sources(config: Awa2Config, root: Path) -> list[Path]:
    """The list of classes, and every file of the chosen ones."""
    place = base(root)
    files = [place / "classes.txt"]
    for name in config.classes:
        files += sorted((place / "JPEGImages" / _folder(name)).rglob("*"))
    for extra in (config.masks, config.contexts):
        if extra is not None:
            files += [root / extra, *sorted((root / extra).rglob("*"))]
    return files


def catalogue(config: Awa2Config, root: Path) -> Catalogue:
    """List the photographs of the chosen classes.

    Raises:
        DataError: a missing folder or list, a class that is not in it, and whatever
            :func:`study.data.folder.catalogue` refuses; the message names it.
    """
    place = base(root)
    known = _classes(place / "classes.txt", root)
    for name in config.classes:
        if name not in known:
            raise DataError(
                f"dataset.classes: {name!r} is not a class of AwA2{nearest(name, list(known))}"
            )
        if not (place / "JPEGImages" / _folder(name)).is_dir():
            raise DataError(f"{place / 'JPEGImages' / _folder(name)} is missing: {FETCH} {root}")
    settings = FolderConfig(
        kind="folder",
        root=place,
        size=config.size,
        classes=tuple(map(_folder, config.classes)),
        masks=None if config.masks is None else str((root / config.masks).resolve()),
        mask_values=config.mask_values,
        contexts=None if config.contexts is None else str((root / config.contexts).resolve()),
        val_share=config.val_share,
        test_share=config.test_share,
        seed=config.seed,
    )
    found = folder.catalogue(settings, place / "JPEGImages")
    named = replace(found, name=f"AwA2 ({' / '.join(config.classes)})", classes=config.classes)
    return named.with_notes(*beside_the_paper(named.splits, config.classes, PAPER_COUNTS))


def _folder(name: str) -> str:
    return name.replace(" ", "+")


def _classes(file: Path, root: Path) -> tuple[str, ...]:
    """classes.txt: a number and a name in every line."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read ({error}): {FETCH} {root}") from error
    found = []
    for number, line in enumerate(lines, start=1):
        parts = line.split()
        if len(parts) != 2 or not parts[0].isdigit():
            raise DataError(f"{file}, line {number}: must be a number and a class: {FETCH} {root}")
        found.append(parts[1].replace("+", " "))
    return tuple(found)
