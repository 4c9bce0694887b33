"""The study file: one TOML file, validated.

Every default is the value of He et al. (2023), section 4.2 and 6, but for the form of the guidance
loss: the printed Eq. 3-4 can collapse, so the default is the log-attention form (see
:mod:`study.learning.guidance`). The file's SHA-256 is the study's hash and stands on every row.
"""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from study.errors import UserError

InterfaceName = Literal["polygon", "click"]
StrategyName = Literal[
    "random",
    "entropy",
    "least-confidence",
    "margin",
    "score-bands",
    "worst-classes",
    "oracle",
    "bald",
    "mc-entropy",
    "vote-entropy",
    "jensen-shannon",
    "l2-disagreement",
    "self-consistency",
    "label-dispersion",
    "svm-margin",
    "k-center",
    "core-set",
    "vaal",
    "attention",
    "attention-7x7",
]
SamplingName = Literal["active", StrategyName]
PositiveForm = Literal["none", "point", "spread", "disc", "discs", "disc+point"]
NegativeForm = Literal["none", "sum", "log-outside"]
PolygonForm = Literal["none", "outside", "log-energy", "iou"]
ScoreName = Literal["label", "centred", "absolute"]
BUILT_IN_INSTRUMENTS = ("paper", "nasa-tlx", "sus")
MOST_FOR_ALL = 6
"""Conditions of which every order can still be listed (720)."""

# strict: neither true nor "12" is a number
Whole = Annotated[int, Field(strict=True)]
Positive = Annotated[int, Field(strict=True, gt=0)]
Share = Annotated[float, Field(strict=True, ge=0.0, le=1.0)]
NonNegative = Annotated[float, Field(strict=True, ge=0.0)]


class Section(BaseModel):
    """A table of the study file: unknown keys are mistakes, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ScenesConfig(Section):
    """Drawn boats and airplanes; see :mod:`study.data.scenes`."""

    kind: Literal["scenes"] = "scenes"
    scene: Literal["beside", "background"] = "beside"
    size: Annotated[int, Field(strict=True, ge=32, le=512)] = 80
    bias: Annotated[float, Field(strict=True, ge=0.5, le=1.0)] = 0.95
    train: Positive = 2000
    val: Positive = 200
    test: Positive = 600
    balanced: Positive = 600
    several: Share = 0.15
    seed: Whole = 0


class CocoConfig(Section):
    """The COCO-2017 layout; see :mod:`study.data.coco`."""

    kind: Literal["coco"]
    root: Path
    categories: Annotated[tuple[str, ...], Field(min_length=1)]
    none_class: str | None = None
    several: Literal["drop", "largest"] = "drop"
    contexts: tuple[str, ...] = ()
    size: Annotated[int, Field(strict=True, ge=32, le=1024)] = 224
    train: str = "train2017"
    test: str = "val2017"
    val_share: Annotated[float, Field(strict=True, gt=0.0, lt=0.5)] = 0.1
    limit: Positive | None = None
    """At most this many images of each annotation file, drawn so that class shares stay."""
    seed: Whole = 0
    """Draws the val split and the images kept by ``limit``."""


class FolderConfig(Section):
    """Class folders with optional masks and contexts; see :mod:`study.data.folder`."""

    kind: Literal["folder"]
    root: Path
    size: Annotated[int, Field(strict=True, ge=32, le=1024)] = 224
    masks: str | None = None
    contexts: str | None = None
    val_share: Annotated[float, Field(strict=True, gt=0.0, lt=0.5)] = 0.1
    test_share: Annotated[float, Field(strict=True, gt=0.0, lt=0.5)] = 0.2
    seed: Whole = 0
    """Draws the splits that have no folder of their own."""


DatasetConfig = Annotated[ScenesConfig | CocoConfig | FolderConfig, Field(discriminator="kind")]


class ModelConfig(Section):
    """The classifier: ``small`` (a residual net for the scenes) or a torchvision model's name.

    ``precision = "bfloat16"`` computes the convolutions in half the bits, which is faster on GPUs
    that know them; weights, losses and attention stay in float32. Probabilities then differ by a
    few hundredths at most, and runs are no longer the same to the last bit as float32's.
    """

    name: str = "resnet18"
    weights: Literal["none", "imagenet"] = "none"
    width: Positive = 16
    blocks: Annotated[int, Field(strict=True, ge=2, le=6)] = 3
    checkpoint: Path | None = None
    precision: Literal["float32", "bfloat16"] = "float32"


class PretrainingConfig(Section):
    """Training of the biased classifier (section 4.2; the paper does not give its momentum).

    ``schedule = "constant"`` stops early and keeps the best epoch, as in the paper.
    ``"one-cycle"`` raises the rate to ``learning_rate`` and lets it fall to zero over all
    ``epochs``, without stopping early: a validation split with the same bias stops a network as
    soon as it has the shortcut, before it has learned anything of the object.
    """

    learning_rate: Annotated[float, Field(strict=True, gt=0)] = 0.1
    momentum: Annotated[float, Field(strict=True, ge=0, lt=1)] = 0.9
    weight_decay: NonNegative = 0.0005
    batch: Positive = 128
    epochs: Positive = 150
    patience: Positive = 10
    schedule: Literal["constant", "one-cycle"] = "constant"


class FineTuningConfig(Section):
    """Fine-tuning on the annotated images (section 4.2; the paper does not give its momentum)."""

    learning_rate: Annotated[float, Field(strict=True, gt=0)] = 0.01
    momentum: Annotated[float, Field(strict=True, ge=0, lt=1)] = 0.9
    weight_decay: NonNegative = 0.0005
    batch: Positive = 128
    epochs: Positive = 150
    clip: Annotated[float, Field(strict=True, gt=0)] = 1.0


class GuidanceConfig(Section):
    """The loss ``w_c * loss_c + w_g * (loss_pos + loss_neg)`` and the forms of its parts.

    ``score`` is what the guided map explains; see :mod:`study.learning.attention`.
    """

    w_g: NonNegative = 0.75
    w_c: NonNegative = 0.25
    positive: PositiveForm = "disc+point"
    negative: NegativeForm = "log-outside"
    polygon: PolygonForm = "log-energy"
    radius: Annotated[float, Field(strict=True, gt=0.0, le=1.0)] = 0.19
    floor: Share = 0.01
    normalise: bool = True
    score: ScoreName = "centred"


class AcquisitionConfig(Section):
    """What ``active`` sampling means; the paper's is its attention strategy (section 3.5).

    ``combine`` names strategies whose ranks are added to those of ``active``; ``balance_weight``
    is what one image too many or too few of a class costs, where 1 is what lies between the images
    that the strategy likes most and least.
    """

    active: StrategyName = "attention"
    combine: tuple[StrategyName, ...] = ()
    balance: bool = False
    balance_weight: NonNegative = 1.0
    subsample: Positive | None = None


class Condition(Section):
    """One cell of the design: an annotation interface and a sampling strategy."""

    interface: InterfaceName
    sampling: SamplingName

    @property
    def name(self) -> str:
        """For example ``click-active``."""
        return f"{self.interface}-{self.sampling}"


PAPER_CONDITIONS = tuple(
    Condition(interface=interface, sampling=sampling)
    for sampling in ("random", "active")
    for interface in ("polygon", "click")
)


class SequencesConfig(Section):
    """The orders in which participants meet the conditions."""

    plan: Literal["williams", "all", "listed"] = "williams"
    listed: tuple[tuple[str, ...], ...] = ()

    @model_validator(mode="after")
    def _listed_goes_with_plan(self) -> SequencesConfig:
        if (self.plan == "listed") != bool(self.listed):
            raise ValueError("give sequences.listed exactly when sequences.plan = 'listed'")
        return self


class TaskConfig(Section):
    """How long a task is and how it is cut into cycles and pages (sections 6.4, 3.4).

    ``clock`` says what the minutes count: time spent annotating (so that a slow machine does not
    shorten the task), or everything since the task began.
    """

    minutes: Annotated[float, Field(strict=True, gt=0)] = 45.0
    clock: Literal["annotation", "total"] = "annotation"
    images: Positive | None = None
    cycles: Positive | None = None
    page: Positive = 64
    batch: Positive = 256


class PracticeConfig(Section):
    """Items each participant must do correctly with an interface before its first task."""

    items: Annotated[int, Field(strict=True, ge=0)] = 3
    polygon_iou: Share = 0.5


class BreakConfig(Section):
    """The rest between tasks, in seconds."""

    seconds: NonNegative = 300.0


class AttentionCheckConfig(Section):
    """Every how many images a marked target must be hit (0: never, as in the paper)."""

    every: Annotated[int, Field(strict=True, ge=0)] = 0
    radius: Annotated[float, Field(strict=True, gt=0.0, le=0.5)] = 0.08


class Hotkeys(Section):
    """Keys of the workspace, by the names that browsers give them (``KeyboardEvent.key``).

    Undo and redo are Ctrl+Z and Ctrl+Shift+Z.
    """

    confirm: str = "Enter"
    nothing: str = "n"
    cancel: str = "Escape"
    attention: str = "a"
    next: str = "PageDown"
    help: str = "?"

    @model_validator(mode="after")
    def _are_different(self) -> Hotkeys:
        keys = Counter(key.lower() for key in self.model_dump().values())
        for key, count in keys.items():
            if count > 1:
                raise ValueError(f"the key {key!r} has {count} meanings; give each its own key")
        return self


class WorkspaceConfig(Section):
    """What the annotation workspace shows and records.

    ``opacity`` is the attention overlay's to begin with; ``test_mode`` lets participants look at
    the current model's attention on validation images, with its accuracy (section 3.4).
    """

    show_attention: tuple[InterfaceName, ...] = ("polygon", "click")
    opacity: Share = 0.55
    test_mode: bool = True
    idle_seconds: Annotated[float, Field(strict=True, gt=0)] = 10.0
    hotkeys: Hotkeys = Hotkeys()


class DemographicQuestion(Section):
    """One question asked before the study; choices make it a selection."""

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    text: str
    kind: Literal["number", "choice", "text"] = "choice"
    choices: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_answerable(self) -> DemographicQuestion:
        if self.kind == "choice" and len(self.choices) < 2:
            raise ValueError(f"question {self.key} is a choice and needs at least two choices")
        return self


PAPER_DEMOGRAPHICS = (
    DemographicQuestion(key="age", text="How old are you?", kind="number"),
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
    """One question of an instrument, and after which tasks it is asked."""

    key: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
    text: str
    kind: Literal["likert", "scale", "choice", "text"] = "likert"
    labels: tuple[str, ...] = ()
    low: Whole = 1
    high: Whole = 5
    step: Positive = 1
    choices: tuple[str, ...] = ()
    when: Literal["task", "end"] = "task"
    interface: InterfaceName | None = None
    sampling: SamplingName | None = None

    @model_validator(mode="after")
    def _is_answerable(self) -> Question:
        if self.kind == "choice" and len(self.choices) < 2:
            raise ValueError(f"question {self.key} is a choice and needs at least two choices")
        if self.kind in ("likert", "scale") and self.low >= self.high:
            raise ValueError(f"question {self.key}: low must be below high")
        return self


class Instrument(Section):
    """A questionnaire of one's own, beside paper, nasa-tlx and sus."""

    name: str
    title: str
    questions: Annotated[tuple[Question, ...], Field(min_length=1)]


class AnalysisConfig(Section):
    """The analysis plan's choices; the report reads this table of the study file by itself."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)


CONSENT = (
    "You will look at photographs and correct what a computer programme looks at. We record your "
    "clicks, their times and your answers. You may stop at any time without giving a reason."
)


class StudyConfig(Section):
    """A whole study file."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    title: str = ""
    seed: Whole = 0
    consent: str = CONSENT
    dataset: DatasetConfig = ScenesConfig()
    model: ModelConfig = ModelConfig()
    pretraining: PretrainingConfig = PretrainingConfig()
    fine_tuning: FineTuningConfig = FineTuningConfig()
    guidance: GuidanceConfig = GuidanceConfig()
    acquisition: AcquisitionConfig = AcquisitionConfig()
    conditions: Annotated[tuple[Condition, ...], Field(min_length=1)] = PAPER_CONDITIONS
    sequences: SequencesConfig = SequencesConfig()
    task: TaskConfig = TaskConfig()
    practice: PracticeConfig = PracticeConfig()
    breaks: BreakConfig = BreakConfig()
    attention_checks: AttentionCheckConfig = AttentionCheckConfig()
    workspace: WorkspaceConfig = WorkspaceConfig()
    demographics: tuple[DemographicQuestion, ...] = PAPER_DEMOGRAPHICS
    questionnaires: tuple[str, ...] = ("paper",)
    instruments: tuple[Instrument, ...] = ()
    analysis: AnalysisConfig = AnalysisConfig()

    @model_validator(mode="after")
    def _parts_agree(self, info: ValidationInfo) -> StudyConfig:
        broken = (info.context or {}).get("broken", set())
        checks = {
            ("conditions",): self._conditions_are_distinct,
            ("conditions", "sequences"): self._sequences_fit,
            ("questionnaires", "instruments"): self._questionnaires_exist,
            ("instruments", "demographics"): self._keys_are_distinct,
            ("task",): self._pages_fit,
        }
        problems = [
            problem
            for parts, check in checks.items()
            if not broken.intersection(parts)
            for problem in check()
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _conditions_are_distinct(self) -> Iterator[str]:
        for name, count in Counter(condition.name for condition in self.conditions).items():
            if count > 1:
                yield f"conditions: {name} is listed {count} times; list each condition once"

    def _sequences_fit(self) -> Iterator[str]:
        names = [condition.name for condition in self.conditions]
        if self.sequences.plan == "all" and len(names) > MOST_FOR_ALL:
            yield (
                f"sequences.plan = 'all' of {len(names)} conditions is more orders than any study "
                f"has participants; use 'williams'"
            )
        for index, sequence in enumerate(self.sequences.listed):
            for name in sequence:
                if name not in names:
                    hint = nearest(name, names)
                    yield f"sequences.listed[{index}] = {name!r} is not a condition{hint}"
            if set(sequence) == set(names) and len(sequence) != len(names):
                yield f"sequences.listed[{index}] repeats a condition"
            if not set(names) <= set(sequence):
                missing = ", ".join(sorted(set(names) - set(sequence)))
                yield f"sequences.listed[{index}] leaves out {missing}"

    def _questionnaires_exist(self) -> Iterator[str]:
        for name, count in Counter(self.questionnaires).items():
            if count > 1:
                yield f"questionnaires: {name} is listed {count} times; list it once"
        known = [*BUILT_IN_INSTRUMENTS, *(instrument.name for instrument in self.instruments)]
        for index, name in enumerate(self.questionnaires):
            if name not in known:
                yield (
                    f"questionnaires[{index}] = {name!r} is not an instrument{nearest(name, known)}"
                )

    def _keys_are_distinct(self) -> Iterator[str]:
        lists = {
            "instruments": [instrument.name for instrument in self.instruments],
            "demographics": [question.key for question in self.demographics],
        }
        for index, instrument in enumerate(self.instruments):
            lists[f"instruments[{index}].questions"] = [q.key for q in instrument.questions]
        for where, names in lists.items():
            for name, count in Counter(names).items():
                if count > 1:
                    yield f"{where}: {name} is there {count} times; give each its own name"

    def _pages_fit(self) -> Iterator[str]:
        if self.task.page > self.task.batch:
            yield (
                f"task.page = {self.task.page} is larger than task.batch = {self.task.batch}; "
                f"a page is a part of a batch"
            )


def nearest(name: str, names: list[str]) -> str:
    """'; did you mean ...?' or '; it must be one of ...' for a misspelt name."""
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; it must be one of {', '.join(names)}"


class StudyFileError(UserError):
    """A study file with problems: one line each, every one of them at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class StudyFile:
    """A valid study file: where it lies, what it says, and its hash (sha256 of its bytes)."""

    path: Path
    config: StudyConfig
    hash: str

    def resolve(self, path: Path) -> Path:
        """A path in the file is relative to the file."""
        return path if path.is_absolute() else (self.path.parent / path).resolve()


def load(path: Path | str) -> StudyFile:
    """Read and validate a study file; raises :class:`StudyFileError` with every problem."""
    path = Path(path)
    values, raw = read_toml(path)
    return StudyFile(path.resolve(), parse(values, path.name), file_hash(raw))


def read_toml(path: Path) -> tuple[dict[str, Any], bytes]:
    """A TOML file as a table and as bytes; raises :class:`StudyFileError` when it is none."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise StudyFileError([f"{path}: cannot be read ({error.strerror})"]) from error
    try:
        return tomllib.loads(raw.decode("utf-8")), raw
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StudyFileError([f"{path}: not valid TOML: {error}"]) from error


def parse(values: dict[str, Any], source: str = "study.toml") -> StudyConfig:
    """Validate a table; raises :class:`StudyFileError` with every problem, by path."""
    try:
        return StudyConfig.model_validate(values)
    except ValidationError as error:
        problems = [*explain(error), *_other_disagreements(values, error)]
        raise StudyFileError([f"{source}: {line}" for line in problems]) from error


def file_hash(raw: bytes) -> str:
    """SHA-256 of the file's bytes, hexadecimal."""
    return hashlib.sha256(raw).hexdigest()


def _other_disagreements(values: dict[str, Any], error: ValidationError) -> list[str]:
    """What does not agree among the parts that are valid, when other parts are not."""
    broken = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
    if not broken:
        return []
    sound = {"name": "study"} | {key: value for key, value in values.items() if key not in broken}
    try:
        StudyConfig.model_validate(sound, context={"broken": broken})
    except ValidationError as more:
        return list(explain(more))
    return []


_LIMITS = {
    "greater_than": ("gt", "must be more than"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be less than"),
    "less_than_equal": ("le", "must be at most"),
}
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "string": "text in quotes",
    "bool": "true or false",
    "tuple": "a list [...]",
    "path": "a path in quotes",
    "model": "a table",
    "dict": "a table",
}
_PATTERNS = {
    "name": "lower-case letters, digits, - and _, and begin with a letter or digit",
    "key": "letters, digits and _, and begin with a letter (in demographics, lower case)",
}


def explain(error: ValidationError, model: type[BaseModel] = StudyConfig) -> Iterator[str]:
    """Every problem in a sentence with its path; ``model`` is what was being read."""
    problems = error.errors()
    for problem in problems:
        location, given = problem["loc"], problem["input"]
        where, context = _path(location), problem.get("ctx", {})
        kind = problem["type"]
        match kind:
            case "extra_forbidden":
                known = _siblings(location, model)
                yield f"{where} is not a setting{nearest(str(location[-1]), known)}"
            case "literal_error" | "union_tag_invalid":
                allowed = [name.strip("' ") for name in _allowed(context)]
                if kind == "union_tag_invalid":
                    where, given = f"{where}.kind", given["kind"]
                yield f"{where} = {given!r} is not known{nearest(str(given), allowed)}"
            case "union_tag_not_found":
                yield f"{where}.kind is missing; it must be one of scenes, coco, folder"
            case "missing":
                yield f"{where} is missing"
            case "value_error":
                prefix = f"{where}: " if location else ""
                yield from (f"{prefix}{line}" for line in str(context["error"]).splitlines())
            case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
                bound, words = _LIMITS[kind]
                yield f"{where} = {given!r} {words} {context[bound]}"
            case "string_pattern_mismatch":
                yield f"{where} = {given!r} may have only {_PATTERNS[str(location[-1])]}"
            case "too_short":
                # bad members are not counted as members: they have a line of their own
                if not any(_is_inside(other["loc"], location) for other in problems):
                    yield f"{where} must not be empty"
            case _ if kind.partition("_")[0] in _KINDS:
                yield f"{where} = {given!r} must be {_KINDS[kind.partition('_')[0]]}"
            case _:
                message = problem["msg"][0].lower() + problem["msg"][1:]
                yield f"{where} = {given!r}: {message}"


def _is_inside(location: tuple[int | str, ...], other: tuple[int | str, ...]) -> bool:
    return len(location) > len(other) and location[: len(other)] == other


def _allowed(context: dict[str, Any]) -> list[str]:
    text = str(context.get("expected") or context.get("expected_tags"))
    return text.replace(" or ", ", ").split(", ")


def _path(location: tuple[int | str, ...]) -> str:
    """('conditions', 2, 'sampling') -> conditions[2].sampling, without pydantic's union tags."""
    text = ""
    for index, part in enumerate(location):
        if index == 1 and location[0] == "dataset" and part in ("scenes", "coco", "folder"):
            continue
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _siblings(location: tuple[int | str, ...], model: Any) -> list[str]:
    """The settings that exist beside an unknown one."""
    for part in location[:-1]:
        if isinstance(part, int) or part in ("scenes", "coco", "folder"):
            if isinstance(part, str):
                model = {"scenes": ScenesConfig, "coco": CocoConfig, "folder": FolderConfig}[part]
            continue
        model = _model_of(model.model_fields[part].annotation)
    return list(model.model_fields)


def _model_of(annotation: Any) -> Any:
    """The section class inside an annotation such as ``tuple[Condition, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for m in map(_model_of, get_args(annotation)) if m is not None), None)
