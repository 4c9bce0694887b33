"""A whole study file as a validated model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated

from pydantic import ConfigDict, Field, ValidationInfo, model_validator

from study.config.data import DatasetConfig, ScenesConfig
from study.config.design import (
    MOST_FOR_ALL,
    PAPER_CONDITIONS,
    AttentionCheckConfig,
    BreakConfig,
    Condition,
    PracticeConfig,
    SequencesConfig,
    TaskConfig,
)
from study.config.learning import (
    AcquisitionConfig,
    FineTuningConfig,
    GuidanceConfig,
    ModelConfig,
    PretrainingConfig,
)
from study.config.questions import (
    BUILT_IN_INSTRUMENTS,
    PAPER_DEMOGRAPHICS,
    DemographicQuestion,
    Instrument,
)
from study.config.section import Section, Whole
from study.config.spelling import nearest
from study.config.workspace import WorkspaceConfig


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
