"""The benchmark file: one TOML file that says what is compared, on what, and under which budget.

It shares its tables with the study file (dataset, model, pretraining, fine_tuning, guidance), so
that what was benchmarked can be studied as it is. Defaults are those of He et al. (2023), section
5: ten cycles of 256 images (Figure 7).
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tomli_w
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from simulators.person import Person
from simulators.population import Population
from study.acquisition.registry import STRATEGIES, build
from study.beginning import given_files
from study.config import (
    PAPER_FACTORS,
    AcquisitionConfig,
    Condition,
    DatasetConfig,
    DialogueConfig,
    FineTuningConfig,
    GuidanceConfig,
    InterfaceName,
    ModelConfig,
    NonNegative,
    Positive,
    PretrainingConfig,
    ScenesConfig,
    Section,
    Share,
    StrategyName,
    StudyConfig,
    StudyFile,
    StudyFileError,
    explain,
    file_hash,
    nearest,
    read_toml,
)
from study.config.agreement import clashes
from study.config.condition import OwnFineTuning, OwnGuidance, guided, merged, own, said
from study.data import scenes, shapes
from study.data.loading import READING_VERSION, contents_of
from study.errors import UserError
from study.files import file_digest
from study.interfaces import DIALOGUE

VERSION = 3
"""To be raised when the same settings mean another experiment: it is part of every run's name."""
INTERFACES: tuple[InterfaceName, ...] = PAPER_FACTORS["interface"]
Seed = Annotated[int, Field(strict=True, ge=0)]
METRICS = (
    "accuracy",
    "worst_group_accuracy",
    "aligned_accuracy",
    "conflicting_accuracy",
    "attention_inside",
    "attention_inside_small",
    "attention_inside_medium",
    "attention_inside_large",
    "pointing_game",
    "attention_iou",
    "barycentre_distance",
    "dead_maps",
)
"""What may be a target, beside ``accuracy_CLASS`` and ``accuracy_CLASS_CONTEXT``."""


if TYPE_CHECKING:
    OwnModel = ModelConfig
    OwnPretraining = PretrainingConfig
else:
    OwnModel = own(ModelConfig)
    OwnPretraining = own(PretrainingConfig)


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
        model, pretraining, fine_tuning, guidance: settings that are this arm's alone, in place of
            the file's.
    """

    active: StrategyName = Field(default="attention", alias="strategy")
    label: str = ""
    interfaces: tuple[InterfaceName, ...] = ()
    annotator: Literal["person", "people", "masks"] = "person"
    draws: Positive = 1
    model: OwnModel | None = None
    pretraining: OwnPretraining | None = None
    fine_tuning: OwnFineTuning | None = None
    guidance: OwnGuidance | None = None

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
        text += ", balanced" if self.balance else ""
        text += f", of {self.subsample}" if self.subsample else ""
        text += f", {self.annotator}" if self.annotator != "person" else ""
        for table in OVERRIDDEN:
            for name, value in said(getattr(self, table)).items():
                text += f", {name}={value}"
        return text


OVERRIDDEN = ("model", "pretraining", "fine_tuning", "guidance")
"""The tables of the file that an arm may change for itself."""


def _arm(value: object) -> object:
    """``"entropy + margin"`` is short for a table."""
    if not isinstance(value, str):
        return value
    first, *others = (part.strip() for part in value.split("+"))
    return {"strategy": first, "combine": tuple(others)} if others else {"strategy": first}


def _arms(value: object) -> object:
    """``"all"`` is every strategy, random first."""
    if value == "all":
        return sorted(STRATEGIES, key=lambda name: name != "random")
    return value


class BudgetConfig(Section):
    """What one run may spend; whichever ends first ends it.

    ``seconds`` are the simulated annotator's, without waiting: an image that would be finished
    after them is not annotated (Tables 2 and 3 compare strategies after 240 minutes). ``actions``
    are presses, undone ones included.
    """

    batch: Positive = 256
    cycles: Positive = 10
    images: Positive | None = None
    actions: Positive | None = None
    seconds: Annotated[float, Field(strict=True, gt=0)] | None = None

    @property
    def most_images(self) -> int:
        """No run annotates more."""
        full = self.batch * self.cycles
        return full if self.images is None else min(full, self.images)


class AnnotatorConfig(Section):
    """The simulated annotators: parameters of :class:`~simulators.person.Person` that are fixed.

    Every seed has a person of its own, the same for all strategies and interfaces.

    ``annotations`` is a file of what people gave elsewhere (COCO or Label Studio JSON, NPZ maps),
    for arms with ``annotator = "people"``: those choose among its images, and where several people
    annotated one, a seed takes one of them.
    """

    annotations: str = ""

    fixed: Mapping[str, NonNegative] = {}
    show_attention: tuple[InterfaceName, ...] = INTERFACES

    @model_validator(mode="after")
    def _parameters_exist(self) -> AnnotatorConfig:
        for name in self.fixed:
            if name not in Person.model_fields:
                raise ValueError(
                    f"{name!r} is not a parameter of a simulated person"
                    f"{nearest(name, list(Person.model_fields))}"
                )
        try:
            Person.model_validate(dict(self.fixed))
        except ValidationError as error:
            lines = [f"fixed.{line}" for line in explain(error, Person)]
            raise ValueError("\n".join(lines)) from error
        return self


class TargetConfig(Section):
    """What is reported first, and the value that strategies race to.

    ``split`` is by default the balanced test split where there is one; it may be one of
    ``dataset.tests``.
    """

    split: str | None = None
    metric: str = "accuracy"
    value: Share | None = None

    @model_validator(mode="after")
    def _metric_exists(self) -> TargetConfig:
        if self.metric not in METRICS and not self.metric.startswith("accuracy_"):
            raise ValueError(
                f"metric = {self.metric!r} is not measured{nearest(self.metric, list(METRICS))}"
            )
        return self


class BenchConfig(Section):
    """A whole benchmark file.

    ``people`` is a file of laws (:mod:`simulators.population`) from which each seed's annotator is
    drawn; without one, the population that is declared.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    title: str = ""
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (0, 1, 2)
    interfaces: Annotated[tuple[InterfaceName, ...], Field(min_length=1)] = INTERFACES
    strategies: Annotated[
        tuple[Annotated[Arm, BeforeValidator(_arm)], ...],
        BeforeValidator(_arms, json_schema_input_type=str | tuple[str | Arm, ...]),
        Field(min_length=1),
    ]
    baseline: str = "random"
    budget: BudgetConfig = BudgetConfig()
    annotator: AnnotatorConfig = AnnotatorConfig()
    dialogue: DialogueConfig = DialogueConfig()
    people: str = ""
    target: TargetConfig = TargetConfig()
    dataset: DatasetConfig = ScenesConfig()
    model: ModelConfig = ModelConfig()
    pretraining: PretrainingConfig = PretrainingConfig()
    fine_tuning: FineTuningConfig = FineTuningConfig()
    guidance: GuidanceConfig = GuidanceConfig()

    @model_validator(mode="after")
    def _parts_agree(self) -> BenchConfig:
        names = [arm.name for arm in self.strategies]
        problems = []
        for what, values in (
            ("strategies", names),
            ("seeds", self.seeds),
            ("interfaces", self.interfaces),
        ):
            for value, count in Counter(values).items():
                if count > 1:
                    problems.append(f"{what}: {value} is listed {count} times; list it once")
        if self.baseline not in names:
            problems.append(
                f"baseline = {self.baseline!r} is not among the strategies"
                f"{nearest(self.baseline, names)}"
            )
        for index, arm in enumerate(self.strategies):
            for table in OVERRIDDEN:
                try:
                    merged(getattr(self, table), said(getattr(arm, table)))
                except ValidationError as error:
                    kind = type(getattr(self, table))
                    lines = explain(error, kind)
                    problems += [f"strategies[{index}].{table}: {line}" for line in lines]
        if not problems:
            problems += self._clashes()
        problems += self._late_mistakes()
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _clashes(self) -> Iterator[str]:
        """What cannot be done together, arm by arm."""
        for index, arm in enumerate(self.strategies):
            guidance = merged(self.guidance, said(arm.guidance))
            tuned = merged(self.fine_tuning, said(arm.fine_tuning))
            for problem in clashes(self.dataset, guidance, tuned, arm):
                yield f"strategies[{index}] ({arm.name}): {problem}"
            if DIALOGUE.name in (arm.interfaces or self.interfaces) and tuned.train != "head":
                yield (
                    f"strategies[{index}] ({arm.name}): a dialogue tries what each kind of "
                    f"annotation teaches, which only heads do quickly: set fine_tuning.train = "
                    f"'head'"
                )
            if arm.annotator == "people" and not self.annotator.annotations:
                yield (
                    f"strategies[{index}] ({arm.name}): annotator = 'people' replays what people "
                    f"gave: name their file as annotator.annotations"
                )
            if arm.annotator == "people" and self.budget.actions is not None:
                yield (
                    f"strategies[{index}] ({arm.name}): a file does not say how often people "
                    f"pressed, so budget.actions does not end them: limit images or seconds"
                )
            limits = {"seconds": self.budget.seconds, "actions": self.budget.actions}
            limited = [name for name, most in limits.items() if most is not None]
            if arm.annotator == "masks" and limited:
                yield (
                    f"strategies[{index}] ({arm.name}): masks take no time and no press, so "
                    f"budget.{limited[0]} does not end them: limit images or cycles"
                )

    def _late_mistakes(self) -> Iterator[str]:
        """What would show only when all has been computed."""
        known = ["test", "balanced", *(test.name for test in self.dataset.tests)]
        if self.target.split is not None and self.target.split not in known:
            hint = nearest(self.target.split, known)
            yield f"target.split = {self.target.split!r} is not a test split{hint}"
        for index, arm in enumerate(self.strategies):
            given = None if arm.model is None else arm.model.checkpoint
            checkpoint = given or self.model.checkpoint
            if checkpoint is not None and build(arm).needs_predictions:
                yield (
                    f"strategies[{index}]: {arm.active} looks back on the training of the first "
                    f"classifier, and of {checkpoint} nobody watched it: leave the strategy out, "
                    f"or model.checkpoint"
                )


@dataclass(frozen=True)
class BenchFile:
    """A valid benchmark file: where it lies, what it says, its bytes and their hash (sha256)."""

    path: Path
    config: BenchConfig
    hash: str
    raw: bytes

    def runs(self) -> Iterator[Run]:
        """All of them, seed by seed."""
        config = self.config
        for number in config.seeds:
            for interface in config.interfaces:
                for arm in config.strategies:
                    if interface in (arm.interfaces or config.interfaces):
                        for draw in range(arm.draws):
                            yield Run(self, arm, interface, number, draw)


@dataclass(frozen=True)
class Run:
    """One arm, one interface, one seed; of several draws, one."""

    file: BenchFile
    arm: Arm
    interface: InterfaceName
    number: int
    draw: int = 0

    @cached_property
    def study(self) -> StudyFile:
        """What this run's seed trains and looks at, as a study file.

        A seed changes everything: images (or their splits), first weights, annotator, chance.
        """
        config = self.file.config
        dataset = config.dataset.model_copy(update={"seed": config.dataset.seed + self.number})
        tables = {
            table: merged(getattr(config, table), said(getattr(self.arm, table)))
            for table in OVERRIDDEN
        }
        tables["guidance"] = guided(self.interface, tables["guidance"])
        study = StudyConfig(
            name=config.name,
            seed=self.number,
            dataset=dataset,
            acquisition=self.arm.acquisition,
            dialogue=config.dialogue,
            conditions=(Condition(interface=self.interface, sampling="active"),),
            **tables,
        )
        return StudyFile(self.file.path, study, self.file.hash)

    @cached_property
    def baseline(self) -> str:
        """The hash that names the classifier that the run starts from."""
        return _hash(self._beginning())

    @cached_property
    def hash(self) -> str:
        """The hash that names the run: of all that can change its result."""
        return _hash(self.parameters())

    @cached_property
    def population(self) -> Population:
        """Whom the run's annotator is drawn from."""
        people = self.file.config.people
        return Population.read(self.study.resolve(Path(people))) if people else Population()

    def parameters(self) -> dict[str, Any]:
        """All that can change the run's result, as plain values; labels cannot."""
        config, study = self.file.config, self.study.config
        return {
            **self._beginning(),
            "arm": study.acquisition.model_dump(mode="json"),
            "interface": self.interface,
            "hand": self.arm.annotator,
            "budget": config.budget.model_dump(mode="json"),
            "annotator": config.annotator.model_dump(mode="json", exclude={"annotations"}),
            "people": self.population.dump()["parameters"],
            "fine_tuning": study.fine_tuning.model_dump(mode="json"),
            "guidance": study.guidance.model_dump(mode="json"),
            **({"draw": self.draw} if self.draw else {}),
            **self._people,
            **({"dialogue": study.dialogue.interfaces} if self.asks else {}),
        }

    @property
    def asks(self) -> bool:
        """Whether the machine chooses the interface image by image."""
        return self.interface == DIALOGUE.name

    @property
    def annotations(self) -> Path | None:
        """The file of what people gave, of an arm that replays them."""
        named = self.file.config.annotator.annotations
        return self.study.resolve(Path(named)) if self.arm.annotator == "people" else None

    @cached_property
    def _people(self) -> dict[str, Any]:
        return {} if self.annotations is None else {"gave": file_digest(self.annotations)}

    @cached_property
    def _given_files(self) -> dict[str, str | None]:
        return given_files(self.study)

    def _beginning(self) -> dict[str, Any]:
        study = self.study.config
        checkpoint = study.model.checkpoint
        shaped = study.dataset.kind == "shapes"
        drawn = shapes.DRAWING_VERSION if shaped else scenes.DRAWING_VERSION
        return {
            "version": [VERSION, drawn, READING_VERSION],
            "data": contents_of(self.study),
            "checkpoint": checkpoint and file_digest(self.study.resolve(checkpoint)),
            "seed": self.number,
            "dataset": study.dataset.model_dump(mode="json"),
            # a file counts by what is in it, wherever it lies
            "model": {**study.model.model_dump(mode="json"), **self._given_files},
            "pretraining": study.pretraining.model_dump(mode="json"),
        }


def load(path: Path | str, changes: Sequence[str] = ()) -> BenchFile:
    """Read and validate a benchmark file.

    Args:
        path: the file.
        changes: settings to put in place of the file's, as ``dataset.bias = 1.0``; what is run,
            hashed and kept is then the file with them.

    Raises:
        StudyFileError: with every problem.
    """
    path = Path(path)
    values, raw = read_toml(path)
    if changes:
        for change in changes:
            _put(values, change)
        raw = tomli_w.dumps(values).encode()
    try:
        config = BenchConfig.model_validate(values)
    except ValidationError as error:
        lines = [f"{path.name}: {line}" for line in explain(error, BenchConfig)]
        raise StudyFileError(lines) from error
    return BenchFile(path.resolve(), config, file_hash(raw), raw)


def _put(values: dict[str, Any], change: str) -> None:
    """Put ``key.key = value`` into a table; the value is TOML, or text without quotes."""
    name, found, text = change.partition("=")
    keys = [key.strip() for key in name.split(".")]
    if not found or not all(keys):
        raise StudyFileError([f"--set {change!r} must be key=value, as in dataset.bias=1.0"])
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    for key in keys[:-1]:
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise StudyFileError([f"--set {change!r}: {key} is not a table"])
    values[keys[-1]] = value


def _hash(parameters: dict[str, Any]) -> str:
    text = json.dumps(parameters, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
