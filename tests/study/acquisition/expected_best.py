"""Where the best class-balanced selection is to be expected, above the bound of the relaxation.

At full size (10,000 images, 100 classes, 500 picks) nobody can solve Eq. 4.8 exactly. But one can
count: of the k-subsets z, ``N(E)`` cost at most E, and where the estimate of ``N`` falls below one,
no selection is to be expected. That is the first moment (the annealed average of Mertens 1998,
"Phase transition in the number partitioning problem"), here of one given program instead of a drawn
one:

    N(E) <= exp(t E) Z(t) for every t > 0,   Z(t) = sum over z of exp(-t cost(z)),

and Z is written with independent rows, taken with probabilities that give the wanted counts; the
counts are then taken for Gaussian (a local limit theorem), and the L1 distance is integrated by
Monte Carlo. It is an estimate and no proof: the Gaussian is wrong where few rows of a class are
undecided. ``tests/study/acquisition/test_balance.py`` holds it against exact optima.

    python -m tests.study.acquisition.expected_best      # the programs of benchmark --speed
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from study.acquisition.balance import _relaxed, balanced_selection

Floats = NDArray[np.float64]
TILTS = tuple(np.geomspace(10.0, 160.0, 9))
"""t, in ones over the unit of a score."""
DRAWS = 20_000


def speed_program(seed: int, sharpness: float) -> tuple[Floats, Floats, Floats]:
    """Scores, probabilities and wanted counts as ``clickstudy benchmark --speed`` draws them."""
    weights = np.exp(sharpness * np.random.default_rng(seed).normal(size=(10_000, 100)))
    shares = weights / weights.sum(1, keepdims=True)
    return -(shares * np.log(shares)).sum(1), shares, np.full(100, 5.0)


def relaxed_bound(
    scores: Floats, probabilities: Floats, wanted: Floats, k: int, weight: float
) -> tuple[float, Floats]:
    """The bound of the linear relaxation, and the classes' prices."""
    _, prices = _relaxed(scores, probabilities, wanted, k, weight)
    reduced = -scores - probabilities @ prices
    return float(prices @ wanted + np.sort(reduced)[:k].sum()), prices


def expected_best(
    scores: Floats,
    probabilities: Floats,
    wanted: Floats,
    k: int,
    weight: float,
    tilts: tuple[float, ...] = TILTS,
) -> float:
    """The cost at which about one selection is left: the largest of ``-log Z(t) / t``.

    The arguments are those of :func:`study.acquisition.balance.balanced_selection`; ``wanted`` has
    to add up to k.
    """
    _, prices = relaxed_bound(scores, probabilities, wanted, k, weight)
    stream, best = np.random.default_rng(0), -np.inf
    for tilt in tilts:
        prices = _balancing(scores, probabilities, wanted, tilt, prices)
        best = max(
            best, -_log_z(scores, probabilities, wanted, weight, tilt, prices, stream) / tilt
        )
    return float(best)


def _taken(reduced: Floats, tilt: float) -> Floats:
    return 1.0 / (1.0 + np.exp(np.clip(tilt * reduced, -500.0, 500.0)))


def _balancing(
    scores: Floats, probabilities: Floats, wanted: Floats, tilt: float, prices: Floats
) -> Floats:
    """The prices at which the expected counts are the wanted ones, by damped Newton steps."""
    for _ in range(60):
        taken = _taken(-scores - probabilities @ prices, tilt)
        lacking = wanted - probabilities.T @ taken
        if np.abs(lacking).max() < 1e-6:
            break
        slope = probabilities.T @ (probabilities * (tilt * taken * (1 - taken))[:, None])
        step = np.linalg.solve(slope + 1e-9 * np.eye(len(slope)), lacking)
        prices = prices + step * min(1.0, 0.2 / np.abs(step).max())
    return prices


def _log_z(
    scores: Floats,
    probabilities: Floats,
    wanted: Floats,
    weight: float,
    tilt: float,
    prices: Floats,
    stream: np.random.Generator,
) -> float:
    """log Z; inf, which rules this tilt out, where a price is beyond the weight."""
    reduced = -scores - probabilities @ prices
    taken = _taken(reduced, tilt)
    free = np.logaddexp(0.0, -tilt * reduced).sum() - tilt * prices @ wanted
    # k rows: all counts together lack nothing, so that a constant in the prices does not matter
    prices = prices - (prices.max() + prices.min()) / 2
    if np.abs(prices).max() >= weight:
        return np.inf
    spread = taken * (1 - taken)
    counts = probabilities.T @ (probabilities * spread[:, None])
    with_k = counts.sum(1)
    given_k = (counts - np.outer(with_k, with_k) / spread.sum())[:-1, :-1]
    root = np.linalg.cholesky(given_k + 1e-12 * np.eye(len(given_k)))
    gaussian = -np.log(np.diag(root)).sum() - 0.5 * len(root) * np.log(2 * np.pi)
    exactly_k = -0.5 * np.log(2 * np.pi * spread.sum())
    # what is lacking of all classes but the last, drawn from the L1 term; the last one's follows
    above, below = tilt * (weight - prices), tilt * (weight + prices)
    shape = (DRAWS, len(root))
    up = stream.random(shape) < (below / (above + below))[:-1]
    size = stream.exponential(1.0, shape)
    lacking = np.where(up, size / above[:-1], -size / below[:-1])
    last = -lacking.sum(1)
    logs = np.where(last > 0, -above[-1] * last, below[-1] * last)
    logs -= 0.5 * np.square(np.linalg.solve(root, lacking.T)).sum(0)
    mean = np.log(np.mean(np.exp(logs - logs.max()))) + logs.max()
    widths = np.log(1 / above[:-1] + 1 / below[:-1]).sum()
    return float(free + exactly_k + gaussian + widths + mean)


def main() -> None:
    """Print, for each program, the gap and what of it is to be expected."""
    for sharpness in (1.0, 3.0, 10.0):
        for seed in range(3):
            program = speed_program(seed, sharpness)
            bound, _ = relaxed_bound(*program, 500, 1.0)
            found = balanced_selection(*program, 500, 1.0)
            best = expected_best(*program, 500, 1.0)
            print(
                f"logits x {sharpness:g}, seed {seed}: bound {bound:.3f}, selection "
                f"{found.cost - bound:.3f} and expected best {best - bound:.3f} above it; "
                f"gap {(found.cost - bound) / abs(bound):.1e}, of it beyond what is expected "
                f"{(found.cost - best) / abs(bound):.1e}"
            )


if __name__ == "__main__":
    main()
