"""Which images to annotate next; one small file per family of strategies."""

from study.acquisition.adversarial import VAAL
from study.acquisition.bayesian import BALD, MonteCarloEntropy
from study.acquisition.boundary import SVMMargin
from study.acquisition.chance import Random
from study.acquisition.consistency import SelfConsistency
from study.acquisition.coreset import CoreSet
from study.acquisition.coverage import KCenterGreedy
from study.acquisition.disagreement import (
    EnsembleEntropy,
    JensenShannon,
    L2Disagreement,
    VoteEntropy,
)
from study.acquisition.dispersion import LabelDispersion
from study.acquisition.mistakes import Oracle, WorstClasses
from study.acquisition.pool import Pool
from study.acquisition.registry import STRATEGIES, build, make
from study.acquisition.strategy import EmptyPoolError, Ranking, Strategy
from study.acquisition.typicality import AttentionMixture
from study.acquisition.uncertainty import Entropy, LeastConfidence, Margin, ScoreBands
from study.acquisition.wrappers import Balanced, RankSum, Subsampled

__all__ = [
    "BALD",
    "STRATEGIES",
    "VAAL",
    "AttentionMixture",
    "Balanced",
    "CoreSet",
    "EmptyPoolError",
    "EnsembleEntropy",
    "Entropy",
    "JensenShannon",
    "KCenterGreedy",
    "L2Disagreement",
    "LabelDispersion",
    "LeastConfidence",
    "Margin",
    "MonteCarloEntropy",
    "Oracle",
    "Pool",
    "Random",
    "RankSum",
    "Ranking",
    "SVMMargin",
    "ScoreBands",
    "SelfConsistency",
    "Strategy",
    "Subsampled",
    "VoteEntropy",
    "WorstClasses",
    "build",
    "make",
]
