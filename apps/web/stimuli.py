"""What is shown: images, attention overlays and the superpixels that a right click can mark.

The worker writes these files after each selection; the web process only reads them, so it needs
neither the dataset nor torch. All of it can be made again from the log and the models.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from study.files import write_atomically

Maps = NDArray[np.float32]


@dataclass(frozen=True)
class Batch:
    """The images of one cycle with the attention of a model.

    It is the model that selected them, or where the head learns after each image the newest one;
    ``learnt`` counts the confirmations of the cycle's task that a newest one has learnt from.
    """

    images: tuple[str, ...]
    labels: tuple[str, ...]
    maps: Maps
    learnt: int | None = None


@dataclass(frozen=True)
class Validation:
    """What the web process knows of the validation split: for practice and before/after maps.

    ``candidates`` are the images to practise on, ``gallery`` those of the before/after maps.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    candidates: tuple[int, ...]
    gallery: tuple[int, ...]


@dataclass(frozen=True)
class View:
    """One model's attention on the gallery, and which of its images it classifies rightly."""

    maps: Maps
    right: NDArray[np.bool_]


class Stimuli:
    """The stimuli of one study directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # -- images ----------------------------------------------------------------------------

    def image_path(self, split: str, name: str) -> Path:
        """The PNG of an image; its file name is a hash, as a name may hold anything."""
        digest = hashlib.sha256(f"{split}/{name}".encode()).hexdigest()[:24]
        return self.folder / "images" / f"{digest}.png"

    def write_image(self, split: str, name: str, pixels: NDArray[np.uint8]) -> None:
        """Keep an image, uint8 [H, W, 3], unless it is there already."""
        path = self.image_path(split, name)
        if not path.exists():
            write_atomically(path, _png(pixels))

    # -- the batch of a cycle --------------------------------------------------------------

    def _cycle(self, participant: str, position: int, cycle: int) -> Path:
        return self.folder / "cycles" / participant / f"task{position}-cycle{cycle}"

    def write_batch(self, participant: str, position: int, cycle: int, batch: Batch) -> None:
        """Keep a batch's labels and maps."""
        path = self._cycle(participant, position, cycle) / "batch.npz"
        write_atomically(path, _npz(images=batch.images, labels=batch.labels, maps=batch.maps))

    def batch(self, participant: str, position: int, cycle: int) -> Batch | None:
        """A batch; None while it has not been written."""
        path = self._cycle(participant, position, cycle) / "batch.npz"
        return _read_batch(path) if path.exists() else None

    def write_newest(self, participant: str, position: int, cycle: int, batch: Batch) -> None:
        """Keep what the newest model looks at, in place of what an older one did."""
        path = self._cycle(participant, position, cycle) / "newest.npz"
        write_atomically(path, _npz(maps=batch.maps, learnt=batch.learnt))

    def newest(self, participant: str, position: int, cycle: int) -> Batch | None:
        """A batch as the newest model sees it; None where none has learnt within the cycle."""
        path = self._cycle(participant, position, cycle) / "newest.npz"
        first = self.batch(participant, position, cycle)
        if first is None or not path.exists():
            return None
        stored = _read_again(path, path.stat().st_mtime_ns)
        return replace(first, maps=stored["maps"], learnt=int(stored["learnt"]))

    def regions_path(self, participant: str, position: int, cycle: int, index: int) -> Path:
        """The superpixels of one image of a batch; see :func:`pack_regions`."""
        return self._cycle(participant, position, cycle) / f"regions-{index}.z"

    # -- validation ------------------------------------------------------------------------

    @property
    def _validation(self) -> Path:
        return self.folder / "validation"

    def practice_regions_path(self, index: int) -> Path:
        """The superpixels of a validation image under the pretrained model."""
        return self._validation / f"regions-{index}.z"

    def write_validation(
        self, validation: Validation, masks: NDArray[np.bool_] | None, maps: Maps
    ) -> None:
        """Keep what practice needs: names, masks [N, H, W] and the pretrained model's maps."""
        if masks is not None:
            packed = np.packbits(masks, axis=None)
            write_atomically(self._validation / "masks.npz", _npz(bits=packed, shape=masks.shape))
        write_atomically(self._validation / "maps.npz", _npz(maps=maps))
        facts = json.dumps(validation.__dict__).encode()
        write_atomically(self._validation / "validation.json", facts)

    def validation(self) -> Validation | None:
        """The validation split; None while it has not been written."""
        path = self._validation / "validation.json"
        return _read_validation(path) if path.exists() else None

    def practice_mask(self, index: int) -> NDArray[np.bool_] | None:
        """The object in a validation image, bool [H, W], where masks are known."""
        path = self._validation / "masks.npz"
        return _read_masks(path)[index] if path.exists() else None

    def practice_map(self, index: int) -> Maps:
        """The pretrained model's attention on a validation image."""
        maps: Maps = _read_arrays(self._validation / "maps.npz")["maps"][index]
        return maps

    # -- before and after ------------------------------------------------------------------

    def view_path(self, participant: str | None, position: int = 0, cycle: int = 0) -> Path:
        """A model's view of the gallery; without a participant the pretrained model's."""
        if participant is None:
            return self._validation / "pretrained.npz"
        return self._cycle(participant, position, cycle) / "view.npz"

    def write_view(self, path: Path, view: View) -> None:
        """Keep a model's view of the gallery."""
        write_atomically(path, _npz(maps=view.maps, right=view.right))

    def view(self, path: Path) -> View | None:
        """A model's view of the gallery; None when it has not been written."""
        return View(**_read_arrays(path)) if path.exists() else None


def pack_regions(labels: NDArray[np.int32]) -> bytes:
    """Superpixels [H, W] as zlib-compressed little-endian uint16: H, W, then the rows."""
    head = np.array(labels.shape, dtype="<u2").tobytes()
    return zlib.compress(head + labels.astype("<u2").tobytes(), 6)


def unpack_regions(packed: bytes) -> NDArray[np.uint16]:
    """The superpixels [H, W] that :func:`pack_regions` packed."""
    values = np.frombuffer(zlib.decompress(packed), dtype="<u2")
    return values[2:].reshape(int(values[0]), int(values[1])).astype(np.uint16)


@functools.lru_cache(maxsize=2048)
def overlay_png(values: bytes, height: int, width: int, size: int, colours: str) -> bytes:
    """An attention map as a PNG to lay over its image.

    The more transparent the less attention, so that the image stays visible. Cividis goes from
    blue to yellow and reads the same to colour-blind people; jet from blue to red, as the paper's.

    Args:
        values: float32 bytes of the map.
        height: rows of the map.
        width: columns of the map.
        size: longer side of the result, in pixels.
        colours: cividis or jet.
    """
    raw = np.frombuffer(values, dtype=np.float32).reshape(height, width)
    grid = (np.maximum(raw, 0) / max(float(raw.max()), 1e-12)).astype(np.float32)
    scale = size / max(height, width)
    shape = (round(width * scale), round(height * scale))
    fine = np.asarray(Image.fromarray(grid).resize(shape, Image.Resampling.BILINEAR)).clip(0, 1)
    rgb = _table(colours)[(fine * 255).round().astype(np.uint8)]
    rgba = np.concatenate([rgb, fine[..., None] ** 0.75], axis=-1)
    return _png((rgba * 255).round().astype(np.uint8))


@functools.lru_cache(maxsize=4)
def _table(colours: str) -> NDArray[np.float64]:
    """A colour map as 256 RGB rows in [0, 1]."""
    if colours == "jet":
        steps = np.linspace(0, 1, 256)
        return np.stack(
            [(1.5 - np.abs(4 * steps - centre)).clip(0, 1) for centre in (3, 2, 1)], axis=-1
        )
    import matplotlib as mpl

    table: NDArray[np.float64] = mpl.colormaps[colours](np.arange(256))[:, :3]
    return table


def overlay(grid: Maps, colours: str = "cividis", size: int = 224) -> bytes:
    """:func:`overlay_png` of an array [h, w]."""
    contiguous = np.ascontiguousarray(grid, dtype=np.float32)
    return overlay_png(contiguous.tobytes(), grid.shape[0], grid.shape[1], size, colours)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def _npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    columns: dict[str, Any] = {name: np.asarray(value) for name, value in arrays.items()}
    np.savez_compressed(buffer, **columns)
    return buffer.getvalue()


@functools.lru_cache(maxsize=128)
def _read_arrays(path: Path) -> dict[str, Any]:
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}


@functools.lru_cache(maxsize=32)
def _read_again(path: Path, written: int) -> dict[str, Any]:
    """Arrays of a file that is written anew; ``written`` tells its versions apart."""
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}


def _read_batch(path: Path) -> Batch:
    stored = _read_arrays(path)
    return Batch(
        tuple(str(name) for name in stored["images"]),
        tuple(str(name) for name in stored["labels"]),
        stored["maps"],
    )


@functools.lru_cache(maxsize=8)
def _read_validation(path: Path) -> Validation:
    stored = json.loads(path.read_bytes())
    return Validation(**{name: tuple(value) for name, value in stored.items()})


@functools.lru_cache(maxsize=4)
def _read_masks(path: Path) -> NDArray[np.bool_]:
    stored = _read_arrays(path)
    shape = tuple(int(side) for side in stored["shape"])
    bits = np.unpackbits(stored["bits"], count=int(np.prod(shape)))
    return bits.reshape(shape).astype(bool)
