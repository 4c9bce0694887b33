"""The sequences of conditions, and how long a task is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from study.config.section import NonNegative, Positive, Section, Share

InterfaceName = Literal["polygon", "click"]
MOST_FOR_ALL = 6
"""Conditions of which every order can still be listed (720)."""


class SequencesConfig(Section):
    """The orders in which participants meet the conditions."""

    plan: Literal["williams", "all", "listed"] = "williams"
    listed: tuple[tuple[str, ...], ...] = ()

    @model_validator(mode="after")
    def _listed_goes_with_plan(self) -> SequencesConfig:
        if (self.plan == "listed") != bool(self.listed):
            raise ValueError("give sequences.listed exactly when sequences.plan = 'listed'")
        return self


class TaskConfig(Section):
    """How long a task is and how it is cut into cycles and pages (sections 6.4, 3.4).

    ``clock`` says what the minutes count: time spent annotating (so that a slow machine does not
    shorten the task), or everything since the task began.
    """

    minutes: Annotated[float, Field(strict=True, gt=0)] = 45.0
    clock: Literal["annotation", "total"] = "annotation"
    images: Positive | None = None
    cycles: Positive | None = None
    page: Positive = 64
    batch: Positive = 256


class PracticeConfig(Section):
    """Items each participant must do correctly with an interface before its first task."""

    items: Annotated[int, Field(strict=True, ge=0)] = 3
    polygon_iou: Share = 0.5


class BreakConfig(Section):
    """The rest between tasks, in seconds."""

    seconds: NonNegative = 300.0


class AttentionCheckConfig(Section):
    """Every how many images a marked target must be hit (0: never, as in the paper)."""

    every: Annotated[int, Field(strict=True, ge=0)] = 0
    radius: Annotated[float, Field(strict=True, gt=0.0, le=0.5)] = 0.08
