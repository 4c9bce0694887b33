"""COCO's stuff as contexts, and panoptic annotations that do not go with the instances."""

import pytest
from PIL import Image
from upstream import BOX, HEIGHT, WIDTH, change, draw_coco

from study.config import CocoConfig
from study.data import coco, reading
from study.data.dataset import DataError


@pytest.fixture
def root(tmp_path):
    draw_coco(tmp_path / "coco", panoptic=True)
    return tmp_path / "coco"


def load(root, **settings):
    base = {"kind": "coco", "root": "x", "categories": ("airplane", "boat"), "contexts": ("sea",)}
    config = CocoConfig(**{**base, "size": 64, "split": "he2023", **settings})
    return reading.read(coco.catalogue(config, root), 64)


def refused(root, **settings):
    with pytest.raises(DataError) as caught:
        load(root, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_stuff_is_a_context_with_a_mask(root):
    dataset = load(root, context_name="sea")
    train = dataset["train"]
    assert train.context_names == ("no sea", "sea")
    assert train.usual_contexts == (0, 1)
    assert [len(dataset[split]) for split in ("train", "val", "test")] == [16, 6, 4]
    assert set(train.contexts.tolist()) == {0, 1}
    for label, context, mask, around in zip(
        train.labels, train.contexts, train.masks, train.context_masks, strict=True
    ):
        assert label in (0, 1)
        share = 1 - (BOX[2] - BOX[0]) * (BOX[3] - BOX[1]) / (WIDTH * HEIGHT)
        assert around.float().mean() == pytest.approx(share if context else 0, abs=0.02)
        assert not (around & mask).any()


def test_things_and_stuff_together(root):
    dataset = load(root, contexts=("person", "sea", "sky-other-merged"))
    assert (dataset["train"].contexts == 1).all()


def test_a_class_of_none_needs_stuff_of_every_image(root):
    assert len(load(root, categories=("boat",), none_class="none")["val"]) == 6


def test_panoptic_annotations_that_do_not_go_with_the_instances(root):
    file = root / "annotations" / "panoptic_train2017.json"
    pictures = file.with_suffix("")
    assert "did you mean 'sea'" in refused(root, contexts=("seaa",))

    def broken(how, sentence):
        whole = file.read_bytes()
        change(file, how)
        assert sentence in refused(root)
        file.write_bytes(whole)

    rows = "annotations"
    broken(lambda c: c[rows].append(c[rows][0]), "the image 1 is annotated twice")
    broken(lambda c: c[rows].pop(3), "does not say what is around '000000000004.jpg' (1 images)")
    broken(lambda c: c[rows][0].pop("segments_info"), "annotations[0] lacks image_id, file_name")
    broken(lambda c: c[rows][0].update(file_name="000000000002.png"), "different versions")
    segments = lambda c: c[rows][3]["segments_info"]  # noqa: E731
    broken(lambda c: segments(c)[1].update(category_id=999), "of category 999, which the file")
    broken(lambda c: segments(c)[1].update(id=77), "has the segment 77, which")
    broken(lambda c: c.pop("categories"), "is not a COCO annotation file")
    picture = pictures / "000000000004.png"
    whole = picture.read_bytes()
    picture.write_bytes(whole[: len(whole) // 2])
    assert "000000000004.png is not a whole picture" in refused(root)
    Image.new("L", (WIDTH, HEIGHT)).save(picture)
    assert "its mode is L and must be RGB" in refused(root)
    Image.open(pictures / "000000000002.png").resize((30, 40), 0).save(picture)
    assert "30x40" in refused(root)
    picture.unlink()
    assert "000000000004.png is missing: download COCO's panoptic_annot" in refused(root)
    file.unlink()
    assert "panoptic_train2017.json is missing, which the contexts sea are of" in refused(root)
    assert "'perso' is not a category of train2017; did you mean 'person'" in refused(
        root, contexts=("perso",)
    )
