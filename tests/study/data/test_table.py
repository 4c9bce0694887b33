"""Tables of photographs, as WILDS and Waterbirds have them."""

import csv

import numpy as np
import pytest
from PIL import Image

from study.config import TableConfig
from study.data import reading, table
from study.data.dataset import DataError


@pytest.fixture
def root(tmp_path):
    """Waterbirds' metadata.csv: img_id, img_filename, y, split, place, place_filename."""
    with (tmp_path / "metadata.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["img_id", "img_filename", "y", "split", "place", "place_filename", "mask"])
        for i in range(24):
            name = f"{i % 3}.bird/{i}.png"
            for folder in (tmp_path, tmp_path / "masks"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng(i).integers(0, 255, (20, 30, 3), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / name)
            half = np.zeros((20, 30), np.uint8)
            half[:, :15] = 255
            Image.fromarray(half).save(tmp_path / "masks" / name)
            place = i % 2 if i % 5 else 1 - i % 2
            rows.writerow([i, name, i % 2, i % 3, place, "x", f"masks/{name}" if i else ""])
    return tmp_path


def config(**settings):
    base = {"kind": "table", "root": "x", "image": "img_filename", "label": "y", "size": 32}
    return TableConfig(**{**base, **settings})


WATERBIRDS = {
    "context": "place",
    "split": "split",
    "label_names": {"0": "landbird", "1": "waterbird"},
    "context_names": {"0": "land", "1": "water"},
}


def load(root, **settings):
    return reading.read(table.catalogue(config(**settings), root), 32)


def refused(root, **settings):
    with pytest.raises(DataError) as caught:
        load(root, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change(root, old, new):
    file = root / "metadata.csv"
    file.write_text(file.read_text().replace(old, new, 1))


def test_waterbirds(root):
    dataset = load(root, **WATERBIRDS)
    assert [len(dataset[split]) for split in ("train", "val", "test")] == [8, 8, 8]
    train = dataset["train"]
    assert train.classes == ("landbird", "waterbird")
    assert train.context_names == ("land", "water")
    assert train.usual_contexts == (0, 1)
    assert train.labels[train.positions["0.bird/3.png"]] == 1
    assert train.masks is None


def test_masks_are_a_column_and_an_empty_cell_is_no_object(root):
    train = load(root, **WATERBIRDS, mask="mask")["train"]
    shares = dict(zip(train.names, train.masks.double().mean((1, 2)).tolist(), strict=True))
    assert shares.pop("0.bird/0.png") == 0
    assert set(shares.values()) == {0.5}


def test_without_a_split_column_splits_are_held_out_and_words_are_labels(root):
    text = (root / "metadata.csv").read_text().replace(",0,", ",no,").replace(",1,", ",yes,")
    (root / "metadata.csv").write_text(text)
    dataset = load(root, limit=20)
    assert sum(len(split) for split in dataset.splits.values()) == 20
    assert dataset.classes == ("no", "yes")


@pytest.mark.parametrize(
    ("old", "new", "settings", "problem"),
    [
        ("y,split", "why,split", {}, "dataset.label = 'y' is no column of"),
        ("1.bird/1.png", "", {}, "line 3: img_filename is empty"),
        ("1.bird/1.png", "0.bird/0.png", {}, "is in line 2 and in line 3"),
        ("1.bird/1.png,1", "1.bird/1.png,", {}, "line 3: y is empty"),
        ("1.bird/1.png,1", "1.bird/1.png,7", WATERBIRDS, "y = '7' is not in dataset.label_names"),
        ("1.png,1,1", "1.png,1,9", WATERBIRDS, "line 3: split = '9' is no split"),
        ("1.bird/1.png", "1.bird/gone.png", {}, "gone.png is missing: put it where"),
        ("masks/1.bird/1.png", "masks/gone.png", {"mask": "mask"}, "line 3: the mask"),
    ],
)
def test_what_is_refused(root, old, new, settings, problem):
    change(root, old, new)
    assert problem in refused(root, **settings)


def test_rows_without_a_split_are_counted(root):
    change(root, "1.png,1,1", "1.png,1,")
    assert load(root, **WATERBIRDS).notes == ("metadata.csv: 1 row without a split left out",)


def test_files_that_are_none(root):
    assert "is not a folder" in refused(root / "nowhere")
    assert "other.csv cannot be read" in refused(root, file="other.csv")
    (root / "empty.csv").write_text("img_filename,y\n")
    assert "has no rows" in refused(root, file="empty.csv")
    (root / "bad.csv").write_bytes(b"img_filename,y\n\xff\xfe,1\n")
    assert "is not a UTF-8 CSV file" in refused(root, file="bad.csv")
