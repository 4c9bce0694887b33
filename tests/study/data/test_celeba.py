"""CelebA's lists, drawn: attributes, splits, regions, and what is refused."""

import numpy as np
import pytest
from PIL import Image

from study.config import CelebaConfig
from study.data import celeba, reading
from study.data.dataset import DataError

WIDTH, HEIGHT = 178, 218
LANDMARKS = (69, 111, 108, 111, 88, 136, 72, 152, 105, 152)
ATTRIBUTES = ("Heavy_Makeup", "Smiling", "Wearing_Lipstick")
FACES = 24


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    names = [f"{i + 1:06d}.jpg" for i in range(FACES)]
    for i, name in enumerate(names):
        noise = np.random.default_rng(i).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / "img_align_celeba" / name)

    def write(file, header, row):
        lines = [f"{name} {' '.join(map(str, row(i)))}" for i, name in enumerate(names)]
        (folder / file).write_text("\n".join([*header, *lines]) + "\n")

    def attributes(i):
        makeup = (i // 2) % 2 if i % 7 else 1 - (i // 2) % 2
        return [2 * makeup - 1, -1, 2 * ((i // 2) % 2) - 1]

    write("list_attr_celeba.txt", [str(FACES), " ".join(ATTRIBUTES)], attributes)
    points = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y"
    header = [str(FACES), f"{points} rightmouth_x rightmouth_y"]
    write("list_landmarks_align_celeba.txt", header, lambda i: LANDMARKS)
    write("list_bbox_celeba.txt", [str(FACES), "x_1 y_1 width height"], lambda i: (1, 2, 3, 4))
    write("identity_CelebA.txt", [], lambda i: (i,))
    write("list_eval_partition.txt", [], lambda i: (min(i // 8, 2),))
    return tmp_path


def load(root, **settings):
    config = CelebaConfig(**{"kind": "celeba", "root": "x", "size": 64, **settings})
    return reading.read(celeba.catalogue(config, root), 64)


def refused(root, **settings):
    with pytest.raises(DataError) as caught:
        load(root, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_lipstick_and_makeup(root):
    dataset = load(root)
    assert dataset.classes == ("Wearing_Lipstick", "no Wearing_Lipstick")
    assert [len(dataset[split]) for split in ("train", "val", "test")] == [8, 8, 8]
    train = dataset["train"]
    assert train.labels.tolist() == [1, 1, 0, 0, 1, 1, 0, 0]
    assert train.contexts.tolist() == [1, 0, 1, 1, 0, 0, 1, 0]
    assert train.context_names == ("no Heavy_Makeup", "Heavy_Makeup")
    assert train.usual_contexts == (1, 0)


@pytest.mark.parametrize(
    ("region", "inside", "outside"),
    [
        ("mouth", [(88, 152)], [(69, 111), (10, 10)]),
        ("eyes", [(69, 111), (108, 111)], [(88, 111), (88, 152)]),
        ("cheeks", [(70, 131), (106, 131)], [(88, 131), (69, 111)]),
        ("chin", [(88, 168)], [(88, 111), (69, 111)]),
    ],
)
def test_regions_lie_where_the_landmarks_say(root, region, inside, outside):
    train = load(root, region=region)["train"]
    assert not train.masks[train.labels == 1].any()
    mask = train.masks[2]
    for points, value in ((inside, True), (outside, False)):
        for x, y in points:
            assert bool(mask[int(y / HEIGHT * 64), int(x / WIDTH * 64)]) is value


def test_without_region_context_and_all_images(root):
    dataset = load(root, region=None, context=None, limit=4)
    assert dataset["train"].masks is None
    assert dataset["train"].contexts is None
    assert [len(split) for split in dataset.splits.values()] == [4, 4, 4]


def test_what_is_refused(root):
    assert "did you mean 'Wearing_Lipstick'" in refused(root, attribute="Wearing_Lipstik")
    assert "'Makeup' is no attribute" in refused(root, context="Makeup")
    assert "class 'Smiling' has no image in train" in refused(root, attribute="Smiling")
    (root / "celeba" / "img_align_celeba" / "000003.jpg").unlink()
    assert "000003.jpg is missing: unpack img_align_celeba.zip again" in refused(root)
    (root / "celeba" / "list_eval_partition.txt").write_text("000001.jpg 7\n")
    assert "list_eval_partition.txt" in refused(root)
    (root / "celeba" / "identity_CelebA.txt").unlink()
    assert "identity_CelebA.txt is missing: download CelebA" in refused(root)
