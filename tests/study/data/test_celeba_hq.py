"""CelebA's pairs and Table 1, CelebAMask-HQ's mapping and parts, and lists that do not agree."""

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError
from upstream import draw_celeba, draw_celebamask_hq

from study.config import CelebaConfig
from study.data import celeba, reading
from study.data.dataset import DataError


@pytest.fixture
def root(tmp_path):
    draw_celeba(tmp_path)
    draw_celebamask_hq(tmp_path)
    return tmp_path


def load(root, **settings):
    config = CelebaConfig(**{"kind": "celeba", "root": "x", "size": 64, **settings})
    return reading.read(celeba.catalogue(config, root), 64)


def hq(root, **settings):
    return load(root, masks="celebamask-hq", **settings)


def refused(root, **settings):
    with pytest.raises(DataError) as caught:
        load(root, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("attribute", celeba.PAIRS)
def test_the_three_pairs(root, attribute):
    context, region = celeba.PAIRS[attribute]
    train = load(root, attribute=attribute, context=context, region=region)["train"]
    assert train.usual_contexts == (1, 0)
    shown = train.labels == 0
    assert train.masks[shown].flatten(1).any(1).all()
    assert not train.masks[~shown].any()


def test_hq_photographs_have_the_attributes_and_split_of_the_face_they_are(root):
    whole, large = load(root), hq(root)
    of_celeba = {
        name: (split, int(label))
        for split, images in whole.splits.items()
        for name, label in zip(images.names, images.labels, strict=True)
    }
    seen = 0
    lines = (root / "CelebAMask-HQ" / "CelebA-HQ-to-CelebA-mapping.txt").read_text().split("\n")
    originals = {f"{line.split()[0]}.jpg": line.split()[2] for line in lines[1:] if line}
    for split, images in large.splits.items():
        for name, label in zip(images.names, images.labels, strict=True):
            assert of_celeba[originals[name]] == (split, int(label))
            seen += 1
    assert seen == 18


@pytest.mark.parametrize(("region", "colour"), [("mouth", (200, 30, 60)), ("eyes", (30, 30, 60))])
def test_hq_masks_are_the_parts(root, region, colour):
    train = hq(root, region=region)["train"]
    for image, mask in zip(
        train.images[train.labels == 0], train.masks[train.labels == 0], strict=True
    ):
        inside = image.permute(1, 2, 0).numpy()[mask.numpy()].astype(int)
        assert np.median(np.abs(inside - colour).max(1)) < 40


def test_a_part_that_is_hidden_has_no_file(root):
    for file in (root / "CelebAMask-HQ").rglob("*_lip.png"):
        file.unlink()
    train = hq(root)["train"]
    assert not train.masks.any()


def test_table_1_keeps_as_many_as_it_states(root, monkeypatch):
    monkeypatch.setattr(celeba, "PAPER_COUNTS", {"train": 8, "val": 5, "test": 100})
    dataset = load(root, split="he2023")
    assert [len(dataset[split]) for split in ("train", "val", "test")] == [8, 5, 12]
    notes = " ".join(dataset.notes)
    assert "both classes, test: 12 images, 100 in Table 1" in notes
    assert "both classes, train: 8 images, as in Table 1" in notes


def test_lists_that_do_not_go_together(root):
    landmarks = root / "celeba" / "list_landmarks_align_celeba.txt"
    whole = landmarks.read_text().splitlines(keepends=True)
    landmarks.write_text("".join([*whole[:2], *reversed(whole[2:])]))
    assert "differ from image 1 on" in refused(root)
    landmarks.write_text("".join(whole[:-3]))
    assert "lists 33 images and list_attr_celeba.txt 36" in refused(root)
    landmarks.write_text("".join(whole))
    attributes = root / "celeba" / "list_attr_celeba.txt"
    attributes.write_text(attributes.read_text().replace("Chubby Double_Chin", "Chubby"))
    assert "names 5 attributes and has 6 values" in refused(root)


def test_hq_that_is_not_whole_is_refused(root):
    base = root / "CelebAMask-HQ"
    mapping = base / "CelebA-HQ-to-CelebA-mapping.txt"
    text = mapping.read_text()

    def broken(changed, sentence):
        mapping.write_text(changed)
        assert sentence in refused(root, masks="celebamask-hq")
        mapping.write_text(text)

    lines = text.splitlines()
    broken(text.replace("idx ", "id ", 1), "must begin with idx orig_idx orig_file")
    broken(text.replace("000035.jpg", "900035.jpg"), "line 2: '900035.jpg' is not photograph 34")
    broken(text.replace(" 34 ", " 33 "), "is not photograph 33")
    broken("\n".join([*lines, lines[1]]), "is listed twice")
    broken("\n".join([*lines, "cut of"]), "must be two numbers and a file name")
    folder = base / "CelebAMask-HQ-mask-anno" / "0"
    small = folder / "00000_l_lip.png"
    content = small.read_bytes()
    Image.open(small).resize((32, 32), 0).save(small)
    said = refused(root, masks="celebamask-hq")
    assert "32x32 pixels and the other outlines" in said
    small.write_bytes(content)
    (base / "CelebA-HQ-img" / "3.jpg").rename(base / "3.jpg")
    assert "3.jpg is missing: unpack CelebA-HQ-img again" in refused(root, masks="celebamask-hq")
    for file in folder.glob("00002_*"):
        file.unlink()
    assert "00002_skin.png and all other masks" in refused(root, masks="celebamask-hq")
    mapping.unlink()
    assert "download CelebAMask-HQ.zip" in refused(root, masks="celebamask-hq")


def test_parts_that_are_not_outlined_are_refused_in_the_file():
    with pytest.raises(ValidationError, match="outlines no chin"):
        CelebaConfig(kind="celeba", root="x", region="chin", masks="celebamask-hq")
