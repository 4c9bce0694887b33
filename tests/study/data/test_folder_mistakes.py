"""Class folders that are not as they should be: a sentence, or the right masks and classes."""

from shutil import rmtree
from zlib import crc32

import numpy as np
import pytest
from PIL import Image

from study.config import FolderConfig
from study.data import folder, pixels, reading
from study.data.dataset import DataError

WIDTH, HEIGHT = 24, 16


def picture(file, seed=None, size=(WIDTH, HEIGHT), **options):
    file.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(crc32(str(file).encode()) if seed is None else seed)
    noise = rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, **options)


def mask(file, size=(WIDTH, HEIGHT)):
    """White in the left half."""
    file.parent.mkdir(parents=True, exist_ok=True)
    white = np.zeros((size[1], size[0]), np.uint8)
    white[:, : size[0] // 2] = 255
    Image.fromarray(white).save(file)


@pytest.fixture
def root(tmp_path):
    for name in ("cat", "dog"):
        for i in range(6):
            picture(tmp_path / name / f"{i}.png")
            mask(tmp_path / "masks" / name / f"{i}.png")
    return tmp_path


def config(**settings):
    return FolderConfig(**{"kind": "folder", "root": "x", "size": 32, "masks": "masks", **settings})


def load(root, **settings):
    return reading.read(folder.catalogue(config(**settings), root), 32)


def refused(root, **settings):
    with pytest.raises(DataError) as caught:
        load(root, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def everything(dataset):
    return {
        name: (
            split.classes[int(split.labels[i])],
            split.masks[i] if split.masks is not None else 0,
        )
        for split in dataset.splits.values()
        for i, name in enumerate(split.names)
    }


# -- which files are photographs, and of which class -------------------------------------------


def test_hidden_files_are_skipped(root):
    for name in ("._0.png", ".DS_Store"):
        (root / "cat" / name).write_bytes(b"not a picture")
        (root / "masks" / "cat" / name).write_bytes(b"not a picture")
    (root / "__MACOSX" / "cat").mkdir(parents=True)
    assert len(everything(load(root))) == 12


def test_files_of_other_kinds_are_counted(root):
    for i in range(3):
        (root / "cat" / f"{i}.xcf").write_bytes(b"other")
    (root / "dog" / "notes.txt").write_text("other")
    (note,) = load(root).notes
    assert "4 files of other kinds were left out (1 .txt, 3 .xcf)" in note


def test_a_class_of_other_kinds_only(root):
    (root / "bird").mkdir()
    (root / "bird" / "0.xcf").write_bytes(b"other")
    assert "bird has no image that can be read (it has 1 .xcf)" in refused(root)


def test_heic_without_its_reader_says_what_to_install(root, monkeypatch):
    monkeypatch.setattr(pixels, "HEIF", False)
    monkeypatch.setattr(pixels, "ENDINGS", pixels.ENDINGS - {".heic", ".heif"})
    (root / "cat" / "6.heic").write_bytes(b"other")
    (note,) = load(root).notes
    assert "1 .heic; pip install 'clickstudy[heic]' to read HEIC" in note


@pytest.mark.skipif(not pixels.HEIF, reason="the heic extra is not installed")
def test_heic_photographs_are_read(root):
    picture(root / "cat" / "6.heic", size=(64, 64))
    mask(root / "masks" / "cat" / "6.png", size=(64, 64))
    assert "cat/6.heic" in everything(load(root))


def test_folders_inside_a_class_folder_belong_to_the_class(root):
    for i in range(3):
        picture(root / "cat" / "monday" / f"{i}.png")
        mask(root / "masks" / "cat" / "monday" / f"{i}.png")
    found = everything(load(root))
    assert found["cat/monday/0.png"][0] == "cat"
    assert len(found) == 15


def test_a_class_of_two_images_says_how_many_it_needs(root):
    for i in range(2):
        picture(root / "bird" / f"{i}.png")
    message = refused(root)
    assert "class 'bird' has 2 images in train" in message
    assert "give it at least 3" in message


@pytest.mark.parametrize(
    ("named", "meant"),
    [("valid", "val"), ("validation", "val"), ("dev", "val"), ("Testing", "test"), ("Val", "val")],
)
def test_splits_by_another_name(tmp_path, named, meant):
    for split in ("train", named):
        for name in ("cat", "dog"):
            for i in range(4):
                picture(tmp_path / split / name / f"{i}.png")
    message = refused(tmp_path, masks=None)
    assert f"{tmp_path / named} " in message
    assert repr(meant) in message


def test_splits_that_are_all_named_otherwise_are_no_classes(tmp_path):
    for split in ("training", "testing"):
        for name in ("cat", "dog"):
            for i in range(4):
                picture(tmp_path / split / name / f"{i}.png")
    assert "did you mean 'test'" in refused(tmp_path, masks=None)


def test_a_class_may_be_called_valid(tmp_path):
    for name in ("valid", "invalid"):
        for i in range(4):
            picture(tmp_path / name / f"{i}.png")
    assert load(tmp_path, masks=None).classes == ("invalid", "valid")


def test_what_lies_beside_the_splits_is_said(tmp_path):
    for split in ("train", "extra"):
        for name in ("cat", "dog"):
            for i in range(4):
                picture(tmp_path / split / name / f"{i}.png")
    assert "extra is not read" in load(tmp_path, masks=None).notes[0]


def test_the_same_photograph_in_two_classes_is_said(root):
    picture(root / "cat" / "0.png", seed=1)
    picture(root / "dog" / "3.png", seed=1)
    notes = " ".join(load(root).notes)
    assert "1 photograph is in several classes, and a classifier cannot learn both" in notes
    assert "cat/0.png" in notes


def test_one_more_file_moves_no_other(root):
    for name in ("cat", "dog"):
        for i in range(6, 40):
            picture(root / name / f"{i}.png")
    rmtree(root / "masks")
    before = load(root, masks=None)
    picture(root / "cat" / "0-new.png")
    after = load(root, masks=None)
    for split in ("train", "val", "test"):
        assert set(after[split].names) - {"cat/0-new.png"} == set(before[split].names)


# -- masks -------------------------------------------------------------------------------------


def test_a_mask_folder_may_be_given_absolutely(root):
    assert everything(load(root, masks=str(root / "masks")))["cat/0.png"][1].any()


def test_a_mask_folder_may_lie_deeper(root):
    (root / "labels").mkdir()
    (root / "masks").rename(root / "labels" / "masks")
    assert load(root, masks="labels/masks").classes == ("cat", "dog")


def test_a_forgotten_mask_setting_is_hinted_at(root):
    message = refused(root, masks=None)
    assert f"{root / 'masks'} has folders named as classes (cat, dog)" in message
    assert "set dataset.masks = 'masks'" in message


@pytest.mark.parametrize("typo", ["Cat", "cats"])
def test_masks_of_no_class_are_not_ignored_while_a_class_has_none(root, typo):
    (root / "masks" / "cat").rename(root / "masks" / typo)
    message = refused(root)
    assert (
        f"{root / 'masks' / typo} holds masks of no class, and class 'cat' has no masks" in message
    )


def test_masks_of_no_image_are_not_ignored_while_their_class_has_none(root):
    for i in range(6):
        file = root / "masks" / "cat" / f"{i}.png"
        file.rename(file.with_name(f"mask_{i}.png"))
    message = refused(root)
    assert "the other masks of class 'cat' belong to no image" in message


def test_a_class_without_masks_and_masks_without_images_are_said(root):
    for file in (root / "masks" / "dog").iterdir():
        file.unlink()
    mask(root / "masks" / "cat" / "99.png")
    notes = load(root).notes
    assert "masks: 1 mask of images that are not there" in notes
    assert "class dog has no masks: its images count as showing no object" in notes


def test_masks_that_are_all_black_are_counted(root):
    Image.new("L", (WIDTH, HEIGHT)).save(root / "masks" / "cat" / "2.png")
    assert "class cat: 1 of 6 images show no object, by their masks" in load(root).notes


def test_a_mask_of_another_shape(root):
    mask(root / "masks" / "cat" / "3.png", size=(16, 16))
    message = refused(root)
    assert "masks/cat/3.png is 16x16 and its image 24x16 pixels" in message


def test_a_mask_of_another_resolution_fits(root):
    mask(root / "masks" / "cat" / "3.png", size=(WIDTH * 2, HEIGHT * 2))
    assert everything(load(root))["cat/3.png"][1].double().mean() == 0.5


@pytest.mark.parametrize("drawn_on", ["upright", "stored"])
def test_masks_turn_with_their_photographs(root, drawn_on):
    picture(root / "cat" / "7.jpg", exif=turned(6))  # upright: 16 wide, 24 high
    if drawn_on == "upright":
        mask(root / "masks" / "cat" / "7.png", size=(HEIGHT, WIDTH))
        inside = everything(load(root))["cat/7.jpg"][1]
        assert inside[:, :16].all()
        assert not inside[:, 16:].any()
    else:  # the stored left half is at the top when the camera stood on its side
        mask(root / "masks" / "cat" / "7.png")
        inside = everything(load(root))["cat/7.jpg"][1]
        assert inside[:16].all()
        assert not inside[16:].any()


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def test_two_images_cannot_share_a_mask(root):
    picture(root / "cat" / "0.bmp")
    message = refused(root)
    assert "masks/cat/0.png is the mask of 'cat/0." in message
    assert "rename one image" in message


def test_masks_may_be_named_after_the_whole_file_or_be_no_png(root):
    (root / "masks" / "cat" / "0.png").rename(root / "masks" / "cat" / "0.png.png")
    Image.open(root / "masks" / "cat" / "1.png").save(root / "masks" / "cat" / "1.tif")
    (root / "masks" / "cat" / "1.png").unlink()
    found = everything(load(root))
    assert found["cat/0.png"][1].double().mean() == found["cat/1.png"][1].double().mean() == 0.5


def test_class_numbers_that_all_become_object_are_said_and_can_be_chosen(root):
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    values[:8], values[8:12] = 3, 11
    for name in ("cat", "dog"):
        for i in range(6):
            Image.fromarray(values).save(root / "masks" / name / f"{i}.png")
    dataset = load(root)
    assert "the masks have several values (3, 11)" in " ".join(dataset.notes)
    assert everything(dataset)["cat/0.png"][1].double().mean() == 0.75
    chosen = load(root, mask_values=(3,))
    assert everything(chosen)["cat/0.png"][1].double().mean() == 0.5
    assert not chosen.notes


# -- contexts ----------------------------------------------------------------------------------


def contexts(root, *more):
    rows = [
        f"{c}/{i}.png,{'sofa' if c == 'cat' else 'lawn'}" for c in ("cat", "dog") for i in range(6)
    ]
    (root / "contexts.csv").write_text("\n".join(["image,context", *rows, *more]))


def test_contexts_that_disagree(root):
    contexts(root, "cat/0.png,lawn")
    message = refused(root, contexts="contexts.csv")
    assert "'cat/0.png' has the context 'sofa' in line 2 and 'lawn' in line 14" in message


def test_contexts_that_are_said_twice_or_of_other_images(root):
    contexts(root, "cat/0.png,sofa", "cat/99.png,lawn")
    assert (
        "contexts.csv: 1 row of images that are not there"
        in load(root, contexts="contexts.csv").notes
    )


def test_contexts_from_a_spreadsheet_on_windows(root):
    contexts(root)
    text = (root / "contexts.csv").read_text().replace("/", "\\").replace("\n", "\r\n")
    (root / "contexts.csv").write_bytes(text.encode("utf-8-sig"))
    assert load(root, contexts="contexts.csv")["train"].context_names == ("lawn", "sofa")


# -- chosen classes ----------------------------------------------------------------------------


def test_only_the_chosen_class_folders_in_their_order(root):
    rmtree(root / "masks")
    for i in range(6):
        picture(root / "bird" / f"{i}.png")
    assert load(root, masks=None, classes=("dog", "bird")).classes == ("dog", "bird")
    message = refused(root, masks=None, classes=("dog", "brid"))
    assert "dataset.classes: 'brid' is not a class folder" in message
    assert "did you mean 'bird'" in message
