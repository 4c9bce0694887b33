"""The study file: one TOML file, validated.

Every default is the value of He et al. (2023), section 4.2 and 6, but for the form of the guidance
loss: the printed Eq. 3-4 can collapse, so the default is the log-attention form (see
:mod:`study.learning.guidance`). The file's SHA-256 is the study's hash and stands on every row.
"""

from study.config.condition import (
    OVERRIDABLE,
    PAPER_CONDITIONS,
    Condition,
)
from study.config.data import (
    Awa2Config,
    CelebaConfig,
    CifarConfig,
    CocoConfig,
    DatasetConfig,
    DrawnConfig,
    ExtraTest,
    FolderConfig,
    ImbalanceConfig,
    LabelmeConfig,
    LabelsName,
    ScenesConfig,
    ShapesConfig,
    TableConfig,
    TinyImagenetConfig,
    VocConfig,
    YoloConfig,
    features_of,
)
from study.config.design import (
    MOST_FOR_ALL,
    AttentionCheckConfig,
    BreakConfig,
    DialogueConfig,
    InterfaceName,
    PracticeConfig,
    RevealConfig,
    SequencesConfig,
    TaskConfig,
)
from study.config.factors import (
    PAPER_FACTORS,
    Factors,
)
from study.config.file import (
    StudyFile,
    file_hash,
    load,
    parse,
    read_toml,
)
from study.config.learning import (
    NEGATIVE_FORMS,
    POLYGON_FORMS,
    POSITIVE_FORMS,
    STRATEGY_NAMES,
    AcquisitionConfig,
    FineTuningConfig,
    GuidanceConfig,
    MethodName,
    ModelConfig,
    NegativeForm,
    PolygonForm,
    PositiveForm,
    SamplingName,
    ScoreName,
    StrategyName,
    TrainName,
    strategy_names,
)
from study.config.mistakes import (
    StudyFileError,
    explain,
)
from study.config.models import (
    CONSENT,
    AnalysisConfig,
    StudyConfig,
)
from study.config.people import (
    OptionalConsent,
    ScreeningQuestion,
)
from study.config.questions import (
    BUILT_IN_INSTRUMENTS,
    PAPER_DEMOGRAPHICS,
    DemographicQuestion,
    Instrument,
    Question,
)
from study.config.recruitment import (
    Ending,
    RecruitmentConfig,
)
from study.config.section import (
    NonNegative,
    Positive,
    Section,
    Share,
    Whole,
)
from study.config.spelling import (
    nearest,
)
from study.config.training import (
    AugmentationName,
    PretrainingConfig,
    TrainingConfig,
    WeightsName,
)
from study.config.workspace import (
    Hotkeys,
    WorkspaceConfig,
)

__all__ = [
    "BUILT_IN_INSTRUMENTS",
    "CONSENT",
    "MOST_FOR_ALL",
    "NEGATIVE_FORMS",
    "OVERRIDABLE",
    "PAPER_CONDITIONS",
    "PAPER_DEMOGRAPHICS",
    "PAPER_FACTORS",
    "POLYGON_FORMS",
    "POSITIVE_FORMS",
    "STRATEGY_NAMES",
    "AcquisitionConfig",
    "AnalysisConfig",
    "AttentionCheckConfig",
    "AugmentationName",
    "Awa2Config",
    "BreakConfig",
    "CelebaConfig",
    "CifarConfig",
    "CocoConfig",
    "Condition",
    "DatasetConfig",
    "DemographicQuestion",
    "DialogueConfig",
    "DrawnConfig",
    "Ending",
    "ExtraTest",
    "Factors",
    "FineTuningConfig",
    "FolderConfig",
    "GuidanceConfig",
    "Hotkeys",
    "ImbalanceConfig",
    "Instrument",
    "InterfaceName",
    "LabelmeConfig",
    "LabelsName",
    "MethodName",
    "ModelConfig",
    "NegativeForm",
    "NonNegative",
    "OptionalConsent",
    "PolygonForm",
    "Positive",
    "PositiveForm",
    "PracticeConfig",
    "PretrainingConfig",
    "Question",
    "RecruitmentConfig",
    "RevealConfig",
    "SamplingName",
    "ScenesConfig",
    "ScoreName",
    "ScreeningQuestion",
    "Section",
    "SequencesConfig",
    "ShapesConfig",
    "Share",
    "StrategyName",
    "StudyConfig",
    "StudyFile",
    "StudyFileError",
    "TableConfig",
    "TaskConfig",
    "TinyImagenetConfig",
    "TrainName",
    "TrainingConfig",
    "VocConfig",
    "WeightsName",
    "Whole",
    "WorkspaceConfig",
    "YoloConfig",
    "explain",
    "features_of",
    "file_hash",
    "load",
    "nearest",
    "parse",
    "read_toml",
    "strategy_names",
]
