"""The steps of a study: what a participant is shown, or the machine does, next.

A step says everything its driver needs from the protocol. Steps with ``machine = True`` are done
by :mod:`study.loop`; the rest by a person in the browser or by a simulated participant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from study.config import Condition, DemographicQuestion, Instrument, Question, ScreeningQuestion


@dataclass(frozen=True)
class Step:
    """Any step."""

    machine: ClassVar[bool] = False


@dataclass(frozen=True)
class Consent(Step):
    """Read and accept the consent text. Record ``Consented``."""

    text: str


@dataclass(frozen=True)
class Screening(Step):
    """Answer whether one may take part. Record ``Screened``."""

    questions: tuple[ScreeningQuestion, ...]


@dataclass(frozen=True)
class Demographics(Step):
    """Answer the demographic questions. Record ``Described``."""

    questions: tuple[DemographicQuestion, ...]


@dataclass(frozen=True)
class Instructions(Step):
    """Read how an interface works. Record ``Instructed``."""

    interface: str


@dataclass(frozen=True)
class Practice(Step):
    """Do practice items until ``items`` are correct. Record ``Practised``.

    ``failures`` is how often the current image was done wrongly: it stays until it is right.
    """

    interface: str
    attempt: int
    done: int
    items: int
    failures: int = 0


@dataclass(frozen=True)
class TaskStep(Step):
    """A step in the ``position``-th task (from 1)."""

    position: int
    condition: Condition


@dataclass(frozen=True)
class StartTask(TaskStep):
    """Begin the task. Record ``TaskStarted``."""

    tasks: int


@dataclass(frozen=True)
class Select(TaskStep):
    """Pick ``count`` images for the cycle. The loop records ``BatchSelected``."""

    cycle: int
    count: int
    machine: ClassVar[bool] = True


@dataclass(frozen=True)
class Annotate(TaskStep):
    """Annotate the images of the batch, page by page, in any order. Record ``ItemAnnotated``.

    ``images`` is the whole batch, ``done`` what is confirmed; ``seconds_left`` is on the task's
    clock when the step was asked for. ``learnt`` counts the confirmations of the task that the
    model whose attention is shown has learnt from. ``asked`` is the interface of each image, in a
    dialogue.
    """

    cycle: int
    images: tuple[str, ...]
    done: tuple[str, ...]
    page_size: int
    task_images: int
    task_budget: int | None
    seconds_left: float
    learnt: int = 0
    asked: tuple[str, ...] = ()

    def interface(self, image: str) -> str:
        """With which interface an image is annotated."""
        return self.asked[self.images.index(image)] if self.asked else self.condition.interface

    @property
    def remaining(self) -> tuple[str, ...]:
        """Images still to annotate, in the order shown."""
        done = set(self.done)
        return tuple(name for name in self.images if name not in done)

    def page_of(self, image: str) -> int:
        """The page (from 1) that shows an image."""
        return self.images.index(image) // self.page_size + 1

    @property
    def page(self) -> tuple[str, ...]:
        """The images of the first page with something left to do."""
        start = (self.page_of(self.remaining[0]) - 1) * self.page_size
        return self.images[start : start + self.page_size]


@dataclass(frozen=True)
class Check(TaskStep):
    """Hit the marked target: an attention check. Record ``Checked``.

    ``target`` is (x, y), image-relative; ``radius`` in units of the image side; ``attempt`` 2 is
    the second chance.
    """

    cycle: int
    number: int
    target: tuple[float, float]
    radius: float
    attempt: int = 1


@dataclass(frozen=True)
class TuneHead(TaskStep):
    """Let the head learn from ``items`` confirmations. The loop records ``HeadTuned``.

    Due after every confirmation where ``workspace.feedback`` is ``image``.
    """

    cycle: int
    items: int
    machine: ClassVar[bool] = True


@dataclass(frozen=True)
class FineTune(TaskStep):
    """Fine-tune the task's model on all its annotations. The loop records ``FineTuned``.

    A head that has learnt from every image is kept as it is.
    """

    cycle: int
    machine: ClassVar[bool] = True


@dataclass(frozen=True)
class Evaluate(TaskStep):
    """Evaluate the task's model (cycle 0: the pretrained one). The loop records ``Evaluated``."""

    cycle: int
    machine: ClassVar[bool] = True


@dataclass(frozen=True)
class Categorise(Step):
    """Say what an image is of which little is shown, the ``number``-th (from 1) of ``items``.

    Record ``Categorised``.
    """

    number: int
    items: int


@dataclass(frozen=True)
class Questionnaire(Step):
    """Answer questions after a task, or when all are done (``position`` None).

    Record ``Answered``. With ``when`` "results" the maps of every task before and after stand
    beside the questions.
    """

    position: int | None
    condition: Condition | None
    questions: tuple[tuple[Instrument, Question], ...]
    when: str = "task"


@dataclass(frozen=True)
class Break(Step):
    """Rest after a task. Record ``Rested``."""

    position: int
    seconds: float


@dataclass(frozen=True)
class Debriefing(Step):
    """See what the study was about. Record ``Debriefed``."""


@dataclass(frozen=True)
class Done(Step):
    """Nothing more to do; ``status`` is completed, withdrawn, excluded,
    ineligible or erased."""

    status: str
