"""An annotated image as a picture: what was drawn, over the image and its attention."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from apps.web.stimuli import Maps, overlay
from study.annotation import Annotation, fill_strokes
from study.framing import WHOLE, Frame

SIZE = 480
GREEN, RED, SOLID_RED = (18, 176, 76, 255), (214, 39, 29, 150), (214, 39, 29, 255)


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
    for region in annotation.negative_regions:
        alpha = Image.fromarray(region.mask().astype(np.uint8) * RED[3]).resize(size)
        stain = Image.new("RGBA", base.size, RED[:3])
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
    return Image.alpha_composite(base, drawn).convert("RGB")


def _mark(draw: ImageDraw.ImageDraw, x: float, y: float, colour: tuple[int, int, int, int]) -> None:
    draw.ellipse((x - 7, y - 7, x + 7, y + 7), fill=colour, outline=(255, 255, 255, 255), width=2)
