"""Which images to annotate next; one small file per family of strategies."""

from study.acquisition.chance import Random
from study.acquisition.coverage import KCenterGreedy
from study.acquisition.pool import Pool
from study.acquisition.registry import STRATEGIES, build
from study.acquisition.strategy import EmptyPoolError, Ranking, Strategy
from study.acquisition.typicality import AttentionMixture
from study.acquisition.uncertainty import Entropy
from study.acquisition.wrappers import Balanced, Subsampled

__all__ = [
    "STRATEGIES",
    "AttentionMixture",
    "Balanced",
    "EmptyPoolError",
    "Entropy",
    "KCenterGreedy",
    "Pool",
    "Random",
    "Ranking",
    "Strategy",
    "Subsampled",
    "build",
]
