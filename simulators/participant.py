"""A simulated participant: does every step of the study as a person in a browser would.

It makes the calls that the browser makes, on its own simulated clock: a 45-minute task takes as
long as its computing. It keeps no state. Whatever it draws comes from a stream named by the study's
seed, the participant, the task, the cycle and the image, so a killed run goes on exactly as it
would have without the kill, and neither hardware speed nor the number of workers changes a click.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulators import answers, slots
from simulators.actions import Move
from simulators.annotator import Shape, annotate, recent
from simulators.answers import Experience
from simulators.batch import colours_of
from simulators.chance import Draws
from simulators.hands import hand_of
from simulators.person import Person
from simulators.scene import Scene
from simulators.timing import Circumstances, perform
from study import reveal
from study.annotation import Annotation
from study.config import Condition, InterfaceName
from study.errors import UserError
from study.interfaces import interface as interface_of
from study.learning.attention import attention_maps
from study.loop import TaskLoop
from study.practice import practice_number
from study.protocol.agreement import consented
from study.protocol.events import (
    Answered,
    Checked,
    Debriefed,
    Described,
    Evaluated,
    Instructed,
    ItemAnnotated,
    Payload,
    Practised,
    Rested,
    Screened,
    TaskStarted,
)
from study.protocol.questionnaire import is_about
from study.protocol.session import Session
from study.protocol.steps import (
    Annotate,
    Break,
    Categorise,
    Check,
    Consent,
    Debriefing,
    Demographics,
    Done,
    Instructions,
    Practice,
    Questionnaire,
    Screening,
    StartTask,
    Step,
)
from study.seeds import rng, seed

READING = {Consent: 40.0, Instructions: 60.0, StartTask: 10.0, Debriefing: 30.0}
"""Mean seconds that a text is read for (chosen; no result depends on them)."""
QUESTION = 6.0
"""Mean seconds for a question (chosen)."""
MOST_ATTEMPTS = 50
"""Practice attempts after which a study is not going to be practised."""


RECOGNISING = 0.6
"""Seconds from what was shown to the answer, about (chosen)."""
ENOUGH_VISIBLE = 0.15
"""Share of an object of which 63% of what is shown suffices to know it (chosen)."""


def knows(visible: float) -> float:
    """Probability of recognising an object of which such a share was visible."""
    return float(1 - np.exp(-visible / ENOUGH_VISIBLE))


class StuckError(UserError):
    """A simulated participant that cannot go on; one sentence with the fix."""


class Participant:
    """One simulated participant in one study.

    Args:
        session: its place in the study; enrolled already.
        loop: the machine's side.
        person: who it is.
        waiting: simulated seconds that each machine step takes; None takes the measured ones.
            Only with a number is the whole log, times of day included, the same on any machine;
            annotations and their durations always are, but for ``task.clock = "total"``.
        after: called when a step is done.
    """

    def __init__(
        self,
        session: Session,
        loop: TaskLoop,
        person: Person,
        waiting: float | None = None,
        after: Callable[[Step], None] | None = None,
    ) -> None:
        self.session = session
        self.loop = loop
        self.person = person
        self.waiting = waiting
        self.after = after or (lambda step: None)
        self._maps: tuple[tuple[int, int, int], NDArray[np.float32]] | None = None

    def run(self) -> str:
        """Do steps until there is none left; returns the final status.

        Raises:
            DataError: when the dataset has no masks, from which a simulated hand knows the object.
        """
        self.loop.pool.require_masks("a simulated participant")
        while not isinstance(step := self.session.step(), Done):
            self.do(step)
            self.after(step)
        return step.status

    def do(self, step: Step) -> None:
        """Do one step and record it."""
        if step.machine:
            started = time.perf_counter()
            payload = self.loop.perform(self.session, step)
            measured = time.perf_counter() - started
            self._record(payload, measured if self.waiting is None else self.waiting)
            return
        match step:
            case Consent():
                agreed = consented(self.loop.config, step.text, {})
                self._record(agreed, self._reads(step))
            case Screening():
                said = answers.eligible(step.questions, self._rng("screening"))
                self._record(Screened(answers=said, eligible=True), QUESTION * len(said))
            case Demographics():
                said = answers.describe(step.questions, self._rng("demographics"))
                self._record(Described(answers=said), QUESTION * len(said))
            case Instructions():
                self._record(Instructed(interface=step.interface), self._reads(step))
            case Practice():
                self._practise(step)
            case StartTask():
                self._record(TaskStarted(position=step.position), self._reads(step))
            case Annotate():
                self._annotate(step)
            case Check():
                self._check(step)
            case Categorise():
                self._categorise(step)
            case Questionnaire():
                self._answer(step)
            case Break():
                late = float(self._rng(step.position, "break").exponential(10.0))
                rested = step.seconds + late
                self._record(Rested(position=step.position, seconds=rested), rested)
            case Debriefing():
                self._record(Debriefed(), self._reads(step))
            case _:
                raise TypeError(f"a simulated participant does not know {type(step).__name__}")

    # -- the clock and the streams -----------------------------------------------------------

    def _record(self, payload: Payload, seconds: float) -> None:
        """Record what took ``seconds`` on the participant's clock."""
        self.session.record(payload, self.session.progress.last_at + seconds)

    def _rng(self, *names: object) -> np.random.Generator:
        return rng(self.loop.config.seed, self.session.participant, *names, "simulated")

    def _key(self, *names: object) -> int:
        return seed(self.loop.config.seed, self.session.participant, *names, "simulated")

    def _reads(self, step: Step) -> float:
        which = getattr(step, "interface", getattr(step, "position", ""))
        stream = self._rng(type(step).__name__, which)
        noise = float(np.exp(stream.normal(0.0, 0.3)))
        return self.person.speed * READING[type(step)] * noise

    # -- the steps ---------------------------------------------------------------------------

    def _practise(self, step: Practice) -> None:
        if step.attempt > MOST_ATTEMPTS:
            raise StuckError(
                f"{self.session.participant} cannot do {step.items} {step.interface} practice "
                f"items in {MOST_ATTEMPTS} attempts: the validation images need masks that are "
                f"not empty, and practice.polygon_iou must be below .6"
            )
        stream = self._rng(step.interface, "practice", step.attempt)
        interface = step.interface
        number = practice_number(step.done, step.failures)
        image = self.loop.practice_image(self.session.participant, interface, number)
        split = self.loop.dataset["val"].items
        mask = split.require_masks("practice")[split.positions[image]].numpy()
        careful = self.person.model_copy(
            update={"slip_rate": 0.0, "wrong_rate": 0.0, "miss_rate": 0.0, "diligence": 1.0}
        )
        failed = stream.random() < self.person.practice_failure_rate
        hand, draws = hand_of(interface), Draws(self._key(interface, "practice", step.attempt))
        seen = self._pretrained(image) if interface_of(interface).proposes else None
        colours = colours_of(split.images[split.positions[image]])
        drawn, moves = hand.draw(Scene(mask, seen, colours), careful, draws)
        if failed:
            # confirmed without having understood what is asked
            drawn, moves = Annotation(), []
        drawn = split.frame(split.positions[image]).outward(drawn)
        how = Circumstances(minds_attention=hand.minds_attention)
        done = perform(moves, self.person, draws, getattr(self.person, hand.skill), how)
        correct = self.loop.practice_correct(interface, image, drawn)
        self._record(
            Practised(
                interface=interface,
                attempt=step.attempt,
                image=image,
                annotation=drawn,
                correct=correct,
                seconds=done.seconds,
            ),
            done.seconds,
        )

    def _annotate(self, step: Annotate) -> None:
        image = step.remaining[0]
        pool = self.loop.pool
        interface = step.interface(image)
        mask = pool.require_masks("a simulated participant")[pool.positions[image]].numpy()
        key = self._key(step.position, step.cycle, image)
        here = self.loop.config.for_condition(step.condition)
        shown = interface in here.workspace.show_attention or interface_of(interface).proposes
        maps = self._attention(step, step.images.index(image)) if shown else None
        place = pool.positions[image]
        drawn, done = annotate(
            interface,
            mask,
            maps,
            self.person,
            self._shape(interface),
            key,
            pool.frame(place),
            colours_of(pool.images[place]),
        )
        self._record(
            ItemAnnotated(
                position=step.position,
                cycle=step.cycle,
                page=step.page_of(image),
                image=image,
                annotation=drawn,
                seconds=done.seconds,
                actions=done.actions,
                learnt=step.learnt if shown else None,
            ),
            done.seconds,
        )

    def _pretrained(self, image: str) -> NDArray[np.float32]:
        """The biased classifier's attention on a validation image, as practice shows it."""
        model, data = self.loop.before()
        split = data["val"].items
        one = split.subset([split.positions[image]])
        maps: NDArray[np.float32] = (
            attention_maps(model, one, device=self.loop.device).cpu().numpy()
        )
        return maps[0]

    def _shape(self, interface: InterfaceName) -> Shape:
        """The practice and the tiredness that the log says the person has."""
        tasks = self.session.progress.tasks
        done = [(task, name) for task in tasks for name in task.annotations()]
        before = sum(task.interface(name) == interface for task, name in done)
        hours = 0.0
        for task in tasks:
            hours += task.annotation_seconds / 3600.0
            if task.position in self.session.progress.rested:
                hours *= 1.0 - self.person.recovery
        return Shape(before + 1, hours)

    def _attention(self, step: Annotate, number: int) -> NDArray[np.float32]:
        """The map of item ``number``, after those that it is compared with.

        The batch's maps are computed together, whatever is left of it: the same after a resume.
        Where the head learns after each image, what was seen just before is compared as the newest
        head sees it.
        """
        state = (step.position, step.cycle, step.learnt)
        if self._maps is None or self._maps[0] != state:
            maps = self.loop.attention(self.session.progress, *state[:2], step.images)
            self._maps = (state, maps)
        return recent(self._maps[1], number)

    def _check(self, step: Check) -> None:
        again = () if step.attempt == 1 else (step.attempt,)
        stream = self._rng(step.position, "check", step.number, *again)
        passed = bool(stream.random() >= self.person.check_miss_rate)
        interface = self.loop.config.interfaces_of(step.condition)[0]
        shape = self._shape(interface)
        draws = Draws(self._key(step.position, "check", step.number, *again, "press"))
        done = perform(
            [Move("positive", step.target, 2 * step.radius, z=draws.normal(slots.TEMPO))],
            self.person,
            draws,
            getattr(self.person, hand_of(interface).skill),
            Circumstances(shape.trial, shape.hours),
        )
        self._record(
            Checked(
                position=step.position,
                cycle=step.cycle,
                number=step.number,
                attempt=step.attempt,
                passed=passed,
                seconds=done.seconds,
            ),
            done.seconds,
        )

    def _categorise(self, step: Categorise) -> None:
        """Known in proportion to what is visible of the object, guessed otherwise."""
        prepared = self.loop.revealing
        trial = prepared.trials(self.loop, self.session.participant)[step.number - 1]
        shown = prepared.candidates[trial.candidate]
        items = self.loop.dataset[shown.split].items
        index = items.positions[shown.name]
        frame, mask = items.frame(index), items.require_masks("a simulated participant")[index]
        shape = frame.photograph_shape(*mask.shape)
        over = frame.over_photograph(mask.numpy(), shape, False)
        seen = reveal.shown(prepared.maps[trial.source][trial.candidate], trial.share, shape)
        visible = float((seen & over).sum() / max(int(over.sum()), 1))
        stream = self._rng("reveal", step.number)
        known = stream.random() < (1 - self.person.check_miss_rate) * knows(visible)
        wrong = next(name for name in trial.choices if name != shown.label)
        answer = shown.label if known or stream.random() < 0.5 else wrong
        seconds = self.person.speed * (
            self.loop.config.reveal.seconds + RECOGNISING * float(np.exp(stream.normal(0.0, 0.3)))
        )
        self._record(
            reveal.categorised(step.number, trial, shown, answer, seconds),
            seconds,
        )

    def _answer(self, step: Questionnaire) -> None:
        everything = self._experiences(step.position)
        for instrument, question in step.questions:
            lived = [one for one in everything if is_about(question, one.condition)]
            stream = self._rng(step.position or "end", instrument.name, question.key)
            said = answers.answer(instrument, question, self.person, lived, stream)
            self._record(
                Answered(
                    instrument=instrument.name,
                    question=question.key,
                    answer=said,
                    position=step.position,
                ),
                self.person.speed * QUESTION * float(np.exp(stream.normal(0.0, 0.4))),
            )

    def _experiences(self, position: int | None) -> list[Experience]:
        """What the log says of one task, or of all."""
        events = self.session.study.store.events(self.session.participant)
        found = []
        for task in self.session.progress.tasks:
            if position not in (None, task.position):
                continue
            here = [e.payload for e in events if getattr(e.payload, "position", 0) == task.position]
            items = [payload for payload in here if isinstance(payload, ItemAnnotated)]
            tests = [payload for payload in here if isinstance(payload, Evaluated)]
            if items:
                found.append(_experience(task.condition, items, tests))
        return found


def _experience(
    condition: Condition, items: list[ItemAnnotated], tests: list[Evaluated]
) -> Experience:
    presses = [
        sum(action.kind not in ("blur", "focus") for action in item.actions) for item in items
    ]
    undos = [sum(action.kind in ("undo", "cancel") for action in item.actions) for item in items]
    before, after = (tests[0].metrics, tests[-1].metrics) if tests else ({}, {})
    accuracies = [metrics.get("test", {}).get("accuracy") for metrics in (before, after)]
    gain = None
    if accuracies[0] is not None and accuracies[1] is not None:
        gain = accuracies[1] - accuracies[0]
    return Experience(
        condition,
        seconds=float(np.mean([item.seconds for item in items])),
        presses=float(np.mean(presses)),
        undos=float(np.mean(undos)),
        attention=after.get("test", {}).get("attention_inside"),
        gain=gain,
    )
