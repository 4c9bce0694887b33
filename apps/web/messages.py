"""What a browser says: the events of a person at the canvas, before they are events of the log.

The browser says what was done and when; what follows from it (the page of an image, the number of
a visit, whether a practice item or an attention check was done rightly) is worked out here, so
that a stale or meddling browser cannot say it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from study.annotation import Annotation, Point
from study.protocol.events import Action, Position, Seconds

Identity = Annotated[str, Field(pattern=r"^[0-9a-zA-Z-]{8,64}$")]


class Message(BaseModel):
    """Anything a browser says. ``id`` makes it the same thing said twice; ``at`` is in seconds
    since 1970 on the server's clock, as the browser estimates it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Identity
    at: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    seconds: Seconds


class AnnotatedMessage(Message):
    """An item was confirmed."""

    type: Literal["annotated"]
    position: Position
    cycle: Position
    image: str
    annotation: Annotation
    actions: tuple[Action, ...] = ()


class PractisedMessage(Message):
    """A practice item was confirmed."""

    type: Literal["practised"]
    interface: str
    attempt: Position
    annotation: Annotation


class CheckedMessage(Message):
    """An attention check was answered with a click at ``point``."""

    type: Literal["checked"]
    position: Position
    number: Position
    point: Point


AnyMessage = Annotated[
    AnnotatedMessage | PractisedMessage | CheckedMessage, Field(discriminator="type")
]
MESSAGE: TypeAdapter[AnnotatedMessage | PractisedMessage | CheckedMessage] = TypeAdapter(AnyMessage)
