"""Self-training: labels that a classifier gives itself, beside those that are bought.

Two models (thesis, section 3.5): a teacher learns from the bought labels, an auxiliary model from
these and from the teacher's guesses about the images that it is surest of; the auxiliary chooses
what to buy among the others, and afterwards the guesses are forgotten. CEAL (Wang, Zhang, Li, Zhang
& Lin 2017, "Cost-effective active learning for deep image classification") has one model, which
takes its guesses where their entropy is below a threshold that falls from cycle to cycle. The
thesis gives neither threshold nor decay. Ours, .05 and .0033, are those of a public implementation
for CIFAR-10 (dhaalves/CEAL_keras), which lowers the threshold after each training as we do; others
for Caltech-256 have .005 and .00033.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from study.acquisition.dispersion import dispersion
from study.labels import Guess, Indices, Known
from study.learning.predictions import Predictions

Floats = NDArray[np.float64]


def surest(scores: Floats, unlabelled: Indices, guessed: Indices, k: int) -> Known:
    """The ``k`` unlabelled images with the lowest scores, ties to the lower index, as guessed.

    Args:
        scores: float64 [N], of the whole pool; high where the classifier is in doubt.
        unlabelled: int64 [U].
        guessed: int64 [N], the classes that stand for true.
        k: at most U are taken.
    """
    order = np.argsort(scores[unlabelled], kind="stable")[:k]
    index = np.sort(unlabelled[order])
    return Known(index, guessed[index])


def doubt(
    guess: Guess, predictions: Predictions | None, by: str, classes: int
) -> NDArray[np.float64]:
    """How unsure a classifier is of each image of the pool, float64 [N].

    Args:
        guess: what it makes of them.
        predictions: int64 [T, N] of its training, for ``dispersion``.
        by: ``dispersion`` (Eq. 3.1) or ``entropy``.
        classes: K.

    Raises:
        ValueError: dispersion of a training that nobody watched.
    """
    if by == "entropy":
        return guess.entropy
    if predictions is None or not len(predictions):
        raise ValueError("dispersion needs the predictions of the training")
    return dispersion(predictions, classes)


def below(guess: Guess, unlabelled: Indices, threshold: float) -> Known:
    """The unlabelled images whose entropy is below a threshold, as guessed (CEAL)."""
    index = unlabelled[guess.entropy[unlabelled] < threshold]
    return Known(index, guess.labels[index])
