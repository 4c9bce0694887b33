"""What people are asked: who they are, and how it was."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from study.config.design import InterfaceName
from study.config.learning import SamplingName
from study.config.section import Positive, Section, Whole

BUILT_IN_INSTRUMENTS = ("paper", "plain", "nasa-tlx", "sus")


class DemographicQuestion(Section):
    """One question asked before the study; choices make it a selection."""

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    text: str
    kind: Literal["number", "choice", "text"] = "choice"
    choices: tuple[str, ...] = ()
    low: Whole = 0
    high: Whole = 1_000_000

    @model_validator(mode="after")
    def _is_answerable(self) -> DemographicQuestion:
        if self.kind == "choice" and len(self.choices) < 2:
            raise ValueError(f"question {self.key} is a choice and needs at least two choices")
        return self


PAPER_DEMOGRAPHICS = (
    DemographicQuestion(key="age", text="How old are you?", kind="number", high=120),
    DemographicQuestion(
        key="gender",
        text="What is your gender?",
        choices=("female", "male", "another", "prefer not to say"),
    ),
    DemographicQuestion(
        key="experience",
        text="How do you know machine learning?",
        choices=(
            "I am familiar with machine learning",
            "I have programmed with simple machine learning methods",
            "I use machine learning algorithms in my research",
        ),
    ),
)


class Question(Section):
    """One question of an instrument, and when it is asked: after each task, at the end, or
    before that as one of the ``results``, with the maps of all tasks before and after in sight.

    A level of a factor confines it to the tasks of that level: ``interface``, ``sampling``
    (``active`` is every strategy but random), or a factor that the file declares.
    """

    # a level of a factor of the study's own is named beside these
    model_config = ConfigDict(json_schema_extra={"additionalProperties": True})

    key: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
    text: str
    kind: Literal["likert", "scale", "choice", "text"] = "likert"
    labels: tuple[str, ...] = ()
    low: Whole = 1
    high: Whole = 5
    step: Positive = 1
    choices: tuple[str, ...] = ()
    when: Literal["task", "results", "end"] = "task"
    interface: InterfaceName | None = None
    sampling: SamplingName | None = None
    levels: tuple[tuple[str, Any], ...] = ()

    @property
    def about(self) -> dict[str, str]:
        """The levels that a task must have for the question to be asked after it."""
        named = {"interface": self.interface, "sampling": self.sampling, **dict(self.levels)}
        return {factor: level for factor, level in named.items() if level is not None}

    @model_validator(mode="after")
    def _is_answerable(self) -> Question:
        if self.when == "end" and self.about:
            raise ValueError(
                f"question {self.key} is asked at the end, about all tasks, and cannot be confined "
                f"to {', '.join(self.about)}; take that out, or ask when = 'task'"
            )
        if self.kind == "choice" and len(self.choices) < 2:
            raise ValueError(f"question {self.key} is a choice and needs at least two choices")
        if self.kind in ("likert", "scale") and self.low >= self.high:
            raise ValueError(f"question {self.key}: low must be below high")
        return self


class Instrument(Section):
    """A questionnaire of one's own, beside paper, plain, nasa-tlx and sus."""

    name: str
    title: str
    questions: Annotated[tuple[Question, ...], Field(min_length=1)]
