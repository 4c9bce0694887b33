"""Fits to people whose parameters are known.

``python -m tests.simulators.recovery STUDIES ITEMS INTERFACES OUT.csv``, for example
``6 256 click,polygon recovery.csv``; the picture is written beside it.

Sixteen people from a population do 256 items, on the maps of a biased network
(``tests/simulators/data/paper_maps.npz``); the population is fitted to what a log would say of
them. Prints the parameters beside their fits and how often 95% intervals hold them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from simulators.batch import similarities
from simulators.calibration import fit
from simulators.calibration.evidence import Evidence
from simulators.calibration.reading import Item
from simulators.chance import Draws
from simulators.hands import hand_of
from simulators.person import Person
from simulators.population import Law, Population
from simulators.scene import Scene
from simulators.timing import Circumstances, perform
from study.seeds import rng, seed

MAPS = Path(__file__).parent / "data" / "paper_maps.npz"
SAMPLINGS = ("random", "active")


@cache
def scenes(which: int, number: int) -> dict[str, list[tuple[Scene, float]]]:
    """Of each way of sampling, scenes with their maps' likeness to those before."""
    stored = np.load(MAPS)
    found = {}
    for place, name in enumerate(SAMPLINGS):
        masks = np.unpackbits(stored["masks"][which, place], axis=-1).astype(bool)
        maps = torch.from_numpy(stored["maps"][which, place]).double()
        alike = similarities(maps).tolist()
        found[name] = [(Scene(masks[i], maps[i].numpy()), alike[i]) for i in range(number)]
    return found


def items(
    people: Sequence[Person],
    number: int = 256,
    interfaces: Sequence[str] = ("click",),
    which: int = 0,
    name: str = "recovery",
) -> Iterator[Item]:
    """What a log would say of people who share ``number`` items evenly between conditions."""
    tasks = [(interface, sampling) for interface in interfaces for sampling in SAMPLINGS]
    each = number // len(tasks)
    for which_person, person in enumerate(people):
        order = tasks[which_person % len(tasks) :] + tasks[: which_person % len(tasks)]
        done = dict.fromkeys(interfaces, 0)
        hours = 0.0
        for interface, sampling in order:
            spent = 0.0
            hand = hand_of(interface)
            for place, (scene, alike) in enumerate(scenes(which, each)[sampling]):
                done[interface] += 1
                draws = Draws(seed(name, which_person, interface, sampling, place))
                how = Circumstances(
                    done[interface],
                    hours + spent / 3600.0,
                    alike,
                    scene.blobs if hand.minds_attention else 0,
                    hand.minds_attention,
                )
                _, moves = hand.draw(scene, person, draws)
                did = perform(moves, person, draws, getattr(person, hand.skill), how)
                yield Item(
                    f"S{which_person:02d}",
                    f"{interface}-{sampling}",
                    interface,
                    scene,
                    hand.minds_attention,
                    how.trial,
                    how.hours,
                    alike,
                    did.actions,
                    did.seconds,
                )
                spent += did.seconds
            hours = (hours + spent / 3600.0) * (1.0 - person.recovery)


def drawn(number: int, population: Population, name: object = 0) -> list[Person]:
    """People of a population."""
    return [population.draw(rng("recovery", name, person)) for person in range(number)]


OTHERS = Population(
    {
        "speed": Law(centre=1.15, spread=0.10),
        "click_speed": Law(centre=1.0, spread=0.04),
        "polygon_speed": Law(centre=0.9, spread=0.10),
        "decision": Law(centre=1.8, spread=0.25),
        "heed": Law(centre=0.8, spread=0.3),
        "preparation": Law(centre=1.1),
        "vertex_pace": Law(centre=0.45),
        "noise": Law(centre=0.35),
        "thought_noise": Law(centre=0.45),
        "learning_gain": Law(centre=0.6, spread=0.3),
        "familiarity": Law(centre=0.6, spread=0.4),
        "pause_rate": Law(centre=0.006),
        "aim_middle": Law(centre=0.25),
        "aim_farthest": Law(centre=0.05),
        "aim_edge": Law(centre=0.1),
        "aim_anywhere": Law(centre=0.2),
        "motor": Law(centre=0.009, spread=0.3),
        "slip_rate": Law(centre=0.03, spread=0.03),
        "wrong_rate": Law(centre=0.01, spread=0.01),
        "notice_rate": Law(centre=0.8, spread=0.08),
        "miss_rate": Law(centre=0.03, spread=0.03),
        "notable": Law(centre=0.65, spread=0.1),
        "satisfied": Law(centre=0.7, spread=0.1),
        "patience": Law(centre=0.25, spread=0.12),
    }
)
"""People unlike the declared ones, so that a fit cannot be right by giving back what it began with.
"""


def recovered(study: int, number: int, interfaces: Sequence[str]) -> pd.DataFrame:
    """One study's fit: a row for each parameter, with its truth."""
    people = drawn(16, OTHERS, study)
    evidence = Evidence.of(items(people, number, interfaces, study % 3, f"recovery {study}"))
    table = fit.parameters(fit.fit(evidence))
    truth = [OTHERS.law(name) for name in table["parameter"]]
    return table.assign(
        study=study,
        truth=[law.centre for law in truth],
        true_spread=[law.spread for law in truth],
    )


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """Of each parameter over studies: estimates and how often intervals hold the truth."""
    rows = []
    for name, some in found[found["fitted"]].groupby("parameter", sort=False):
        held = (
            some["low"].notna() & (some["low"] <= some["truth"]) & (some["truth"] <= some["high"])
        )
        wide = (some["spread_low"] <= some["true_spread"]) & (
            some["true_spread"] <= some["spread_high"]
        )
        has_spread = some["spread_low"].notna().any()
        rows.append(
            {
                "parameter": name,
                "declared": some["declared"].iloc[0],
                "truth": some["truth"].iloc[0],
                "mean fit": some["centre"].mean(),
                "SD of fits": some["centre"].std(),
                "held": f"{held.sum()}/{some['low'].notna().sum()}",
                "true spread": some["true_spread"].iloc[0] if has_spread else np.nan,
                "mean spread": some["spread"].mean() if has_spread else np.nan,
                "spread held": f"{wide.sum()}/{len(some)}" if has_spread else "",
            }
        )
    return pd.DataFrame(rows)


def picture(found: pd.DataFrame, out: Path) -> None:
    """Every study's fitted centre with its interval by the truth, and where it began."""
    from analysis.page import style

    rows = found[found["fitted"] & (found["truth"] > 0) & found["low"].notna()]
    names = list(dict.fromkeys(rows["parameter"]))
    with style.styled():
        drawing = style.new(style.PAGE * 0.75, 0.6 + 0.26 * len(names))
        axes = drawing.add_subplot(1, 1, 1)
        for place, name in enumerate(names):
            mine = rows[rows["parameter"] == name]
            at = place + np.linspace(-0.3, 0.3, len(mine))
            for column in ("low", "high"):
                ratio = mine[column] / mine["truth"]
                axes.plot(
                    np.stack([mine["centre"] / mine["truth"], ratio]),
                    np.stack([at, at]),
                    color=style.HUES[1],
                    linewidth=0.9,
                )
            axes.plot(mine["centre"] / mine["truth"], at, "o", color=style.INK, markersize=2)
            declared = mine["declared"].iloc[0] / mine["truth"].iloc[0]
            axes.plot(max(declared, 0.3), place, "x", color=style.HUES[0], markersize=4)
        axes.axvline(1.0, color=style.MUTED, linewidth=0.6)
        axes.set_xscale("log")
        ticks = [0.3, 0.5, 0.75, 1, 1.5, 2]
        axes.set_xticks(ticks, ["0.3 or less", *(f"{tick:g}" for tick in ticks[1:])])
        axes.xaxis.set_minor_formatter(lambda *_: "")
        axes.set_xlim(0.27, 3.0)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlabel("Centre / truth: fitted (95%), declared (x)")
        style.grid(axes, "x")
        style.mark(drawing, "SIMULATED")
        drawing.savefig(out, dpi=150)


if __name__ == "__main__":
    torch.set_num_threads(1)
    studies, number = (int(value) for value in sys.argv[1:3])
    parts = []
    for study in range(studies):
        parts.append(recovered(study, number, sys.argv[3].split(",")))
        pd.concat(parts).to_csv(sys.argv[4], index=False)
        print(f"{study + 1} of {studies} studies", file=sys.stderr)
    print(summary(pd.concat(parts)).to_string(index=False))
    picture(pd.concat(parts), Path(sys.argv[4]).with_suffix(".png"))
