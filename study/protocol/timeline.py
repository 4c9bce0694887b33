"""What comes next for a participant: a pure function of the study file and the log.

:class:`Progress` is the log of one participant folded into what matters; :func:`next_step` reads
it. Nothing else holds study state: after a crash, a reload or on another machine, replaying the
log gives the same step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from study.annotation import Annotation
from study.config import Condition, Instrument, Question, StudyConfig
from study.protocol.events import (
    Answered,
    BatchSelected,
    Categorised,
    Checked,
    Consented,
    Debriefed,
    Described,
    Enrolled,
    Environment,
    Erased,
    Evaluated,
    Event,
    Excluded,
    FineTuned,
    FineTuningFailed,
    HeadTuned,
    Instructed,
    ItemAnnotated,
    Mode,
    Noted,
    Payload,
    PracticePassed,
    Practised,
    Recruited,
    Rested,
    Satisfied,
    Screened,
    TaskEnded,
    TaskExtended,
    TaskRested,
    TaskStarted,
    Withdrawn,
)
from study.protocol.questionnaire import questions_for
from study.protocol.steps import (
    Annotate,
    Break,
    Categorise,
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
    Screening,
    Select,
    StartTask,
    Step,
    TuneHead,
)
from study.seeds import rng

Status = Literal["active", "completed", "withdrawn", "excluded"]
CHECK_ATTEMPTS = 2
"""How often an attention check may be tried: who is quick clicks before looking."""
Supervision = TaskExtended | TaskEnded | Excluded | Erased | Noted | PracticePassed
"""What the experimenter says."""


@dataclass
class Cycle:
    """One cycle of a task. ``trained``: fine-tuning is over; ``tuned``: and it succeeded.

    In a dialogue, ``asked`` is the interface of each image, ``signs`` what was known of it then and
    ``seconds`` what each took so far.
    """

    number: int
    images: tuple[str, ...]
    annotations: dict[str, Annotation] = field(default_factory=dict)
    visits: Counter[str] = field(default_factory=Counter)
    trained: bool = False
    tuned: bool = False
    evaluated: bool = False
    asked: tuple[str, ...] = ()
    signs: tuple[dict[str, float], ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def confirmed(self) -> int:
        """How many times an image was confirmed."""
        return self.visits.total()

    @property
    def remaining(self) -> tuple[str, ...]:
        """Images not annotated yet, in the order shown."""
        return tuple(name for name in self.images if name not in self.annotations)


@dataclass
class Task:
    """One condition done by one participant.

    ``confirmations`` holds what was confirmed, in the order of the log; ``updates`` how many of
    them the head knew at each of its updates that went well; ``learnt`` how many it has been shown;
    ``similarities`` how alike an image's attention was to those before it, by the number (from 1)
    of its confirmation.
    """

    position: int
    condition: Condition
    baseline: bool = False
    started_at: float | None = None
    last_at: float = 0.0
    cycles: list[Cycle] = field(default_factory=list)
    checks: int = 0
    check_attempts: int = 0
    rests: int = 0
    rest_seconds: float = 0.0
    annotation_seconds: float = 0.0
    extension: float = 0.0
    extensions: int = 0
    ended: bool = False
    confirmations: list[tuple[str, Annotation]] = field(default_factory=list)
    updates: list[int] = field(default_factory=list)
    learnt: int = 0
    similarities: dict[int, float | None] = field(default_factory=dict)
    satisfied: bool = False

    @property
    def images(self) -> int:
        """How many images were annotated so far."""
        return sum(len(cycle.annotations) for cycle in self.cycles)

    def interface(self, image: str) -> str:
        """With which interface an image is annotated: the condition's, or as the machine asks."""
        for cycle in self.cycles:
            if cycle.asked and image in cycle.images:
                return cycle.asked[cycle.images.index(image)]
        return self.condition.interface

    def annotations(self, up_to: int | None = None) -> dict[str, Annotation]:
        """The annotations by image, to the end of cycle ``up_to``: the latest of each image."""
        return {
            name: annotation
            for cycle in self.cycles[:up_to]
            for name, annotation in cycle.annotations.items()
        }

    def after(self, confirmations: int) -> dict[str, Annotation]:
        """The annotations by image after so many confirmations: the latest of each image."""
        return dict(self.confirmations[:confirmations])

    def shown(self, config: StudyConfig) -> int:
        """How many confirmations the model has learnt from whose attention is shown now."""
        if self.updates and _by_image(config, self):
            return self.updates[-1]
        return sum(cycle.confirmed for cycle in self.cycles[:-1] if cycle.tuned)

    def seconds_left(self, config: StudyConfig) -> float:
        """Seconds on the task's clock (see :class:`study.config.TaskConfig`)."""
        total = config.task.minutes * 60 + self.extension
        if config.task.clock == "annotation":
            return total - self.annotation_seconds
        if self.started_at is None:
            return total
        return total + self.rest_seconds - (self.last_at - self.started_at)

    def budget(self, config: StudyConfig) -> int | None:
        """Images that may still be annotated; None without a limit."""
        return None if config.task.images is None else config.task.images - self.images

    def over(self, config: StudyConfig) -> bool:
        """Whether time, images or the pool are used up, or somebody ended the task."""
        budget = self.budget(config)
        return (
            self.ended
            or self.satisfied
            or self.seconds_left(config) <= 0
            or (budget is not None and budget <= 0)
            or any(not cycle.images for cycle in self.cycles)
        )

    def check_due(self, config: StudyConfig) -> bool:
        """Whether an attention check is to be shown before the next image."""
        every = config.attention_checks.every
        return bool(every) and self.checks < self.images // every

    def finished(self, config: StudyConfig) -> bool:
        """Whether the task is over and what was annotated has been trained and evaluated."""
        if not self.baseline or self.started_at is None:
            return False
        if any(cycle.annotations and not cycle.evaluated for cycle in self.cycles):
            return False
        limit = config.task.cycles
        return self.over(config) or (
            limit is not None and sum(cycle.evaluated for cycle in self.cycles) >= limit
        )


@dataclass
class Progress:
    """One participant's log, folded."""

    participant: str
    study_seed: int = 0
    mode: Mode = "live"
    sequence: int = 0
    status: Status = "active"
    erased: bool = False
    consented: bool = False
    screened: bool = False
    ineligible: bool = False
    language: str = ""
    recruited: Mapping[str, str] = field(default_factory=dict)
    described: bool = False
    instructed: set[str] = field(default_factory=set)
    practised: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    passed: set[str] = field(default_factory=set)
    attempts: Counter[str] = field(default_factory=Counter)
    tasks: list[Task] = field(default_factory=list)
    answered: set[tuple[int | None, str, str]] = field(default_factory=set)
    rested: set[int] = field(default_factory=set)
    categorised: int = 0
    last_at: float = 0.0
    number: int = 0
    keys: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)

    def task(self, position: int) -> Task:
        """The ``position``-th task, from 1."""
        return self.tasks[position - 1]

    def apply(self, event: Event, config: StudyConfig) -> None:
        """Fold one more event in; one that is folded already changes nothing."""
        payload = event.payload
        self.number = max(self.number, event.number or 0)
        if payload.key in self.keys:
            return
        self.keys.add(payload.key)
        self.ids.add(event.id)
        # the experimenter's clock is not the participant's, and looking is not doing
        at = None if isinstance(payload, Supervision | Environment) else event.at
        if at is not None:
            self.last_at = max(self.last_at, at)
        position = getattr(payload, "position", None)
        if position is not None and position <= len(self.tasks):
            task = self.task(position)
            if at is not None:
                task.last_at = max(task.last_at, at)
            _apply_to_task(task, payload, event.at)
        match payload:
            case Enrolled():
                self.mode, self.sequence = event.mode, payload.sequence
                known = {condition.name: condition for condition in config.conditions}
                self.tasks = [
                    Task(number, known[name]) for number, name in enumerate(payload.order, 1)
                ]
            case Recruited():
                self.recruited = payload.parameters
            case Consented():
                self.consented = True
                self.language = payload.language
            case Screened():
                self.screened = True
                if not payload.eligible and self.status == "active":
                    self.ineligible = True
                    self.status = "excluded"
            case Described():
                self.described = True
            case Instructed():
                self.instructed.add(payload.interface)
            case Practised():
                self.attempts[payload.interface] += 1
                self.practised[payload.interface] += payload.correct
                # in a row, on the same image
                failed = 0 if payload.correct else self.failures[payload.interface] + 1
                self.failures[payload.interface] = failed
            case PracticePassed():
                self.passed.add(payload.interface)
            case Answered():
                self.answered.add((payload.position, payload.instrument, payload.question))
            case Categorised():
                self.categorised += 1
            case Rested():
                self.rested.add(payload.position)
            case Debriefed() if self.status == "active":
                self.status = "completed"
            # who has finished has given the data: closing the page later takes nothing back
            case Withdrawn() if self.status == "active":
                self.status = "withdrawn"
            case Excluded():
                self.status = "excluded"
            case Erased():
                self.erased = True
                self.status = "excluded" if payload.status == "excluded" else "withdrawn"


def _apply_to_task(task: Task, payload: Payload, at: float) -> None:
    match payload:
        case TaskStarted():
            task.started_at = at
        case TaskExtended():
            task.extension += payload.seconds
            task.extensions += 1
        case TaskRested():
            task.rests += 1
            task.rest_seconds += payload.seconds
        case Satisfied():
            task.satisfied = True
        case TaskEnded():
            task.ended = True
        case BatchSelected():
            task.cycles.append(
                Cycle(payload.cycle, payload.images, asked=payload.asked, signs=payload.signs)
            )
        case ItemAnnotated():
            cycle = task.cycles[payload.cycle - 1]
            cycle.annotations[payload.image] = payload.annotation
            cycle.visits[payload.image] += 1
            task.confirmations.append((payload.image, payload.annotation))
            task.annotation_seconds += payload.seconds
            if cycle.asked:
                before = cycle.seconds.get(payload.image, 0.0)
                cycle.seconds[payload.image] = before + payload.seconds
        case HeadTuned():
            first = payload.items - len(payload.similarities) + 1
            task.similarities |= dict(enumerate(payload.similarities, first))
            task.learnt = max(task.learnt, payload.items)
            if not payload.problem:
                task.updates.append(payload.items)
        case Checked():
            over = payload.passed or payload.attempt == CHECK_ATTEMPTS
            task.checks += over
            task.check_attempts = 0 if over else payload.attempt
        case FineTuned() | FineTuningFailed():
            task.cycles[payload.cycle - 1].trained = True
            task.cycles[payload.cycle - 1].tuned = isinstance(payload, FineTuned)
        case Evaluated(cycle=0):
            task.baseline = True
        case Evaluated():
            task.cycles[payload.cycle - 1].evaluated = True


def replay(config: StudyConfig, participant: str, events: Iterable[Event]) -> Progress:
    """The progress of one participant from that participant's events, in log order."""
    progress = Progress(participant, study_seed=config.seed)
    for event in events:
        progress.apply(event, config)
    return progress


def next_step(config: StudyConfig, progress: Progress) -> Step:
    """What the participant (or the machine, for them) does next."""
    if progress.erased:
        return Done("erased")
    if progress.ineligible:
        return Done("ineligible")
    if progress.status != "active":
        return Done(progress.status)
    if not progress.consented:
        return Consent(config.consent)
    if config.screening and not progress.screened:
        return Screening(config.screening)
    if config.demographics and not progress.described:
        return Demographics(config.demographics)
    for interface in dict.fromkeys(
        name for task in progress.tasks for name in config.interfaces_of(task.condition)
    ):
        if interface not in progress.instructed:
            return Instructions(interface)
        if interface in progress.passed:
            continue
        if progress.practised[interface] < config.practice.items:
            return Practice(
                interface,
                attempt=progress.attempts[interface] + 1,
                done=progress.practised[interface],
                items=config.practice.items,
                failures=progress.failures[interface],
            )
    for task in progress.tasks:
        step = _task_step(config, progress, task)
        if step is not None:
            return step
    if progress.categorised < config.reveal.items:
        return Categorise(progress.categorised + 1, config.reveal.items)
    questions = _unanswered(config, progress, None)
    if questions:
        when = questions[0][1].when
        page = tuple((i, q) for i, q in questions if q.when == when)
        return Questionnaire(None, None, page, when)
    return Debriefing()


def _task_step(config: StudyConfig, progress: Progress, task: Task) -> Step | None:
    """The next step in or right after a task; None when the task and its aftermath are done."""
    if not task.finished(config):
        return _cycle_step(config, progress, task)
    questions = _unanswered(config, progress, task)
    if questions:
        return Questionnaire(task.position, task.condition, questions)
    is_last = task.position == len(progress.tasks)
    if config.breaks.seconds > 0 and not is_last and task.position not in progress.rested:
        return Break(task.position, config.breaks.seconds)
    return None


def _cycle_step(config: StudyConfig, progress: Progress, task: Task) -> Step:
    if not task.baseline:
        return Evaluate(task.position, task.condition, cycle=0)
    if task.started_at is None:
        return StartTask(task.position, task.condition, len(progress.tasks))
    if not task.cycles or task.cycles[-1].evaluated:
        budget = task.budget(config)
        count = config.task.batch if budget is None else min(budget, config.task.batch)
        return Select(task.position, task.condition, len(task.cycles) + 1, count)
    cycle = task.cycles[-1]
    items = len(task.confirmations)
    if task.learnt < items and not cycle.trained and _by_image(config, task):
        return TuneHead(task.position, task.condition, cycle.number, items)
    if cycle.remaining and not cycle.trained and not task.over(config):
        if task.check_due(config):
            return _check(config, progress, task, cycle)
        return Annotate(
            task.position,
            task.condition,
            cycle.number,
            images=cycle.images,
            done=tuple(cycle.annotations),
            page_size=config.task.page,
            task_images=task.images,
            task_budget=config.task.images,
            seconds_left=task.seconds_left(config),
            learnt=task.shown(config),
            asked=cycle.asked,
        )
    if not cycle.trained:
        return FineTune(task.position, task.condition, cycle.number)
    return Evaluate(task.position, task.condition, cycle.number)


def _by_image(config: StudyConfig, task: Task) -> bool:
    """Whether the head learns after each image of the task."""
    return config.for_condition(task.condition).workspace.feedback == "image"


def _check(config: StudyConfig, progress: Progress, task: Task, cycle: Cycle) -> Check:
    number = task.checks + 1
    random = rng(progress.study_seed, progress.participant, task.position, "check", number)
    x, y = random.uniform(0.15, 0.85, size=2)
    return Check(
        task.position,
        task.condition,
        cycle.number,
        number,
        target=(float(x), float(y)),
        radius=config.attention_checks.radius,
        attempt=task.check_attempts + 1,
    )


def _unanswered(
    config: StudyConfig, progress: Progress, task: Task | None
) -> tuple[tuple[Instrument, Question], ...]:
    position = None if task is None else task.position
    asked = questions_for(config, None if task is None else task.condition)
    return tuple(
        (instrument, question)
        for instrument, question in asked
        if (position, instrument.name, question.key) not in progress.answered
    )
