"""What a browser says: the events of a person at the canvas, before they are events of the log.

The browser says what was done and when; what follows from it (the page of an image, the number of
a visit, whether a practice item or an attention check was done rightly) is worked out here, so
that a stale or meddling browser cannot say it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from study.annotation import Annotation, Point
from study.protocol.events import Action, Environment, Name, Seconds

MOST_POINTS, MOST_REGIONS, MOST_OUTLINES, MOST_CORNERS = 1000, 300, 200, 5000
MOST_ACTIONS = 20_000
"""More than anybody does on one image; what is more is a fault or a lie, and slows everybody."""


def _drawn_by_a_person(annotation: Annotation) -> Annotation:
    """Refuse an annotation that nobody draws."""
    for what, many, most in (
        ("positive points", len(annotation.positive_points), MOST_POINTS),
        ("regions", len(annotation.negative_regions), MOST_REGIONS),
        ("outlines", len(annotation.polygons), MOST_OUTLINES),
        ("corners", sum(map(len, annotation.polygons)), MOST_CORNERS),
        ("boxes", len(annotation.boxes), MOST_OUTLINES),
        ("answers", len(annotation.proposals), MOST_OUTLINES),
        (
            "corrective clicks",
            sum(len(p.grow) + len(p.shrink) for p in annotation.proposals),
            MOST_REGIONS,
        ),
        ("strokes", len(annotation.strokes), MOST_POINTS),
        ("points of strokes", sum(len(s.points) for s in annotation.strokes), MOST_ACTIONS),
    ):
        if many > most:
            raise ValueError(f"an image takes at most {most} {what}, not {many}")
    return annotation


Drawn = Annotated[Annotation, AfterValidator(_drawn_by_a_person)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Identity = Annotated[str, Field(pattern=r"^[0-9a-zA-Z-]{8,64}$")]


class Message(BaseModel):
    """Anything a browser says. ``id`` makes it the same thing said twice; ``at`` is in seconds
    since 1970 on the server's clock, as the browser estimates it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Identity
    at: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class TimedMessage(Message):
    """What took ``seconds``."""

    seconds: Seconds


class EnvironmentMessage(Message):
    """What the study is seen with."""

    type: Literal["environment"]
    environment: Environment


class AnnotatedMessage(TimedMessage):
    """An item was confirmed.

    ``learnt`` is that of the state whose attention was shown; None where none was.
    """

    type: Literal["annotated"]
    position: Count
    cycle: Count
    image: Name
    annotation: Drawn
    actions: Annotated[tuple[Action, ...], Field(max_length=MOST_ACTIONS)] = ()
    learnt: Annotated[int, Field(ge=0, le=1_000_000)] | None = None


class Sketch(BaseModel):
    """What is drawn on an image of the batch so far, for a preview of its effect."""

    position: Count
    cycle: Count
    index: Annotated[int, Field(ge=0, le=1_000_000)]
    annotation: Drawn


class PractisedMessage(TimedMessage):
    """A practice item was confirmed."""

    type: Literal["practised"]
    interface: Name
    attempt: Count
    annotation: Drawn
    helped: bool = False


class CheckedMessage(TimedMessage):
    """An attention check was answered with a click at ``point``."""

    type: Literal["checked"]
    position: Count
    number: Count
    attempt: Annotated[int, Field(ge=1, le=2)] = 1
    point: Point


class CategorisedMessage(TimedMessage):
    """What was shown for a moment was categorised, ``seconds`` after it appeared.

    ``answer`` is the place of the choice; ``onset``, on the server's clock, and ``shown``, in
    seconds, are those of the browser's animation frames; ``early`` counts answers before the onset.
    """

    type: Literal["categorised"]
    number: Count
    answer: Literal[0, 1]
    onset: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    shown: Seconds
    early: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class RestedMessage(TimedMessage):
    """A rest inside a task, of ``seconds``, is over."""

    type: Literal["rested"]
    position: Count
    number: Count


class SatisfiedMessage(TimedMessage):
    """The participant ends the task: the result is satisfactory."""

    type: Literal["satisfied"]
    position: Count


AnyMessage = (
    EnvironmentMessage
    | AnnotatedMessage
    | PractisedMessage
    | CheckedMessage
    | CategorisedMessage
    | RestedMessage
    | SatisfiedMessage
)
MESSAGE: TypeAdapter[AnyMessage] = TypeAdapter(Annotated[AnyMessage, Field(discriminator="type")])
