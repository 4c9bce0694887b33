"""Images that may show several target features: one row an image, one item a feature it shows."""

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from study.config import ScenesConfig, parse
from study.data import cache
from study.data.counts import counts
from study.data.dataset import DataError, Dataset
from study.data.rows import Rows
from study.data.scenes import SHOWN, render
from study.metrics import column_of


@pytest.fixture(scope="module")
def data() -> Dataset:
    return render(
        ScenesConfig(labels="several", size=32, bias=0.9, train=40, val=20, test=20, balanced=20)
    )


def test_scenes_show_what_they_say_and_things_keep_to_their_feature(data: Dataset) -> None:
    train = data["train"]
    assert data.labels == "several"
    assert train.labels.dtype == torch.bool
    for shown, share in SHOWN.items():
        wanted = torch.tensor([label in shown for label in (0, 1)])
        assert (train.labels == wanted).all(1).sum() == round(share * 40)
    assert train.aligned is not None
    assert train.aligned.float().mean(0).tolist() == pytest.approx([0.9, 0.9], abs=0.03)
    balanced = data["balanced"].aligned
    assert balanced is not None
    assert balanced.float().mean(0).tolist() == pytest.approx([0.5, 0.5], abs=0.06)


def test_an_item_is_an_image_and_a_feature_that_it_shows(data: Dataset) -> None:
    train = data["train"]
    items = train.items
    assert len(items) == int(train.labels.sum())
    assert len(set(items.names)) == len(items)
    for index, name in enumerate(items.names):
        image, _, feature = name.rpartition("@")
        row = train.positions[image]
        assert items.photographs[index] == image
        assert items.classes[int(items.asked[index])] == feature
        assert bool(train.labels[row, items.asked[index]])
        assert torch.equal(items.images[index], train.images[row])
    assert items.masks is not None
    assert items.masks.flatten(1).any(1).all()
    both = train.labels.all(1).nonzero()[0].item()
    assert isinstance(both, int)
    one, other = (items.positions[f"{train.names[both]}@{f}"] for f in train.classes)
    assert not (items.masks[one] & items.masks[other]).any()


def test_items_copy_no_pixels(data: Dataset) -> None:
    items = data["train"].items
    assert isinstance(items.images, Rows)
    assert items.images.base is data["train"].images
    assert items.items is items


def test_a_part_of_the_images_has_the_items_of_the_whole(data: Dataset) -> None:
    train = data["train"]
    part, items = train.subset([7, 2, 7]), train.items
    assert part.names == (train.names[7], train.names[2], f"{train.names[7]}#2")
    assert part.items.masks is not None
    assert items.masks is not None
    for index, name in enumerate(part.items.names):
        image, _, feature = name.replace("#2", "").rpartition("@")
        same = items.positions[f"{image}@{feature}"]
        assert torch.equal(part.items.masks[index], items.masks[same])
        assert torch.equal(part.items.images[index], items.images[same])


def test_of_one_class_the_items_are_the_images() -> None:
    images = render(ScenesConfig(size=32, train=4, val=2, test=2, balanced=2))["train"]
    assert images.items is images
    assert torch.equal(images.asked, images.labels)


def test_nothing_is_asked_of_an_image_of_several_features(data: Dataset) -> None:
    with pytest.raises(DataError, match=r"one must be asked"):
        _ = data["train"].asked


def test_a_stored_dataset_comes_back(data: Dataset, tmp_path: Path) -> None:
    cache.save(data, tmp_path / "here")
    again = cache.load(tmp_path / "here")
    assert again.fingerprint == data.fingerprint
    assert torch.equal(again["train"].labels, data["train"].labels)
    assert again["train"].items.names == data["train"].items.names


def test_an_image_counts_for_each_of_its_features(data: Dataset) -> None:
    table = counts(data)
    of_airplanes = table[table["class"] == "airplane"]["train"].sum()
    assert of_airplanes == data["train"].labels[:, 0].sum()
    assert table[table["class"] == "(none of them)"]["train"].item() == 4


def test_labels_and_masks_have_to_fit(data: Dataset) -> None:
    train = data["train"]
    with pytest.raises(DataError, match=r"bool \[N, 2\]"):
        dataclasses.replace(train, labels=train.labels[:, :1])
    assert train.masks is not None
    with pytest.raises(DataError, match="masks has"):
        dataclasses.replace(train, masks=train.masks[:-1])


@pytest.mark.parametrize("wrong", [{"scene": "background"}, {"several": 0.2}])
def test_settings_that_do_not_go_with_several_features_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=r"set scene = 'beside'|take one of the two out"):
        ScenesConfig.model_validate({"labels": "several", **wrong})


def test_rows_are_those_of_the_indexed_tensor() -> None:
    base = torch.arange(24).reshape(6, 2, 2)
    rows = Rows(base, torch.tensor([5, 1, 1, 0]))
    same = base[rows.rows]
    assert rows.shape == same.shape
    assert torch.equal(rows[1:3], same[1:3])
    assert torch.equal(rows[torch.tensor([3, 0])], same[[3, 0]])
    assert torch.equal(rows[2], same[2])
    assert torch.equal(torch.cat(list(rows.split(3))), same)
    assert torch.equal(torch.stack(list(rows)), same)


def test_the_study_file_on_the_page_is_valid() -> None:
    page = Path(__file__).parents[3] / "docs" / "several-features.md"
    (text,) = re.findall(r"```toml\n(.*?)```", page.read_text(), flags=re.DOTALL)
    assert parse(tomllib.loads(text)).dataset.labels == "several"


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("Boat", "boat"), "'Boat' and 'boat' would share the column 'accuracy_of_boat'"),
        (("big boat", "big-boat"), "'big boat' and 'big-boat' would share"),
    ],
)
def test_features_that_would_share_a_column_are_refused(
    data: Dataset, names: tuple[str, ...], says: str
) -> None:
    with pytest.raises(DataError, match=says):
        dataclasses.replace(data["train"], classes=names)


def test_features_in_other_scripts_have_columns_of_their_own(data: Dataset) -> None:
    named = dataclasses.replace(data["train"], classes=("船", "飛行機"))
    assert [column_of("accuracy", name) for name in named.classes] == [
        "accuracy_of_船",
        "accuracy_of_飛行機",
    ]
