"""The web process's view of a study: each participant's seat, kept in step with the log.

Everything here is a cache of the log. Dropping it, or the process, loses nothing.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import ValidationError

from apps.web.admission import Admission
from apps.web.board import Board
from apps.web.erasing import forget
from apps.web.guard import Guard
from apps.web.jobs import SILENT_SECONDS, Jobs
from apps.web.layout import Layout, step_name
from apps.web.messages import (
    MESSAGE,
    AnnotatedMessage,
    AnyMessage,
    CategorisedMessage,
    CheckedMessage,
    EnvironmentMessage,
    PractisedMessage,
    RestedMessage,
    SatisfiedMessage,
)
from apps.web.state import State, state_of
from apps.web.stimuli import unpack_regions
from apps.web.tokens import EVERYBODY, participant_of_code, read_secret, sign, verify
from apps.web.tutor import Bell, is_needed
from study.config import StudyConfig
from study.config.texts import translated
from study.files import append_privately
from study.framing import UNSEEN
from study.interfaces import Verdict, interface
from study.interfaces.judging import objects
from study.languages import Speech
from study.practice import (
    has_region_beside,
    judge,
    practice_index,
    practice_number,
    wanted,
)
from study.protocol.events import (
    Categorised,
    Checked,
    Evaluated,
    FineTuningFailed,
    ItemAnnotated,
    Mode,
    Payload,
    Practised,
    Satisfied,
    TaskExtended,
    TaskRested,
    UnknownEvent,
)
from study.protocol.session import ProtocolError, Session
from study.protocol.steps import (
    Categorise,
    Check,
    Evaluate,
    FineTune,
    Practice,
    Select,
    Step,
    TuneHead,
)
from study.protocol.store import StoreError, TakenError
from study.protocol.timeline import CHECK_ATTEMPTS
from study.reveal import Candidate, Glimpse, Trial, categorised, trials

PATIENCE = 86400.0
"""A computer's clock may be a day wrong before the first answer of the server."""
MOST_KEPT, MOST_REFUSED = 20_000, 20_000_000
"""Characters kept of one refused message, and of all of a study."""


def _one_line(error: Exception) -> str:
    """Why something was refused, in one sentence, without what was said: it may be long."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))[:200]
        return f"{place}: {first['msg']}" if place else str(first["msg"])
    return str(error)


def advice(verdict: Verdict, say: Speech) -> str:
    """What was wrong with a practice item, in a language."""
    values = {
        name: say(value) if isinstance(value, str) else value
        for name, value in verdict.values.items()
    }
    return say(verdict.template, **values)


class Desk:
    """All seats of one study directory.

    Args:
        path: the study directory.
    """

    def __init__(self, path: Path) -> None:
        self.layout = Layout.open(path)
        self.bell = Bell(self.layout.tutor_path) if is_needed(self.layout.config) else None
        self.secret = read_secret(self.layout.directory.path)
        self.guard = Guard(self.layout.guesses_path)
        self.admission = Admission(self.secret)
        self._seats: dict[str, Seat] = {}
        self._lock = threading.Lock()

    @property
    def config(self) -> StudyConfig:
        """The study file."""
        return self.layout.config

    @property
    def board(self) -> Board:
        """Leases, drafts and facts."""
        return self.layout.board

    @property
    def jobs(self) -> Jobs:
        """What the workers do."""
        return self.layout.jobs

    def participants(self) -> list[str]:
        """Everyone enrolled."""
        return self.layout.study.store.participants()

    def health(self) -> dict[str, str]:
        """Whether the log answers, and whether a worker has been heard of lately."""
        try:
            self.participants()
            log = "ok"
        except StoreError:
            log = "does not answer"
        facts = self.board.facts().items()
        heard = [at for name, (_, at) in facts if name.startswith("worker ")]
        works = any(time.time() - at < SILENT_SECONDS for at in heard)
        return {"log": log, "worker": "ok" if works else "none"}

    def token(self, participant: str) -> str:
        """What a personal link carries."""
        return sign(self.secret, participant)

    def admit(self, token: str | None) -> Seat | None:
        """The seat of whoever has this token."""
        participant = verify(self.secret, token) if token else None
        return self.seat(participant) if participant is not None else None

    def invited(self, token: str) -> Mode | None:
        """The mode in which whoever has this invitation takes part."""
        said = verify(self.secret, token, EVERYBODY)
        return cast(Mode, said) if said in get_args(Mode) else None

    def speech(self, language: str) -> Speech:
        """A language of the study; its first one for any other."""
        offered = self.config.languages
        code = language if language in offered else offered[0]
        return Speech(code, translated(self.config, code))

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
                except (ProtocolError, StoreError, UnknownEvent):
                    # not enrolled here, or set aside: the experimenter's page says who
                    return None
                self._seats[participant] = Seat(self, session)
            return self._seats[participant]


class Seat:
    """One participant at the study: what their browser is told and what it may say."""

    def __init__(self, desk: Desk, session: Session) -> None:
        self.desk = desk
        self.session = session
        self.lock = threading.RLock()
        self._enrolled_at = desk.layout.study.store.events(session.participant)[0].at
        self.verdict = Verdict(True)
        self.chosen = ""

    @property
    def participant(self) -> str:
        """The participant's name."""
        return self.session.participant

    @property
    def say(self) -> Speech:
        """The participant's language: that of the consent, until then what the page was set to."""
        said = self.session.progress.language or self.chosen
        return self.desk.speech(said)

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
            step = self._taught(self.step())
            if isinstance(step, Select | Evaluate | TuneHead):
                self._request(step)
            job = self.desk.jobs.of(self.participant) if step.machine else None
            paused = self.paused_at() is not None
            state = state_of(
                self.desk.config, self.session.progress, step, job, paused, say=self.say
            )
            if isinstance(step, Practice):
                state["practice"] |= self._practice_facts(step)
            if isinstance(step, Categorise):
                state["glimpse"] |= self._glimpse_facts(step)
            if step.machine and not self.desk.layout.directory.baseline.exists():
                state["preparing"] = self._preparing()
            return state

    def _taught(self, step: Step) -> Step:
        """What comes next when the head has learnt; still that, where there is no tutor to do it.

        The next image is to show what this one taught, so the browser's answer waits for it.
        """
        if isinstance(step, TuneHead) and self.desk.bell is not None:
            self.desk.bell.ask("learn", self.participant)
            return self.session.step()
        return step

    def _preparing(self) -> str:
        """What is under way for the first model and how far it is, such as ``train 3/30``."""
        return self.desk.board.facts().get("preparing", ("train 0/0", 0.0))[0]

    def _practice_facts(self, step: Practice) -> State:
        """What the practice image shows and asks for; until it is there, how far the preparation
        is.
        """
        stimuli = self.desk.layout.stimuli
        validation = stimuli.validation()
        if validation is None:
            return {"preparing": self._preparing()}
        index = self.practice_item(step)
        mask, frame = stimuli.practice_mask(index), validation.frame(index)
        return {
            "label": self.say(validation.labels[index]),
            "count": 1 if mask is None else objects(mask),
            "beside": self._asks_for_a_region(step, index),
            "advice": "" if step.failures == 0 else advice(self.verdict, self.say),
            # after a failure what was wanted is shown; after some, it stays in sight
            "wanted": []
            if mask is None or not step.failures
            else [[frame.to_photograph(corner) for corner in outline] for outline in wanted(mask)],
            "helped": step.failures >= self.desk.config.practice.help_after,
        }

    def _glimpse_facts(self, step: Categorise) -> State:
        """The two things among which a trial asks; how far the preparation is until it is there."""
        found = self.trial(step)
        if found is None:
            return {"preparing": self._preparing()}
        return {"choices": [self.say(name) for name in found[0].choices]}

    def trial(self, step: Categorise) -> tuple[Trial, Candidate] | None:
        """A trial of the rapid categorisation and its image; None while they are prepared."""
        known = self.desk.layout.stimuli.reveal()
        if known is None:
            return None
        candidates, classes = known
        config = self.desk.config
        plan = trials(config.reveal, config.seed, self.participant, candidates, classes)
        trial = plan[step.number - 1]
        return trial, candidates[trial.candidate]

    def _categorised(self, message: CategorisedMessage) -> Categorised:
        step = self.session.step()
        found = self.trial(step) if isinstance(step, Categorise) else None
        if not isinstance(step, Categorise) or found is None or step.number != message.number:
            raise ProtocolError(f"trial {message.number} of the rapid categorisation is not due")
        trial, shown = found
        answer = trial.choices[message.answer]
        glimpse = Glimpse(onset=message.onset, seconds=message.shown, early=message.early)
        return categorised(step.number, trial, shown, answer, message.seconds, glimpse)

    def _asks_for_a_region(self, step: Practice, index: int) -> bool:
        """Whether this practice image has something to mark as "do not look here"."""
        stimuli = self.desk.layout.stimuli
        mask = stimuli.practice_mask(index)
        path = stimuli.practice_regions_path(index)
        can = interface(step.interface).regions and self.desk.config.practice.regions
        if mask is None or not can:
            return False
        validation = stimuli.validation()
        if validation is None or not path.exists():
            return False
        shown = unpack_regions(path.read_bytes())
        seen = validation.frame(index).over_square(shown, mask.shape, UNSEEN)
        return has_region_beside(seen, mask)

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

    def erase(self) -> None:
        """The participant, who has left, has their data erased."""
        if self.session.progress.status != "withdrawn":
            raise ProtocolError("only whoever has left the study can erase what they did")
        forget(self.desk.layout.directory, self.participant, "chosen by the participant")

    def _request(self, step: Step) -> None:
        self.desk.jobs.request(self.participant, step_name(step))

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
        name = str(raw.get("id", ""))[:64] if isinstance(raw, dict) else ""
        # a lone surrogate cannot be sent back either
        name = name.encode(errors="replace").decode()
        try:
            message = MESSAGE.validate_python(raw)
            # the log may have it, by this or by an earlier web process
            if message.id not in self.session.progress.ids:
                if message.at < self._enrolled_at - PATIENCE:
                    raise ProtocolError(f"this happened before {self.participant} was enrolled")
                # a browser's clock may be ahead; nothing happens later than it is heard of
                at = min(message.at, time.time())
                self.session.record(self._payload(message), at=at, id=message.id)
        except (ValidationError, ProtocolError, TakenError) as error:
            reason = _one_line(error)
            self._keep_refused(raw, reason)
            return name, reason
        return message.id, None

    def _payload(self, message: AnyMessage) -> Payload:
        match message:
            case EnvironmentMessage():
                return message.environment
            case RestedMessage():
                return TaskRested(
                    position=message.position, number=message.number, seconds=message.seconds
                )
            case SatisfiedMessage():
                return self._satisfied(message)
            case AnnotatedMessage():
                return self._annotated(message)
            case PractisedMessage():
                return self._practised(message)
            case CheckedMessage():
                return self._checked(message)
            case CategorisedMessage():
                return self._categorised(message)

    def _annotated(self, message: AnnotatedMessage) -> ItemAnnotated:
        progress = self.session.progress
        page, visit, learnt = 1, 1, message.learnt
        if message.position <= len(progress.tasks):
            task = progress.task(message.position)
            cycles = task.cycles
            learnt = None if learnt is None else min(learnt, len(task.confirmations))
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
            learnt=learnt,
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
        self.verdict = judge(
            message.interface,
            validation.frame(index).inward(message.annotation),
            self.desk.layout.stimuli.practice_mask(index),
            self.desk.config.practice.polygon_iou,
            name=validation.labels[index],
            beside=self._asks_for_a_region(step, index),
        )
        return Practised(
            interface=message.interface,
            attempt=message.attempt,
            image=validation.names[index],
            annotation=message.annotation,
            correct=self.verdict.correct,
            seconds=message.seconds,
            helped=message.helped,
        )

    def _satisfied(self, message: SatisfiedMessage) -> Satisfied:
        progress = self.session.progress
        if message.position > len(progress.tasks):
            raise ProtocolError(f"{self.participant} has {len(progress.tasks)} tasks")
        seconds = progress.task(message.position).annotation_seconds
        return Satisfied(position=message.position, seconds=seconds)

    def _checked(self, message: CheckedMessage) -> Checked:
        step = self.session.step()
        if not isinstance(step, Check) or (step.position, step.number, step.attempt) != (
            message.position,
            message.number,
            message.attempt,
        ):
            raise ProtocolError(f"attention check {message.number} is not due")
        (x, y), (tx, ty) = message.point, step.target
        return Checked(
            position=step.position,
            cycle=step.cycle,
            number=step.number,
            attempt=step.attempt,
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
            practice_number(step.done, step.failures),
            validation.candidates,
        )

    def _keep_refused(self, raw: Any, reason: str) -> None:
        if self.session.progress.erased:
            return
        row = {"participant": self.participant, "at": time.time(), "reason": reason}
        said = json.dumps(raw, default=str)
        row |= {"said": raw} if len(said) <= MOST_KEPT else {"begins": said[:MOST_KEPT]}
        append_privately(self.desk.layout.refused_path, json.dumps(row), most=MOST_REFUSED)

    def failed_checks(self) -> int:
        """How many attention checks were failed."""
        events = self.desk.layout.study.store.events(self.participant)
        return sum(
            isinstance(e.payload, Checked)
            and not e.payload.passed
            and e.payload.attempt == CHECK_ATTEMPTS
            for e in events
        )

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
