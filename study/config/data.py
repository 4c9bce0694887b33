"""Where the images come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from study.config.section import Positive, Section, Share, Whole


class ScenesConfig(Section):
    """Drawn boats and airplanes; see :mod:`study.data.scenes`."""

    kind: Literal["scenes"] = "scenes"
    scene: Literal["beside", "background"] = "beside"
    size: Annotated[int, Field(strict=True, ge=32, le=512)] = 80
    bias: Annotated[float, Field(strict=True, ge=0.5, le=1.0)] = 0.95
    train: Positive = 2000
    val: Positive = 200
    test: Positive = 600
    balanced: Positive = 600
    several: Share = 0.15
    seed: Whole = 0


class CocoConfig(Section):
    """The COCO-2017 layout; see :mod:`study.data.coco`."""

    kind: Literal["coco"]
    root: Path
    categories: Annotated[tuple[str, ...], Field(min_length=1)]
    none_class: str | None = None
    several: Literal["drop", "largest"] = "drop"
    contexts: tuple[str, ...] = ()
    size: Annotated[int, Field(strict=True, ge=32, le=1024)] = 224
    train: str = "train2017"
    test: str = "val2017"
    val_share: Annotated[float, Field(strict=True, gt=0.0, lt=0.5)] = 0.1
    limit: Positive | None = None
    """At most this many images of each annotation file, drawn so that class shares stay."""
    seed: Whole = 0
    """Draws the val split and the images kept by ``limit``."""


class FolderConfig(Section):
    """Class folders with optional masks and contexts; see :mod:`study.data.folder`."""

    kind: Literal["folder"]
    root: Path
    size: Annotated[int, Field(strict=True, ge=32, le=1024)] = 224
    masks: str | None = None
    contexts: str | None = None
    val_share: Annotated[float, Field(strict=True, gt=0.0, lt=0.5)] = 0.1
    test_share: Annotated[float, Field(strict=True, gt=0.0, lt=0.5)] = 0.2
    seed: Whole = 0
    """Draws the splits that have no folder of their own."""


DatasetConfig = Annotated[ScenesConfig | CocoConfig | FolderConfig, Field(discriminator="kind")]
