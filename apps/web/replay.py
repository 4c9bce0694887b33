"""An annotated image as a picture, and how it came about as a film."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from apps.web.rebuilding import Drawing, Moment
from apps.web.stimuli import Maps, overlay
from study.annotation import ANSWERS, Point, Region, fill_strokes
from study.framing import WHOLE, Frame

SIZE = 480
GREEN, RED, SOLID_RED = (18, 176, 76, 255), (214, 39, 29, 150), (214, 39, 29, 255)
STAINS = {"inside": (*GREEN[:3], 90), "outside": RED, "": (255, 210, 63, 110)}
"""Of a proposed region, by what its answer asks of attention."""
ORANGE, BLUE = (245, 163, 0, 255), (31, 95, 168, 255)
SHORTEST, LONGEST, LAST = 0.04, 3.0, 1.5
"""Seconds that a moment of a film is shown: at least, at most, and the last one."""


def ground(path: Path, attention: Maps | None, frame: Frame = WHOLE) -> Image.Image:
    """The image at ``path`` with its attention overlay."""
    base = Image.open(path).convert("RGBA")
    scale = SIZE / max(base.size)
    size = (max(1, round(base.width * scale)), max(1, round(base.height * scale)))
    base = base.resize(size, Image.Resampling.BICUBIC)
    if attention is not None:
        shown = Image.open(io.BytesIO(overlay(attention, size=SIZE, frame=frame)))
        layer = shown.convert("RGBA").resize(size)
        layer.putalpha(layer.getchannel("A").point(lambda alpha: int(alpha * 0.55)))
        base = Image.alpha_composite(base, layer)
    return base


def film(base: Image.Image, moments: Sequence[Moment], speed: float = 1.0) -> bytes:
    """What was done as an animated WebP, each moment as long as it lasted, over ``speed``.

    Moments too short to be seen are passed over; nobody waits longer than ``LONGEST`` for the next.
    """
    ends = [moment.t for moment in moments[1:]]
    frames, lasting = [], []
    waited = 0.0
    for moment, end in zip(moments, [*ends, None], strict=True):
        waited += LAST if end is None else (end - moment.t) / speed
        if waited < SHORTEST:
            continue
        frames.append(picture(base, moment.drawing, moment.at))
        lasting.append(round(1000 * min(waited, LONGEST)))
        waited = 0.0
    buffer = io.BytesIO()
    frames[0].save(
        buffer, "WEBP", save_all=True, append_images=frames[1:], duration=lasting, loop=0,
        quality=75, method=2,
    )  # fmt: skip
    return buffer.getvalue()


def picture(base: Image.Image, drawing: Drawing, at: Point | None = None) -> Image.Image:
    """What is drawn, on its ground.

    Args:
        base: see :func:`ground`.
        drawing: what is drawn at the moment.
        at: where the last action was.
    """
    size = base.size
    for proposal in drawing.proposals:
        base = _stained(base, proposal.region, STAINS[ANSWERS[proposal.answer]])
    for region in drawing.regions:
        base = _stained(base, region, RED)
    drawn = Image.new("RGBA", base.size)
    draw = ImageDraw.Draw(drawn)

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return point[0] * size[0], point[1] * size[1]

    for polygon in drawing.polygons:
        corners = [place(corner) for corner in polygon]
        draw.polygon(corners, fill=(*GREEN[:3], 70))
        draw.line([*corners, corners[0]], fill=GREEN, width=3)
    for box in drawing.boxes:
        corners = [place(corner) for corner in box.corners]
        draw.polygon(corners, fill=(*GREEN[:3], 70))
        draw.line([*corners, corners[0]], fill=GREEN, width=3)
    if drawing.strokes:
        cover = fill_strokes(drawing.strokes, size[1], size[0], 1)
        paint = Image.new("RGBA", base.size, GREEN[:3])
        paint.putalpha(Image.fromarray((cover * 120).astype(np.uint8)))
        base = Image.alpha_composite(base, paint)
    if len(drawing.open) > 1:
        draw.line([place(corner) for corner in drawing.open], fill=GREEN, width=2)
    for point in drawing.open:
        _mark(draw, *place(point), ORANGE)
    for point in (*drawing.points, *drawing.grow):
        _mark(draw, *place(point), GREEN)
    for point in (*(region.point for region in drawing.regions), *drawing.shrink):
        _mark(draw, *place(point), SOLID_RED)
    if at is not None:
        x, y = place(at)
        draw.ellipse((x - 13, y - 13, x + 13, y + 13), outline=BLUE, width=3)
    return Image.alpha_composite(base, drawn).convert("RGB")


def _stained(base: Image.Image, region: Region, colour: tuple[int, int, int, int]) -> Image.Image:
    stain = Image.new("RGBA", base.size, colour[:3])
    mask = Image.fromarray(region.mask().astype(np.uint8) * colour[3])
    stain.putalpha(mask.resize(base.size))
    return Image.alpha_composite(base, stain)


def _mark(draw: ImageDraw.ImageDraw, x: float, y: float, colour: tuple[int, int, int, int]) -> None:
    draw.ellipse((x - 7, y - 7, x + 7, y + 7), fill=colour, outline=(255, 255, 255, 255), width=2)
