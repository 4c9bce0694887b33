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
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from study.files import write_atomically
from study.framing import UNSEEN, WHOLE, Frame
from study.reveal import Candidate, Trial

Maps = NDArray[np.float32]
Revealed = tuple[int, str, float, Image.Image]
"""A candidate's place, the source of its map, the share that is shown, and what is shown."""
ENDINGS = (".png", ".jpg")
SMALL = 256
"""Pixels of the longer side of a candidate's picture, at most."""
VEIL = (128, 128, 128, 110)
"""Colour and opacity (RGBA) of what the network does not see."""
STEPS = 255
"""Of attention in an overlay: a palette has one more colour, the veil's."""


@dataclass(frozen=True)
class Batch:
    """The images of one cycle with the attention of a model.

    It is the model that selected them, or where the head learns after each image the newest one;
    ``learnt`` counts the confirmations of the cycle's task that a newest one has learnt from.
    ``frames`` say what of each photograph the model sees; empty where the images are square.
    """

    images: tuple[str, ...]
    labels: tuple[str, ...]
    maps: Maps
    learnt: int | None = None
    frames: tuple[Frame, ...] = ()

    def frame(self, index: int) -> Frame:
        """What the model sees of an image."""
        return self.frames[index] if self.frames else WHOLE


@dataclass(frozen=True)
class Validation:
    """What the web process knows of the validation split: for practice and before/after maps.

    ``candidates`` are the images to practise on, ``gallery`` those of the before/after maps.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    candidates: tuple[int, ...]
    gallery: tuple[int, ...]
    frames: tuple[Frame, ...] = ()

    def frame(self, index: int) -> Frame:
        """What the model sees of an image."""
        return self.frames[index] if self.frames else WHOLE


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

    def image_path(self, split: str, name: str, small: bool = False) -> Path | None:
        """The picture of an image (PNG or JPEG); None while it has not been written.

        ``small``: one of at most :data:`SMALL` pixels, where the picture is larger.
        """
        place = self._image(split, name)
        ends = (".small.jpg", *ENDINGS) if small else ENDINGS
        found = (place.with_name(place.name + end) for end in ends)
        return next((path for path in found if path.exists()), None)

    def write_image(self, split: str, name: str, picture: Image.Image) -> None:
        """Keep a picture, unless it is there already: a large one as JPEG, a small one as it is."""
        if self.image_path(split, name) is not None:
            return
        place = self._image(split, name)
        large = max(picture.size) > SMALL
        if large:
            little = picture.copy()
            little.thumbnail((SMALL, SMALL), Image.Resampling.LANCZOS)
            write_atomically(place.with_name(f"{place.name}.small.jpg"), _encoded(little, "JPEG"))
        end = ENDINGS[1] if large else ENDINGS[0]
        content = _encoded(picture, "JPEG" if large else "PNG")
        write_atomically(place.with_name(place.name + end), content)

    def _image(self, split: str, name: str) -> Path:
        """Without its ending; the file name is a hash, as an image's name may hold anything."""
        digest = hashlib.sha256(f"{split}/{name}".encode()).hexdigest()[:24]
        return self.folder / "images" / digest

    # -- the batch of a cycle --------------------------------------------------------------

    def _cycle(self, participant: str, position: int, cycle: int) -> Path:
        return self.folder / "cycles" / participant / f"task{position}-cycle{cycle}"

    def write_batch(self, participant: str, position: int, cycle: int, batch: Batch) -> None:
        """Keep a batch's labels and maps."""
        path = self._cycle(participant, position, cycle) / "batch.npz"
        frames = np.array([_row(frame) for frame in batch.frames])
        arrays = {"images": batch.images, "labels": batch.labels, "maps": batch.maps}
        write_atomically(path, _npz(**arrays, frames=frames))

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

    def practice_regions_path(self, index: int, proposes: bool = False) -> Path:
        """The superpixels, or the proposal, of a validation image under the pretrained model."""
        return self._validation / f"{'proposal' if proposes else 'regions'}-{index}.z"

    def write_validation(
        self, validation: Validation, masks: NDArray[np.bool_] | None, maps: Maps
    ) -> None:
        """Keep what practice needs: names, masks [N, H, W] and the pretrained model's maps."""
        if masks is not None:
            packed = np.packbits(masks, axis=None)
            write_atomically(self._validation / "masks.npz", _npz(bits=packed, shape=masks.shape))
        write_atomically(self._validation / "maps.npz", _npz(maps=maps))
        rows = [_row(frame) for frame in validation.frames]
        facts = json.dumps(validation.__dict__ | {"frames": rows}).encode()
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

    # -- reveal ----------------------------------------------------------------------------

    def write_reveal(
        self, candidates: Sequence[Candidate], classes: Sequence[str], pictures: Iterable[Revealed]
    ) -> None:
        """Keep what the reveal shows: every candidate by every source and share."""
        for index, source, share, picture in pictures:
            path = self._reveal_path(index, source, share)
            if not path.exists():
                write_atomically(path, _encoded(picture, "PNG"))
        facts = {"candidates": [asdict(one) for one in candidates], "classes": list(classes)}
        write_atomically(self.folder / "reveal" / "reveal.json", json.dumps(facts).encode())

    def reveal(self) -> tuple[list[Candidate], list[str]] | None:
        """The reveal's candidates and the dataset's classes; None while they are not written."""
        path = self.folder / "reveal" / "reveal.json"
        if not path.exists():
            return None
        facts = json.loads(path.read_bytes())
        return [Candidate(**one) for one in facts["candidates"]], facts["classes"]

    def revealed(self, trial: Trial) -> bytes:
        """The picture of a trial (PNG)."""
        return self._reveal_path(trial.candidate, trial.source, trial.share).read_bytes()

    def _reveal_path(self, index: int, source: str, share: float) -> Path:
        return self.folder / "reveal" / f"{index}-{source}-{share:g}.png"

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


def shares(maps: Maps) -> Maps:
    """Maps [N, h, w] as shares that sum to one."""
    found: Maps = maps / maps.sum((1, 2), keepdims=True).clip(1e-9)
    return found


def pack_regions(labels: NDArray[np.int32], frame: Frame = WHOLE) -> bytes:
    """Superpixels [H, W] as zlib-compressed little-endian uint16: H, W, then the rows.

    They lie over the photograph; what the network does not see of it has the label UNSEEN.
    """
    if not frame.whole:
        shape = frame.photograph_shape(labels.shape[0], labels.shape[1])
        labels = frame.over_photograph(labels, shape, UNSEEN)
    head = np.array(labels.shape, dtype="<u2").tobytes()
    return zlib.compress(head + labels.astype("<u2").tobytes(), 6)


def unpack_regions(packed: bytes) -> NDArray[np.uint16]:
    """The superpixels [H, W] that :func:`pack_regions` packed."""
    values = np.frombuffer(zlib.decompress(packed), dtype="<u2")
    return values[2:].reshape(int(values[0]), int(values[1])).astype(np.uint16)


@functools.lru_cache(maxsize=2048)
def overlay_png(
    values: bytes, height: int, width: int, size: int, colours: str, frame: Frame = WHOLE
) -> bytes:
    """An attention map as a PNG to lay over its photograph, in the photograph's proportions.

    The more transparent the less attention, so that the image stays visible. Cividis goes from
    blue to yellow and reads the same to colour-blind people; jet from blue to red, as the paper's.
    What the network does not see lies under a grey veil.

    Args:
        values: float32 bytes of the map.
        height: rows of the map.
        width: columns of the map.
        size: longer side of the result, in pixels.
        colours: cividis or jet.
        frame: what of the photograph the map lies over.
    """
    raw = np.frombuffer(values, dtype=np.float32).reshape(height, width)
    grid = (np.maximum(raw, 0) / max(float(raw.max()), 1e-12)).astype(np.float32)
    scale = size / max(height, width)
    shape = (round(width * scale), round(height * scale))
    fine = np.asarray(Image.fromarray(grid).resize(shape, Image.Resampling.BILINEAR)).clip(0, 1)
    steps = (fine * (STEPS - 1)).round().astype(np.uint8)
    if frame.size[0] != frame.size[1]:
        across = min(size, round(size * frame.ratio))
        place = max(1, min(size, round(size / frame.ratio))), max(1, across)
        steps = frame.over_photograph(steps, place, STEPS)
    rgb, opacity = _palette(colours)
    # somebody waits for it: a byte a pixel, and no time for the smallest file
    picture = Image.fromarray(steps)
    picture.putpalette(rgb)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1, transparency=opacity)
    return buffer.getvalue()


@functools.lru_cache(maxsize=4)
def _palette(colours: str) -> tuple[bytes, bytes]:
    """RGB and opacity of every step of attention, and then of the veil."""
    share = np.linspace(0, 1, STEPS)
    rgb = _table(colours)[(share * 255).round().astype(np.uint8)]
    seen = (np.column_stack([rgb, share**0.75]) * 255).round().astype(np.uint8)
    every = np.vstack([seen, np.array(VEIL, dtype=np.uint8)])
    return every[:, :3].tobytes(), every[:, 3].tobytes()


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


def overlay(grid: Maps, colours: str = "cividis", size: int = 224, frame: Frame = WHOLE) -> bytes:
    """:func:`overlay_png` of an array [h, w]."""
    contiguous = np.ascontiguousarray(grid, dtype=np.float32)
    return overlay_png(contiguous.tobytes(), grid.shape[0], grid.shape[1], size, colours, frame)


def _encoded(picture: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    # all of the colour, and no metadata
    if kind == "JPEG":
        picture.save(buffer, "JPEG", quality=92, subsampling=0)
    else:
        picture.save(buffer, "PNG", compress_level=6)
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
        frames=tuple(_frame(row) for row in stored.get("frames", ())),
    )


@functools.lru_cache(maxsize=8)
def _read_validation(path: Path) -> Validation:
    stored = json.loads(path.read_bytes())
    frames = tuple(_frame(row) for row in stored.pop("frames", ()))
    return Validation(**{name: tuple(value) for name, value in stored.items()}, frames=frames)


def _row(frame: Frame) -> list[float]:
    return [frame.left, frame.top, frame.width, frame.height, *frame.size]


def _frame(row: Sequence[float]) -> Frame:
    left, top, width, height, across, down = (float(value) for value in row)
    return Frame(left, top, width, height, (int(across), int(down)))


@functools.lru_cache(maxsize=4)
def _read_masks(path: Path) -> NDArray[np.bool_]:
    stored = _read_arrays(path)
    shape = tuple(int(side) for side in stored["shape"])
    bits = np.unpackbits(stored["bits"], count=int(np.prod(shape)))
    return bits.reshape(shape).astype(bool)
