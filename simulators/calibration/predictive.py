"""What a fitted population would have done with the items that were logged.

People are drawn from populations that the data do not exclude
(:meth:`~simulators.population.Population.doubted`) and given logged items anew: the same images,
maps, practice and tiredness. If the model is right, what people did lies among what these do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

from simulators.calibration.reading import Item, read
from simulators.chance import Draws
from simulators.hands import hand_of
from simulators.person import Person
from simulators.population import Population
from simulators.timing import Circumstances, perform
from study.seeds import rng, seed

DRAWS = 20
TRIALS = (1, 4, 16, 64, 256)
"""Where the bins of item numbers begin."""
COLUMNS = ["draw", "person", "condition", "interface", "trial", "seconds", "presses", "depth"]
Counted = Callable[[int, int], None]


def observed(items: Sequence[Item]) -> pd.DataFrame:
    """What was done: one row for each item."""
    return pd.DataFrame([_row(-1, item) for item in items], columns=COLUMNS)


def replicated(
    items: Sequence[Item],
    population: Population,
    draws: int = DRAWS,
    progress: Counted = lambda done, total: None,
) -> pd.DataFrame:
    """What others would have done: one row for each item and draw.

    In each draw as many people as there were do the items, each those of one of them.
    """
    names = list(dict.fromkeys(item.participant for item in items))
    rows = []
    for draw in range(draws):
        progress(draw, draws)
        other = population.doubted(rng("calibration", "doubt", draw))
        people = {
            name: other.draw(rng("calibration", "person", draw, number))
            for number, name in enumerate(names)
        }
        rows += [_row(draw, one) for one in _again(items, people, draw)]
    progress(draws, draws)
    return pd.DataFrame(rows, columns=COLUMNS)


def _again(items: Sequence[Item], people: dict[str, Person], draw: int) -> Iterable[Item]:
    for number, item in enumerate(items):
        person, hand = people[item.participant], hand_of(item.interface)
        stream = Draws(seed("calibration", "again", draw, number))
        _, moves = hand.draw(item.scene, person, stream)
        how = Circumstances(
            item.trial,
            item.hours,
            item.similarity,
            item.scene.blobs if item.attends else 0,
            item.attends,
        )
        done = perform(moves, person, stream, getattr(person, hand.skill), how)
        yield Item(
            item.participant,
            item.condition,
            item.interface,
            item.scene,
            item.attends,
            item.trial,
            item.hours,
            item.similarity,
            done.actions,
            done.seconds,
        )


def _row(draw: int, item: Item) -> list[object]:
    reading = read(item) if item.interface == "click" else None
    depth = reading.presses[0].depth if reading is not None and reading.presses else np.nan
    return [
        draw,
        item.participant,
        item.condition,
        item.interface,
        item.trial,
        item.seconds,
        len(item.presses),
        depth,
    ]


def checks(seen: pd.DataFrame, again: pd.DataFrame) -> pd.DataFrame:
    """Measures of what people did beside the same of every draw.

    Columns: measure, where, observed, and mean, low and high (95%) of the replicates.
    """
    draws: dict[tuple[str, str], list[float]] = {}
    for _, one in again.groupby("draw"):
        for measure, where, value in _measures(one):
            draws.setdefault((measure, where), []).append(value)
    rows = []
    for measure, where, value in _measures(seen):
        others = np.array(draws.get((measure, where), []))
        if not len(others):
            continue
        low, high = np.percentile(others, [2.5, 97.5])
        rows.append([measure, where, value, float(others.mean()), float(low), float(high)])
    return pd.DataFrame(rows, columns=["measure", "where", "observed", "mean", "low", "high"])


def _measures(rows: pd.DataFrame) -> Iterable[tuple[str, str, float]]:
    for condition, some in rows.groupby("condition", sort=False):
        by_person = some.groupby("person")["seconds"].mean()
        yield "seconds per image, mean", str(condition), float(by_person.mean())
        if len(by_person) > 1:
            yield "seconds per image, SD between people", str(condition), float(by_person.std())
        spread = np.log(some["seconds"]).groupby(some["person"]).std().mean()
        yield "log seconds, SD within people", str(condition), float(spread)
        yield "presses per image", str(condition), float(some["presses"].mean())
        yield "images without a press", str(condition), float((some["presses"] == 0).mean())
    for first, after in zip(TRIALS, (*TRIALS[1:], np.inf), strict=True):
        some = rows[(rows["trial"] >= first) & (rows["trial"] < after)]
        if len(some) >= 8:
            last = "on" if after == np.inf else f"to {int(after) - 1}"
            yield "seconds by item number", f"{first} {last}", float(some["seconds"].mean())
    depth = rows["depth"].dropna()
    if len(depth):
        for low, high in zip((0.0, 0.25, 0.5, 0.75), (0.25, 0.5, 0.75, 1.01), strict=True):
            share = ((depth >= low) & (depth < high)).mean()
            yield "clicks by distance from the edge", f"{low:g} to {min(high, 1):g}", float(share)
