"""What a participant's browser is told: a pure function of progress, step and job."""

from __future__ import annotations

import time
from typing import Any

from apps.web.jobs import Job
from study.config import StudyConfig, WorkspaceConfig
from study.interfaces import Interface
from study.languages import ENGLISH, Speech
from study.protocol.steps import (
    Annotate,
    Break,
    Categorise,
    Check,
    Consent,
    Debriefing,
    Demographics,
    Done,
    FineTune,
    Instructions,
    Practice,
    Questionnaire,
    Screening,
    StartTask,
    Step,
    TuneHead,
)
from study.protocol.timeline import Progress, Task

State = dict[str, Any]
FIXATION = 0.7
"""Seconds of looking at a cross before an image that is shown for a moment."""


def page_of(step: Step) -> str:
    """Which page shows a step; the pages of the workspace are one, as it changes without one."""
    match step:
        case Consent() | Screening() | Demographics() | Debriefing():
            return type(step).__name__.lower()
        case Done(status=status):
            return f"done/{status}"
        case Instructions(interface=interface):
            return f"instructions/{interface}"
        case StartTask(position=position):
            return f"start/{position}"
        case Questionnaire(position=position, when=when):
            return f"questionnaire/{position or when}"
        case Break(position=position):
            return f"break/{position}"
    return "workspace"


def state_of(
    config: StudyConfig,
    progress: Progress,
    step: Step,
    job: Job | None = None,
    paused: bool = False,
    now: float | None = None,
    say: Speech = ENGLISH,
) -> State:
    """Everything on a participant's screen that changes, as JSON."""
    now = time.time() if now is None else now
    state: State = {
        "page": page_of(step),
        "step": type(step).__name__,
        "place": place_of(config, progress, step, say),
        "paused": paused,
        "now": now,
    }
    position = getattr(step, "position", None)
    if position is not None and page_of(step) == "workspace":
        state["task"] = _task(config, progress.task(position), now)
    match step:
        case Annotate(cycle=cycle) | TuneHead(cycle=cycle) | FineTune(cycle=cycle):
            state["batch"] = _batch(config, progress.task(step.position), cycle)
        case Check(number=number, target=target, radius=radius, cycle=cycle, attempt=attempt):
            state["batch"] = _batch(config, progress.task(step.position), cycle)
            state["check"] = {
                "number": number, "target": target, "radius": radius, "attempt": attempt,
            }  # fmt: skip
        case Practice():
            state["practice"] = {
                "interface": step.interface,
                "attempt": step.attempt,
                "done": step.done,
                "items": step.items,
            }
        case Categorise(number=number, items=items):
            times = {"wait": FIXATION, "seconds": config.reveal.seconds}
            state["glimpse"] = {"number": number, "items": items, **times}
        case Break(seconds=seconds):
            state["break"] = {"seconds_left": max(seconds - (now - progress.last_at), 0.0)}
    if step.machine:
        state["job"] = _job(job, now)
    return state


def workspace_of(config: StudyConfig, progress: Progress, step: Step) -> WorkspaceConfig:
    """What the workspace shows and records at a step: its condition's, or what practice has."""
    position = getattr(step, "position", None)
    if position is None:
        return config.practice_workspace
    return config.for_condition(progress.task(position).condition).workspace


def words_of(used: Interface, say: Speech = ENGLISH) -> dict[str, Any]:
    """What the workspace has to know of an interface."""
    words = used.words
    return {
        "prompt": say(words.prompt),
        "practice": say(words.practice),
        "beside": say(words.beside),
        "legend": [(say(what), say(why)) for what, why in words.legend],
        "touch": [say(meaning) for meaning in words.touch],
        "regions": used.regions or used.proposes,
        "answers": used.answers if len(used.answers) > 1 else (),
    }


def _task(config: StudyConfig, task: Task, now: float) -> State:
    left = task.seconds_left(config)
    if config.task.clock == "total" and task.started_at is not None:
        left -= max(now - task.last_at, 0.0)
    return {
        "position": task.position,
        "interface": config.interfaces_of(task.condition)[0],
        "images": task.images,
        "budget": config.task.images,
        "clock": config.task.clock,
        "seconds_left": left,
        "over": task.over(config),
        "tuned": sum(cycle.tuned for cycle in task.cycles),
        "feedback": config.for_condition(task.condition).workspace.feedback,
        "learnt": task.shown(config),
        "may_end": config.task.until_satisfied and any(cycle.evaluated for cycle in task.cycles),
        "rest": _rest(config, task),
    }


def _rest(config: StudyConfig, task: Task) -> State | None:
    """The next rest inside the task, and whether it is time for it; None where there are none."""
    every = config.breaks.every_minutes * 60
    if not every:
        return None
    due = task.annotation_seconds // every > task.rests
    return {"number": task.rests + 1, "due": due}


def _batch(config: StudyConfig, task: Task, cycle: int) -> State:
    current = task.cycles[cycle - 1]
    done = current.annotations
    here = config.for_condition(task.condition).workspace
    return {
        "cycle": cycle,
        "size": len(current.images),
        "page_size": config.task.page,
        # the interface of each image, where it is not the task's
        "asked": current.asked or None,
        "done": [index for index, name in enumerate(current.images) if name in done],
        # which version of the maps is shown, where it changes within the batch
        "learnt": task.shown(config) if here.feedback == "image" else None,
    }


def _job(job: Job | None, now: float) -> State | None:
    if job is None:
        return None
    return {
        "step": job.step.split("/")[0],
        "state": job.state,
        "ahead": job.ahead,
        "done": job.done,
        "total": job.total,
        "seconds_left": job.seconds_left(now),
    }


def place_of(config: StudyConfig, progress: Progress, step: Step, say: Speech = ENGLISH) -> State:
    """Where the participant is in the study: stages in order, and which is the current one."""
    stages = [say("Welcome"), say("Practice")]
    stages += [say("Task {number}", number=task.position) for task in progress.tasks]
    stages += [say("Last questions")]
    position = getattr(step, "position", None)
    match step:
        case Consent() | Screening() | Demographics():
            current = 0
        case Instructions() | Practice():
            current = 1
        case Debriefing() | Done():
            current = len(stages) - 1
        case _ if position is not None:
            current = 1 + int(position)
        case _:
            current = len(stages) - 1
    finished = isinstance(step, Debriefing | Done)
    share = (current + _share(config, progress, step)) / len(stages)
    return {"stages": stages, "current": current, "share": 1.0 if finished else share}


def _share(config: StudyConfig, progress: Progress, step: Step) -> float:
    """How much of the current stage is done, for the progress bar: by images or by time."""
    position = getattr(step, "position", None)
    if isinstance(step, Practice | Instructions):
        # the second interface's instructions come after the first one's practice
        names = {n for task in progress.tasks for n in config.interfaces_of(task.condition)}
        over = len((names & progress.instructed) - {step.interface})
        part = step.done / step.items if isinstance(step, Practice) else 0.0
        return (over + part) / max(len(names), 1)
    if position is None or isinstance(step, StartTask):
        return 0.0
    if isinstance(step, Questionnaire | Break):
        return 0.95
    task = progress.task(position)
    by_time = 1 - task.seconds_left(config) / (config.task.minutes * 60 + task.extension)
    by_images = 0.0 if config.task.images is None else task.images / config.task.images
    cycles = config.task.cycles
    by_cycles = 0.0 if cycles is None else sum(c.evaluated for c in task.cycles) / cycles
    return min(max(by_time, by_images, by_cycles, 0.0), 0.95)
