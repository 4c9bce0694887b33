"""The paper's study by simulated people: ``python -m tests.simulators.paper_study``.

Everybody does the four tasks in one of the paper's four orders, on the maps of a biased network
(``data/paper_maps.npz``): 45 minutes a task, practice with each interface going on, tiredness
growing and halved by breaks. Prints seconds an image beside He et al. (2023), section 7.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from simulators.batch import similarities
from simulators.crowd import click
from simulators.desk import People, Rows
from simulators.outlines import outline
from simulators.person import Person
from simulators.population import Population
from simulators.sheet import Sheet
from study.seeds import rng, seed

MAPS = Path(__file__).parent / "data" / "paper_maps.npz"
CONDITIONS = ("polygon-random", "click-random", "polygon-active", "click-active")
PAPER = dict(
    zip(CONDITIONS, ((8.663, 1.431), (6.680, 0.872), (7.318, 1.211), (5.308, 1.076)), strict=True)
)
"""Mean and SD over 16 participants of seconds an image (Figure 10 a)."""
ORDERS = ((0, 1, 2, 3), (1, 3, 0, 2), (2, 0, 3, 1), (3, 2, 1, 0))
"""Positions of the conditions in the four orders: each condition is in each place once."""
LENGTH = 400
"""About how many images 45 minutes are."""


def paper_study(
    people: Sequence[Person], clicks: int = 24, outlines: int = 12, seeds: Sequence[int] = (0, 1, 2)
) -> NDArray[np.float64]:
    """Seconds an image of each person in each of :data:`CONDITIONS`, [P, 4].

    Everybody does the same items; the times of the others are not drawn.

    Args:
        people: who there is.
        clicks, outlines: images of each seed that everybody does with clicks and with polygons.
        seeds: of the networks and pools that are used.
    """
    stored = np.load(MAPS)
    masks = np.unpackbits(stored["masks"], axis=-1).astype(bool)
    heat = torch.from_numpy(stored["maps"]).double()
    found = np.zeros((len(people), 4))
    for place, condition in enumerate(CONDITIONS):
        interface, sampling = condition.split("-")
        of_sampling = ("random", "active").index(sampling)
        number = clicks if interface == "click" else outlines
        for which in seeds:
            shown = torch.from_numpy(masks[which, of_sampling])
            maps = heat[which, of_sampling]
            items = torch.arange(number) * (len(maps) // number)
            alike = similarities(maps)[items]
            shapes = [_shape(person, place, items / len(maps)) for person in range(len(people))]
            trial = torch.stack([trial for trial, _ in shapes])
            hours = torch.stack([hours for _, hours in shapes])
            key = f"{condition} {which}"
            found[:, place] += _together(
                interface, shown[items], maps[items], alike, people, trial, hours, key
            )
    return found / len(seeds)


def _shape(person: int, condition: int, share: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Trials and hours, each [I], of items at a share of a task."""
    order = ORDERS[person % 4]
    position = order.index(condition)
    mine = CONDITIONS[condition].split("-")[0]
    earlier = sum(CONDITIONS[other].startswith(mine) for other in order[:position])
    tired = 0.0
    for _ in range(position):
        tired = (tired + 0.75) * 0.5
    return 1 + (LENGTH * (earlier + share)).long(), tired + 0.75 * share.double()


def _together(
    interface: str,
    masks: torch.Tensor,
    maps: torch.Tensor,
    alike: torch.Tensor,
    people: Sequence[Person],
    trial: torch.Tensor,
    hours: torch.Tensor,
    name: str,
) -> NDArray[np.float64]:
    many, items = trial.shape
    row = torch.arange(many * items)
    keys = torch.tensor([seed("paper", name, number) for number in range(many * items)])
    familiar = alike[row % items]
    rows = Rows(row % items, row // items, keys, trial.ravel(), hours.ravel(), familiar)
    do = click if interface == "click" else outline
    done = do(Sheet(masks, maps, "cpu"), People(people), rows)
    return np.asarray(done.seconds.view(many, items).mean(1).numpy())


class _Given:
    """The standard normal numbers of one person, as a generator that gives them in order."""

    def __init__(self, numbers: NDArray[np.float64]) -> None:
        self.left = iter(numbers)

    def normal(self) -> float:
        return float(next(self.left))


def drawn(number: int, population: Population | None = None, **fixed: float) -> list[Person]:
    """People of a population, by default the declared one.

    Their numbers are turned and stretched so that their means, SDs and correlations are exactly
    the population's: a hundred then say of SDs what thousands drawn freely would.
    """
    population = population or Population()
    free = rng("paper", "people").normal(size=(number, len(Person.spreads())))
    left, _, right = np.linalg.svd(free - free.mean(0), full_matrices=False)
    exact = np.sqrt(number - 1.0) * left @ right
    return [population.draw(_Given(row), fixed) for row in exact]  # type: ignore[arg-type]


EXPECTED = {"noise": 0.0, "thought_noise": 0.0, "pause_rate": 0.0}
"""Parameters with which a few images give what many would: noise has a mean of one."""


def table(seconds: NDArray[np.float64]) -> str:
    """Means and SDs beside the paper's, as Markdown."""
    lines = ["| condition | paper | simulated | ratio of means, of SDs |", "|---|---|---|---|"]
    for name, values in zip(CONDITIONS, seconds.T, strict=True):
        mean, sd = PAPER[name]
        ratios = f"{values.mean() / mean:.3f}, {values.std(ddof=1) / sd:.3f}"
        lines.append(
            f"| {name} | {mean:.3f} ({sd:.3f}) | {values.mean():.3f} ({values.std(ddof=1):.3f}) "
            f"| {ratios} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(table(paper_study(drawn(128, **EXPECTED))))
