"""Who a simulated participant is: every number that makes one person differ from another.

Nothing here is measured on the people of a study. Where a value has a source, the field names it;
"chosen" means that it is a plausible value of ours, "calibrated" that it was set, with all others
so marked, so that maps of a biased network take the mean seconds per image of He et al. (2023),
section 7.1, with their SDs (docs/simulated-people.md). A calibrated simulation cannot be evidence
for the paper: it repeats it. The runner writes every parameter into the log.

A field is written once: its default is the centre of the population and the spread beside its type
says how people differ around it (:mod:`simulators.spread`); a field without one is everybody's.

.. warning::
   ``familiarity`` is the paper's *explanation* of why active sampling is faster (sections 7.1 and
   8.1: similar attention maps need less thought), turned into a cause by the instance theory of
   automaticity (Logan 1988; with similarity as Palmeri 1997). Any effect of sampling on
   simulated seconds per image comes from it, or from the number of clicks a map provokes. Set it
   to 0 to remove it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulators.spread import Beta, LogNormal, Normal, Spread

Rate = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Factor = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
AIMS = ("middle", "farthest", "edge", "anywhere")
"""Where a click may be aimed other than in proportion to the distance from the object's edge."""


class Person(BaseModel):
    """One simulated participant. The defaults are the centre of the declared population."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # How fast
    speed: Annotated[Factor, LogNormal(0.04)] = Field(
        default=1.0,
        description="Factor on every time (calibrated: section 7.1's SDs between participants "
        "are 13-20% of the means, most of which comes from thinking here).",
    )
    click_speed: Annotated[Factor, LogNormal(0.02)] = Field(
        default=1.0, description="Factor on times in the click interface (calibrated)."
    )
    polygon_speed: Annotated[Factor, LogNormal(0.065)] = Field(
        default=1.0, description="Factor on times in the polygon interface (calibrated)."
    )
    decision: Annotated[Factor, LogNormal(0.13)] = Field(
        default=2.5,
        description="Seeing the image and deciding what to do, seconds, without blobs of "
        "attention (calibrated).",
    )
    heed: Annotated[Factor, LogNormal(0.43)] = Field(
        default=1.0,
        description="Factor on deciding where the interface 'does not require the user to "
        "consider the attention map' (section 8.1.2): some look at it all the same and some do "
        "not (spread calibrated).",
    )
    blob: Amount = Field(
        default=0.15,
        description="Seconds of deciding for each doubling of one more than the blobs of "
        "attention that are looked at (Hick-Hyman law: .15 s a bit; Card, Moran & Newell 1983).",
    )
    preparation: Factor = Field(
        default=1.35,
        description="One mental preparation M, seconds: before a right click and before "
        "confirming (keystroke-level model, Card, Moran & Newell 1980).",
    )
    vertex_pace: Factor = Field(
        default=0.36,
        description="Factor on the time to place a vertex after the first: an outline is one "
        "rhythmic movement (calibrated).",
    )
    noise: Amount = Field(
        default=0.3,
        description="SD of the log of the time of an action without thought (chosen; log-normal "
        "noise around a keystroke-level sum).",
    )
    thought_noise: Amount = Field(
        default=0.5,
        description="SD of the log of the time of an action with thought (chosen; decisions "
        "vary more than movements).",
    )
    learning_gain: Annotated[Amount, LogNormal(0.3)] = Field(
        default=0.4,
        description="How much longer the first item of an interface takes: factor 1 + gain * "
        "trial ** -rate (the power law of practice with an asymptote, Newell & Rosenbloom 1981; "
        "values chosen).",
    )
    learning_rate: Annotated[Amount, LogNormal(0.2)] = Field(
        default=0.4, description="Exponent of the power law (chosen)."
    )
    fatigue: Annotated[Amount, LogNormal(0.5)] = Field(
        default=0.03, description="Share by which times grow per hour of annotation (chosen)."
    )
    recovery: Rate = Field(
        default=0.5, description="Share of the tiredness that a break takes away (chosen)."
    )
    familiarity: Annotated[Amount, LogNormal(0.62)] = Field(
        default=0.9,
        description="Exponent of the power law by which thinking about a map gets shorter with "
        "the number of maps like it that were just seen (instance theory, Logan 1988; calibrated). "
        "THE PAPER'S HYPOTHESIS (7.1, 8.1) BUILT IN; 0 removes it.",
    )
    pause_rate: Rate = Field(
        default=0.003, description="Probability per item of looking away (chosen)."
    )
    pause_seconds: Factor = Field(
        default=20.0, description="Mean length of such a pause in seconds, log SD .6 (chosen)."
    )

    # Where the hand goes
    aim_middle: Rate = Field(
        default=0.0,
        description="Share of clicks aimed at the object's pixel nearest its centre of mass.",
    )
    aim_farthest: Rate = Field(
        default=0.0,
        description="Share of clicks aimed at the pixel farthest from the object's edge (the "
        "ideal clicker of RITM, Sofiiuk et al. 2022).",
    )
    aim_edge: Rate = Field(
        default=0.0,
        description="Share of clicks aimed near the edge: in inverse proportion to the square "
        "of the distance from it.",
    )
    aim_anywhere: Rate = Field(
        default=0.0,
        description="Share of clicks aimed anywhere inside the object alike. What the four leave "
        "is in proportion to the distance from the edge, which fits 475,000 human clicks better "
        "than the farthest pixel (RClicks, Antonov et al. 2024).",
    )
    motor: Annotated[Amount, LogNormal(0.2)] = Field(
        default=0.006,
        description="SD of where a press lands, in image sides for each image side per second "
        "of the movement: spread grows with speed (Schmidt et al. 1979; value chosen, 1-4 px "
        "on a canvas of 400).",
    )
    slip_rate: Annotated[Rate, Beta(0.022)] = Field(
        default=0.02, description="Probability that a press lands elsewhere (chosen)."
    )
    wrong_rate: Annotated[Rate, Beta(0.008)] = Field(
        default=0.005,
        description="Probability of clicking something that is not of the class: where the "
        "attention lies, or anywhere when none is shown (chosen).",
    )
    notice_rate: Annotated[Rate, Beta(0.047)] = Field(
        default=0.9, description="Probability of noticing, and undoing, a mistake (chosen)."
    )
    miss_rate: Annotated[Rate, Beta(0.019)] = Field(
        default=0.015,
        description="Probability of overlooking an object (twice that for the smaller ones of "
        "several) or a blob of attention (chosen).",
    )
    vertex_tolerance: Annotated[Factor, LogNormal(0.1)] = Field(
        default=0.18,
        description="How far a drawn polygon may leave the outline, in units of the "
        "object's equivalent diameter (calibrated: coarse outlines, as 8.7 s allow).",
    )
    hand: Annotated[Amount, LogNormal(0.2)] = Field(
        default=0.003,
        description="SD of the hand's position at a vertex, in image sides (chosen; a bit "
        "over 1 px on a 400 px canvas).",
    )

    # What is worth correcting
    notable: Annotated[Rate, Beta(0.115)] = Field(
        default=0.75,
        description="A region is worth a right click where the shown map rises above this share "
        "of its maximum (calibrated: the red end of the colour scale).",
    )
    satisfied: Annotated[Rate, Beta(0.062)] = Field(
        default=0.8,
        description="Attention is right when this share of what is left of it lies on or next "
        "to the object (chosen).",
    )
    patience: Annotated[Rate, Beta(0.086)] = Field(
        default=0.11,
        description="Probability of going on to another region when one was taken away and the "
        "attention is not right yet (calibrated).",
    )
    diligence: Annotated[Rate, Beta(0.15)] = Field(
        default=0.7,
        description="Probability of clicking the object although the attention is right "
        "(chosen; users 'are not required to click on all ROIs', section 3.6).",
    )

    # In the session
    practice_failure_rate: Annotated[Rate, Beta(0.042)] = Field(
        default=0.08, description="Probability that an attempt at a practice item fails (chosen)."
    )
    check_miss_rate: Annotated[Rate, Beta(0.027)] = Field(
        default=0.03, description="Probability of missing an attention check (chosen)."
    )

    # How questions are answered
    minds_time: Annotated[Amount, LogNormal(0.3)] = Field(
        default=1.2,
        description="Latent difficulty for each unit of the log of seconds per image (calibrated: "
        "section 7.3).",
    )
    minds_presses: Annotated[Amount, LogNormal(0.3)] = Field(
        default=1.1,
        description="Latent difficulty for each unit of the log of presses per image (calibrated: "
        "section 7.3).",
    )
    minds_corrections: Annotated[Amount, LogNormal(0.3)] = Field(
        default=0.5, description="Latent difficulty for each correction per image (chosen)."
    )
    minds_maps: Annotated[Amount, LogNormal(0.3)] = Field(
        default=4.0,
        description="Latent satisfaction with maps for the whole of the attention being inside of "
        "the objects (chosen).",
    )
    minds_gain: Annotated[Amount, LogNormal(0.3)] = Field(
        default=10.0,
        description="Latent satisfaction with networks for the whole of the accuracy being gained "
        "(chosen: ten points of accuracy are 1).",
    )
    hardness: Annotated[float, Normal(0.5)] = Field(
        default=0.0, description="How difficult the person finds any task, in SDs (chosen)."
    )
    contentment: Annotated[float, Normal(0.3)] = Field(
        default=0.0, description="How satisfied the person is with any result, in SDs (chosen)."
    )
    taste: Annotated[float, Normal(0.8)] = Field(
        default=0.0,
        description="Liking for clicks over polygons beyond what time and errors say, in SDs "
        "of the attitude (calibrated: 12 of 16 prefer clicks, section 7.3).",
    )
    acquiescence: Annotated[float, Normal(0.3)] = Field(
        default=0.0, description="Shift towards agreeing, in SDs of the attitude (chosen)."
    )
    extremity: Annotated[Factor, LogNormal(0.2)] = Field(
        default=1.0,
        description="Factor that pushes answers to the ends of a scale (chosen).",
    )
    answer_noise: Amount = Field(
        default=0.5,
        description="SD of the logistic noise of one answer, in SDs of the attitude: pi / sqrt(3) "
        "by the discrimination of the graded response model (chosen).",
    )

    @model_validator(mode="after")
    def _aims_are_shares(self) -> Person:
        if sum(getattr(self, f"aim_{name}") for name in AIMS) > 1.0 + 1e-9:
            names = ", ".join(f"aim_{name}" for name in AIMS)
            raise ValueError(f"{names} are shares of the clicks and add up to more than 1")
        return self

    @classmethod
    def spreads(cls) -> dict[str, Spread]:
        """The law of every parameter that differs between people."""
        return {
            name: mark
            for name, field in cls.model_fields.items()
            for mark in field.metadata
            if isinstance(mark, Spread)
        }
