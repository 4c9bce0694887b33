"""Draws docs/clicks-by-policy.png: ``python -m tests.simulators.policy_picture``.

3,000 first clicks of steady people on one drawn boat for each policy, and of the declared
population with slips, misses and wrong objects; attention lies on the buoy at the right.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import torch

from simulators.crowd import NEGATIVE, click
from simulators.desk import People, Rows
from simulators.person import AIMS, Person
from simulators.population import Population
from simulators.sheet import Sheet
from study.seeds import rng, seed
from tests.simulators.drawings import SIZE, blob, boat

matplotlib.use("Agg")
from matplotlib import pyplot as plt

PLACE = Path(__file__).parents[2] / "docs" / "clicks-by-policy.png"
CLICKS = 3000
STEADY = {"slip_rate": 0.0, "miss_rate": 0.0, "wrong_rate": 0.0, "diligence": 1.0, "motor": 0.0}


def main() -> None:
    """Annotate and draw."""
    mask = boat(0.36, 0.55, 0.55) | boat(0.85, 0.2, 0.16)
    heat = blob(0.85, 0.75, 1.1) + 0.7 * blob(0.4, 0.55, 1.0)
    sheet = Sheet(torch.from_numpy(mask)[None], torch.tensor(heat)[None], "cpu")
    panels = {"distance (default)": [Person(**STEADY)]}
    panels |= {name: [Person(**STEADY, **{f"aim_{name}": 1.0})] for name in AIMS}
    people = [Population().draw(rng("picture", number)) for number in range(64)]
    panels["declared population"] = people
    figure, axes = plt.subplots(2, 3, figsize=(9.6, 6.6), layout="constrained")
    for axis, (name, some) in zip(axes.ravel(), panels.items(), strict=True):
        number = torch.arange(CLICKS)
        nothing = torch.zeros(CLICKS, dtype=torch.float64)
        keys = torch.tensor([seed("picture", name, row) for row in range(CLICKS)])
        done = click(
            sheet,
            People(some),
            Rows(0 * number, number % len(some), keys, 200 + nothing, nothing, nothing),
        )
        made = torch.arange(done.kind.shape[1]) < done.marks[:, None]
        axis.imshow(np.where(mask, 0.82, 0.97), cmap="gray", vmin=0, vmax=1, extent=(0, 1, 1, 0))
        axis.contour(
            (np.arange(SIZE) + 0.5) / SIZE,
            (np.arange(SIZE) + 0.5) / SIZE,
            sheet.away[0].view(SIZE, SIZE).numpy(),
            levels=[127],
            colors="tab:orange",
            linewidths=1,
        )
        for kind, colour in ((0, "tab:blue"), (NEGATIVE, "tab:red")):
            spots = done.at[made & (done.kind == kind)].numpy()
            axis.plot(*spots.T, ".", color=colour, markersize=1.2, alpha=0.35)
        axis.set_title(name)
        axis.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(1, 0))
    figure.suptitle("SIMULATED clicks: left (blue), right (red); grey: objects, orange: attention")
    figure.savefig(PLACE, dpi=90)


if __name__ == "__main__":
    main()
