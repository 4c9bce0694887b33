"""A whole study file as a validated model."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, ValidationInfo, model_validator

from study import interfaces
from study.config.agreement import disagreements
from study.config.condition import (
    OVERRIDABLE,
    PAPER_CONDITIONS,
    Condition,
    crossing,
    tables_of,
)
from study.config.data import DatasetConfig, ScenesConfig
from study.config.design import (
    AttentionCheckConfig,
    BreakConfig,
    DialogueConfig,
    PracticeConfig,
    RevealConfig,
    SequencesConfig,
    TaskConfig,
)
from study.config.factors import PAPER_FACTORS, Factors, with_levels
from study.config.learning import (
    AcquisitionConfig,
    FineTuningConfig,
    GuidanceConfig,
    ModelConfig,
)
from study.config.people import (
    OptionalConsent,
    ScreeningQuestion,
)
from study.config.questions import (
    PAPER_DEMOGRAPHICS,
    DemographicQuestion,
    Instrument,
)
from study.config.recruitment import RecruitmentConfig
from study.config.section import Section, Whole
from study.config.training import PretrainingConfig
from study.config.workspace import WorkspaceConfig
from study.interfaces import Interface


class AnalysisConfig(Section):
    """The analysis plan's choices; the report reads this table of the study file by itself."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)


CONSENT = (
    "You will look at photographs and correct what a computer programme looks at. We record your "
    "clicks, their times and your answers. You may stop at any time without giving a reason."
)


class StudyConfig(Section):
    """A whole study file.

    ``languages`` are those that participants can choose from; the file is written in the first.
    ``texts`` holds its own texts in the others, by what they are in the file (``title`` and
    ``consent`` by these names); names of classes may be among them.

    ``people`` is a file that says from whom ``clickstudy simulate`` draws its participants
    (docs/simulated-people.md); without one, the population that is built in.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    title: str = ""
    seed: Whole = 0
    languages: Annotated[tuple[Literal["en", "ja", "de"], ...], Field(min_length=1)] = ("en",)
    texts: dict[str, dict[str, str]] = Field(default_factory=dict)
    consent: str = CONSENT
    consent_version: str = "1"
    consents: tuple[OptionalConsent, ...] = ()
    screening: tuple[ScreeningQuestion, ...] = ()
    recruitment: RecruitmentConfig = RecruitmentConfig()
    dataset: DatasetConfig = ScenesConfig()
    model: ModelConfig = ModelConfig()
    pretraining: PretrainingConfig = PretrainingConfig()
    fine_tuning: FineTuningConfig = FineTuningConfig()
    guidance: GuidanceConfig = GuidanceConfig()
    acquisition: AcquisitionConfig = AcquisitionConfig()
    factors: Factors = Factors()
    conditions: Annotated[tuple[Condition, ...], Field(min_length=1)] = PAPER_CONDITIONS
    sequences: SequencesConfig = SequencesConfig()
    task: TaskConfig = TaskConfig()
    dialogue: DialogueConfig = DialogueConfig()
    practice: PracticeConfig = PracticeConfig()
    breaks: BreakConfig = BreakConfig()
    attention_checks: AttentionCheckConfig = AttentionCheckConfig()
    reveal: RevealConfig = RevealConfig()
    workspace: WorkspaceConfig = WorkspaceConfig()
    demographics: tuple[DemographicQuestion, ...] = PAPER_DEMOGRAPHICS
    questionnaires: tuple[str, ...] = ("paper",)
    instruments: tuple[Instrument, ...] = ()
    analysis: AnalysisConfig = AnalysisConfig()
    people: str = ""

    @model_validator(mode="before")
    @classmethod
    def _levels_have_a_place(cls, values: Any) -> Any:
        """Put factors' levels where conditions and questions keep them; cross them if none is."""
        if not isinstance(values, dict) or not isinstance(values.get("factors"), dict):
            return values
        names = [name for name in values["factors"] if name not in PAPER_FACTORS]
        values = {**values, "conditions": values.get("conditions", _crossed(values["factors"]))}
        if isinstance(values["conditions"], list | tuple):
            values["conditions"] = [with_levels(each, names) for each in values["conditions"]]
        if isinstance(values.get("instruments"), list | tuple):
            values["instruments"] = [
                {**each, "questions": [with_levels(one, names) for one in each["questions"]]}
                if isinstance(each, dict) and isinstance(each.get("questions"), list | tuple)
                else each
                for each in values["instruments"]
            ]
        return values

    @property
    def factor_names(self) -> tuple[str, ...]:
        """``interface``, ``sampling`` and the factors that the file declares beside them."""
        return (*PAPER_FACTORS, *self.factors.own)

    @property
    def interface(self) -> Interface | None:
        """The interface of what holds in one condition; None of a study with several."""
        one = len(self.conditions) == 1
        return interfaces.interface(self.conditions[0].interface) if one else None

    def interfaces_of(self, condition: Condition) -> tuple[str, ...]:
        """With which interfaces one annotates in a condition: its own, or those of a dialogue."""
        if condition.interface == interfaces.DIALOGUE.name:
            return self.dialogue.interfaces
        return (condition.interface,)

    def for_condition(self, condition: Condition) -> StudyConfig:
        """What holds in one condition: this study as if it had no other.

        Its tables are the study's where neither a factor's level nor the condition's own table
        says otherwise; ``acquisition.active`` is the condition's strategy, by name.

        Raises:
            ValueError: when the study has no such condition.
        """
        if condition not in self.conditions:
            raise ValueError(f"{condition.name} is not a condition of the study {self.name}")
        tables = {name: getattr(self, name) for name in OVERRIDABLE}
        own = {"conditions": (condition,), **tables_of(condition, tables)}
        return self.model_copy(update=own)

    @property
    def practice_workspace(self) -> WorkspaceConfig:
        """The workspace while an interface is practised, before any condition: the study's.

        It shows attention for the interfaces whose tasks do.
        """
        shown = {
            name: None
            for condition in self.conditions
            for name in self.interfaces_of(condition)
            if name in self.for_condition(condition).workspace.show_attention
        }
        return self.workspace.model_copy(update={"show_attention": tuple(shown)})

    @model_validator(mode="after")
    def _parts_agree(self, info: ValidationInfo) -> StudyConfig:
        found = list(disagreements(self, (info.context or {}).get("broken", set())))
        if found:
            raise ValueError("\n".join(found))
        return self


def _crossed(factors: dict[str, Any]) -> Any:
    """The conditions of a file that lists factors and no conditions."""
    try:
        return crossing(Factors.model_validate(factors))
    except ValidationError:
        return PAPER_CONDITIONS  # the factors' own mistakes are told where they stand
