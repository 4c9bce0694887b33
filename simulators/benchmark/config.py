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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import tomli_w
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from simulators.benchmark import label_checks
from simulators.benchmark.arm import OVERRIDDEN, Arm, arm_of, arms_of
from simulators.benchmark.sections import (
    INTERFACES,
    AnnotatorConfig,
    BudgetConfig,
    SelfTrainingConfig,
    TargetConfig,
    TaskConfig,
)
from simulators.population import Population
from study.acquisition.registry import build
from study.asking import VERSION as ASKING
from study.beginning import given_files
from study.config import (
    Condition,
    DatasetConfig,
    DialogueConfig,
    FineTuningConfig,
    GuidanceConfig,
    InterfaceName,
    ModelConfig,
    PretrainingConfig,
    ScenesConfig,
    Section,
    StudyConfig,
    StudyFile,
    StudyFileError,
    TrainingConfig,
    explain,
    features_of,
    file_hash,
    nearest,
    read_toml,
)
from study.config.agreement import clashes
from study.config.condition import guided, merged, said
from study.data import scenes, shapes
from study.data.loading import READING_VERSION, contents_of
from study.files import file_digest
from study.interfaces import DIALOGUE
from study.metrics import FEATURE_COLUMNS, column_of

VERSION = 4
"""To be raised when the same settings mean another experiment: it is part of every run's name."""
Seed = Annotated[int, Field(strict=True, ge=0)]
LABEL: InterfaceName = "label"
"""What stands in the place of an interface where nothing but labels is bought."""
ALL_DATA = "all data"
"""What the run is called that knows every label of the pool."""


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
        tuple[Annotated[Arm, BeforeValidator(arm_of)], ...],
        BeforeValidator(arms_of, json_schema_input_type=str | tuple[str | Arm, ...]),
        Field(min_length=1),
    ]
    baseline: str = "random"
    task: TaskConfig = TaskConfig()
    budget: BudgetConfig = BudgetConfig()
    annotator: AnnotatorConfig = AnnotatorConfig()
    dialogue: DialogueConfig = DialogueConfig()
    people: str = ""
    target: TargetConfig = TargetConfig()
    dataset: DatasetConfig = ScenesConfig()
    model: ModelConfig = ModelConfig()
    pretraining: PretrainingConfig = PretrainingConfig()
    training: TrainingConfig = TrainingConfig()
    self_training: SelfTrainingConfig = SelfTrainingConfig()
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
            problems += [*self._clashes(), *label_checks.mistakes(self)]
        problems += self._late_mistakes()
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _clashes(self) -> Iterator[str]:
        """What cannot be done together, arm by arm."""
        if DIALOGUE.name in self.interfaces:
            yield from self.dialogue.problems()
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
        if self.target.of_feature:
            yield from self._feature_mistakes()
        for index, arm in enumerate(self.strategies):
            given = None if arm.model is None else arm.model.checkpoint
            checkpoint = given or self.model.checkpoint
            if self.task.labels:
                continue  # every cycle's training is watched
            if checkpoint is not None and build(arm).needs_predictions:
                yield (
                    f"strategies[{index}]: {arm.active} looks back on the training of the first "
                    f"classifier, and of {checkpoint} nobody watched it: leave the strategy out, "
                    f"or model.checkpoint"
                )

    def _feature_mistakes(self) -> Iterator[str]:
        metric, features = self.target.metric, features_of(self.dataset)
        known = [column_of(own, name) for own in FEATURE_COLUMNS for name in features]
        if not known:
            yield (
                f"target.metric = {metric!r} is of one of several features: set dataset.labels = "
                f"'several', or another metric"
            )
        elif metric not in known:
            hint = nearest(metric, known)
            yield f"target.metric = {metric!r} is of no feature of the dataset{hint}"


@dataclass(frozen=True)
class BenchFile:
    """A valid benchmark file: where it lies, what it says, its bytes and their hash (sha256)."""

    path: Path
    config: BenchConfig
    hash: str
    raw: bytes

    @property
    def interfaces(self) -> tuple[InterfaceName, ...]:
        """What is compared, ``label`` where there is no interface."""
        return (LABEL,) if self.config.task.buys == "labels" else self.config.interfaces

    def runs(self) -> Iterator[Run]:
        """All that are compared, seed by seed."""
        config = self.config
        for number in config.seeds:
            for interface in self.interfaces:
                for arm in config.strategies:
                    if interface in (arm.interfaces or self.interfaces):
                        for draw in range(arm.draws):
                            yield Run(self, arm, interface, number, draw)

    def references(self) -> Iterator[Run]:
        """The runs that know every label, one for each seed, where they are asked for."""
        task = self.config.task
        if task.labels and task.reference:
            arm = Arm(label=ALL_DATA, strategy="random")
            for number in self.config.seeds:
                yield Run(self, arm, LABEL, number, everything=True)


@dataclass(frozen=True)
class Run:
    """One arm, one interface, one seed; of several draws, one.

    With ``everything`` one that knows every label of the pool, in an arm's place.
    """

    file: BenchFile
    arm: Arm
    interface: InterfaceName
    number: int
    draw: int = 0
    everything: bool = False

    @cached_property
    def study(self) -> StudyFile:
        """What this run's seed trains and looks at, as a study file.

        A seed changes everything: images (or their splits), first weights, annotator, chance.
        """
        config = self.file.config
        dataset = config.dataset.model_copy(update={"seed": config.dataset.seed + self.number})
        tables: dict[str, Any] = {
            table: merged(getattr(config, table), said(getattr(self.arm, table)))
            for table in OVERRIDDEN
            if table in StudyConfig.model_fields
        }
        if self.interface != LABEL:
            tables["guidance"] = guided(self.interface, tables["guidance"])
            shown = Condition(interface=self.interface, sampling="active")
            tables["conditions"] = (shown,)
        if config.task.labels and tables["pretraining"].objective == "labels":
            tables["pretraining"] = PretrainingConfig(objective="none")
        if config.task.buys == "labels":  # which of its parts a classifier is given to learn
            tables["fine_tuning"] = FineTuningConfig(train=self.training.train)
        study = StudyConfig(
            name=config.name,
            seed=self.number,
            dataset=dataset,
            acquisition=self.arm.acquisition,
            dialogue=config.dialogue,
            **tables,
        )
        return StudyFile(self.file.path, study, self.file.hash)

    @property
    def labels(self) -> bool:
        """Whether labels are bought, so that nothing may know them before."""
        return self.file.config.task.labels

    @cached_property
    def training(self) -> TrainingConfig:
        """How bought labels are learnt."""
        return merged(self.file.config.training, said(self.arm.training))

    @cached_property
    def self_training(self) -> SelfTrainingConfig:
        """Which labels the classifier gives itself."""
        return merged(self.file.config.self_training, said(self.arm.self_training))

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
            **({"dialogue": [ASKING, *study.dialogue.interfaces]} if self.asks else {}),
            **self._bought(),
        }

    def _bought(self) -> dict[str, Any]:
        """What counts where labels are bought; nothing where they are not."""
        if not self.labels:
            return {}
        task = self.file.config.task.model_dump(mode="json", exclude={"reference"})
        training = self.training.model_dump(mode="json")
        own = {"training": training, "everything": self.everything}
        if self.self_training.method != "none":
            own["self_training"] = self.self_training.model_dump(mode="json")
        return {"task": task, **own}

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
            **({"labels": "bought"} if self.labels else {}),
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
