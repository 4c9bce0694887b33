"""Photographs in their own proportions, from the file to the annotation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from simulators.annotator import Shape, annotate
from simulators.person import Person
from study.config import FolderConfig, load
from study.data import folder, pixels, reading
from study.data.dataset import Dataset
from study.data.loading import load_dataset
from study.data.sheets import contact_sheet, proportioned
from study.framing import Fit
from study.learning.targets import Targets

FITS: tuple[Fit, ...] = ("stretch", "crop", "letterbox")
SIZE = 48


def draw(root: Path, count: int = 6) -> None:
    """Wide, turned and high photographs, with a red square and its mask."""
    for label in ("boat", "plane"):
        for number in range(count):
            width, height = [(300, 100), (100, 300), (160, 120)][number % 3]
            picture = np.full((height, width, 3), 60, np.uint8)
            mask = np.zeros((height, width), np.uint8)
            middle = slice(height // 2 - 12, height // 2 + 12), slice(width // 2, width // 2 + 24)
            picture[middle] = (220, 20, 20)
            mask[middle] = 255
            exif = Image.Exif()
            exif[0x0112] = 6 if number == 3 else 1
            exif[0x010F] = "a camera"
            for place in (root / label, root / "masks" / label):
                place.mkdir(parents=True, exist_ok=True)
            name = f"{label}{number}"
            Image.fromarray(picture).save(root / label / f"{name}.jpg", exif=exif, quality=95)
            if number == 3:  # drawn on the upright picture
                mask = np.rot90(mask, 3)
            Image.fromarray(mask).save(root / "masks" / label / f"{name}.png")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("photographs")
    draw(place)
    return place


def read(root: Path, fit: Fit) -> Dataset:
    settings = FolderConfig(kind="folder", root=root, size=SIZE, masks="masks", fit=fit)
    return reading.read(folder.catalogue(settings, root), SIZE, fit=fit, root=root)


@pytest.mark.parametrize("fit", FITS)
def test_the_image_and_its_mask_are_framed_alike(root: Path, fit: Fit) -> None:
    for images in read(root, fit).splits.values():
        assert images.masks is not None
        for i in range(len(images)):
            red = images.images[i, 0].float() - images.images[i, 1].float() > 60
            both = (red & images.masks[i]).sum() / (red | images.masks[i]).sum()
            assert both > 0.75


@pytest.mark.parametrize("fit", FITS)
def test_a_simulated_person_marks_the_thing_on_the_photograph(root: Path, fit: Fit) -> None:
    images = read(root, fit)["train"]
    assert images.masks is not None
    sure = Person().model_copy(update={"slip_rate": 0.0, "miss_rate": 0.0, "diligence": 1.0})
    for i in range(len(images)):
        mask = images.masks[i].numpy()
        drawn, done = annotate("click", mask, None, sure, Shape(), i, images.frame(i))
        ((x, y),) = drawn.positive_points
        full = np.asarray(pixels.shown(root / images.files[i], 1280))
        place = full[int(y * full.shape[0]), int(x * full.shape[1])]
        assert place[0] > place[1] + 60
        (press,) = [a for a in done.actions if a.kind == "positive"]
        assert (press.x, press.y) == pytest.approx((x, y))
        # and back: the guidance target lies on the mask
        target = Targets.from_annotations(images.subset([i]).seen([drawn]), SIZE, SIZE, 0.01)
        tx, ty = target.points[0, 0].tolist()
        assert mask[int(ty * SIZE), int(tx * SIZE)]


def test_people_see_the_photograph_upright_bounded_and_without_metadata(root: Path) -> None:
    seen = pixels.shown(root / "boat" / "boat3.jpg", 1280)
    assert seen.size == (100, 300)
    assert not seen.getexif()
    assert "exif" not in seen.info
    assert pixels.shown(root / "boat" / "boat0.jpg", 60).size == (60, 20)


def test_a_cache_knows_the_photographs(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(
        f'name = "x"\n[dataset]\nkind = "folder"\nroot = "{root}"\nmasks = "masks"\nsize = 48\n'
        f'fit = "crop"\n'
    )
    first, second = (load_dataset(load(path), tmp_path / "cache") for _ in range(2))
    for name, images in first.splits.items():
        again = second[name]
        assert (images.files, images.fit) == (again.files, "crop")
        assert (root / again.files[0]).is_file()
        assert [images.frame(i) for i in range(len(images))] == [
            again.frame(i) for i in range(len(again))
        ]


def test_a_contact_sheet_has_the_photographs_proportions(root: Path) -> None:
    images = read(root, "stretch")["train"]
    wide = next(i for i in range(len(images)) if images.frame(i).ratio == 3)
    assert proportioned(images, wide).size == (SIZE, SIZE // 3)
    assert contact_sheet(images, 4, 60, outlines=True).size == (120, 120)
    assert proportioned(read(root, "letterbox")["train"], wide).size == (SIZE, SIZE)
