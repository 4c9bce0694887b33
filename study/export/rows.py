"""One participant's log as rows of the tables.

``accuracy`` is measured on the test split, biased as the training data are (the paper's measure);
accuracy on conflicting images, worst group and attention are measured on the balanced split where
the dataset has one, because a test split that is 95% aligned holds too few conflicting images to
say anything about them. Every test set of ``dataset.tests`` has its accuracy beside them
(``accuracy_on_...``), and so has every feature, where an image may show several
(``accuracy_of_...``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from study.config import StudyConfig
from study.export.browsers import browser, system
from study.metrics import FEATURE_METRICS, by_feature, feature_columns
from study.protocol.events import (
    Action,
    Answered,
    BatchSelected,
    Categorised,
    Checked,
    Consented,
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
    ItemAnnotated,
    Noted,
    Payload,
    PracticePassed,
    Practised,
    Recruited,
    Screened,
    TaskExtended,
    Withdrawn,
)
from study.protocol.timeline import Progress, Task, replay

Row = dict[str, Any]
P = TypeVar("P", bound=Payload)
STUDY_METRICS = ("accuracy", "conflicting_accuracy", "worst_group_accuracy", "attention_inside")


def idle_seconds(actions: Iterable[Action], seconds: float, threshold: float) -> float:
    """How much of an item's ``seconds`` was not spent on it.

    All time while the page was out of sight (blur to focus), and of every other gap between two
    actions what exceeds ``threshold``.
    """
    idle, last, away = 0.0, 0.0, False
    for action in [*actions, Action(t=seconds, kind="focus")]:
        gap = min(action.t, seconds) - last
        idle += max(gap if away else gap - threshold, 0.0)
        last = max(last, min(action.t, seconds))
        if action.kind in ("blur", "focus"):
            away = action.kind == "blur"
    return idle


@dataclass
class Person:
    """One participant's log and what it folds to."""

    config: StudyConfig
    participant: str
    log: list[Event]

    def __post_init__(self) -> None:
        self.progress: Progress = replay(self.config, self.participant, self.log)

    def _said(self, kind: type[P], position: int | None = None) -> list[P]:
        """The payloads of one type, of one task or of all."""
        return [
            event.payload
            for event in self.log
            if isinstance(event.payload, kind)
            and (position is None or getattr(event.payload, "position", None) == position)
        ]

    def _in(self, task: Task) -> list[Event]:
        """The events of one task."""
        return [e for e in self.log if getattr(e.payload, "position", None) == task.position]

    def _keys(self, task: Task | None = None) -> Row:
        keys: Row = {
            "participant": self.participant,
            "mode": self.progress.mode,
            "sequence": self.progress.sequence,
        }
        if task is not None:
            keys |= {
                "position": task.position,
                **task.condition.factors,
            }
        return keys | {"study_hash": self.log[0].study_hash}

    def row(self) -> Row:
        """The row of ``participants``."""
        checks = self._said(Checked)
        missed = [c for c in checks if not c.passed]
        again = {(c.position, c.number): c.passed for c in checks if c.attempt > 1}
        simulated = self._said(Enrolled)[0].simulated
        reasons = [
            *(payload.reason for payload in self._said(Excluded)),
            *(payload.reason for payload in self._said(Withdrawn)),
            *(_ineligible(self.config, one) for one in self._said(Screened) if not one.eligible),
            *map(_erasure, self._said(Erased)),
        ]
        erased = self._said(Erased)
        described = {k: v for payload in self._said(Described) for k, v in payload.answers.items()}
        return self._keys() | {
            "order": " ".join(task.condition.name for task in self.progress.tasks),
            "status": self.progress.status,
            "excluded_reason": "; ".join(reasons),
            "enrolled_at": self.log[0].at,
            "last_at": self.progress.last_at,
            "tasks_finished": sum(task.finished(self.config) for task in self.progress.tasks),
            "attention_checks": sum(check.attempt == 1 for check in checks),
            "attention_checks_failed": sum(
                not again.get((c.position, c.number), False) for c in missed if c.attempt == 1
            ),
            "attention_checks_retried": len(again),
            "practice_attempts": len(self._said(Practised)),
            "practice_passed": " ".join(p.interface for p in self._said(PracticePassed)),
            "erased_images": erased[0].images if erased else None,
            "erased_tasks": erased[0].tasks if erased else None,
            "simulated": "" if simulated is None else json.dumps(simulated, sort_keys=True),
            "notes": "; ".join(payload.text for payload in self._said(Noted)),
            **self._recruited(),
            **self._agreed(),
            **self._seen_with(),
            **self._screened(),
            **{f"demographic_{key}": value for key, value in described.items()},
        }

    def _recruited(self) -> Row:
        """How the participant came, and what the link or the list said."""
        for came in self._said(Recruited):
            said = {f"recruited_{key}": value for key, value in came.parameters.items()}
            return {"recruited_via": came.via, **said}
        return {}

    def _agreed(self) -> Row:
        """What was consented to, and when."""
        for event in self.log:
            if isinstance(event.payload, Consented):
                given = event.payload
                return {
                    "consented_at": event.at,
                    "consent_version": given.text_version,
                    "consent_hash": given.hash,
                    "language": given.language,
                    **{f"consent_{key}": value for key, value in given.optional.items()},
                }
        return {}

    def _seen_with(self) -> Row:
        """What the study was seen with: the first environment, and how many there were."""
        found = self._said(Environment)
        if not found:
            return {}
        first = found[0]
        return {
            "environments": len(found),
            "browser": browser(first.user_agent),
            "system": system(first.user_agent),
            "screen_width": first.screen[0],
            "screen_height": first.screen[1],
            "window_width": first.window[0],
            "window_height": first.window[1],
            "pixel_ratio": first.pixel_ratio,
            "pointer": first.pointer,
            "refresh_rate": first.refresh_rate,
            "time_zone": first.time_zone,
        }

    def _screened(self) -> Row:
        """The answers to the screening questions."""
        row: Row = {}
        for screened in self._said(Screened):
            row |= {f"screening_{key}": value for key, value in screened.answers.items()}
        return row

    def cycle_rows(self, task: Task) -> list[Row]:
        """One row for each cycle of a task, 0 included; ``failed`` is for the task's row."""
        rows: dict[int, Row] = {}
        previous_at: float | None = None
        for event in self._in(task):
            payload = event.payload
            cycle = getattr(payload, "cycle", None)
            if cycle is not None:
                row = rows.setdefault(
                    cycle,
                    self._keys(task) | {"cycle": cycle, "images": 0, "updates": 0, "failed": False},
                )
                _add_to_cycle(row, payload)
                waited = isinstance(
                    payload, BatchSelected | HeadTuned | FineTuned | FineTuningFailed | Evaluated
                )
                if waited and cycle > 0 and previous_at is not None:
                    row["waiting_seconds"] = row.get("waiting_seconds", 0.0) + max(
                        event.at - previous_at, 0.0
                    )
            if not isinstance(payload, TaskExtended):
                previous_at = event.at
        for number, row in rows.items():
            if number:
                row["images"] = len(task.cycles[number - 1].annotations)
        return list(rows.values())

    def feature_rows(self, task: Task) -> list[Row]:
        """One row for each cycle, split and feature, where an image may show several."""
        return [
            self._keys(task)
            | {"cycle": payload.cycle, "split": split, "feature": feature}
            | {metric: found.get(metric) for metric in FEATURE_METRICS}
            for payload in self._said(Evaluated, task.position)
            for split, metrics in payload.metrics.items()
            for feature, found in by_feature(metrics)[1].items()
        ]

    def task_row(self, task: Task, cycles: list[Row]) -> Row:
        """The row of a finished task, from its cycles' rows."""
        done = [row for row in cycles if row["cycle"] > 0]
        evaluated = self._said(Evaluated, task.position)
        before, after = evaluated[0].metrics, evaluated[-1].metrics
        row = self._keys(task) | {
            "images": task.images,
            "cycles": sum(cycle.evaluated for cycle in task.cycles),
            "seconds_per_image": task.annotation_seconds / task.images if task.images else None,
            "annotation_seconds": task.annotation_seconds,
            "waiting_seconds": sum(row.get("waiting_seconds", 0.0) for row in done),
            "training_seconds": sum(row.get("training_seconds", 0.0) for row in done),
            "collapsed": sum(bool(row.get("collapsed")) for row in done),
            "failed": sum(row["failed"] for row in done),
            "rests": task.rests,
            "rest_seconds": task.rest_seconds,
            "satisfied": task.satisfied,
            "seconds_to_satisfaction": task.annotation_seconds if task.satisfied else None,
        }
        row |= _mean_quality(self._said(FineTuned, task.position))
        for metric in STUDY_METRICS:
            row[f"{metric}_before"] = _study_metric(before, metric)
            row[f"{metric}_after"] = _study_metric(after, metric)
        for test in self.config.dataset.tests:
            for when, metrics in (("before", before), ("after", after)):
                row[f"{test.measure}_{when}"] = metrics.get(test.name, {}).get("accuracy")
        for when, metrics in (("before", before), ("after", after)):
            columns = {split: feature_columns(found) for split, found in metrics.items()}
            row |= {
                f"{column}_{when}": _study_metric(columns, column)
                for column in columns.get("test", {})
            }
        return row

    def item_rows(self, task: Task) -> list[Row]:
        """One row for each image confirmed in a task, all its visits together."""
        rows: dict[str, Row] = {}
        threshold = self.config.for_condition(task.condition).workspace.idle_seconds
        kinds: dict[str, Row] = {}
        for event in self._in(task):
            payload = event.payload
            if isinstance(payload, BatchSelected):
                kinds |= _kinds(payload)
            if isinstance(payload, FineTuned):
                for judged in payload.quality:
                    if judged.image in rows:
                        rows[judged.image] |= judged.model_dump(exclude={"image"})
            if not isinstance(payload, ItemAnnotated):
                continue
            drawn = payload.annotation
            row = rows.setdefault(
                payload.image,
                self._keys(task)
                | {
                    "cycle": payload.cycle,
                    "page": payload.page,
                    "asked": task.interface(payload.image),
                    **kinds[payload.image],
                    "trial": len(rows) + 1,
                    "learnt": payload.learnt,
                    "visits": 0,
                    "seconds": 0.0,
                    "idle_seconds": 0.0,
                    "undos": 0,
                },
            )
            row["visits"] += 1
            row["seconds"] += payload.seconds
            row["idle_seconds"] += idle_seconds(payload.actions, payload.seconds, threshold)
            row["undos"] += sum(action.kind == "undo" for action in payload.actions)
            row |= {
                "positive_points": len(drawn.positive_points),
                "negative_regions": len(drawn.negative_regions),
                "polygons": len(drawn.polygons),
                "vertices": sum(len(polygon) for polygon in drawn.polygons),
                "boxes": len(drawn.boxes),
                "strokes": len(drawn.strokes),
                "answer": drawn.proposals[-1].answer if drawn.proposals else "",
                "confirmed_at": event.at,
            }
        return list(rows.values())

    def reveal_rows(self) -> list[Row]:
        """One row for each image of the rapid categorisation."""
        return [self._keys() | payload.model_dump() for payload in self._said(Categorised)]

    def answer_rows(self) -> list[Row]:
        """One row for each answer."""
        rows = []
        for payload in self._said(Answered):
            task = None if payload.position is None else self.progress.task(payload.position)
            answer = payload.answer
            if isinstance(answer, float) and answer.is_integer():
                answer = int(answer)
            rows.append(
                self._keys(task)
                | {
                    "instrument": payload.instrument,
                    "question": payload.question,
                    "answer": answer,
                }
            )
        return rows


def _ineligible(config: StudyConfig, screened: Screened) -> str:
    against = [
        one.key for one in config.screening if not one.accepts(screened.answers.get(one.key))
    ]
    return f"not eligible: {', '.join(against)}"


def _erasure(erased: Erased) -> str:
    """Why there is nothing of somebody whose data were erased, and how much there was."""
    why = f" ({erased.reason})" if erased.reason else ""
    return (
        f"the data were erased{why}: {erased.images} images, {erased.tasks} finished tasks, "
        f"{sum(erased.counts.values())} rows of the log"
    )


def _kinds(batch: BatchSelected) -> dict[str, Row]:
    """Image, class, context and feature of each item of a batch; None where nobody says."""
    unknown = (None,) * len(batch.images)
    columns = {
        "image": batch.photographs or batch.images,
        "class": batch.classes or unknown,
        "context": batch.contexts or unknown,
        "feature": batch.classes if batch.photographs else unknown,
    }
    rows = zip(*columns.values(), strict=True)
    return {
        name: dict(zip(columns, row, strict=True)) | {"shared": name in batch.shared}
        for name, row in zip(batch.images, rows, strict=True)
    }


def _mean_quality(tuned: Sequence[FineTuned]) -> Row:
    """Means over a task's images, of objects the share that was hit; None: nothing is known."""
    judged = [one for payload in tuned for one in payload.quality]
    row: Row = {}
    for name in ("on_object", "outline_iou", "coverage", "regions_on_object", "map_similarity"):
        values = [value for one in judged if (value := getattr(one, name)) is not None]
        row[name] = sum(values) / len(values) if values else None
    there = sum(one.objects for one in judged)
    row["objects_hit"] = sum(one.objects_hit for one in judged) / there if there else None
    return row


def _add_to_cycle(row: Row, payload: object) -> None:
    match payload:
        case BatchSelected():
            row |= {"strategy": payload.strategy, "selection_seconds": payload.seconds}
        case ItemAnnotated():
            row["annotation_seconds"] = row.get("annotation_seconds", 0.0) + payload.seconds
        case HeadTuned():
            row["updates"] += 1
            _add_training(row, payload, payload.steps, payload.problem or payload.note)
        case FineTuned():
            _add_training(row, payload, payload.epochs, payload.note)
        case FineTuningFailed():
            row |= {"failed": True, "note": payload.reason}
        case Evaluated():
            for split, metrics in payload.metrics.items():
                whole, _ = by_feature(metrics)
                row |= {f"{split}_{metric}": value for metric, value in whole.items()}


def _add_training(row: Row, tuned: HeadTuned | FineTuned, epochs: int, note: str) -> None:
    """One more training of a cycle: sums, the last loss, and every note once."""
    notes = [each for each in (row.get("note") or "").split("; ") if each]
    row |= {
        "training_seconds": row.get("training_seconds", 0.0) + tuned.seconds,
        "epochs": row.get("epochs", 0) + epochs,
        "loss": row.get("loss") if tuned.loss is None else tuned.loss,
        "collapsed": row.get("collapsed", False) or tuned.collapsed,
        "note": "; ".join(notes if not note or note in notes else [*notes, note]),
    }


def _study_metric(metrics: dict[str, dict[str, float | None]], metric: str) -> float | None:
    biased = metric == "accuracy" or metric.startswith("accuracy_of_")
    split = "balanced" if not biased and "balanced" in metrics else "test"
    return metrics.get(split, {}).get(metric)


def event_row(event: Event) -> Row:
    """The row of an event: the log as it is."""
    return {
        "number": event.number,
        "id": event.id,
        "participant": event.participant,
        "mode": event.mode,
        "type": event.payload.type,
        "version": event.payload.version,
        "at": event.at,
        "recorded_at": event.recorded_at,
        "payload": event.payload.model_dump_json(),
        "study_hash": event.study_hash,
    }
