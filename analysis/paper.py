"""The paper's published numbers, and raw data matched to them.

He et al. (2023), Figure 10 and section 7. The paper gives means and SDs but neither raw data nor
the correlation between conditions, on which every paired test depends: it is a parameter here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]

N = 16
CONDITIONS = ("polygon-random", "click-random", "polygon-active", "click-active")
SECONDS_MEAN = (8.663, 6.680, 7.318, 5.308)
SECONDS_SD = (1.431, 0.872, 1.211, 1.076)
ACCURACY_MEAN = (0.820, 0.822, 0.830, 0.843)
ACCURACY_SD = (0.008, 0.007, 0.014, 0.015)
ACCURACY_BEFORE = 0.811
#: Answers 1-5; what the paper does not print is put at 3 (neutral) and said so in the report.
COUNTS = {
    "Q1": (7, 6, 3, 0, 0),
    "Q2": (0, 0, 6, 8, 2),
    "Q3": (6, 5, 5, 0, 0),
    "Q4": (3, 4, 9, 0, 0),
    "Q5": (0, 0, 0, 11, 5),
    "Q6": (0, 0, 11, 5, 0),
    "Q7": (0, 0, 1, 15, 0),
}
PREFER_CLICK = 12
ORDERS = ((0, 1, 3, 2), (1, 2, 0, 3), (2, 3, 1, 0), (3, 0, 2, 1))  # a Williams square


def compound(sd: tuple[float, ...], correlation: float) -> Array:
    """Covariance of conditions with one correlation between any two."""
    s = np.asarray(sd)
    return np.outer(s, s) * (correlation + (1 - correlation) * np.eye(len(s)))


def matched(mean: tuple[float, ...], covariance: Array, n: int = N, seed: int = 2023) -> Array:
    """Normal data, shape (n, conditions), whose sample mean and covariance are exactly these."""
    z = np.random.default_rng(seed).normal(size=(n, len(mean)))
    z -= z.mean(axis=0)
    z = z @ np.linalg.inv(np.linalg.cholesky(np.cov(z, rowvar=False))).T
    return np.asarray(mean) + z @ np.linalg.cholesky(covariance).T


def tables(correlation: float = 0.5, seed: int = 2023) -> dict[str, pd.DataFrame]:
    """The study rebuilt as the tables of an export, mode `simulated`.

    The pairing of answers between questions is not published and is drawn at random.
    """
    seconds = matched(SECONDS_MEAN, compound(SECONDS_SD, correlation), seed=seed)
    accuracy = matched(ACCURACY_MEAN, compound(ACCURACY_SD, correlation), seed=seed + 1)
    rng = np.random.default_rng(seed + 2)
    rows, answers = [], []
    for i in range(N):
        person = f"P{i + 1:02d}"
        order = ORDERS[i % 4]
        for j, condition in enumerate(CONDITIONS):
            interface, sampling = condition.split("-")
            rows.append(
                {
                    "participant": person,
                    "mode": "simulated",
                    "sequence": i % 4,
                    "position": order.index(j) + 1,
                    "interface": interface,
                    "sampling": sampling,
                    "seconds_per_image": seconds[i, j],
                    "accuracy_before": ACCURACY_BEFORE,
                    "accuracy_after": accuracy[i, j],
                }
            )
    for question, counts in COUNTS.items():
        for i, answer in enumerate(rng.permutation(np.repeat(np.arange(1, 6), counts))):
            answers.append((f"P{i + 1:02d}", question, str(answer)))
    for i in range(N):
        answers.append((f"P{i + 1:02d}", "Q8", "click" if i < PREFER_CLICK else "polygon"))
    table = pd.DataFrame(answers, columns=["participant", "question", "answer"])
    table.insert(1, "mode", "simulated")
    table.insert(2, "instrument", "paper")
    return {"tasks": pd.DataFrame(rows), "answers": table}


def write(folder: Path, correlation: float = 0.5, seed: int = 2023) -> None:
    """Write `tables` as CSVs that `clickstudy report` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables(correlation, seed).items():
        table.to_csv(folder / f"{name}.csv", index=False)
