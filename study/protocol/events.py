"""Everything that can happen in a study, as versioned event payloads.

A payload's ``key`` is what makes it the same thing said twice: the log keeps one row for each
participant and key, so a browser may send an event again until it is acknowledged.
Times called ``seconds`` are durations; ``at`` (on the event) is the participant's own clock in
seconds since 1970: the wall clock for people, a simulated clock for simulated participants.
"""

from __future__ import annotations

import hashlib
import math
import uuid
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from study.annotation import Annotation
from study.errors import UserError

Mode = Literal["live", "pilot", "simulated"]
Position = Annotated[int, Field(ge=1)]
MOST_SECONDS = 30 * 86400.0
"""Nothing in a study takes longer than a month; what says so is a fault or a lie."""
Seconds = Annotated[float, Field(ge=0, le=MOST_SECONDS, allow_inf_nan=False)]
Name = Annotated[str, Field(max_length=1024)]
Text = Annotated[str, Field(max_length=20_000)]
Pixels = Annotated[int, Field(ge=0, le=1_000_000)]
Beside = Annotated[float, Field(ge=-1, le=2, allow_inf_nan=False)]
"""An image-relative coordinate of something done on the canvas, on the image or beside it."""


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Measured = Annotated[float | None, BeforeValidator(_finite)]
"""A measurement; None where there is none, also for NaN and infinity, which JSON cannot say."""
ActionKind = Literal[
    "positive",
    "negative",
    "vertex",
    "move",
    "delete",
    "close",
    "box",
    "stroke",
    "erase",
    "answer",
    "grow",
    "shrink",
    "cancel",
    "undo",
    "redo",
    "blur",
    "focus",
]


class Action(BaseModel):
    """One thing done on the canvas, ``t`` seconds after the image was painted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    t: Seconds
    kind: ActionKind
    x: Beside | None = None
    y: Beside | None = None


class Payload(BaseModel):
    """What an event says. Subclasses are the vocabulary of the log."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ClassVar[str]
    version: ClassVar[int] = 1

    @property
    def key(self) -> str:
        """What makes this event unique for its participant."""
        return self.type


class Opened(Payload):
    """A process opened the study; says with which versions, on which device, with which data.

    ``data`` and ``checkpoint`` are fingerprints (SHA-256) of what the study began with.
    """

    type = "opened"
    versions: dict[str, str]
    device: str
    run: str
    data: str | None = None
    checkpoint: str | None = None

    @property
    def key(self) -> str:  # noqa: D102
        return f"opened/{self.run}"


class Enrolled(Payload):
    """A participant was created and given a sequence.

    ``simulated`` holds the parameters of a simulated participant, so that a log says by what
    people it was made.
    """

    type = "enrolled"
    sequence: Annotated[int, Field(ge=0)]
    order: tuple[str, ...]
    simulated: dict[str, Any] | None = None


class Recruited(Payload):
    """How a participant came to the study, with what is known from there.

    Args:
        via: ``link``: by the link of open enrolment; ``list``: from a list of the lab's.
        parameters: what the link carried (``PROLIFIC_PID``), or the list's other columns.
    """

    type = "recruited"
    via: Literal["link", "list"]
    parameters: dict[Name, Name] = {}


class EnrolmentSet(Payload):
    """The experimenter opened or closed the link of open enrolment, or set its cap.

    It is nobody's event: its participant is ``-``.
    """

    type = "enrolment_set"
    open: bool
    cap: Annotated[int, Field(ge=1)] | None = None
    change: str = Field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def key(self) -> str:  # noqa: D102
        return f"{self.type}/{self.change}"


class Consented(Payload):
    """The participant agreed to the consent text.

    Args:
        text_version: the study file's ``consent_version``; empty in logs of version 1.
        hash: SHA-256 of what was read, the optional consents included.
        text: what was read, word for word.
        language: in which language.
        optional: by key, whether an optional consent was given.
    """

    type = "consented"
    version = 2
    text_version: Name = ""
    hash: Name = ""
    text: Text = ""
    language: Name = ""
    optional: dict[Name, bool] = {}


class Environment(Payload):
    """What the participant sees the study with; another event where it changes.

    Args:
        user_agent: the browser's name for itself.
        language: the browser's.
        time_zone: such as ``Asia/Tokyo``.
        screen, window: width and height in CSS pixels.
        pixel_ratio: of the screen's pixels to CSS pixels.
        pointer: of the first pointing device: fine (mouse, pen), coarse (finger) or none.
        touch_points: fingers that the screen can tell apart.
        refresh_rate: frames a second, measured; None where the page was out of sight.
    """

    type = "environment"
    user_agent: Annotated[str, Field(max_length=500)]
    language: Annotated[str, Field(max_length=50)]
    time_zone: Annotated[str, Field(max_length=100)]
    screen: tuple[Pixels, Pixels]
    window: tuple[Pixels, Pixels]
    pixel_ratio: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
    pointer: Literal["fine", "coarse", "none"]
    touch_points: Annotated[int, Field(ge=0, le=1000)]
    refresh_rate: Annotated[int, Field(gt=0, le=10_000)] | None = None

    @property
    def key(self) -> str:  # noqa: D102
        # measured anew each time, it is never quite the same
        said = self.model_dump_json(exclude={"refresh_rate"})
        return f"{self.type}/{hashlib.sha256(said.encode()).hexdigest()[:16]}"


class Screened(Payload):
    """The participant answered the screening questions."""

    type = "screened"
    answers: dict[Name, Text | float]
    eligible: bool


class Described(Payload):
    """The participant answered the demographic questions."""

    type = "described"
    answers: dict[Name, Text | float]


class Instructed(Payload):
    """The participant read the instructions of an interface."""

    type = "instructed"
    interface: str

    @property
    def key(self) -> str:  # noqa: D102
        return f"instructed/{self.interface}"


class Practised(Payload):
    """One attempt at a practice item; ``helped``: with the wanted outline on the image."""

    type = "practised"
    interface: str
    attempt: Position
    image: str
    annotation: Annotation
    correct: bool
    seconds: Seconds
    helped: bool = False

    @property
    def key(self) -> str:  # noqa: D102
        return f"practised/{self.interface}/{self.attempt}"


class PracticePassed(Payload):
    """The experimenter let somebody go on who did not do the practice items as asked."""

    type = "practice_passed"
    interface: str
    reason: Text = ""

    @property
    def key(self) -> str:  # noqa: D102
        return f"practice_passed/{self.interface}"


class TaskPayload(Payload):
    """Something that happens in one task: the ``position``-th of the participant (from 1)."""

    position: Position

    @property
    def key(self) -> str:  # noqa: D102
        return f"{self.type}/{self.position}"


class TaskStarted(TaskPayload):
    """The participant began a task."""

    type = "task_started"


class TaskExtended(TaskPayload):
    """The experimenter gave a task more (or less) time, for the ``number``-th time."""

    type = "task_extended"
    seconds: Annotated[float, Field(allow_inf_nan=False)]
    reason: str = ""
    number: Position = 1

    @property
    def key(self) -> str:  # noqa: D102
        return f"{self.type}/{self.position}/{self.number}"


class TaskRested(TaskPayload):
    """The participant rested inside a task, for the ``number``-th time; no clock counts it."""

    type = "task_rested"
    number: Position
    seconds: Seconds

    @property
    def key(self) -> str:  # noqa: D102
        return f"{self.type}/{self.position}/{self.number}"


class Satisfied(TaskPayload):
    """The participant ended the task because the result is satisfactory (section 3.4).

    ``seconds`` is the time spent annotating until then.
    """

    type = "satisfied"
    seconds: Seconds


class TaskEnded(TaskPayload):
    """The experimenter ended a task early; what was annotated is still fine-tuned on."""

    type = "task_ended"
    reason: str = ""


class CyclePayload(TaskPayload):
    """Something that happens in one cycle of a task; cycle 0 is the pretrained model."""

    cycle: Annotated[int, Field(ge=0)]

    @property
    def key(self) -> str:  # noqa: D102
        return f"{self.type}/{self.position}/{self.cycle}"


class Worth(BaseModel):
    """What a machine expects of a kind of annotation, on any image or one; see :mod:`study.asking`.

    ``gain`` is for one image, None while nothing is known of it; ``seconds`` are expected for one;
    ``images`` were annotated so.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    gain: Measured = None
    seconds: Seconds
    images: Annotated[int, Field(ge=0)] = 0

    @property
    def for_a_second(self) -> float:
        """Expected gain for a second; minus infinity where nothing is known."""
        return -math.inf if self.gain is None else self.gain / max(self.seconds, 1e-6)


class BatchSelected(CyclePayload):
    """The strategy picked the images of a cycle, in the order in which they are shown.

    ``classes`` and ``contexts`` are the images', by name, from the data that the study ran on;
    empty where they are not known, as in logs of version 1. Where an image may show several
    features, ``images`` are items: of one image there may be one for each of its features, which
    ``classes`` then names; ``photographs`` are the items' images. ``shared`` are those that all
    participants get. In a dialogue ``asked`` is the interface that the machine asks for on each
    image, ``reasons`` what it expected of each on any image, ``signs`` what was known of each image
    and ``expected`` what it expected on each; both are empty in logs of version 4, and ``expected``
    while an interface is new.
    """

    type = "batch_selected"
    version = 5
    strategy: str
    images: tuple[str, ...]
    classes: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    photographs: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    asked: tuple[Name, ...] = ()
    reasons: dict[Name, Worth] = {}
    signs: tuple[dict[str, float], ...] = ()
    expected: tuple[dict[Name, Worth], ...] = ()
    seconds: Seconds

    @model_validator(mode="after")
    def _every_image_has_its_own(self) -> BatchSelected:
        for name in ("classes", "contexts", "photographs", "asked", "signs", "expected"):
            if len(getattr(self, name)) not in (0, len(self.images)):
                raise ValueError(
                    f"{len(getattr(self, name))} {name} were given for {len(self.images)} images"
                )
        return self


class ItemAnnotated(CyclePayload):
    """An item was confirmed. A second visit to the same image is a second event.

    The next visit of an image is one more than its count in ``Cycle.visits``. ``learnt`` counts the
    confirmations of the task that the model whose attention was shown had learnt from; None where
    none was shown or the log does not say, as in logs of version 1.
    """

    type = "annotated"
    version = 2
    page: Position
    image: str
    visit: Position = 1
    annotation: Annotation
    seconds: Seconds
    actions: tuple[Action, ...] = ()
    learnt: Annotated[int, Field(ge=0)] | None = None

    @property
    def key(self) -> str:  # noqa: D102
        return f"{self.type}/{self.position}/{self.cycle}/{self.image}/{self.visit}"


class HeadTuned(CyclePayload):
    """The task's head learnt from what was confirmed since it last did (feedback by image).

    ``items`` counts the task's confirmations up to which it has learnt, revisits included, so that
    the log says which annotations it knew; ``steps`` are those of the optimiser. With a
    ``problem`` nothing was learnt, and the head is as it was.

    ``similarities`` are those of the attention maps of the images confirmed since, in their order,
    to those of the images before them, as the head before this update sees them all; none where
    attention was not shown, or in logs of version 1.
    """

    type = "head_tuned"
    version = 2
    items: Position
    images: Annotated[int, Field(ge=1)]
    steps: Annotated[int, Field(ge=0)]
    seconds: Seconds
    loss: Measured = None
    collapsed: bool = False
    note: str = ""
    problem: str = ""
    similarities: tuple[Measured, ...] = ()

    @property
    def key(self) -> str:  # noqa: D102
        return f"{self.type}/{self.position}/{self.items}"


class Checked(CyclePayload):
    """An attention check was answered by clicking (or outlining) a marked target.

    Who misses it may try once more: ``attempt`` 2 decides.
    """

    type = "checked"
    number: Position
    attempt: Annotated[int, Field(ge=1, le=2)] = 1
    passed: bool
    seconds: Seconds

    @property
    def key(self) -> str:  # noqa: D102
        again = "" if self.attempt == 1 else f"/{self.attempt}"
        return f"{self.type}/{self.position}/{self.number}{again}"


class Quality(BaseModel):
    """How well an image was annotated; see :mod:`study.quality`.

    ``on_object`` is the share of what was marked (points, area) that lies on the object,
    ``objects_hit`` how many of its ``objects`` were. ``outline_iou`` and ``coverage`` are of what
    was outlined, ``regions_on_object`` of what was marked as not to be looked at.
    ``map_similarity`` is that of the attention map to those seen before it. None: there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: Name
    objects: Annotated[int, Field(ge=0)]
    objects_hit: Annotated[int, Field(ge=0)]
    on_object: Measured = None
    outline_iou: Measured = None
    coverage: Measured = None
    regions_on_object: Measured = None
    map_similarity: Measured = None


class FineTuned(CyclePayload):
    """The task's model was fine-tuned on every annotation so far.

    ``quality`` is that of the cycle's annotations, where masks are known.
    """

    type = "fine_tuned"
    images: int
    epochs: int
    seconds: Seconds
    waiting_seconds: Seconds
    loss: Measured = None
    collapsed: bool = False
    note: str = ""
    quality: tuple[Quality, ...] = ()


class FineTuningFailed(CyclePayload):
    """Fine-tuning failed; the task goes on with the last good model."""

    type = "fine_tuning_failed"
    reason: str


class Evaluated(CyclePayload):
    """The task's model was evaluated: metrics by test split."""

    type = "evaluated"
    metrics: dict[str, dict[str, Measured]]
    seconds: Seconds


class Categorised(Payload):
    """An image that was shown in part was categorised; see :mod:`study.reveal`.

    ``share`` of its pixels was shown, those that the map of ``source`` has as most important.
    ``seconds`` is the time from its onset to the answer (in logs of version 1 from the wish to see
    it). ``onset`` is when it appeared, in seconds since 1970, and ``shown`` how many seconds it was
    there, both by the browser's animation frames; ``early`` counts answers before that. They are
    None where no browser showed it.
    """

    type = "categorised"
    version = 2
    number: Position
    image: Name
    label: Name
    source: Name
    share: Annotated[float, Field(gt=0, le=1)]
    answer: Name
    correct: bool
    seconds: Seconds
    onset: Measured = None
    shown: Seconds | None = None
    early: Annotated[int, Field(ge=0)] | None = None

    @property
    def key(self) -> str:  # noqa: D102
        return f"categorised/{self.number}"


class Answered(Payload):
    """One question was answered, after a task (``position``) or at the end (None)."""

    type = "answered"
    instrument: str
    question: str
    answer: Text | float
    position: Position | None = None

    @property
    def key(self) -> str:  # noqa: D102
        return f"answered/{self.position or 'end'}/{self.instrument}/{self.question}"


class Rested(TaskPayload):
    """The break after a task."""

    type = "rested"
    seconds: Seconds


class Debriefed(Payload):
    """The participant saw the debriefing: the study is complete."""

    type = "debriefed"


class Withdrawn(Payload):
    """The participant left the study."""

    type = "withdrawn"
    reason: Text = ""


class Excluded(Payload):
    """The experimenter excluded the participant; the data stay, marked."""

    type = "excluded"
    reason: str


class Erased(Payload):
    """The participant's data were erased; that they took part, and how much there was, stays.

    Args:
        counts: rows of the log that were deleted, by type.
        images: images that had been annotated.
        tasks: tasks that had been finished.
        status: the participant's status before.
        reason: who asked for it.
    """

    type = "erased"
    counts: dict[Name, Annotated[int, Field(ge=0)]]
    images: Annotated[int, Field(ge=0)]
    tasks: Annotated[int, Field(ge=0)]
    status: Literal["active", "completed", "withdrawn", "excluded"]
    reason: Text = ""


class Noted(Payload):
    """A note by the experimenter."""

    type = "noted"
    text: str
    note: str = Field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def key(self) -> str:  # noqa: D102
        return f"noted/{self.note}"


def _vocabulary(base: type[Payload]) -> dict[str, type[Payload]]:
    found = {base.type: base} if "type" in vars(base) else {}
    for child in base.__subclasses__():
        found |= _vocabulary(child)
    return found


PAYLOADS: dict[str, type[Payload]] = _vocabulary(Payload)
"""Every payload by its type name."""


@dataclass(frozen=True)
class Event:
    """One row of the log. ``number`` is its place in the log, None until it is stored."""

    id: str
    participant: str
    mode: Mode
    study_hash: str
    at: float
    payload: Payload
    number: int | None = None
    recorded_at: float | None = None

    @classmethod
    def of(
        cls,
        payload: Payload,
        *,
        participant: str,
        mode: Mode,
        study_hash: str,
        at: float,
        id: str | None = None,
    ) -> Event:
        """A new event; the id is made from participant and key unless the sender gives one."""
        name = id or str(
            uuid.uuid5(uuid.NAMESPACE_OID, f"{study_hash}/{participant}/{payload.key}")
        )
        return cls(name, participant, mode, study_hash, at, payload)


class UnknownEvent(UserError):
    """A row whose type or version this clickstudy does not know."""


def decode(type_name: str, version: int, payload: dict[str, Any]) -> Payload:
    """A stored payload as its model; raises :class:`UnknownEvent` for another version's log."""
    model = PAYLOADS.get(type_name)
    if model is None or version > model.version:
        raise UnknownEvent(
            f"the log has an event {type_name!r} version {version}, which this clickstudy does "
            f"not know: use the version that wrote it, or a newer one"
        )
    return model.model_validate(payload)
