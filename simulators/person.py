"""Who a simulated participant is: every number that makes one person differ from another.

Nothing here is measured on the people of a study. Where a value has a source, the field names it;
"chosen" means that it is a plausible value of ours, "calibrated" that it was set so that drawn
scenes take the mean seconds per image of He et al. (2023), section 7.1. A calibrated simulation
cannot be evidence for the paper: it repeats it. The runner writes every parameter into the log.

.. warning::
   ``familiarity`` is the paper's *explanation* of why active sampling is faster (sections 7.1 and
   8.1: similar attention maps need less thought), turned into a cause. Any effect of sampling on
   simulated seconds per image comes from it, or from the number of clicks a map provokes. Set it
   to 0 to remove it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

Rate = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Factor = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class Person(BaseModel):
    """One simulated participant. The defaults are the centre of :meth:`draw`'s population."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # How fast
    speed: Factor = Field(
        default=1.0,
        description="Factor on every time; log-normal, SD of the log .1 (calibrated: section "
        "7.1's SDs between participants are 13-20% of the means).",
    )
    click_speed: Factor = Field(
        default=1.0, description="Factor on times in the click interface; log SD .05 (chosen)."
    )
    polygon_speed: Factor = Field(
        default=1.0, description="Factor on times in the polygon interface; log SD .07 (chosen)."
    )
    noise: Amount = Field(
        default=0.3,
        description="SD of the log of each action's time (chosen; log-normal noise around a "
        "keystroke-level sum).",
    )
    learning_gain: Amount = Field(
        default=0.4,
        description="How much longer the first item of an interface takes: factor 1 + gain * "
        "trial ** -rate (the power law of practice with an asymptote; values chosen).",
    )
    learning_rate: Amount = Field(default=0.4, description="Exponent of the power law (chosen).")
    fatigue: Amount = Field(
        default=0.03, description="Share by which times grow per hour of annotation (chosen)."
    )
    familiarity: Rate = Field(
        default=0.5,
        description="Share of thinking time saved when an attention map equals those just "
        "seen. THE PAPER'S HYPOTHESIS (7.1, 8.1) BUILT IN; 0 removes it.",
    )
    pause_rate: Rate = Field(
        default=0.003, description="Probability per item of looking away (chosen)."
    )
    pause_seconds: Factor = Field(
        default=20.0, description="Median length of such a pause in seconds, log SD .6 (chosen)."
    )

    # How exact
    slip_rate: Rate = Field(
        default=0.02, description="Probability that a press lands elsewhere (chosen)."
    )
    notice_rate: Rate = Field(
        default=0.9, description="Probability of noticing, and undoing, one's slip (chosen)."
    )
    miss_rate: Rate = Field(
        default=0.015,
        description="Probability of overlooking an object; twice that for the smaller ones "
        "of several (chosen).",
    )
    vertex_tolerance: Factor = Field(
        default=0.18,
        description="How far a drawn polygon may leave the outline, in units of the "
        "object's equivalent diameter; log SD .1 (calibrated: coarse outlines, as 8.7 s allow).",
    )
    hand: Amount = Field(
        default=0.003,
        description="SD of the hand's position at a vertex, in image sides (chosen; a bit "
        "over 1 px on a 400 px canvas).",
    )

    # What is worth correcting
    notable: Rate = Field(
        default=0.5,
        description="Attention outside the object is worth a right click where the shown map "
        "is above this share of its maximum (chosen: the warm half of the colour scale).",
    )
    satisfied: Rate = Field(
        default=0.8,
        description="Attention is right when this share of it lies on or next to the object "
        "(chosen).",
    )
    diligence: Rate = Field(
        default=0.7,
        description="Probability of clicking the object although the attention is right "
        "(chosen; users 'are not required to click on all ROIs', section 3.6).",
    )

    # In the session
    practice_failure_rate: Rate = Field(
        default=0.08, description="Probability that an attempt at a practice item fails (chosen)."
    )
    check_miss_rate: Rate = Field(
        default=0.03, description="Probability of missing an attention check (chosen)."
    )

    # How questions are answered
    taste: float = Field(
        default=0.0,
        description="Liking for clicks over polygons beyond what time and errors say, in SDs "
        "of the attitude; normal, SD .8 (calibrated: 12 of 16 prefer clicks, section 7.3).",
    )
    acquiescence: float = Field(
        default=0.0,
        description="Shift towards agreeing, in SDs of the attitude; normal, SD .3 (chosen).",
    )
    extremity: Factor = Field(
        default=1.0,
        description="Factor that pushes answers to the ends of a scale; log SD .2 (chosen).",
    )
    answer_noise: Amount = Field(
        default=0.5, description="SD of the noise of one answer, in SDs of the attitude (chosen)."
    )

    @classmethod
    def draw(cls, rng: np.random.Generator, fixed: Mapping[str, float] | None = None) -> Person:
        """A person from the population that the fields describe.

        Rates are beta-distributed around their defaults (the concentration is 40, which for
        instance gives slip rates between .001 and .07 for 95% of people).

        Args:
            rng: the stream that belongs to this participant.
            fixed: parameters that are the same for everybody, e.g. ``{"familiarity": 0.0}``; the
                others do not change by fixing one.
        """
        defaults = cls()

        def log_normal(name: str, sd: float) -> float:
            return float(getattr(defaults, name) * np.exp(rng.normal(0.0, sd)))

        def beta(name: str, concentration: float = 40.0) -> float:
            mean = getattr(defaults, name)
            return float(rng.beta(mean * concentration, (1.0 - mean) * concentration))

        values = {
            "speed": log_normal("speed", 0.1),
            "click_speed": log_normal("click_speed", 0.05),
            "polygon_speed": log_normal("polygon_speed", 0.07),
            "learning_gain": log_normal("learning_gain", 0.3),
            "learning_rate": log_normal("learning_rate", 0.2),
            "fatigue": log_normal("fatigue", 0.5),
            "familiarity": beta("familiarity"),
            "slip_rate": beta("slip_rate"),
            "notice_rate": beta("notice_rate"),
            "miss_rate": beta("miss_rate"),
            "vertex_tolerance": log_normal("vertex_tolerance", 0.1),
            "hand": log_normal("hand", 0.2),
            "notable": beta("notable"),
            "satisfied": beta("satisfied"),
            "diligence": beta("diligence", 8.0),
            "practice_failure_rate": beta("practice_failure_rate"),
            "check_miss_rate": beta("check_miss_rate"),
            "taste": float(rng.normal(0.0, 0.8)),
            "acquiescence": float(rng.normal(0.0, 0.3)),
            "extremity": log_normal("extremity", 0.2),
        }
        return cls.model_validate(values | dict(fixed or {}))
