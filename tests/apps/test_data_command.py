"""``clickstudy data``: drawn files in the upstream formats become studies that can begin."""

import csv
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from apps.commands.data import app
from study.config import load
from study.data.loading import load_dataset
from study.directory import StudyDirectory
from study.errors import UserError
from study.loop import TaskLoop


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def noise(seed: int, side: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8)


def save(file: Path, seed: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise(seed)).save(file)


def draw_coco(root: Path) -> None:
    (root / "annotations").mkdir()
    for number, (split, count) in enumerate({"train2017": 20, "val2017": 6}.items()):
        images, annotations = [], []
        for i in range(count):
            save(root / split / f"{i}.jpg", 100 * number + i)
            images.append({"id": i, "file_name": f"{i}.jpg", "width": 40, "height": 40})
            outline = [[5, 5, 30, 5, 30, 30, 5, 30]]
            row = {"id": i, "image_id": i, "category_id": 1 + i % 2, "segmentation": outline}
            annotations.append(row)
        names = [{"id": 1, "name": "airplane"}, {"id": 2, "name": "boat"}]
        content = {"images": images, "annotations": annotations, "categories": names}
        (root / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))


def draw_waterbirds(root: Path) -> None:
    with (root / "metadata.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["img_id", "img_filename", "y", "split", "place", "place_filename"])
        for i in range(24):
            save(root / "birds" / f"{i}.jpg", i)
            rows.writerow([i, f"birds/{i}.jpg", i % 2, i % 3, i // 2 % 2, "x"])


def draw_awa2(root: Path) -> None:
    for number, name in enumerate(("horse", "humpback+whale", "zebra")):
        for i in range(6):
            save(root / "JPEGImages" / name / f"{name}_{i}.jpg", 100 * number + i)


def draw_cifar(root: Path) -> None:
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    names = [
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ]
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": names}))
    for number, batch in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        labels = [0, 8, 3, 0, 8]
        pixels = np.stack([noise(10 * number + i, 32).transpose(2, 0, 1).ravel() for i in range(5)])
        (folder / batch).write_bytes(pickle.dumps({"data": pixels, "labels": labels}))


@pytest.mark.parametrize(
    ("name", "draw", "classes", "counts"),
    [
        ("coco", draw_coco, ("airplane", "boat"), (16, 6, 4)),
        ("waterbirds", draw_waterbirds, ("landbird", "waterbird"), (8, 8, 8)),
        ("awa2", draw_awa2, ("humpback+whale", "horse"), None),
        ("cifar", draw_cifar, ("airplane", "ship"), None),
    ],
)
def test_prepare_writes_a_study_that_can_begin(tmp_path, name, draw, classes, counts):
    (tmp_path / "root").mkdir()
    draw(tmp_path / "root")
    printed = run("prepare", name, "--root", tmp_path / "root", "--out", tmp_path / "mine")
    assert "The classifier: resnet18" in printed
    assert (tmp_path / "mine" / "check" / "train.png").exists()
    file = load(tmp_path / "mine" / "study.toml")
    dataset = load_dataset(file, tmp_path / "mine" / "check" / "cache")
    assert dataset.classes == classes
    if counts is not None:
        assert tuple(len(dataset[split]) for split in ("train", "val", "test")) == counts
    if name == "coco":
        assert "airplane, test: 2 images, 598 in Table 1 of He et al. (2023)" in printed
    if name == "cifar":
        assert len(dataset["test"]) == 4
        assert len(list((tmp_path / "root").rglob("*.png"))) == 24
    again = run("prepare", name, "--root", tmp_path / "root", "--out", tmp_path / "mine")
    assert "Wrote" not in again


@pytest.mark.parametrize("name", ["coco", "celeba", "awa2", "waterbirds", "cifar"])
def test_who_has_no_files_is_told_what_to_fetch(tmp_path, name):
    with pytest.raises(UserError, match="Where to get it: https://"):
        run("prepare", name, "--root", tmp_path, "--out", tmp_path / "mine")


def test_show_draws_attention_where_there_is_a_classifier(tiny_study, tmp_path):
    run("show", tiny_study, "--out", tmp_path / "sheets", "--images", 4)
    assert not list((tmp_path / "sheets").glob("*attention*"))
    file = load(tiny_study)
    directory = StudyDirectory.create(tmp_path / "run", file)
    TaskLoop(file, directory, "cpu").prepare()
    run("show", directory.path, "--out", tmp_path / "seen", "--images", 4)
    plain, red = (
        np.asarray(Image.open(tmp_path / "seen" / name)).astype(int)
        for name in ("test.png", "test-attention.png")
    )
    assert plain.shape == red.shape == (320, 320, 3)
    assert (red[..., 0] - plain[..., 0]).mean() > (red[..., 1] - plain[..., 1]).mean()


@pytest.fixture
def tiny_study(tmp_path: Path) -> Path:
    (tmp_path / "study.toml").write_text(
        'name = "tiny"\n[dataset]\nkind = "scenes"\nsize = 48\ntrain = 16\nval = 4\ntest = 8\n'
        'balanced = 8\n[model]\nname = "small"\nwidth = 16\nblocks = 2\n[pretraining]\nepochs = 1\n'
    )
    return tmp_path / "study.toml"
