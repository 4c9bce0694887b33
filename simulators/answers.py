"""What a simulated participant answers: a graded response model over what was lived through.

Two latent attitudes, in SDs and 0 in the middle of a scale. *Difficulty* of a task grows with the
log of the person's own seconds and presses per image and with corrected slips. *Satisfaction* grows
with the attention that the participant's own models put inside the objects (with maps) and with the
accuracy that they gained (with networks). How much each counts, and how hard or good anything
seems, are the person's (:class:`~simulators.person.Person`, "How questions are answered").

An answer is at least category k with probability ``logistic(a * (attitude - b_k))`` (Samejima
1969), where the b_k divide a scale evenly and ``a`` is the person's discrimination.

Weights and origins are calibrated to the *counts* of He et al. (2023), section 7.3 (polygons
difficult for 10 of 16, clicks not difficult for 13 of 16, 12 prefer clicks), so such counts in
simulated data say nothing about people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from simulators.person import Person
from study.config import Condition, DemographicQuestion, Instrument, Question, ScreeningQuestion
from study.interfaces import interfaces

USUAL = 7.0
"""Seconds and presses per image that are neither easy nor difficult (calibrated)."""
CONFIDENT = 1.2
"""Confidence in networks that gained nothing (calibrated: 15 of 16 find theirs reliable)."""
SIMULATED = "(simulated answer)"
"""Begins every free text, so that no one can take it for a person's words."""


@dataclass(frozen=True)
class Experience:
    """What a participant lived through in one task.

    Attributes:
        condition: interface and sampling.
        seconds: mean seconds per image.
        presses: mean presses per image.
        undos: mean undos and cancels per image.
        attention: share of attention inside the object after the task, or None if not known.
        gain: accuracy after minus before, or None if not known.
    """

    condition: Condition
    seconds: float
    presses: float
    undos: float
    attention: float | None = None
    gain: float | None = None

    def difficulty(self, person: Person) -> float:
        """Towards "this was difficult"; 0 at :data:`USUAL` seconds and presses and no undo."""
        return (
            person.hardness
            + person.minds_time * float(np.log(max(self.seconds, 0.1) / USUAL))
            + person.minds_presses * float(np.log(max(self.presses, 0.1) / USUAL))
            + person.minds_corrections * self.undos
        )

    def reasonable(self, person: Person) -> float:
        """Towards "the attention maps were reasonable"; 0 at a quarter inside."""
        inside = 0.25 if self.attention is None else self.attention
        return person.contentment + person.minds_maps * (inside - 0.25)

    def confident(self, person: Person) -> float:
        """Towards "I am confident to use these networks"; :data:`CONFIDENT` without any gain."""
        return CONFIDENT + person.contentment + person.minds_gain * (self.gain or 0.0)


def answer(
    instrument: Instrument,
    question: Question,
    person: Person,
    experiences: Sequence[Experience],
    rng: np.random.Generator,
) -> str | float:
    """An answer that the question accepts.

    Args:
        instrument: whose question it is; the built-in ones have a stated meaning, a question of
            one's own is answered by style and noise alone.
        question: what is asked.
        person: who answers.
        experiences: of the task that the question is about, or of all tasks at the end.
        rng: the stream of this question.
    """
    if question.kind == "text":
        return f"{SIMULATED} {_comment(person, experiences)}"
    if question.kind == "choice":
        if set(question.choices) <= set(interfaces()):
            return _preferred(question.choices, person, experiences, rng)
        return question.choices[int(rng.integers(len(question.choices)))]
    attitude = _attitude(instrument, question, person, experiences)
    chances = probabilities(question, person, attitude)
    category = int(np.searchsorted(np.cumsum(chances), rng.random()))
    return float(question.low + question.step * min(category, len(chances) - 1))


def probabilities(question: Question, person: Person, attitude: float) -> NDArray[np.float64]:
    """Of each category of a scale, from the lowest, by the graded response model.

    The thresholds divide four SDs evenly: a scale of five has them at -1.5, -.5, .5 and 1.5.

    Args:
        question: a scale.
        person: whose style (acquiescence, extremity, noise) it is.
        attitude: towards a high value, in SDs.
    """
    steps = (question.high - question.low) // question.step
    thresholds = (np.arange(steps) + 0.5) * 4.0 / steps - 2.0
    above = expit(_slope(person) * (_styled(person, attitude) - thresholds))
    return np.asarray(-np.diff(np.concatenate([[1.0], above, [0.0]])))


def _styled(person: Person, attitude: float) -> float:
    return person.extremity * (attitude + person.acquiescence)


def _slope(person: Person) -> float:
    """The discrimination: a logistic distribution of this slope has the noise as its SD."""
    return float(np.pi / np.sqrt(3.0) / max(person.answer_noise, 1e-6))


def describe(
    questions: Sequence[DemographicQuestion], rng: np.random.Generator
) -> dict[str, str | float]:
    """Demographic answers, distributed as the paper's participants where the key is the paper's.

    Age is normal with mean 24.5 and SD 1.5 from 18 on; 12 of 16 are male and 4 female; of 16, 2
    are familiar with machine learning, 8 have programmed it and 6 use it in research (section
    6.1). Any other choice is uniform, any other number is from 1 to 10.
    """
    return {question.key: _describe(question, rng) for question in questions}


def eligible(
    questions: Sequence[ScreeningQuestion], rng: np.random.Generator
) -> dict[str, str | float]:
    """Answers to the screening questions of somebody who may take part."""
    return {
        question.key: (
            question.accepted[int(rng.integers(len(question.accepted)))]
            if question.kind == "choice"
            else float(
                min(
                    question.low if question.least is None else max(question.low, question.least),
                    question.high if question.most is None else question.most,
                )
            )
        )
        for question in questions
    }


def _describe(question: DemographicQuestion, rng: np.random.Generator) -> str | float:
    draw = rng.random()
    if question.key == "age" and question.kind == "number":
        return float(max(18, round(rng.normal(24.5, 1.5))))
    if question.kind == "number":
        return float(1 + int(draw * 10))
    if question.kind == "text" or not question.choices:
        return SIMULATED
    if question.key == "gender" and {"female", "male"} <= set(question.choices):
        return "male" if draw < 12 / 16 else "female"
    shares = np.full(len(question.choices), 1.0 / len(question.choices))
    if question.key == "experience" and len(question.choices) == 3:
        shares = np.array([2.0, 8.0, 6.0]) / 16.0
    return question.choices[int(np.searchsorted(np.cumsum(shares), draw).clip(0, len(shares) - 1))]


def _attitude(
    instrument: Instrument,
    question: Question,
    person: Person,
    experiences: Sequence[Experience],
) -> float:
    """Towards agreeing with (or a high value of) the question, before style and noise."""
    if not experiences:
        return 0.0
    clicks = float(np.mean([e.condition.interface == "click" for e in experiences]))
    felt = float(np.mean([e.difficulty(person) for e in experiences]))
    difficulty = felt - person.taste * (clicks - 0.5)
    reasonable = float(np.mean([e.reasonable(person) for e in experiences]))
    confident = float(np.mean([e.confident(person) for e in experiences]))
    # of an interface that the paper has not, by the question that it is made of
    match instrument.name, question.key.partition("_")[0]:
        case "paper", "Q1" | "Q2":
            return difficulty
        case "paper", "Q3" | "Q4":
            # concentration differed less between the interfaces than difficulty (Figure 11 b)
            return 0.5 * difficulty
        case "paper", "Q5" | "Q6":
            return reasonable
        case "paper", "Q7":
            return confident
        case "nasa-tlx", "performance":
            return 0.5 * difficulty - 0.5 * confident
        case "nasa-tlx", "temporal":
            return 0.3 * difficulty
        case "nasa-tlx", _:
            return 0.7 * difficulty
        case "sus", key if key[1:].isdigit():
            # odd items praise the system, even ones blame it
            return -difficulty if int(key[1:]) % 2 else difficulty
    return 0.0


def _ease_of_clicks(person: Person, experiences: Sequence[Experience]) -> float:
    """How much easier clicks were than polygons, in SDs, taste included."""
    by = {
        name: [e.difficulty(person) for e in experiences if e.condition.interface == name]
        for name in ("click", "polygon")
    }
    if not all(by.values()):
        return person.taste
    return 0.4 * float(np.mean(by["polygon"]) - np.mean(by["click"])) + person.taste


def _preferred(
    names: Sequence[str],
    person: Person,
    experiences: Sequence[Experience],
    rng: np.random.Generator,
) -> str:
    """One of the interfaces, the easier the likelier (multinomial logit), taste included."""
    lived = {
        name: [e.difficulty(person) for e in experiences if e.condition.interface == name]
        for name in names
    }
    ease = np.array([person.taste if name == "click" else 0.0 for name in names])
    if all(lived.values()):
        ease -= [0.4 * float(np.mean(lived[name])) for name in names]
    chances = softmax(_slope(person) * ease)
    return names[min(int(np.searchsorted(np.cumsum(chances), rng.random())), len(names) - 1)]


def _comment(person: Person, experiences: Sequence[Experience]) -> str:
    if not experiences:
        return "No comment."
    means = ", ".join(
        f"{name} {np.mean([e.seconds for e in experiences if e.condition.name == name]):.1f} s"
        for name in dict.fromkeys(e.condition.name for e in experiences)
    )
    lean = "clicks" if _ease_of_clicks(person, experiences) > 0 else "polygons"
    return f"Mean time per image: {means}. Latent preference: {lean}."
