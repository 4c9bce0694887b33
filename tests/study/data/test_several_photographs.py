"""Photographs that may show several target features: COCO, CelebA and tables."""

import csv

import numpy as np
import pytest
import torch
from coco_maker import Folder, config, load, square
from PIL import Image
from pydantic import ValidationError

from study.config import Awa2Config, CelebaConfig, FolderConfig, TableConfig
from study.data import cache, celeba, reading, table
from study.data.dataset import DataError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # pycocotools
PEOPLE, BOAT = square(2, 2, 10), square(20, 20, 12)


def _coco(root):
    folder = Folder(root)
    for split, number in (("train2017", 12), ("val2017", 6)):
        for i in range(number):
            things = [("person", PEOPLE)] * (i % 3 != 1) + [("boat", BOAT)] * (i % 3 != 0)
            folder.image(split, f"{i}.jpg", *things, *[("car", square(0, 30, 8))] * (i % 2))
        folder.image(split, "nothing.jpg")
        folder.image(split, "crowd.jpg", ("person", PEOPLE, True))
    return folder.root


SEVERAL = {"labels": "several", "categories": ("person", "boat"), "none_class": None}


def test_of_coco_an_image_is_labelled_for_every_category(tmp_path):
    data = load(config(**SEVERAL, contexts=("car",)), _coco(tmp_path))
    test = data["test"]
    assert data.classes == ("person", "boat")
    assert len(test) == 6  # the empty one and the crowd are left out
    for i in range(6):
        row = test.positions[f"{i}.jpg"]
        assert test.labels[row].tolist() == [i % 3 != 1, i % 3 != 0]
        assert test.contexts is not None
        assert test.contexts[row].tolist() == [i % 2, i % 2]
    items = test.items
    assert items.masks is not None
    both = [items.positions[f"2.jpg@{name}"] for name in data.classes]
    first, second = (items.masks[place].nonzero().float().mean(0) for place in both)
    assert (first < 10).all()
    assert (second > 18).all()


def test_an_image_of_none_of_the_categories_is_kept_where_that_is_asked(tmp_path):
    data = load(config(**{**SEVERAL, "none_class": "none"}), _coco(tmp_path))
    test = data["test"]
    assert test.labels[test.positions["nothing.jpg"]].tolist() == [False, False]
    assert "crowd.jpg" not in test.positions
    assert len(test.items) == int(test.labels.sum())


def test_a_feature_that_every_image_shows_is_refused(tmp_path):
    folder = Folder(tmp_path)
    for split in ("train2017", "val2017"):
        for i in range(4):
            folder.image(split, f"{i}.jpg", ("person", PEOPLE), *[("boat", BOAT)] * (i % 2))
    with pytest.raises(DataError, match="'person' is shown in every image of train"):
        load(config(**SEVERAL), tmp_path)


def test_what_becomes_of_several_is_said_once():
    with pytest.raises(ValidationError, match="keeps them all"):
        config(**SEVERAL, several="largest")


@pytest.fixture
def faces(tmp_path):
    folder = tmp_path / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    names = [f"{i:06d}.jpg" for i in range(24)]
    for i, name in enumerate(names):
        noise = np.random.default_rng(i).integers(0, 255, (218, 178, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / "img_align_celeba" / name)

    def write(file, header, row):
        lines = [f"{name} {' '.join(map(str, row(i)))}" for i, name in enumerate(names)]
        (folder / file).write_text("\n".join([*header, *lines]) + "\n")

    marks = "Heavy_Makeup Smiling Wearing_Lipstick High_Cheekbones"
    write(
        "list_attr_celeba.txt", ["24", marks],
        lambda i: [2 * (i % 2) - 1, 2 * (i % 4 > 1) - 1, 2 * (i % 2) - 1, 2 * (i % 3 > 1) - 1],
    )  # fmt: skip
    points = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y"
    where = (69, 111, 108, 111, 88, 136, 72, 152, 105, 152)
    landmarks = ["24", f"{points} rightmouth_x rightmouth_y"]
    write("list_landmarks_align_celeba.txt", landmarks, lambda i: where)
    write("list_bbox_celeba.txt", ["24", "x_1 y_1 width height"], lambda i: (1, 2, 3, 4))
    write("identity_CelebA.txt", [], lambda i: (i,))
    write("list_eval_partition.txt", [], lambda i: (min(i // 8, 2),))
    return tmp_path


def _celeba(**settings):
    base = {"kind": "celeba", "root": "x", "labels": "several", "size": 32}
    attributes = ("Wearing_Lipstick", "High_Cheekbones")
    return CelebaConfig(**{**base, "attributes": attributes, **settings})


def test_of_celeba_each_attribute_has_its_own_context_and_region(faces):
    data = reading.read(celeba.catalogue(_celeba(), faces), 32)
    train = data["train"]
    assert train.context_names == ("no Heavy_Makeup", "Heavy_Makeup", "no Smiling", "Smiling")
    i = torch.arange(8)
    assert train.labels.tolist() == torch.stack([i % 2 == 1, i % 3 > 1], 1).tolist()
    assert train.contexts is not None
    assert train.contexts.tolist() == torch.stack([i % 2, 2 + (i % 4 > 1).long()], 1).tolist()
    assert train.usual_contexts is not None
    assert train.usual_contexts[0] == 1
    items = train.items
    assert items.masks is not None
    lips = items.masks[items.positions["000005.jpg@Wearing_Lipstick"]]
    cheeks = items.masks[items.positions["000005.jpg@High_Cheekbones"]]
    assert lips.nonzero()[:, 0].float().mean() > cheeks.nonzero()[:, 0].float().mean() + 1


@pytest.mark.parametrize(
    "wrong",
    [{"attributes": ()}, {"labels": "one"}, {"region": "mouth"}, {"masks": "celebamask-hq"}],
)
def test_settings_of_one_attribute_do_not_go_with_several(wrong):
    with pytest.raises(ValidationError, match=r"go together|take one of the two out|landmarks"):
        _celeba(**wrong)


@pytest.fixture
def listed(tmp_path):
    with (tmp_path / "metadata.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["image", "boat", "plane", "water", "sky", "boat_mask", "plane_mask"])
        for i in range(30):
            noise = np.random.default_rng(i).integers(0, 255, (20, 20, 3), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / f"{i}.png")
            for name, left in (("b", 0), ("p", 10)):
                half = np.zeros((20, 20), np.uint8)
                half[:, left : left + 10] = 255
                Image.fromarray(half).save(tmp_path / f"{name}{i}.png")
            row = [f"{i}.png", i % 2, int(i % 3 > 0), int(i % 2 or i == 0), i % 5 % 2]
            rows.writerow([*row, f"b{i}.png", f"p{i}.png"])
    return tmp_path


def _table(**settings):
    base = {"kind": "table", "root": "x", "labels": "several", "features": ("boat", "plane")}
    base |= {"contexts": {"boat": "water", "plane": "sky"}, "size": 32}
    return TableConfig(
        **{**base, "masks": {"boat": "boat_mask", "plane": "plane_mask"}, **settings}
    )


def test_of_a_table_every_feature_has_columns(listed, tmp_path):
    data = reading.read(table.catalogue(_table(), listed), 32, tmp_path / "out")
    seen = 0
    for images in data.splits.values():
        for name, labels in zip(images.names, images.labels.tolist(), strict=True):
            number = int(name.removesuffix(".png"))
            assert labels == [number % 2 == 1, number % 3 > 0]
            seen += 1
        items = images.items
        assert items.masks is not None
        for mask, asked in zip(items.masks, items.asked.tolist(), strict=True):
            assert (mask[:, :16].all(), mask[:, 16:].all()) == (asked == 0, asked == 1)
    assert seen == 30
    cache.save(data, tmp_path / "kept")
    again = cache.load(tmp_path / "kept")
    assert torch.equal(again["train"].labels, data["train"].labels)
    assert again["train"].items.names == data["train"].items.names


def test_a_table_says_what_is_no_feature(listed):
    with pytest.raises(ValidationError, match="'plane' is missing"):
        _table(contexts={"boat": "water"})
    with pytest.raises(ValidationError, match="label does not go with labels = 'several'"):
        _table(label="boat")
    with pytest.raises(DataError, match=r"line 2: boat_mask = 'b0\.png' must be 0 or 1"):
        reading.read(
            table.catalogue(_table(features=("boat_mask",), contexts={}, masks={}), listed), 32
        )
    with pytest.raises(DataError, match=r"features = 'ship' is no column"):
        reading.read(table.catalogue(_table(features=("ship",), contexts={}, masks={}), listed), 32)


@pytest.mark.parametrize("kind", [Awa2Config, FolderConfig])
def test_where_an_image_is_of_one_class_several_are_refused(kind):
    name = "awa2" if kind is Awa2Config else "folder"
    with pytest.raises(ValidationError, match="labels = 'several'"):
        kind(kind=name, root="x", labels="several")
