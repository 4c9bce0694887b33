"""COCO files that are not as they should be: a sentence, or the right masks; never a wrong one."""

import json

import numpy as np
import pytest
from coco_maker import SIDE, config, load, square
from PIL import Image, ImageOps
from pycocotools import mask as rle

from study import config as study_config
from study.config import StudyFileError
from study.data import coco
from study.data.dataset import DataError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # pycocotools


def refused(folder, change=None, **settings):
    if change is not None:
        folder.change(change)
    with pytest.raises(DataError) as caught:
        load(config(**settings), folder.root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def mask_of(dataset, name):
    for images in dataset.splits.values():
        if name in images.positions:
            return images.masks[images.positions[name]].numpy()
    raise AssertionError(f"{name} was not read")


def image_of(dataset, name):
    for images in dataset.splits.values():
        if name in images.positions:
            return images.images[images.positions[name]].numpy()
    raise AssertionError(f"{name} was not read")


def class_of(dataset, name):
    for images in dataset.splits.values():
        if name in images.positions:
            return images.classes[int(images.labels[images.positions[name]])]
    raise AssertionError(f"{name} was not read")


def first_annotation(**values):
    return lambda content: content["annotations"][0].update(values)


def first_image(**values):
    return lambda content: content["images"][0].update(values)


# -- ids -----------------------------------------------------------------------------------


def test_annotations_that_share_an_id_keep_the_masks_of_their_own_images(folder):
    folder.image("train2017", "corner.jpg", ("person", square(0, 0, 10)))
    folder.image("train2017", "other.jpg", ("person", square(30, 30, 10)))

    def same_ids(content):
        for annotation in content["annotations"]:
            annotation["id"] = 1

    folder.change(same_ids)
    dataset = load(config(), folder.root)
    assert mask_of(dataset, "corner.jpg")[:8, :8].all()
    assert mask_of(dataset, "other.jpg")[24:, 24:].all()
    assert not mask_of(dataset, "other.jpg")[:8, :8].any()


def test_annotations_without_an_id_are_read(folder):
    def without(content):
        for annotation in content["annotations"]:
            del annotation["id"]

    folder.change(without)
    assert mask_of(load(config(), folder.root), "p0.jpg").any()


def test_an_image_id_that_is_used_twice(folder):
    message = refused(folder, lambda c: c["images"][1].update(id=1))
    assert "the id 1 is used twice in images, by 'p0.jpg' and 'n0.jpg'" in message


def test_a_file_that_is_listed_as_two_images(folder):
    message = refused(folder, lambda c: c["images"][2].update(file_name="p0.jpg"))
    assert "the images 1 and 3 are both the file 'p0.jpg'" in message


def test_a_category_that_is_listed_twice(folder):
    add = {"id": 99, "name": "person"}
    assert "'person' is listed twice" in refused(folder, lambda c: c["categories"].append(add))
    again = {"id": 1, "name": "dog"}
    message = refused(folder, lambda c: c.update(categories=[*c["categories"][:-1], again]))
    assert "the id 1 is used twice in categories" in message


def test_ids_of_two_kinds(folder):
    message = refused(folder, first_image(id="1"))
    assert "some ids in images are text ('1') and others numbers" in message


def test_ids_that_are_text_on_one_side_only(folder):
    def text(content):
        for image in content["images"]:
            image["id"] = str(image["id"])

    message = refused(folder, text)
    assert "its image_id 1 is a number and the id in images '1' is text" in message


def test_ids_that_are_text_everywhere_are_ids(folder):
    def text(content):
        for image in content["images"]:
            image["id"] = f"image {image['id']}"
        for annotation in content["annotations"]:
            annotation["image_id"] = f"image {annotation['image_id']}"

    folder.change(text)
    assert mask_of(load(config(), folder.root), "p0.jpg").any()


def test_category_ids_that_are_text_are_no_evidence_for_none(folder):
    def text(content):
        for annotation in content["annotations"]:
            annotation["category_id"] = str(annotation["category_id"])

    message = refused(folder, text)
    assert "its category_id '1' is text and the id in categories 1 is a number" in message


def test_an_annotation_of_an_unknown_category(folder):
    message = refused(folder, first_annotation(category_id=77))
    assert (
        "annotation 1 of train2017: its category_id 77 is not in the file's categories" in message
    )


def test_annotations_of_images_that_are_not_listed_are_no_evidence_for_none(folder):
    def elsewhere(content):
        for annotation in content["annotations"]:
            annotation["image_id"] += 1000

    assert "its image_id 1001 is not in the file's images" in refused(folder, elsewhere)


@pytest.mark.parametrize("number", [None, 1.5, True, [1], {"a": 1}])
def test_ids_that_are_none(folder, number):
    assert "images[0].id" in refused(folder, first_image(id=number))


# -- files ---------------------------------------------------------------------------------


def test_a_file_name_that_is_a_number(folder):
    assert "images[0].file_name = 1 must be text" in refused(folder, first_image(file_name=1))


def test_file_names_may_hold_folders(folder):
    folder.image("train2017", "sub/inner.jpg", ("person", square(0, 0, 10)))
    assert mask_of(load(config(), folder.root), "sub/inner.jpg")[:8, :8].all()


def test_file_names_may_hold_the_folder_of_the_split_and_backslashes(folder):
    def prefixed(content):
        for image in content["images"]:
            image["file_name"] = f"train2017\\{image['file_name']}"

    folder.change(prefixed)
    assert mask_of(load(config(), folder.root), "train2017/p0.jpg").any()


def test_a_missing_file_says_where_it_was_sought(folder):
    message = refused(folder, first_image(file_name="gone/p0.jpg"))
    assert "train2017/gone/p0.jpg is listed in the annotations but missing" in message
    assert f"(nor is {folder.root / 'gone' / 'p0.jpg'})" in message


def test_train_and_test_must_be_two_files(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(
        'name = "x"\n[dataset]\nkind = "coco"\nroot = "."\ncategories = ["a"]\nnone_class = "b"\n'
        'test = "train2017"\n'
    )
    with pytest.raises(StudyFileError, match="train and test are both 'train2017'"):
        study_config.load(file)


def test_the_same_photograph_in_train_and_test_is_said(folder):
    picture = (folder.root / "train2017" / "p0.jpg").read_bytes()
    (folder.root / "val2017" / "p3.jpg").write_bytes(picture)
    notes = " ".join(load(config(), folder.root).notes)
    assert "1 photograph is in train and test alike" in notes or "in val and test alike" in notes


# -- sizes and outlines ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotated", "orientation"),
    [
        *(("upright", orientation) for orientation in range(1, 9)),
        *(("stored", orientation) for orientation in (1, 5, 6, 7, 8)),  # where the size tells
    ],
)
def test_outlines_lie_on_turned_photographs(folder, orientation, annotated):
    """The object is a white square in a corner of a black picture of 60 x 40."""
    stored = np.zeros((40, 60, 3), np.uint8)
    stored[2:14, 40:58] = 255
    folder.image("train2017", "turned.jpg", width=60, height=40, orientation=orientation)
    file = folder.root / "train2017" / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(file, quality=100, subsampling=0, exif=exif)
    upright = stored
    if annotated == "upright":
        upright = np.asarray(ImageOps.exif_transpose(Image.open(file)))
    inside = upright.mean(-1) > 128
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    outline = [[int(v) for v in (left, top, right, top, right, bottom, left, bottom)]]

    def state(content):
        image = content["images"][-1]
        image["height"], image["width"] = inside.shape
        content["annotations"].append(
            {"id": 999, "image_id": image["id"], "category_id": 1, "segmentation": outline}
        )

    folder.change(state)
    dataset = load(config(), folder.root)
    seen = image_of(dataset, "turned.jpg").mean(0) > 128
    mask = mask_of(dataset, "turned.jpg")
    assert (seen & mask).sum() / (seen | mask).sum() > 0.8


def test_photographs_whose_turn_the_size_does_not_tell_are_said(folder):
    folder.image("train2017", "half.jpg", ("person", square(0, 0, 10)), orientation=3)
    notes = " ".join(load(config(), folder.root).notes)
    assert "1 photograph with outlines (such as half.jpg) marked as turned" in notes


def test_a_size_that_is_not_the_files(folder):
    message = refused(folder, first_image(width=64, height=48))
    assert "the annotations say 64x48 and the image file is 40x40 pixels" in message


def test_width_and_height_swapped(folder):
    folder.image("train2017", "wide.jpg", ("person", square(0, 0, 10)), width=60)
    message = refused(folder, lambda c: c["images"][-1].update(width=40, height=60))
    assert "(wide.jpg): the annotations say 40x60 and the image file is 60x40" in message
    assert "swapped" in message


def test_without_width_and_height_the_file_tells(folder):
    def without(content):
        for image in content["images"]:
            del image["width"], image["height"]

    folder.change(without)
    assert mask_of(load(config(), folder.root), "p0.jpg").mean() == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize("width", ["40", 40.5, 0, -1, None])
def test_a_width_that_is_none(folder, width):
    assert "'p0.jpg' has width" in refused(folder, first_image(width=width))


@pytest.mark.parametrize(
    ("segmentation", "problem"),
    [
        ([[0.2, 0.2, 0.7, 0.2, 0.7, 0.7]], "coordinates from 0 to 1"),
        ([[1, 2, float("nan"), 4, 5, 6]], "coordinates that are no numbers"),
        ([[1, 2, "3", 4, 5, 6]], "coordinates that are no numbers"),
        ([[10, 10, 20, 20]], "has 4 numbers"),  # which pycocotools takes for a box
        ([[10, 10, 20, 20, 30]], "has 5 numbers"),
        ([[10, 10, 20, 10, 20, 20, 10]], "has 7 numbers"),
        ("outline", "neither polygons nor an RLE"),
        ({"size": [SIDE, SIDE], "counts": [400, 100]}, "add up to 500, not to 40x40"),
        ({"size": [SIDE, SIDE], "counts": [-1, SIDE * SIDE + 1]}, "no usable counts"),
        ({"counts": [SIDE * SIDE]}, "no size"),
        ({"size": [SIDE, SIDE], "counts": "~~~"}, "compressed RLE is damaged"),
        ([], "no outline"),
        (None, "no outline"),
    ],
)
def test_outlines_that_cannot_be_used(folder, segmentation, problem):
    message = refused(folder, first_annotation(segmentation=segmentation))
    assert message.startswith("annotation 1 of train2017: ")
    assert problem in message


def test_a_compressed_rle_that_is_too_short(folder):
    short = rle.encode(np.ones((10, 10), np.uint8, order="F"))
    short = {"size": [SIDE, SIDE], "counts": short["counts"].decode()}
    message = refused(folder, first_annotation(segmentation=short))
    assert "add up to 100, not to 40x40" in message


def test_an_rle_of_another_size_than_its_image(folder):
    other = {"size": [20, 20], "counts": [0, 400]}
    message = refused(folder, first_annotation(segmentation=other))
    assert "an RLE is of 20x20 and the image of 40x40" in message


def test_a_polygon_outside_of_its_image(folder):
    message = refused(folder, first_annotation(segmentation=square(100, 100, 16)))
    assert (
        "annotation 1 of train2017 (p0.jpg): a polygon (100, 100, 116, 116) lies outside" in message
    )


def test_a_polygon_that_is_in_no_list_of_its_own_is_one_polygon(folder):
    folder.change(first_annotation(segmentation=square(10, 10, 20)[0]))
    assert mask_of(load(config(), folder.root), "p0.jpg").mean() == pytest.approx(0.25, abs=0.05)


def test_without_areas_the_largest_is_measured(folder):
    folder.image("train2017", "two.jpg", ("cat", square(0, 0, 30)), ("person", square(0, 0, 2)))

    def without(content):
        for annotation in content["annotations"]:
            del annotation["area"]

    folder.change(without)
    both = {"categories": ("person", "cat"), "none_class": None, "several": "largest"}
    assert class_of(load(config(**both), folder.root), "two.jpg") == "cat"


def without_outlines(content):
    for annotation in content["annotations"]:
        annotation["segmentation"] = []
        annotation["bbox"] = [10, 10, 20, 20]


def test_annotations_without_outlines_are_counted_and_the_ways_out_are_named(folder):
    message = refused(folder, without_outlines)
    assert "4 of 4 annotations have no usable outlines" in message
    assert "dataset.masks to 'boxes', or to 'none'" in message


def test_boxes_may_be_the_masks(folder):
    for split in ("train2017", "val2017"):
        folder.change(without_outlines, split)
    mask = mask_of(load(config(masks="boxes"), folder.root), "p0.jpg")
    assert mask[8:24, 8:24].all()
    assert mask.sum() == 16 * 16


@pytest.mark.parametrize("box", [None, [1, 2, 3], [1, 2, 0, 4], [1, 2, float("nan"), 4]])
def test_boxes_that_cannot_be_used(folder, box):
    folder.change(without_outlines)
    message = refused(folder, first_annotation(bbox=box), masks="boxes")
    assert "box" in message.partition(":")[2]


def test_photographs_may_be_without_masks(folder):
    for split in ("train2017", "val2017"):
        folder.change(without_outlines, split)
    dataset = load(config(masks="none", contexts=("cat",)), folder.root)
    assert dataset["train"].masks is None
    assert dataset["train"].context_masks is None
    assert dataset["train"].contexts is not None


# -- one file, and the paper's split -------------------------------------------------------------


def test_one_annotation_file_is_split_by_the_names(folder):
    file = folder.root / "mine.json"
    file.write_bytes(folder.annotations("train2017").read_bytes())
    settings = {"annotations": "mine.json", "images": "train2017", "test_share": 0.3}
    first = load(config(**settings), folder.root)
    names = [name for split in first.splits.values() for name in split.names]
    assert sorted(names) == sorted(f"{kind}{i}.jpg" for kind in "pn" for i in range(4))
    assert {len(first[split].labels.unique()) for split in first.splits} == {2}


def test_the_images_of_one_annotation_file_may_lie_beside_it(folder):
    content = json.loads(folder.annotations("train2017").read_text())
    (folder.root / "train2017" / "mine.json").write_text(json.dumps(content))
    dataset = load(config(annotations="train2017/mine.json"), folder.root)
    assert sum(len(split) for split in dataset.splits.values()) == 8


def test_the_papers_split_is_val2017_and_a_fifth_of_train2017(folder):
    for i in range(4, 11):
        folder.image("train2017", f"p{i}.jpg", ("person", square(10, 10, 20)))
    dataset = load(config(split="he2023"), folder.root)
    assert sorted(dataset["val"].names) == sorted(f"{k}{i}.jpg" for k in "pn" for i in range(4))
    assert np.bincount(dataset["test"].labels).tolist() == [3, 1]  # a fifth of 11 and 4, upwards
    assert len(dataset["train"]) == 11


def test_the_papers_counts_stand_beside_ours(folder):
    for split in ("train2017", "val2017"):
        for i in range(5):
            folder.image(split, f"b{i}.jpg", ("boat", square(10, 10, 20)))
    found = coco.catalogue(config(categories=("boat",), split="he2023"), folder.root)
    assert "boat, test: 1 images, 605 in Table 1 of He et al. (2023)" in found.notes
