"""What the annotation workspace shows."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import Field, model_validator

from study.config.design import InterfaceName
from study.config.section import Section, Share, Whole
from study.interfaces import OURS


class Hotkeys(Section):
    """Keys of the workspace, by the names that browsers give them (``KeyboardEvent.key``).

    Undo and redo are Ctrl+Z and Ctrl+Shift+Z.
    """

    confirm: str = "Enter"
    nothing: str = "n"
    cancel: str = "Escape"
    attention: str = "a"
    next: str = "PageDown"
    help: str = "?"

    @model_validator(mode="after")
    def _are_different(self) -> Hotkeys:
        keys = Counter(key.lower() for key in self.model_dump().values())
        for key, count in keys.items():
            if count > 1:
                raise ValueError(f"the key {key!r} has {count} meanings; give each its own key")
        return self


class WorkspaceConfig(Section):
    """What the annotation workspace shows and records.

    ``opacity`` is the attention overlay's to begin with, ``colours`` its colour map (cividis is
    the same to colour-blind people, jet the paper's); ``test_mode`` lets participants look at
    the current model's attention on validation images, with its accuracy (section 3.4).

    ``longest_side`` is that of the photographs that people see, in pixels, at most; smaller ones
    are not enlarged.

    ``smallest_window`` is the width and height, in CSS pixels, below which the study waits for a
    larger one.

    ``feedback`` says when the model learns from what was drawn: after each ``round``, or after
    each ``image``, so that the next image shows what the last one taught (needs
    ``fine_tuning.train = "head"``). ``preview`` shows, while something is drawn, how this image's
    attention would move (the same need).
    """

    smallest_window: tuple[Whole, Whole] = (0, 0)
    show_attention: tuple[InterfaceName, ...] = OURS
    opacity: Share = 0.55
    colours: Literal["cividis", "jet"] = "cividis"
    test_mode: bool = True
    feedback: Literal["round", "image"] = "round"
    preview: bool = False
    longest_side: Annotated[int, Field(strict=True, ge=64, le=4096)] = 1280
    idle_seconds: Annotated[float, Field(strict=True, gt=0)] = 10.0
    hotkeys: Hotkeys = Hotkeys()
