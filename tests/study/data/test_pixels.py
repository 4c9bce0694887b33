"""Photographs and masks of every kind of file."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from study.data import masks, pixels
from study.data.dataset import DataError

SIZE = 32


def ramp(width=64, height=64):
    """0 to 1 from left to right."""
    return np.tile(np.linspace(0, 1, width), (height, 1))


def grey(file):
    """The grey of the photograph's rightmost, middle and leftmost pixels."""
    row = pixels.photograph(file, SIZE).pixels.mean(0)[SIZE // 2]
    return row[[0, SIZE // 2, -1]]


@pytest.mark.parametrize(
    ("ending", "values"),
    [
        ("png", (ramp() * 65535).astype(np.uint16)),
        ("tif", (ramp() * 65535).astype(np.uint16)),
        ("tif", (ramp() * 65535).astype(np.int32)),
        ("tif", ramp().astype(np.float32)),
        ("tif", (ramp() * 255).astype(np.float32)),
        ("png", (ramp() * 255).astype(np.uint8)),
    ],
)
def test_more_than_eight_bits_are_scaled(tmp_path, ending, values):
    Image.fromarray(values).save(tmp_path / f"grey.{ending}")
    assert grey(tmp_path / f"grey.{ending}") == pytest.approx([2, 129, 252], abs=5)


@pytest.mark.parametrize(
    "values", [ramp() * -1.0, ramp() * 1e9, np.full((8, 8), np.nan), ramp() * -40000]
)
def test_values_of_no_known_scale(tmp_path, values):
    Image.fromarray(values.astype(np.float32)).save(tmp_path / "odd.tif")
    with pytest.raises(DataError, match="which are of no known scale"):
        pixels.photograph(tmp_path / "odd.tif", SIZE)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_pixels_are_white_whatever_they_hide(tmp_path, mode):
    picture = Image.new(mode, (SIZE, SIZE), (200, 0, 0, 0) if mode == "RGBA" else (9, 0))
    picture.save(tmp_path / "clear.png")
    assert (pixels.photograph(tmp_path / "clear.png", SIZE).pixels == 255).all()


def test_a_palette_with_transparency(tmp_path):
    picture = Image.new("P", (SIZE, SIZE), 1)
    picture.putpalette([10, 20, 30, 40, 50, 60])
    picture.save(tmp_path / "palette.png", transparency=1)
    assert (pixels.photograph(tmp_path / "palette.png", SIZE).pixels == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_upright(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 255, (4, 6, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
    Image.fromarray(blocks).save(tmp_path / "a.png", exif=exif)
    photo = pixels.photograph(tmp_path / "a.png", SIZE)
    expected = ImageOps.exif_transpose(Image.open(tmp_path / "a.png"))
    assert photo.upright == expected.size
    assert photo.stored == (96, 64)
    reference = np.asarray(expected.resize((SIZE, SIZE), Image.Resampling.BILINEAR))
    assert np.abs(photo.pixels.transpose(1, 2, 0).astype(int) - reference).max() <= 3


def test_a_large_jpeg_is_decoded_small_and_looks_the_same(tmp_path):
    values = (ramp(1600, 1200) * 255).astype(np.uint8)
    Image.fromarray(values).convert("RGB").save(tmp_path / "large.jpg")
    assert grey(tmp_path / "large.jpg") == pytest.approx([4, 131, 251], abs=4)
    assert pixels.photograph(tmp_path / "large.jpg", SIZE).stored == (1600, 1200)


def half(kind=np.uint8, value=255):
    values = np.zeros((20, 20), kind)
    values[:, :10] = value
    return values


def read(tmp_path, picture, name="mask.png", values=None, **options):
    picture.save(tmp_path / name, **options)
    return masks.read(tmp_path / name, values)


@pytest.mark.parametrize(
    "picture",
    [
        Image.fromarray(half()),
        Image.fromarray(half(value=1)),
        Image.fromarray(half(bool, True)),
        Image.fromarray(half(np.uint16, 65535)),
        Image.fromarray(half(np.uint16, 1)),
        Image.fromarray(half()).convert("RGB"),
        Image.fromarray(half()).convert("RGBA"),
        Image.fromarray(half()).convert("P"),
        Image.fromarray(np.dstack([half(), half() * 0, half() * 0])),
        Image.fromarray(np.dstack([half() * 0, half() * 0, half() * 0, half()])),
    ],
    ids=["255", "1", "bool", "65535", "16bit-1", "rgb", "rgba", "palette", "red", "cut-out"],
)
def test_every_way_to_say_object(tmp_path, picture):
    assert np.array_equal(read(tmp_path, picture).inside, half(bool, True))


def test_a_photograph_cut_out_on_a_transparent_ground(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (20, 20, 3), dtype=np.uint8)
    found = read(tmp_path, Image.fromarray(np.dstack([noise, half()])))
    assert np.array_equal(found.inside, half(bool, True))


def palette(values):
    picture = Image.fromarray(values).convert("P")
    picture.putpalette([channel for i in range(256) for channel in (i, 255 - i, i // 2)])
    indexed = Image.fromarray(values)
    picture.putdata(list(indexed.tobytes()))
    return picture


def test_the_void_border_of_pascal_voc_is_no_object(tmp_path):
    values = half(value=1)
    values[:, 9:11] = 255
    found = read(tmp_path, palette(values))
    assert found.inside[:, :9].all()
    assert not found.inside[:, 9:].any()
    assert found.numbers == (1,)


def test_noise_of_a_jpeg_is_no_object(tmp_path):
    rng = np.random.default_rng(0)
    noisy = np.clip(half().astype(int) + rng.integers(-12, 12, (20, 20)), 0, 255).astype(np.uint8)
    for name, options in (("mask.jpg", {"quality": 40}), ("mask.png", {})):
        assert np.array_equal(read(tmp_path, Image.fromarray(noisy), name, **options).inside,
                              half(bool, True))  # fmt: skip


def test_a_soft_edge_is_cut_in_its_middle(tmp_path):
    values = half()
    values[:, 10], values[:, 11] = 160, 60
    found = read(tmp_path, Image.fromarray(values)).inside
    assert found[:, :11].all()
    assert not found[:, 11:].any()


def test_class_numbers_are_reported(tmp_path):
    values = half(value=3)
    values[:5] = 11
    found = read(tmp_path, Image.fromarray(values))
    assert found.numbers == (3, 11)
    assert np.array_equal(found.inside, values > 0)
    assert np.array_equal(read(tmp_path, Image.fromarray(values), values=[11]).inside, values == 11)


def test_numbers_together_with_white_mean_nothing_certain(tmp_path):
    values = half(value=3)
    values[:, 10:12] = 255
    with pytest.raises(DataError, match=r"has the values 3, 255, .* dataset.mask_values"):
        read(tmp_path, Image.fromarray(values))
    found = read(tmp_path, Image.fromarray(values), values=[3])
    assert np.array_equal(found.inside, half(bool, True))


def test_a_photograph_is_no_mask(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (20, 20, 3), dtype=np.uint8)
    with pytest.raises(DataError, match="which of them is the object cannot be told"):
        read(tmp_path, Image.fromarray(noise))


def test_no_image_is_no_mask(tmp_path):
    (tmp_path / "mask.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match="not a readable mask"):
        masks.read(tmp_path / "mask.png")
