"""``clickstudy check`` and what serving refuses before it says that it is open."""

import json
from pathlib import Path

import numpy as np
import pytest
from command import clickstudy
from PIL import Image

STUDY = """
name = "photos"
[dataset]
kind = "coco"
root = "data"
annotations = "mine.json"
categories = ["cat", "dog"]
size = 32
[model]
name = "small"
width = 16
blocks = 2
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Ten outlined photographs of two classes, and one of both."""
    (tmp_path / "data").mkdir()
    images, annotations = [], []
    for i in range(21):
        noise = np.random.default_rng(i).integers(0, 255, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "data" / f"{i}.png")
        images.append({"id": i, "file_name": f"{i}.png", "width": 40, "height": 40})
        for category in (1, 2) if i == 20 else (1 + i % 2,):
            outline = [[5, 5, 30, 5, 30, 30, 5, 30]]
            row = {"image_id": i, "category_id": category, "segmentation": outline}
            annotations.append({"id": len(annotations), **row})
    names = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    content = {"images": images, "annotations": annotations, "categories": names}
    (tmp_path / "data" / "mine.json").write_text(json.dumps(content))
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path / "study.toml"


def test_check_says_what_was_read_and_draws_it(study: Path) -> None:
    result = clickstudy("check", study)
    assert result.returncode == 0, result.stderr
    assert "photos is valid" in result.stdout
    (row,) = (line.split() for line in result.stdout.splitlines() if line.startswith("cat"))
    assert sum(map(int, row[1:])) == 10
    assert "1 image of several of the categories left out" in result.stdout
    assert "The classifier: small" in result.stdout
    for split in ("train", "val", "test"):
        assert Image.open(study.parent / "check" / f"{split}.png").size[0] >= 160


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('root = "data"', 'root = "gone"', "gone is not a folder"),
        ('"cat", "dog"', '"cat", "dgo"', "did you mean 'dog'?"),
        ('name = "small"', 'name = "resnet81"', "'resnet81' is not a classifier of torchvision"),
        ("blocks = 2", 'blocks = 2\ncheckpoint = "no.pt"', "there is no such checkpoint"),
    ],
)
def test_what_could_not_begin_is_refused_by_check_and_by_serve(
    study: Path, old: str, new: str, sentence: str
) -> None:
    study.write_text(STUDY.replace(old, new))
    checked = clickstudy("check", study)
    there = ("--out", study.parent / "run", "--port", 8599)
    served = clickstudy("serve", study, *there, CLICKSTUDY_PASSWORD="abcdefghij")
    for result in (checked, served):
        assert result.returncode == 2
        assert sentence in result.stderr.replace("\n", " ")
        assert "Traceback" not in result.stderr
        assert "is open" not in result.stdout


def test_simulated_people_without_masks_are_refused_before_anything_is_trained(study: Path) -> None:
    study.write_text(STUDY.replace('kind = "coco"', 'kind = "coco"\nmasks = "none"'))
    result = clickstudy("simulate", study, "--participants", 1, "--out", study.parent / "run")
    assert result.returncode == 2
    assert "a simulated participant needs object masks" in result.stderr
    assert not (study.parent / "run" / "pretrained.pt").exists()
