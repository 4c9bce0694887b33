"""Who may take part, and what they agree to."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from study.config.questions import DemographicQuestion
from study.config.section import Section, Whole

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class OptionalConsent(Section):
    """Something that participants may agree to beside taking part, such as sharing their data."""

    key: Key
    text: str


class ScreeningQuestion(DemographicQuestion):
    """A question whose answer decides whether somebody may take part.

    ``accepted`` lists the choices that may; of a number, those from ``least`` to ``most``.
    """

    accepted: tuple[str, ...] = ()
    least: Whole | None = None
    most: Whole | None = None

    @model_validator(mode="after")
    def _decides(self) -> ScreeningQuestion:
        unknown = [choice for choice in self.accepted if choice not in self.choices]
        if unknown:
            raise ValueError(f"question {self.key}: accepted {unknown[0]!r} is not among choices")
        decides = {
            "choice": bool(self.accepted),
            "number": self.least is not None or self.most is not None,
            "text": False,
        }
        if not decides[self.kind]:
            raise ValueError(
                f"question {self.key} lets everybody take part: give a choice its accepted "
                f"choices, a number its least or most, and ask free text among the demographics"
            )
        return self

    def accepts(self, answer: str | float | None) -> bool:
        """Whether who answers so may take part; who does not answer may not."""
        if answer is None or answer == "":
            return False
        if self.kind == "choice":
            return answer in self.accepted
        return not isinstance(answer, str) and (
            (self.least is None or answer >= self.least)
            and (self.most is None or answer <= self.most)
        )
