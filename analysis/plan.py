"""The analysis plan: what was fixed before the data, read from TOML.

It is the `[analysis]` table of the study file, or a `plan.toml` written by `clickstudy plan`.
A report states every departure from it, and gives a verdict on each of its predictions.
"""

from __future__ import annotations

import re
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from analysis.errors import InputError

HYPOTHESES = (
    "Clicking takes less time per image than drawing polygons (interface, log seconds).",
    "Images picked by active learning take less time per image than images picked at random "
    "(sampling, log seconds).",
    "Accuracy after fine-tuning is higher with active learning than with random images "
    "(sampling, accuracy_after).",
    "Accuracy after fine-tuning with clicks is equivalent to that with polygons, within the "
    "margin (interface, accuracy_after).",
)
EXPECT = re.compile(r"^\s*(?P<a>.+?)\s*(?P<sign>!=|[><=])\s*(?P<b>.+?)\s*$")

#: The margin of equivalence written where a prediction needs one and none was given.
MARGIN = 0.01


class Prediction(BaseModel):
    """A hypothesis as a test: the effect of `factor` on `metric`.

    `expect` says what is predicted, in the factor's levels: `polygon > click`, `active < random`,
    `click = polygon` (equivalence within the plan's margin) or `click != polygon`. `active`
    stands for whatever strategy is compared with random sampling.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    hypothesis: str
    metric: str
    factor: str
    expect: str

    @field_validator("expect")
    @classmethod
    def _is_a_relation(cls, text: str) -> str:
        if EXPECT.match(text) is None:
            raise ValueError(f"{text!r} is not like 'polygon > click' (or <, =, !=)")
        return text

    @property
    def relation(self) -> tuple[str, str, str]:
        """The levels and the sign between them."""
        found = EXPECT.match(self.expect)
        assert found is not None
        return found["a"], found["sign"], found["b"]

    @property
    def is_equivalence(self) -> bool:
        """Whether a margin is needed."""
        return self.relation[1] == "="


PREDICTIONS = tuple(
    Prediction(hypothesis=text, metric=metric, factor=factor, expect=expect)
    for text, (metric, factor, expect) in zip(
        HYPOTHESES,
        (
            ("log_seconds_per_image", "interface", "click < polygon"),
            ("log_seconds_per_image", "sampling", "active < random"),
            ("accuracy_after", "sampling", "active > random"),
            ("accuracy_after", "interface", "click = polygon"),
        ),
        strict=True,
    )
)


class Plan(BaseModel):
    """The `[analysis]` table.

    `equivalence_margins` maps a metric to the largest difference that does not matter, in the
    metric's unit. Trials outside `[trial_seconds_min, trial_seconds_max]` and participants with
    a task of fewer than `min_images_per_task` images are excluded, and listed in the report.
    `primary_analysis` says which of the two analyses of log seconds is read, whatever the data
    turn out to be. `between` names the columns that divide the participants into groups, `factors`
    those that make the conditions, where they are not those of the study file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    alpha: float = Field(0.05, gt=0, lt=0.5)
    primary_metric: str = "log_seconds_per_image"
    primary_analysis: Literal["anova", "mixed"] = "anova"
    metrics: tuple[str, ...] = ("log_seconds_per_image", "accuracy_after")
    hypotheses: tuple[str, ...] = HYPOTHESES
    predictions: tuple[Prediction, ...] = ()
    equivalence_margins: dict[str, float] = Field(default_factory=dict)
    factors: tuple[str, ...] = Field((), max_length=3)
    between: str | tuple[str, ...] | None = None
    covariates: tuple[str, ...] = ()
    planned_participants: int | None = Field(None, ge=2)
    min_images_per_task: int = Field(0, ge=0)
    max_checks_failed: int | None = Field(None, ge=0)
    trial_seconds_min: float = Field(0.0, ge=0)
    trial_seconds_max: float | None = Field(None, gt=0)
    subtract_idle: bool = False
    exclusion_rules: tuple[str, ...] = ()
    written_at: datetime | None = None
    participants_at_writing: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _margins_are_positive(self) -> Plan:
        for metric, margin in self.equivalence_margins.items():
            if not 0 < margin < float("inf"):
                raise ValueError(
                    f"equivalence_margins.{metric} = {margin} is not a positive number"
                )
        if self.trial_seconds_max is not None and self.trial_seconds_max <= self.trial_seconds_min:
            raise ValueError("trial_seconds_max must be larger than trial_seconds_min")
        return self

    @property
    def tested(self) -> tuple[Prediction, ...]:
        """The predictions: the plan's own, or the paper's where its hypotheses are the plan's."""
        return self.predictions or (PREDICTIONS if self.hypotheses == HYPOTHESES else ())


def validate(table: dict[str, Any], where: str) -> Plan:
    """A `Plan` from parsed TOML; `where` names the file in the error."""
    try:
        return Plan(**table)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(['analysis', *map(str, e['loc'])])}: "
            + ("there is no such field" if e["type"] == "extra_forbidden" else e["msg"])
            for e in error.errors()
        )
        raise InputError(f"{where}: {problems}.") from None


def document(path: Path) -> dict[str, Any]:
    """A TOML file, or the sentence that says why it cannot be read."""
    try:
        # Windows' Notepad begins a file with a byte order mark
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}).") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: is not valid TOML ({error}).") from None


def read(path: Path) -> Plan | None:
    """The plan in a TOML file: its `[analysis]` table, or `None` where it has none."""
    table = document(path).get("analysis")
    if table is None:
        return None
    if not isinstance(table, dict):
        raise InputError(f"{path}: analysis must be a table, [analysis].")
    return validate(table, path.name)


def find(folder: Path, given: Path | None) -> tuple[Plan, str | None]:
    """The plan of a folder, and the file it stands in; the defaults, and None, without one."""
    if given is not None:
        plan = read(given)
        if plan is None:
            raise InputError(f"{given}: has no [analysis] table; `clickstudy plan` writes one.")
        return plan, given.name
    for name in ("plan.toml", "study.toml"):
        if (folder / name).exists():
            plan = read(folder / name)
            if plan is not None:
                return plan, name
    return Plan.model_validate({}), None
