"""The analysis plan: what was fixed before the data, read from TOML.

It is the `[analysis]` table of the study file, or a `plan.toml` written by `clickstudy plan`.
A report states every departure from it.
"""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

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


class Plan(BaseModel):
    """The `[analysis]` table.

    `equivalence_margins` maps a metric to the largest difference that does not matter, in the
    metric's unit. Trials outside `[trial_seconds_min, trial_seconds_max]` and participants with
    a task of fewer than `min_images_per_task` images are excluded, and listed in the report.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    alpha: float = Field(0.05, gt=0, lt=0.5)
    primary_metric: str = "log_seconds_per_image"
    metrics: tuple[str, ...] = ("log_seconds_per_image", "accuracy_after")
    hypotheses: tuple[str, ...] = HYPOTHESES
    equivalence_margins: dict[str, float] = Field(default_factory=dict)
    planned_participants: int | None = Field(None, ge=2)
    min_images_per_task: int = Field(0, ge=0)
    trial_seconds_min: float = Field(0.0, ge=0)
    trial_seconds_max: float | None = Field(None, gt=0)
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
        return tomllib.loads(path.read_text(encoding="utf-8"))
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
