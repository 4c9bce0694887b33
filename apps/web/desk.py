"""The web process's view of a study: each participant's seat, kept in step with the log.

Everything here is a cache of the log. Dropping it, or the process, loses nothing.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from apps.web.board import Board
from apps.web.jobs import Queue
from apps.web.layout import Layout, step_name
from apps.web.messages import (
    MESSAGE,
    AnnotatedMessage,
    CheckedMessage,
    PractisedMessage,
)
from apps.web.state import State, state_of
from apps.web.tokens import participant_of_code, read_secret, sign, verify
from study.config import StudyConfig
from study.practice import practice_correct, practice_index
from study.protocol.events import (
    Checked,
    Evaluated,
    FineTuningFailed,
    ItemAnnotated,
    Payload,
    Practised,
    TaskExtended,
)
from study.protocol.session import ProtocolError, Session
from study.protocol.steps import Check, Evaluate, FineTune, Practice, Select, Step


class Desk:
    """All seats of one study directory.

    Args:
        path: the study directory.
    """

    def __init__(self, path: Path) -> None:
        self.layout = Layout.open(path)
        self.queue = Queue(self.layout.queue_path)
        self.secret = read_secret(self.layout.directory.path)
        self._seats: dict[str, Seat] = {}
        self._lock = threading.Lock()

    @property
    def config(self) -> StudyConfig:
        """The study file."""
        return self.layout.config

    @property
    def board(self) -> Board:
        """Leases and jobs."""
        return self.layout.board

    def participants(self) -> list[str]:
        """Everyone enrolled."""
        return self.layout.study.store.participants()

    def token(self, participant: str) -> str:
        """What a personal link carries."""
        return sign(self.secret, participant)

    def admit(self, token: str | None) -> Seat | None:
        """The seat of whoever has this token."""
        participant = verify(self.secret, token) if token else None
        return self.seat(participant) if participant is not None else None

    def admit_by_code(self, typed: str) -> str | None:
        """The token of whoever has this code."""
        participant = participant_of_code(self.secret, typed, self.participants())
        return None if participant is None else self.token(participant)

    def seat(self, participant: str) -> Seat | None:
        """A participant's seat; None when nobody of that name can take part."""
        with self._lock:
            if participant not in self._seats:
                try:
                    session = Session(self.layout.study, participant)
                except ProtocolError:
                    return None
                self._seats[participant] = Seat(self, session)
            return self._seats[participant]


class Seat:
    """One participant at the study: what their browser is told and what it may say."""

    def __init__(self, desk: Desk, session: Session) -> None:
        self.desk = desk
        self.session = session
        self.lock = threading.RLock()
        self._ids: set[str] = set()
        self._number = 0

    @property
    def participant(self) -> str:
        """The participant's name."""
        return self.session.participant

    def step(self) -> Step:
        """What comes next; a step that only copies the baseline is done here and now."""
        with self.lock:
            step = self.session.step()
            if isinstance(step, Evaluate) and step.cycle == 0:
                baseline = self.desk.layout.directory.baseline
                if baseline.exists():
                    # a worker may be busy for minutes with somebody else's fine-tuning
                    metrics = json.loads(baseline.read_text())
                    payload = Evaluated(
                        position=step.position, cycle=0, metrics=metrics, seconds=0.0
                    )
                    self.session.record(payload, at=time.time())
                    return self.session.step()
            return step

    def state(self) -> State:
        """What the browser shows; asks for the machine's step where one is due."""
        with self.lock:
            step = self.step()
            if isinstance(step, Select | Evaluate):
                self._request(step)
            board = self.desk.board
            job = board.job(self.participant) if step.machine else None
            if job is not None and isinstance(step, FineTune) and job.step == step_name(step):
                self._request(step)
            paused = self.paused_at() is not None
            state = state_of(self.desk.config, self.session.progress, step, job, paused)
            if isinstance(step, Practice):
                state["practice"] |= self._practice_facts(step)
            if step.machine and not self.desk.layout.directory.baseline.exists():
                state["preparing"] = self._preparing()
            return state

    def _preparing(self) -> str:
        """How far the first model's training is, such as ``3/30``."""
        return self.desk.board.facts().get("preparing", ("0/0", 0.0))[0]

    def _practice_facts(self, step: Practice) -> State:
        """The label of the practice image; until it is there, how far the preparation is."""
        validation = self.desk.layout.stimuli.validation()
        if validation is None:
            return {"preparing": self._preparing()}
        return {"label": validation.labels[self.practice_item(step)]}

    def fine_tune(self) -> None:
        """The participant pressed FINE-TUNE."""
        with self.lock:
            step = self.step()
            if isinstance(step, FineTune):
                self._request(step)

    def record(self, *payloads: Payload) -> None:
        """Log what a form page says, in one transaction."""
        with self.lock:
            self.session.record_all(payloads, at=time.time())

    def _request(self, step: Step) -> None:
        if self.desk.board.request(self.participant, step_name(step)):
            self.desk.queue.put(self.participant, step_name(step))

    # -- what the canvas says --------------------------------------------------------------

    def accept(self, messages: Sequence[Any]) -> dict[str, str | None]:
        """Log a browser's outbox, in its order.

        Returns:
            By message id, why the log refuses it, or None when it has it. Refused messages are
            kept in the study directory, so that nothing said is lost.
        """
        with self.lock:
            return dict(self._accept(message) for message in messages)

    def _accept(self, raw: Any) -> tuple[str, str | None]:
        name = str(raw.get("id", "")) if isinstance(raw, dict) else ""
        try:
            message = MESSAGE.validate_python(raw)
            if not self._has(message.id):
                # a browser's clock may be ahead; nothing happens later than it is heard of
                at = min(message.at, time.time())
                self.session.record(self._payload(message), at=at, id=message.id)
        except (ValidationError, ProtocolError) as error:
            reason = str(error)
            self._keep_refused(raw, reason)
            return name, reason
        return message.id, None

    def _payload(self, message: AnnotatedMessage | PractisedMessage | CheckedMessage) -> Payload:
        match message:
            case AnnotatedMessage():
                return self._annotated(message)
            case PractisedMessage():
                return self._practised(message)
            case CheckedMessage():
                return self._checked(message)

    def _annotated(self, message: AnnotatedMessage) -> ItemAnnotated:
        progress = self.session.progress
        page, visit = 1, 1
        if message.position <= len(progress.tasks):
            cycles = progress.task(message.position).cycles
            if message.cycle <= len(cycles) and message.image in cycles[message.cycle - 1].images:
                cycle = cycles[message.cycle - 1]
                page = cycle.images.index(message.image) // self.desk.config.task.page + 1
                visit = cycle.visits[message.image] + 1
        return ItemAnnotated(
            position=message.position,
            cycle=message.cycle,
            page=page,
            image=message.image,
            visit=visit,
            annotation=message.annotation,
            seconds=message.seconds,
            actions=message.actions,
        )

    def _practised(self, message: PractisedMessage) -> Practised:
        step = self.session.step()
        if not isinstance(step, Practice) or (step.interface, step.attempt) != (
            message.interface,
            message.attempt,
        ):
            raise ProtocolError(
                f"{self.participant} is not at attempt {message.attempt} with {message.interface}"
            )
        index = self.practice_item(step)
        validation = self.desk.layout.stimuli.validation()
        assert validation is not None
        correct = practice_correct(
            message.interface,
            message.annotation,
            self.desk.layout.stimuli.practice_mask(index),
            self.desk.config.practice.polygon_iou,
        )
        return Practised(
            interface=message.interface,
            attempt=message.attempt,
            image=validation.names[index],
            annotation=message.annotation,
            correct=correct,
            seconds=message.seconds,
        )

    def _checked(self, message: CheckedMessage) -> Checked:
        step = self.session.step()
        if not isinstance(step, Check) or (step.position, step.number) != (
            message.position,
            message.number,
        ):
            raise ProtocolError(f"attention check {message.number} is not due")
        (x, y), (tx, ty) = message.point, step.target
        return Checked(
            position=step.position,
            cycle=step.cycle,
            number=step.number,
            passed=(x - tx) ** 2 + (y - ty) ** 2 <= step.radius**2,
            seconds=message.seconds,
        )

    def practice_item(self, step: Practice) -> int:
        """The validation image of a practice step."""
        validation = self.desk.layout.stimuli.validation()
        if validation is None:
            raise ProtocolError("the practice images are still being prepared")
        return practice_index(
            self.desk.config.seed,
            self.participant,
            step.interface,
            step.attempt,
            validation.candidates,
        )

    def _has(self, id: str) -> bool:
        """Whether the log has this message, by this or by an earlier web process."""
        for event in self.desk.layout.study.store.events(self.participant, after=self._number):
            self._number = max(self._number, event.number or 0)
            self._ids.add(event.id)
        return id in self._ids

    def _keep_refused(self, raw: Any, reason: str) -> None:
        row = {"participant": self.participant, "at": time.time(), "reason": reason, "said": raw}
        with self.desk.layout.refused_path.open("a") as file:
            file.write(json.dumps(row, default=str) + "\n")

    def failed_checks(self) -> int:
        """How many attention checks were failed."""
        events = self.desk.layout.study.store.events(self.participant)
        return sum(isinstance(e.payload, Checked) and not e.payload.passed for e in events)

    def failed_fine_tunings(self) -> list[FineTuningFailed]:
        """Fine-tunings that were given up."""
        events = self.desk.layout.study.store.events(self.participant)
        return [e.payload for e in events if isinstance(e.payload, FineTuningFailed)]

    # -- pause -----------------------------------------------------------------------------

    def paused_at(self) -> float | None:
        """Since when the experimenter has stopped this participant."""
        value, at = self.desk.board.facts().get(f"pause {self.participant}", ("", 0.0))
        return at if value == "paused" else None

    def pause(self) -> None:
        """Cover the participant's page until :meth:`resume`."""
        if self.paused_at() is None:
            self.desk.board.note(f"pause {self.participant}", "paused")

    def resume(self) -> None:
        """Uncover it; a task whose clock runs in a pause gets the time back."""
        since = self.paused_at()
        if since is None:
            return
        self.desk.board.note(f"pause {self.participant}", "resumed")
        with self.lock:
            position = getattr(self.step(), "position", None)
            if position is not None and self.desk.config.task.clock == "total":
                self.extend(int(position), time.time() - since, "pause")

    def extend(self, position: int, seconds: float, reason: str) -> None:
        """Give a task more (or less) time."""
        with self.lock:
            number = 1 + self.session.progress.task(position).extensions
            self.record(
                TaskExtended(position=position, seconds=seconds, reason=reason, number=number)
            )
