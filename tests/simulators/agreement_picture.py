"""Draws docs/interfaces/agreement.png: ``python -m tests.simulators.agreement_picture``.

Six simulated people of the declared population annotate the same 24 drawn scenes with each
interface; attention is a blob on the object or, in every second image, elsewhere.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

from simulators.annotator import Shape, annotate
from simulators.batch import colours_of
from simulators.population import Population
from study.config import ScenesConfig
from study.data.scenes import render
from study.human.agreement import agreement
from study.human.record import Record
from study.seeds import rng, seed

matplotlib.use("Agg")
from matplotlib import pyplot as plt

PLACE = Path(__file__).parents[2] / "docs" / "interfaces" / "agreement.png"
INTERFACES = ("click", "box", "polygon", "paint", "correct")
PEOPLE, IMAGES, GRID = 6, 24, 10
MEASURES = {
    "iou": "IoU of pairs",
    "correlation": "correlation of pairs",
    "ceiling": "human ceiling (correlation)",
    "alpha": "Krippendorff's alpha",
    "model": "the attention shown (correlation)",
}


def attention(mask: np.ndarray, number: int) -> np.ndarray:
    """A blob on the object, or in every second image anywhere."""
    rows, columns = np.nonzero(mask)
    at = rows.mean() / len(mask), columns.mean() / len(mask)
    if number % 2:
        at = tuple(rng("agreement", number).uniform(0.1, 0.9, 2))
    grid = (np.arange(GRID) + 0.5) / GRID
    away = (grid[:, None] - at[0]) ** 2 + (grid[None, :] - at[1]) ** 2
    return np.exp(-away / 0.03).astype(np.float32)


def main() -> None:
    """Annotate, measure and draw."""
    images = render(ScenesConfig(train=IMAGES, val=2, test=2, balanced=2))["train"].items
    masks = images.require_masks("the picture").numpy()
    maps = [attention(mask, number) for number, mask in enumerate(masks)]
    people = [Population().draw(rng("agreement", "person", who)) for who in range(PEOPLE)]
    rows = {}
    for name in INTERFACES:
        records, seconds = [], []
        for who, person in enumerate(people):
            for number, mask in enumerate(masks):
                drawn, done = annotate(
                    name, mask, maps[number][None], person, Shape(50),
                    seed("agreement", name, who, number), colours=colours_of(images.images[number]),
                )  # fmt: skip
                records.append(Record(images.names[number], drawn, participant=f"S{who}"))
                seconds.append(done.seconds)
        table = agreement(records, dict(zip(images.names, maps, strict=True)))
        rows[name] = table[list(MEASURES)].mean().to_dict() | {"seconds": np.mean(seconds)}
    found = pd.DataFrame(rows).T
    print(found.round(2).to_string())
    figure, axis = plt.subplots(figsize=(9, 4), layout="constrained")
    width = 0.8 / len(MEASURES)
    for place, (measure, label) in enumerate(MEASURES.items()):
        at = np.arange(len(found)) + (place - (len(MEASURES) - 1) / 2) * width
        axis.bar(at, found[measure], width, label=label, color=plt.get_cmap("cividis")(place / 5))
    axis.set_xticks(range(len(found)), [f"{n}\n{found['seconds'][n]:.1f} s" for n in found.index])
    axis.set(ylim=(0, 1), ylabel="mean over images")
    axis.set_title(f"SIMULATED people: {PEOPLE} on the same {IMAGES} drawn scenes")
    figure.legend(loc="outside lower center", frameon=False, ncols=3, fontsize=8)
    figure.savefig(PLACE, dpi=90)


if __name__ == "__main__":
    main()
