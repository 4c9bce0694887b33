"""Which events cannot happen now: what keeps the log such that it can be replayed."""

from __future__ import annotations

from study.config import StudyConfig
from study.interfaces import interface
from study.protocol.events import (
    Answered,
    BatchSelected,
    Categorised,
    Checked,
    Consented,
    Debriefed,
    Described,
    Environment,
    Evaluated,
    Excluded,
    FineTuned,
    FineTuningFailed,
    HeadTuned,
    Instructed,
    ItemAnnotated,
    Noted,
    Opened,
    Payload,
    PracticePassed,
    Practised,
    Rested,
    Satisfied,
    Screened,
    TaskEnded,
    TaskExtended,
    TaskRested,
    TaskStarted,
    Withdrawn,
)
from study.protocol.questionnaire import problem_with, problem_with_demographics
from study.protocol.steps import (
    Break,
    Categorise,
    Consent,
    Debriefing,
    Demographics,
    Evaluate,
    FineTune,
    Instructions,
    Practice,
    Questionnaire,
    Screening,
    Select,
    StartTask,
)
from study.protocol.timeline import Cycle, Progress, Task, next_step

TaskPart = TaskExtended | TaskEnded | TaskRested | Satisfied | ItemAnnotated | HeadTuned | Checked
"""What belongs to a task and answers no step, or any step of it."""


ENVIRONMENTS = 50
"""Nobody changes the browser more often; a window that is drawn larger all the time does."""


def refusal(config: StudyConfig, progress: Progress, payload: Payload) -> str | None:
    """Why an event cannot happen now, in one sentence; None when it can.

    An event that the log has is acknowledged again, however late. What is new must answer the
    current step, but for items (any image of the untrained cycle, in any order, also as time runs
    out) and for what the experimenter does. So a finished task stays finished, and a model can be
    rebuilt from the log.
    """
    who = progress.participant
    if progress.erased:
        return f"the data of {who} were erased: nothing more is recorded"
    if isinstance(payload, Withdrawn) and progress.status == "completed":
        return f"{who} has finished the study and cannot withdraw: ask the experimenter"
    if payload.key in progress.keys or isinstance(payload, Opened | Noted | Withdrawn | Excluded):
        return None
    if progress.status != "active":
        return f"{who} is {progress.status} and records nothing more"
    if isinstance(payload, Environment):
        return _environment_problem(progress)
    position = getattr(payload, "position", None)
    if position is not None and position > len(progress.tasks):
        return f"{who} has {len(progress.tasks)} tasks, not {position}"
    if isinstance(payload, TaskPart):
        return _task_problem(config, who, progress.task(payload.position), payload)
    return _step_problem(config, progress, payload)


def _environment_problem(progress: Progress) -> str | None:
    if not progress.consented:
        return f"{progress.participant} has not agreed to anything being recorded"
    known = sum(key.startswith(f"{Environment.type}/") for key in progress.keys)
    return f"{progress.participant} has {known} environments" if known >= ENVIRONMENTS else None


def _task_problem(
    config: StudyConfig,
    who: str,
    task: Task,
    payload: TaskPart,
) -> str | None:
    where = f"task {task.position} of {who}"
    if task.ended and isinstance(payload, TaskExtended):
        return f"{where} was ended by the experimenter"
    if task.finished(config):
        return f"{where} is finished"
    if isinstance(payload, TaskExtended):
        if payload.number != task.extensions + 1:
            return f"{where} was extended {task.extensions} times, so this is not {payload.number}"
        return None
    if isinstance(payload, TaskEnded):
        return None
    if isinstance(payload, TaskRested):
        if not config.breaks.every_minutes:
            return f"{where} has no rests (breaks.every_minutes is 0)"
        if task.started_at is None or payload.number != task.rests + 1:
            return f"{where} was rested in {task.rests} times, so this is not {payload.number}"
        return None
    if isinstance(payload, Satisfied):
        if not config.task.until_satisfied:
            return f"{where} does not end when the participant is satisfied"
        if not any(cycle.evaluated for cycle in task.cycles):
            return f"{where} has no fine-tuned model to be satisfied with yet"
        return None
    if payload.cycle > len(task.cycles) or payload.cycle == 0:
        return f"{where} has no cycle {payload.cycle} yet"
    cycle = task.cycles[payload.cycle - 1]
    if cycle.trained:
        return f"cycle {payload.cycle} of {where} is already fine-tuned"
    if isinstance(payload, HeadTuned):
        return _head_problem(config, where, task, payload)
    if isinstance(payload, Checked):
        due = (task.checks + 1, task.check_attempts + 1)
        if not task.check_due(config) or (payload.number, payload.attempt) != due:
            return f"{where} does not ask for attention check {payload.number} now"
        return None
    return _item_problem(config, where, task, cycle, payload)


def _head_problem(config: StudyConfig, where: str, task: Task, tuned: HeadTuned) -> str | None:
    """Why a head cannot have learnt so; it may be behind what was confirmed meanwhile."""
    if config.for_condition(task.condition).workspace.feedback != "image":
        return f"the head of {where} does not learn after each image"
    confirmed = len(task.confirmations)
    if not task.learnt < tuned.items <= confirmed:
        return (
            f"the head of {where} has learnt from {task.learnt} of {confirmed} confirmations, so "
            f"it cannot learn from {tuned.items} now"
        )
    images = len(task.after(tuned.items))
    if tuned.images != images:
        return f"{tuned.items} confirmations of {where} are {images} images, not {tuned.images}"
    return None


def _item_problem(
    config: StudyConfig, where: str, task: Task, cycle: Cycle, item: ItemAnnotated
) -> str | None:
    if item.image not in cycle.images:
        return f"image {item.image!r} is not in cycle {cycle.number} of {where}"
    page = cycle.images.index(item.image) // config.task.page + 1
    if item.page != page:
        return f"image {item.image!r} is on page {page} of {where}, not on {item.page}"
    visits = cycle.visits[item.image]
    if item.visit != visits + 1:
        return f"image {item.image!r} of {where} was visited {visits} times, not {item.visit - 1}"
    confirmed = len(task.confirmations)
    if item.learnt is not None and item.learnt > confirmed:
        return (
            f"no model of {where} had learnt from {item.learnt} confirmations, as there were "
            f"{confirmed}"
        )
    problem = interface(task.interface(item.image)).refusal(item.annotation)
    return None if problem is None else f"{where}: {problem}"


def _step_problem(config: StudyConfig, progress: Progress, payload: Payload) -> str | None:
    """Why an event does not answer the current step."""
    step = next_step(config, progress)
    place = (getattr(payload, "position", None), getattr(payload, "cycle", None))
    in_place = place == (getattr(step, "position", None), getattr(step, "cycle", None))
    match payload, step:
        case (Consented(), Consent()) | (Debriefed(), Debriefing()):
            return None
        case Screened(), Screening():
            right = all(one.accepts(payload.answers.get(one.key)) for one in step.questions)
            if payload.eligible != right:
                return f"{progress.participant} is {'' if right else 'not '}eligible by the answers"
            return problem_with_demographics(step.questions, payload.answers)
        case Described(), Demographics():
            return problem_with_demographics(step.questions, payload.answers)
        case Instructed(), Instructions() if payload.interface == step.interface:
            return None
        case Practised(), Practice() if (
            payload.interface == step.interface and payload.attempt == step.attempt
        ):
            return None
        case PracticePassed(), Practice() if payload.interface == step.interface:
            return None
        case (
            (TaskStarted(), StartTask())
            | (FineTuningFailed(), FineTune())
            | (Evaluated(), Evaluate())
            | (Rested(), Break())
        ) if in_place:
            return None
        case BatchSelected(), Select() if in_place:
            return _batch_problem(progress.task(step.position), step.count, payload.images)
        case FineTuned(), FineTune() if in_place:
            annotated = len(progress.task(step.position).annotations())
            if payload.images == annotated:
                return None
            return (
                f"task {step.position} of {progress.participant} has {annotated} annotated "
                f"images, but {payload.images} were fine-tuned on"
            )
        case Categorised(), Categorise() if payload.number == step.number:
            return None
        case Answered(), Questionnaire() if in_place:
            for instrument, question in step.questions:
                if (instrument.name, question.key) == (payload.instrument, payload.question):
                    return problem_with(question, payload.answer)
            return f"{payload.instrument}/{payload.question} is not asked here"
    return (
        f"{payload.key} cannot happen now: the next step of {progress.participant} is "
        f"{type(step).__name__}"
    )


def _batch_problem(task: Task, count: int, images: tuple[str, ...]) -> str | None:
    if len(images) > count:
        return f"{len(images)} images were picked where {count} were asked for"
    again = len(images) - len(set(images) - set(task.annotations()))
    if again:
        return f"{again} of the picked images are there twice or annotated already"
    return None
