"""What a benchmark compares: arms, each a strategy and what else differs from the file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from simulators.benchmark.sections import SelfTrainingConfig
from study.acquisition.registry import STRATEGIES, build
from study.config import (
    AcquisitionConfig,
    FineTuningConfig,
    GuidanceConfig,
    InterfaceName,
    ModelConfig,
    Positive,
    PretrainingConfig,
    StrategyName,
    TrainingConfig,
)
from study.config.condition import Own, said
from study.errors import UserError


class Arm(AcquisitionConfig):
    """One way of doing it that is compared: a strategy, and what else differs from the file.

    Attributes:
        label: its name in tables and figures; by default made of the rest.
        interfaces: the interfaces that it is tried with; by default the file's.
        annotator: who annotates: a simulated person; ``people``, who give what people gave in the
            file ``annotator.annotations``, in their seconds; or ``masks``, the datasets' own masks
            as perfect annotations, which take nobody's time.
        draws: how many runs a seed has, which differ in chance alone; their mean, cycle by cycle,
            is what is compared. One uniform draw is the luck of every comparison with it.
        model, pretraining, training, self_training, fine_tuning, guidance: settings that are this
            arm's alone, in place of the file's.
    """

    active: StrategyName = Field(default="attention", alias="strategy")
    label: str = ""
    interfaces: tuple[InterfaceName, ...] = ()
    annotator: Literal["person", "people", "masks"] = "person"
    draws: Positive = 1
    model: Own[ModelConfig] | None = None
    pretraining: Own[PretrainingConfig] | None = None
    training: Own[TrainingConfig] | None = None
    self_training: Own[SelfTrainingConfig] | None = None
    fine_tuning: Own[FineTuningConfig] | None = None
    guidance: Own[GuidanceConfig] | None = None

    @model_validator(mode="after")
    def _can_be_built(self) -> Arm:
        try:
            build(self)
        except UserError as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def acquisition(self) -> AcquisitionConfig:
        """How it selects, without the rest."""
        return AcquisitionConfig(**self.model_dump(include=set(AcquisitionConfig.model_fields)))

    @property
    def settings(self) -> dict[str, str]:
        """What it changes of the file's own settings: ``{"guidance: positive": "point"}``."""
        hand = {"annotator": self.annotator} if self.annotator != "person" else {}
        return hand | {
            f"{table}: {name}": str(value)
            for table in OVERRIDDEN
            for name, value in said(getattr(self, table)).items()
        }

    @property
    def name(self) -> str:
        """The label, or what tells this arm from others: ``entropy + margin, balanced``."""
        if self.label:
            return self.label
        text = " + ".join((self.active, *self.combine))
        options = [f"{name}={value}" for name, value in self.options.items()]
        text += f" ({', '.join(options)})" if options else ""
        if "committee" in self.model_fields_set:
            text += f", committee of {self.committee + 1}"
        text += BALANCED[self.balance_form] if self.balance else ""
        text += f", of {self.subsample}" if self.subsample else ""
        text += f", {self.annotator}" if self.annotator != "person" else ""
        for table in OVERRIDDEN:
            for name, value in said(getattr(self, table)).items():
                text += f", {name}={value}"
        return text


BALANCED = {
    "ranks": ", balanced",
    "raw": ", balanced by raw scores",
    "pseudo-labels": ", balanced by pseudo-labels",
}
OVERRIDDEN = ("model", "pretraining", "training", "self_training", "fine_tuning", "guidance")
"""The tables of the file that an arm may change for itself."""


def arm_of(value: object) -> object:
    """``"entropy + margin"`` is short for a table."""
    if not isinstance(value, str):
        return value
    first, *others = (part.strip() for part in value.split("+"))
    return {"strategy": first, "combine": tuple(others)} if others else {"strategy": first}


def arms_of(value: object) -> object:
    """``"all"`` is every strategy, random first."""
    if value == "all":
        return sorted(STRATEGIES, key=lambda name: name != "random")
    return value
