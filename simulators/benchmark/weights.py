"""How much weight balancing needs: entropy and L1 of a batch against lambda (thesis, Figure 4.4).

The classifier of a seed's start chooses one batch, by Eq. 4.8 with raw entropies (in nats) for each
lambda of a grid, and once by pseudo-labels, for comparison. The thesis takes the smallest lambda
after which the L1 loss does not diminish further.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from simulators.benchmark import jobs
from simulators.benchmark.config import BenchFile, Run
from simulators.benchmark.labels import LabelOnlyMachine
from simulators.benchmark.places import Places
from simulators.benchmark.state import State
from study.acquisition.balance import (
    balanced_selection,
    by_pseudo_labels,
    l1_score,
    wanted_counts,
)
from study.cycle import Needs
from study.device import pick_device
from study.errors import UserError
from study.labels import probabilities_of

GRID = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0)
"""Lambdas; the thesis looks at 0 to 3."""
PSEUDO = "pseudo-labels"
SUFFICES = 0.02
"""Of what the largest lambda gains in L1, what the smallest that suffices may leave."""


def sweep(
    file: BenchFile, out: Path, weights: Sequence[float] = GRID, device: str = "auto"
) -> pd.DataFrame:
    """A row for every seed and lambda, and one for pseudo-labels (``form``, without a weight).

    Columns: ``seed, form, weight``; ``entropy``, a mean over the batch in nats; ``l1``, the
    distance of its expected class counts from the wanted ones (Eq. 4.2); ``l1_score`` of the true
    classes of the batch (Eq. 4.10), which no strategy knows; ``gap`` to the bound of the program.

    Raises:
        UserError: the benchmark does not buy labels.
    """
    if file.config.task.buys != "labels":
        raise UserError("the sweep of lambda is of benchmarks with task.buys = 'labels'")
    places, on = Places(out.resolve()), pick_device(device)
    seeds = {one.number: replace(one, draw=0) for one in file.runs()}
    places.path.mkdir(parents=True, exist_ok=True)
    rows = [row for one in seeds.values() for row in _of_seed(places, one, weights, on)]
    return pd.DataFrame(rows)


def _of_seed(
    places: Places, one: Run, weights: Sequence[float], device: torch.device
) -> Iterator[dict[str, Any]]:
    start = jobs.start(places, one, device)
    start.prepare(Needs())
    machine = LabelOnlyMachine(one, start, device)
    state = State(machine.beginning)
    machine.first(state)
    rest = np.setdiff1d(np.arange(len(machine.pool)), machine.start)
    shares = probabilities_of(state.learner.model, machine.pool, device)[rest]
    truth, classes = machine.pool.labels.numpy(), len(machine.pool.classes)
    k = min(machine.batch, len(rest))
    wanted = wanted_counts(np.bincount(truth[machine.start], minlength=classes), k)
    entropy = -(shares * np.log(np.clip(shares, 1e-300, None))).sum(1)

    def row(form: str, weight: float | None, picks: Any, gap: float | None) -> dict[str, Any]:
        return {
            "seed": one.number,
            "form": form,
            "weight": weight,
            "entropy": float(entropy[picks].mean()),
            "l1": float(np.abs(wanted - shares[picks].sum(0)).sum()),
            "l1_score": l1_score(np.bincount(truth[rest[picks]], minlength=classes)),
            "gap": gap,
        }

    for weight in weights:
        found = balanced_selection(entropy, shares, wanted, k, weight)
        yield row("raw", weight, found.picks, found.gap)
    yield row(PSEUDO, None, by_pseudo_labels(entropy, shares.argmax(1), wanted, k), None)


def smallest(table: pd.DataFrame) -> float:
    """The smallest lambda that suffices: larger ones bring the mean L1 down no further.

    It may leave :data:`SUFFICES` of what lies between the L1 without balancing and the lowest.
    """
    means = table[table["form"] == "raw"].groupby("weight")["l1"].mean().sort_index()
    lowest = means.min()
    enough = means <= lowest + SUFFICES * (means.iloc[0] - lowest)
    return float(means.index[enough.to_numpy()][0])
