"""A participant and a laboratory for the tests: whatever the step asks for, the obvious event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from study.annotation import Annotation
from study.config import Question, StudyConfig
from study.protocol.events import (
    Answered,
    BatchSelected,
    Checked,
    Consented,
    Debriefed,
    Described,
    Evaluated,
    Event,
    FineTuned,
    FineTuningFailed,
    HeadTuned,
    Instructed,
    ItemAnnotated,
    Payload,
    Practised,
    Rested,
    TaskStarted,
)
from study.protocol.session import Session, Study, enrol
from study.protocol.steps import (
    Annotate,
    Break,
    Check,
    Consent,
    Debriefing,
    Demographics,
    Done,
    Evaluate,
    FineTune,
    Instructions,
    Practice,
    Questionnaire,
    Select,
    StartTask,
    Step,
    TuneHead,
)
from study.protocol.store import EventStore
from study.protocol.timeline import Progress

HASH = "f" * 64
CLICK = Annotation(positive_points=((0.25, 0.5),))
TRIANGLE = Annotation(polygons=(((0.1, 0.1), (0.9, 0.1), (0.5, 0.9)),))


def config(**values: Any) -> StudyConfig:
    """A short study without demographics, breaks and practice unless asked for."""
    short: dict[str, Any] = {
        "name": "test",
        "demographics": (),
        "breaks": {"seconds": 0},
        "practice": {"items": 0},
        "questionnaires": (),
        "task": {"images": 4, "batch": 2, "page": 2},
    }
    return StudyConfig.model_validate(short | values)


def study(settings: StudyConfig | None = None, store: EventStore | None = None) -> Study:
    """A study on a log in memory."""
    return Study(settings or config(), HASH, store or EventStore("sqlite://"))


def drawing(interface: str) -> Annotation:
    return CLICK if interface == "click" else TRIANGLE


def fitting(question: Question) -> str | float:
    """An answer that the question takes."""
    if question.kind in ("likert", "scale"):
        return question.high
    return question.choices[0] if question.kind == "choice" else "fine"


@dataclass
class Lab:
    """A participant with a clock, and a machine with a pool of images."""

    pool: tuple[str, ...] = tuple(f"{number:02d}.png" for number in range(20))
    item_seconds: float = 5.0
    machine_seconds: float = 3.0
    failing: frozenset[tuple[int, int]] = frozenset()
    unlucky: frozenset[tuple[int, int]] = frozenset()
    now: float = 1_000.0
    seen: list[Step] = field(default_factory=list)

    def reply(self, step: Step, state: Progress) -> Payload:
        """The event that the step asks for."""
        match step:
            case Consent():
                return Consented()
            case Demographics():
                return Described(answers={})
            case Instructions():
                return Instructed(interface=step.interface)
            case Practice():
                return Practised(
                    interface=step.interface,
                    attempt=step.attempt,
                    image="practice.png",
                    annotation=drawing(step.interface),
                    correct=step.attempt % 2 == 0,
                    seconds=2.0,
                )
            case StartTask():
                return TaskStarted(position=step.position)
            case Select():
                used = state.task(step.position).annotations()
                left = [name for name in self.pool if name not in used]
                return BatchSelected(
                    position=step.position,
                    cycle=step.cycle,
                    strategy="random",
                    images=tuple(left[: step.count]),
                    seconds=1.0,
                )
            case Annotate():
                return item(step, step.remaining[-1], seconds=self.item_seconds)
            case Check():
                return Checked(
                    position=step.position,
                    cycle=step.cycle,
                    number=step.number,
                    passed=True,
                    seconds=1.0,
                )
            case TuneHead():
                return HeadTuned(
                    position=step.position,
                    cycle=step.cycle,
                    items=step.items,
                    images=len(state.task(step.position).after(step.items)),
                    steps=3,
                    seconds=0.1,
                    problem="no memory" if (step.position, step.items) in self.unlucky else "",
                )
            case FineTune() if (step.position, step.cycle) in self.failing:
                return FineTuningFailed(
                    position=step.position, cycle=step.cycle, reason="out of memory"
                )
            case FineTune():
                return FineTuned(
                    position=step.position,
                    cycle=step.cycle,
                    images=len(state.task(step.position).annotations()),
                    epochs=2,
                    seconds=1.0,
                    waiting_seconds=2.0,
                )
            case Evaluate():
                return Evaluated(
                    position=step.position,
                    cycle=step.cycle,
                    metrics={"test": {"accuracy": 0.5}},
                    seconds=1.0,
                )
            case Questionnaire():
                instrument, question = step.questions[0]
                return Answered(
                    instrument=instrument.name,
                    question=question.key,
                    answer=fitting(question),
                    position=step.position,
                )
            case Break():
                return Rested(position=step.position, seconds=step.seconds)
            case Debriefing():
                return Debriefed()
        raise AssertionError(f"nobody knows what to do at {step}")

    def advance(self, session: Session, step: Step) -> None:
        """Do one step."""
        self.seen.append(step)
        self.now += self.machine_seconds if step.machine else self.item_seconds
        assert session.record(self.reply(step, session.progress), self.now)

    def run(
        self, session: Session, until: Callable[[Step], bool] = lambda step: False
    ) -> list[Step]:
        """Go on until the study is done or a step is reached; the steps done."""
        for _ in range(3_000):
            step = session.step()
            if isinstance(step, Done) or until(step):
                return self.seen
            self.advance(session, step)
        raise AssertionError("the study does not end")


def item(step: Annotate, image: str, visit: int = 1, seconds: float = 5.0) -> ItemAnnotated:
    """The confirmation of one image of a batch."""
    return ItemAnnotated(
        position=step.position,
        cycle=step.cycle,
        page=step.page_of(image),
        image=image,
        visit=visit,
        annotation=drawing(step.condition.interface),
        seconds=seconds,
    )


def begin(settings: StudyConfig | None = None, lab: Lab | None = None) -> tuple[Session, Lab]:
    """An enrolled participant P01, and the lab."""
    lab = lab or Lab()
    return enrol(study(settings), "P01", "live", lab.now), lab


def at_step(
    kind: type[Step], settings: StudyConfig | None = None, lab: Lab | None = None
) -> tuple[Session, Lab, Any]:
    """A participant at the first step of a kind."""
    session, lab = begin(settings, lab)
    lab.run(session, until=lambda step: isinstance(step, kind))
    step = session.step()
    assert isinstance(step, kind), step
    return session, lab, step


def log(session: Session) -> list[Event]:
    return session.study.store.events(session.participant)
