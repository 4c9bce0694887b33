"""labelme's JSON files: shapes, splits, and what is refused."""

import json

import numpy as np
import pytest
from PIL import Image

from study.config import LabelmeConfig
from study.data import labelme, reading
from study.data.dataset import DataError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # pycocotools

SQUARE = [[10, 10], [30, 10], [30, 30], [10, 30]]


def annotate(folder, name, label="cat", points=None, kind="polygon", **values):
    folder.mkdir(parents=True, exist_ok=True)
    seed = sum(map(ord, f"{folder}{name}"))
    noise = np.random.default_rng(seed).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / f"{name}.png")
    shape = {"label": label, "points": points or SQUARE, "shape_type": kind}
    content = {"imagePath": f"{name}.png", "imageWidth": 40, "imageHeight": 40, "shapes": [shape]}
    (folder / f"{name}.json").write_text(json.dumps({**content, **values}))


@pytest.fixture
def root(tmp_path):
    for i in range(6):
        annotate(tmp_path, f"c{i}")
        annotate(tmp_path, f"d{i}", "dog")
    return tmp_path


def load(root, **settings):
    base = {"kind": "labelme", "root": "x", "categories": ("cat", "dog"), "size": 40}
    return reading.read(labelme.catalogue(LabelmeConfig(**{**base, **settings}), root), 40)


def refused(root, **settings):
    with pytest.raises(DataError) as caught:
        load(root, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def mask_of(dataset, name):
    for split in dataset.splits.values():
        if name in split.positions:
            return split.masks[split.positions[name]].numpy()
    raise AssertionError(f"{name} was not read")


@pytest.mark.parametrize(
    ("kind", "points", "area"),
    [
        ("polygon", SQUARE, 400),
        ("rectangle", [[10, 10], [30, 30]], 400),
        ("rectangle", [[30, 30], [10, 10]], 400),
        ("oriented_rectangle", SQUARE, 400),
        ("circle", [[20, 20], [20, 30]], 314),
    ],
)
def test_shapes_with_an_area(root, kind, points, area):
    annotate(root, "c0", points=points, kind=kind)
    mask = mask_of(load(root), "c0.png")
    assert mask.sum() == pytest.approx(area, rel=0.05)
    assert mask[12:28, 14:26].all()


def test_files_are_split_by_name_or_by_folders(root, tmp_path):
    assert sum(len(split) for split in load(root).splits.values()) == 12
    for split in ("train", "test"):
        for i in range(4):
            annotate(tmp_path / "cut" / split, f"c{i}")
            annotate(tmp_path / "cut" / split, f"d{i}", "dog")
    assert len(load(tmp_path / "cut")["test"]) == 8


def test_what_was_not_annotated_is_left_out_and_counted(root):
    Image.new("RGB", (40, 40)).save(root / "extra.png")
    dataset = load(root)
    assert any("1 photograph without a JSON file left out" in note for note in dataset.notes)
    assert sum(len(split) for split in dataset.splits.values()) == 12


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"shapes": None}, "is not a labelme file"),
        ({"imagePath": None}, "imagePath = None must name the photograph"),
        ({"imagePath": "gone.png"}, "gone.png is missing, the photograph of"),
        ({"imageWidth": 64}, "the annotations say 64x40 and the image file is 40x40"),
        ({"imageWidth": "40"}, "must be whole pixels"),
        ({"shapes": [{"label": "cat"}]}, "shapes[0] has no label or no points"),
        ({"shapes": [{"label": "cat", "points": [[1, 2, 3]]}]}, "must be pairs of numbers"),
        ({"shapes": [{"label": "cat", "points": [[1, None]]}]}, "must be pairs of numbers"),
    ],
)
def test_files_that_are_refused(root, values, problem):
    annotate(root, "c0", **values)
    message = refused(root)
    assert "c0." in message or "gone.png" in message
    assert problem in message


def test_lines_have_no_area(root):
    annotate(root, "c0", kind="line", points=[[1, 1], [9, 9]])
    message = refused(root)
    assert "c0.json, shapes[0]: it has no outline" in message
    assert mask_of(load(root, masks="boxes"), "c0.png").sum() == pytest.approx(64, abs=8)


def test_a_file_that_is_cut_off_and_a_label_that_nobody_gave(root):
    assert "did you mean 'cat'?" in refused(root, categories=("cot", "dog"))
    (root / "c1.json").write_text('{"shapes": [')
    assert "c1.json is not whole JSON" in refused(root)
