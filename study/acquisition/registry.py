"""Strategies by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from study.acquisition.chance import Random
from study.acquisition.coverage import KCenterGreedy
from study.acquisition.strategy import Strategy
from study.acquisition.typicality import AttentionMixture
from study.acquisition.uncertainty import Entropy
from study.acquisition.wrappers import Balanced, Subsampled
from study.config import AcquisitionConfig, nearest
from study.errors import UserError

STRATEGIES: Mapping[str, Callable[[], Strategy]] = {
    "random": Random,
    "entropy": Entropy,
    "k-center": KCenterGreedy,
    "attention": AttentionMixture,
    "attention-7x7": lambda: AttentionMixture("7x7"),
}


def build(name: str, config: AcquisitionConfig | None = None) -> Strategy:
    """The strategy ``name``, wrapped as ``config`` says: balanced within what is subsampled.

    Raises:
        UserError: when there is no such strategy.
    """
    if name not in STRATEGIES:
        raise UserError(f"{name!r} is not a strategy{nearest(name, list(STRATEGIES))}")
    strategy = STRATEGIES[name]()
    if config is None:
        return strategy
    if config.balance:
        strategy = Balanced(strategy)
    if config.subsample is not None:
        strategy = Subsampled(strategy, config.subsample)
    return strategy
