"""An annotated image as a picture: what was drawn, over the image and its attention."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from apps.web.stimuli import Maps, overlay
from study.annotation import ANSWERS, Annotation, fill_strokes
from study.framing import WHOLE, Frame

SIZE = 480
GREEN, RED, SOLID_RED = (18, 176, 76, 255), (214, 39, 29, 150), (214, 39, 29, 255)
STAINS = {"inside": (*GREEN[:3], 90), "outside": RED, "": (255, 210, 63, 110)}
"""Of a proposed region, by what its answer asks of attention."""


def picture(
    path: Path, attention: Maps | None, annotation: Annotation, frame: Frame = WHOLE
) -> Image.Image:
    """The image at ``path`` with its attention overlay and the annotation on it."""
    base = Image.open(path).convert("RGBA")
    scale = SIZE / max(base.size)
    size = (max(1, round(base.width * scale)), max(1, round(base.height * scale)))
    base = base.resize(size, Image.Resampling.BICUBIC)
    if attention is not None:
        layer = Image.open(io.BytesIO(overlay(attention, size=SIZE, frame=frame))).resize(size)
        layer.putalpha(layer.getchannel("A").point(lambda alpha: int(alpha * 0.55)))
        base = Image.alpha_composite(base, layer)
    stains = [(region, RED) for region in annotation.negative_regions]
    stains += [(each.region, STAINS[ANSWERS[each.answer]]) for each in annotation.proposals]
    for region, colour in stains:
        alpha = Image.fromarray(region.mask().astype(np.uint8) * colour[3]).resize(size)
        stain = Image.new("RGBA", base.size, colour[:3])
        stain.putalpha(alpha)
        base = Image.alpha_composite(base, stain)
    drawn = Image.new("RGBA", base.size)
    draw = ImageDraw.Draw(drawn)

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return point[0] * size[0], point[1] * size[1]

    for polygon in annotation.polygons:
        corners = [place(corner) for corner in polygon]
        draw.polygon(corners, fill=(*GREEN[:3], 70))
        draw.line([*corners, corners[0]], fill=GREEN, width=3)
    for box in annotation.boxes:
        corners = [place(corner) for corner in box.corners]
        draw.polygon(corners, fill=(*GREEN[:3], 70))
        draw.line([*corners, corners[0]], fill=GREEN, width=3)
    if annotation.strokes:
        cover = fill_strokes(annotation.strokes, size[1], size[0], 1)
        paint = Image.new("RGBA", base.size, GREEN[:3])
        paint.putalpha(Image.fromarray((cover * 120).astype(np.uint8)))
        base = Image.alpha_composite(base, paint)
    for point in annotation.positive_points:
        _mark(draw, *place(point), GREEN)
    for region in annotation.negative_regions:
        _mark(draw, *place(region.point), SOLID_RED)
    for proposal in annotation.proposals:
        for point in proposal.grow:
            _mark(draw, *place(point), GREEN)
        for point in proposal.shrink:
            _mark(draw, *place(point), SOLID_RED)
    return Image.alpha_composite(base, drawn).convert("RGB")


def _mark(draw: ImageDraw.ImageDraw, x: float, y: float, colour: tuple[int, int, int, int]) -> None:
    draw.ellipse((x - 7, y - 7, x + 7, y + 7), fill=colour, outline=(255, 255, 255, 255), width=2)
