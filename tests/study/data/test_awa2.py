"""AwA2 as it is published: classes.txt, JPEGImages, counts beside the paper's, refusals."""

import numpy as np
import pytest
from PIL import Image
from upstream import HEIGHT, WIDTH, draw_awa2

from study.config import Awa2Config
from study.data import awa2, reading
from study.data.dataset import DataError


@pytest.fixture
def base(tmp_path):
    return draw_awa2(tmp_path)


def load(root, **settings):
    config = Awa2Config(**{"kind": "awa2", "root": "x", "size": 48, **settings})
    return reading.read(awa2.catalogue(config, root), 48)


def refused(root, **settings):
    with pytest.raises(DataError) as caught:
        load(root, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_paper_s_classes_from_the_folder_or_the_one_above(base):
    for root in (base, base.parent):
        dataset = load(root)
        assert dataset.classes == ("humpback whale", "horse")
        assert sum(len(split) for split in dataset.splits.values()) == 24
        assert dataset["train"].masks is None
        notes = " ".join(dataset.notes)
        assert "651 in Table 1 of He et al. (2023)" in notes


def test_masks_and_contexts_of_ones_own(base):
    images = base / "JPEGImages"
    with (base / "people.csv").open("w") as stream:
        print("image,context", file=stream)
        for file in sorted(images.rglob("*.jpg")):
            name = file.relative_to(images).as_posix()
            print(f"{name},{'person' if 'horse' in name else 'none'}", file=stream)
            mask = np.zeros((HEIGHT, WIDTH), np.uint8)
            mask[8:28, 15:35] = 255
            (base / "masks" / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask).save((base / "masks" / name).with_suffix(".png"))
    train = load(base, masks="masks", contexts="people.csv")["train"]
    assert train.masks.flatten(1).any(1).all()
    assert train.usual_contexts == (0, 1)


def test_what_is_refused(base, tmp_path):
    assert "did you mean 'horse'" in refused(base, classes=("hrse", "zebra"))
    (base / "JPEGImages" / "zebra" / "zebra_10001.jpg").unlink()
    assert "zebra has no image" in refused(base, classes=("zebra", "horse"))
    (base / "JPEGImages" / "horse").rename(base / "JPEGImages" / "horses")
    assert "horse is missing: download AwA2-data.zip" in refused(base)
    (base / "classes.txt").write_text("antelope\n")
    assert "classes.txt, line 1: must be a number and a class" in refused(base)
    (base / "classes.txt").unlink()
    assert "classes.txt cannot be read" in refused(base)
