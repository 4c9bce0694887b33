"""Strategies by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

from study.acquisition.adversarial import VAAL
from study.acquisition.bayesian import BALD, MonteCarloEntropy
from study.acquisition.boundary import SVMMargin
from study.acquisition.chance import Random
from study.acquisition.consistency import SelfConsistency
from study.acquisition.coreset import CoreSet
from study.acquisition.coverage import KCenterGreedy
from study.acquisition.density import ProbCover, TypiClust
from study.acquisition.disagreement import (
    EnsembleEntropy,
    JensenShannon,
    L2Disagreement,
    VoteEntropy,
)
from study.acquisition.dispersion import LabelDispersion
from study.acquisition.expected_loss import LearningLoss
from study.acquisition.gradients import BADGE
from study.acquisition.mistakes import Oracle, WorstClasses
from study.acquisition.strategy import Strategy
from study.acquisition.typicality import AttentionMixture
from study.acquisition.uncertainty import Entropy, LeastConfidence, Margin, ScoreBands
from study.acquisition.wrappers import Balanced, RankSum, Subsampled
from study.config import AcquisitionConfig, nearest, strategy_names
from study.errors import UserError
from study.plugins import found

STRATEGIES: Mapping[str, Callable[..., Strategy]] = {
    "random": Random,
    "entropy": Entropy,
    "least-confidence": LeastConfidence,
    "margin": Margin,
    "score-bands": ScoreBands,
    "worst-classes": WorstClasses,
    "oracle": Oracle,
    "bald": BALD,
    "mc-entropy": MonteCarloEntropy,
    "vote-entropy": VoteEntropy,
    "jensen-shannon": JensenShannon,
    "l2-disagreement": L2Disagreement,
    "self-consistency": SelfConsistency,
    "label-dispersion": LabelDispersion,
    "svm-margin": SVMMargin,
    "k-center": KCenterGreedy,
    "core-set": CoreSet,
    "vaal": VAAL,
    "badge": BADGE,
    "typiclust": TypiClust,
    "prob-cover": ProbCover,
    "learning-loss": LearningLoss,
    "ensemble-entropy": EnsembleEntropy,
    "ensemble-consistency": lambda: RankSum([EnsembleEntropy(), SelfConsistency()]),
    "attention": AttentionMixture,
    "attention-7x7": lambda: AttentionMixture("7x7"),
}


def make(name: str, options: Mapping[str, object] | None = None) -> Strategy:
    """The strategy ``name`` by itself.

    Args:
        name: one of :data:`STRATEGIES`.
        options: hyper-parameters, by the names of its constructor's arguments.

    Raises:
        UserError: when there is no such strategy, or it does not take such options.
    """
    maker = STRATEGIES.get(name) or found("clickstudy.strategies").get(name)
    if maker is None:
        raise UserError(f"{name!r} is not a strategy{nearest(name, list(strategy_names()))}")
    options = options or {}
    known = list(inspect.signature(maker).parameters)
    for option in options:
        if option not in known:
            hint = nearest(option, known) if known else "; it has no options"
            raise UserError(f"{option!r} is not an option of the strategy {name}{hint}")
    try:
        return maker(**options)
    except (TypeError, ValueError) as error:
        raise UserError(f"strategy {name}: {error}") from error


def build(config: AcquisitionConfig) -> Strategy:
    """What a study file's acquisition means: a strategy, combined, balanced, subsampled.

    Raises:
        UserError: when it cannot be built so.
    """
    strategy = make(config.active, config.options)
    if config.combine:
        strategy = RankSum([strategy, *map(make, config.combine)])
    if config.balance:
        strategy = Balanced(strategy, config.balance_weight, config.balance_form)
    if config.subsample is not None:
        strategy = Subsampled(strategy, config.subsample)
    return strategy
