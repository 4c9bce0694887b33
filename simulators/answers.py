"""What a simulated participant answers, from a latent attitude.

An attitude is a number in SDs, 0 in the middle of a scale. For difficulty it grows with the
person's own seconds per image, presses per image and corrected slips; for attention maps with
the attention that the participant's own models put inside the objects; for confidence with the
accuracy that they gained. Response style (acquiescence, extremity) and noise are the person's.

The weights are calibrated to the *counts* of He et al. (2023), section 7.3 (polygons difficult for
10 of 16, clicks not difficult for 13 of 16, 12 prefer clicks), so such counts in simulated data
say nothing about people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulators.person import Person
from study.config import Condition, DemographicQuestion, Instrument, Question, ScreeningQuestion
from study.interfaces import interfaces

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

    @property
    def difficulty(self) -> float:
        """Attitude towards "this was difficult"; 0 at 7.5 s, 7.5 presses and no undo per image."""
        return (
            1.2 * float(np.log(max(self.seconds, 0.1) / 7.5))
            + 0.85 * float(np.log(max(self.presses, 0.1) / 7.5))
            + 0.5 * self.undos
        )

    @property
    def reasonable(self) -> float:
        """Attitude towards "the attention maps were reasonable"; 0 at a quarter inside."""
        return 0.0 if self.attention is None else 4.0 * (self.attention - 0.25)

    @property
    def confident(self) -> float:
        """Attitude towards "I am confident to use these networks"; ten points of accuracy are 1."""
        return 1.0 if self.gain is None else 1.0 + 10.0 * self.gain


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
    attitude += person.acquiescence + rng.normal(0.0, person.answer_noise)
    return on_scale(question, person.extremity * attitude)


def on_scale(question: Question, attitude: float) -> float:
    """The allowed value nearest to an attitude; +-2 SDs are the ends of the scale."""
    share = min(max(0.5 + attitude / 4.0, 0.0), 1.0)
    steps = (question.high - question.low) // question.step
    return float(question.low + question.step * round(share * steps))


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
    clicks = _share_of_clicks(experiences)
    difficulty = float(np.mean([e.difficulty for e in experiences])) - person.taste * (clicks - 0.5)
    reasonable = float(np.mean([e.reasonable for e in experiences]))
    confident = float(np.mean([e.confident for e in experiences]))
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


def _share_of_clicks(experiences: Sequence[Experience]) -> float:
    return float(np.mean([e.condition.interface == "click" for e in experiences]))


def _ease_of_clicks(person: Person, experiences: Sequence[Experience]) -> float:
    """How much easier clicks were than polygons, in SDs, taste included."""
    by = {
        name: [e.difficulty for e in experiences if e.condition.interface == name]
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
    """The easiest of the interfaces, taste for clicks included; all but the last have noise."""
    lived = {
        name: [e.difficulty for e in experiences if e.condition.interface == name] for name in names
    }
    ease = {}
    for name in names:
        ease[name] = person.taste if name == "click" else 0.0
        if all(lived.values()):
            ease[name] -= 0.4 * float(np.mean(lived[name]))
        if name != names[-1]:
            ease[name] += rng.normal(0.0, person.answer_noise)
    return max(ease, key=lambda name: ease[name])


def _comment(person: Person, experiences: Sequence[Experience]) -> str:
    if not experiences:
        return "No comment."
    means = ", ".join(
        f"{name} {np.mean([e.seconds for e in experiences if e.condition.name == name]):.1f} s"
        for name in dict.fromkeys(e.condition.name for e in experiences)
    )
    lean = "clicks" if _ease_of_clicks(person, experiences) > 0 else "polygons"
    return f"Mean time per image: {means}. Latent preference: {lean}."
