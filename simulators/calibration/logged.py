"""The items of a study directory as a calibration reads them: the log, the masks and the maps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from simulators.annotator import moved
from simulators.batch import similarities
from simulators.calibration.evidence import Evidence, Session
from simulators.calibration.reading import Item
from simulators.hands import hand_of
from simulators.person import Person
from simulators.scene import Scene
from study.errors import UserError
from study.framing import Frame
from study.loop import TaskLoop
from study.protocol.events import Action, Checked, Event, ItemAnnotated, Mode, Practised
from study.protocol.session import Session as Taking
from study.protocol.session import Study
from study.protocol.timeline import Progress, Task

INTERFACES = ("click", "polygon")
"""Whose hands are fitted."""
LEFT_OUT = frozenset({"redo", "move", "delete"})
"""Actions that no simulated hand does; what items with them say is not read."""
Counted = Callable[[int, int], None]


@dataclass(frozen=True)
class Source:
    """What was read of a study.

    Attributes:
        evidence: of its people.
        items: those that were read, for the posterior predictive; at most ``kept`` of them.
        mode: live, pilot or simulated.
        left_out: items that were not read, by reason.
        conditions: names, in the study file's order.
    """

    evidence: Evidence
    items: list[Item]
    mode: Mode
    left_out: dict[str, int]
    conditions: list[str]


def modes(study: Study) -> list[Mode]:
    """How the people of a log took part."""
    return sorted({Taking(study, name).progress.mode for name in study.store.participants()})


def read(
    loop: TaskLoop,
    study: Study,
    mode: Mode | None = None,
    most: int = 256,
    kept: int = 384,
    progress: Counted = lambda done, total: None,
) -> Source:
    """Read a study.

    Args:
        loop: the study's machine side, from which masks and maps come.
        study: its log.
        mode: whom to read; where all took part in the same way it need not be said.
        most: items read of each task, evenly over it: each costs its map's superpixels.
        kept: items to keep with their images.
        progress: called with (tasks done, tasks in all).

    Raises:
        UserError: without masks, with nobody, or with several modes and none named.
    """
    loop.pool.require_masks("calibration")
    mode = _mode(modes(study), mode)
    people = [Taking(study, name) for name in study.store.participants(mode)]
    people = [one for one in people if one.progress.status not in ("excluded", "withdrawn")]
    left_out: dict[str, int] = {}
    evidence = Evidence()
    items: list[Item] = []
    sessions: dict[str, Session] = {}
    tasks = [(one, task) for one in people for task in one.progress.tasks]
    every = math.ceil(max(sum(min(most, task.images) for _, task in tasks), 1) / kept)
    number = 0
    for done, (person, task) in enumerate(tasks):
        progress(done, len(tasks))
        events = study.store.events(person.participant)
        if person.participant not in sessions:
            sessions[person.participant] = _session(events)
        for item in items_of(loop, person.progress, task, events, most, left_out):
            evidence.add(item)
            if number % every == 0 and len(items) < kept:
                items.append(item)
            number += 1
    progress(len(tasks), len(tasks))
    evidence.sessions = sessions
    names = [condition.name for condition in loop.config.conditions]
    return Source(evidence, items, mode, left_out, names)


def _mode(present: list[Mode], wanted: Mode | None) -> Mode:
    if wanted is not None and wanted not in present:
        raise UserError(
            f"nobody took part as {wanted}: the log has {', '.join(present) or 'nobody'}"
        )
    if wanted is None and len(present) != 1:
        who = f"people who took part as {' and as '.join(present)}" if present else "nobody"
        raise UserError(f"the log has {who}: name one kind with --mode")
    return wanted or present[0]


def _session(events: list[Event]) -> Session:
    checks = [e.payload for e in events if isinstance(e.payload, Checked)]
    practised = [e.payload for e in events if isinstance(e.payload, Practised)]
    first = [check for check in checks if check.attempt == 1]
    return Session(
        len(first),
        sum(not check.passed for check in first),
        len(practised),
        sum(not attempt.correct for attempt in practised),
    )


def items_of(
    loop: TaskLoop,
    state: Progress,
    task: Task,
    events: list[Event],
    most: int,
    left_out: dict[str, int],
) -> Iterator[Item]:
    """At most ``most`` items of a task, evenly over it, as their maps were seen.

    ``left_out`` counts what is not read, by reason.
    """
    said = [
        event.payload
        for event in events
        if isinstance(event.payload, ItemAnnotated) and event.payload.position == task.position
    ]
    here = loop.config.for_condition(task.condition)
    before = _before(loop, state, task)
    chosen = set(np.linspace(0, len(said) - 1, min(most, len(said))).round().astype(int).tolist())
    seen: set[str] = set()
    maps: dict[str, tuple[np.ndarray, float]] = {}
    cycle = 0
    hours = before.hours
    for number, item in enumerate(said):
        interface = task.interface(item.image)
        shows = interface in here.workspace.show_attention
        if item.cycle != cycle and shows:
            cycle = item.cycle
            maps = _maps(loop, state, task, cycle, [i.image for i in said if i.cycle == cycle])
        before.trials[interface] = before.trials.get(interface, 0) + 1
        reason = _reason(interface, item, item.image in seen, here.workspace.feedback, shows)
        seen.add(item.image)
        if reason:
            left_out[reason] = left_out.get(reason, 0) + 1
        elif number in chosen:
            place = loop.pool.positions[item.image]
            mask = loop.pool.require_masks("calibration")[place].numpy()
            shown, alike = maps.get(item.image, (None, 0.0)) if shows else (None, 0.0)
            yield Item(
                state.participant,
                task.condition.name,
                interface,
                Scene(mask, shown),
                hand_of(interface).minds_attention,
                before.trials[interface],
                hours,
                alike,
                _inward(item.actions, loop.pool.frame(place)),
                item.seconds,
            )
        hours += item.seconds / 3600.0


@dataclass
class _Before:
    """How a person comes to a task: hours of tiredness, and items done with each interface."""

    hours: float
    trials: dict[str, int]


def _before(loop: TaskLoop, state: Progress, task: Task) -> _Before:
    hours = 0.0
    trials: dict[str, int] = {}
    for other in state.tasks:
        if other.position >= task.position:
            break
        hours += other.annotation_seconds / 3600.0
        if other.position in state.rested:
            hours *= 1.0 - Person().recovery
        for name in other.annotations():
            interface = other.interface(name)
            trials[interface] = trials.get(interface, 0) + 1
    return _Before(hours, trials)


def _reason(interface: str, item: ItemAnnotated, again: bool, feedback: str, shows: bool) -> str:
    """Why an item is not read; empty where it is."""
    if interface not in INTERFACES:
        return f"made with {interface}, whose hand is not fitted"
    if again:
        return "visited again"
    if any(action.kind in LEFT_OUT for action in item.actions):
        return "with a redo, a moved or a deleted vertex, which no simulated hand does"
    if feedback == "image" and shows:
        return "of a head that learnt after each image, whose maps are not kept"
    return ""


def _maps(
    loop: TaskLoop, state: Progress, task: Task, cycle: int, names: list[str]
) -> dict[str, tuple[np.ndarray, float]]:
    """By image, the map that was shown and its likeness to those seen just before."""
    order = list(dict.fromkeys(names))
    maps = loop.attention(state, task.position, cycle, order)
    alike = similarities(torch.from_numpy(maps)).tolist()
    return {name: (maps[i], alike[i]) for i, name in enumerate(order)}


def _inward(actions: tuple[Action, ...], frame: Frame) -> tuple[Action, ...]:
    """Actions in the coordinates of what the network sees of a photograph."""
    return actions if frame.whole else moved(actions, frame.to_square)
