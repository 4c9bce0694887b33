"""Draws docs/interfaces/dialogue.png from the benchmark of docs/interfaces/dialogue.toml.

clickstudy benchmark docs/interfaces/dialogue.toml --out runs/dialogue
python -m tests.simulators.dialogue_picture runs/dialogue
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("Agg")
from matplotlib import pyplot as plt

PLACE = Path(__file__).parents[2] / "docs" / "interfaces" / "dialogue.png"
MEASURES = {
    "accuracy": "accuracy, balanced test",
    "conflicting_accuracy": "accuracy where the bias fails",
    "attention_inside": "attention inside the object",
}
COLOURS = {"click": "#0072B2", "polygon": "#D55E00", "verify": "#E69F00", "dialogue": "#000000"}
POINTS = 41


def finished(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cycles on the balanced test split, and picks, of every finished run."""
    cycles, picks = [], []
    for path in sorted((folder / "runs").glob("*.json")):
        run = json.loads(path.read_text())
        names = {name: run["parameters"][name] for name in ("interface", "seed")}
        cycles += [names | row for row in run["rows"] if row["split"] == "balanced"]
        picks += [names | row for row in run["picks"]]
    return pd.DataFrame(cycles), pd.DataFrame(picks)


def main() -> None:
    """Read, draw and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    cycles, picks = finished(parser.parse_args().folder)
    seeds = cycles["seed"].nunique()
    end = cycles.groupby(["interface", "seed"])["seconds"].max().min()
    grid = np.linspace(0, end, POINTS)
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
    for axis, (measure, label) in zip(axes, MEASURES.items(), strict=True):
        for name, colour in COLOURS.items():
            part = cycles[cycles["interface"] == name]
            curves = np.array([
                np.interp(grid, run["seconds"], run[measure]) for _, run in part.groupby("seed")
            ])  # fmt: skip
            if not len(curves):
                continue
            axis.plot(grid, curves.mean(0), color=colour, linewidth=2, label=name)
            for curve in curves:
                axis.plot(grid, curve, color=colour, linewidth=0.6, alpha=0.35)
            print(f"{measure:<22}{name:<10}{len(curves)} seeds, at {end:.0f} s: "
                  f"{curves[:, -1].mean():.3f} {np.round(curves[:, -1], 3)}")  # fmt: skip
        axis.set(xlabel="simulated annotator seconds", title=label)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False)
    figure.suptitle(f"SIMULATED annotators, {seeds} seeds (thin lines)")
    figure.savefig(PLACE, dpi=90)
    asked = picks[picks["interface"] == "dialogue"]
    print(pd.crosstab(asked["cycle"], asked["asked"]).to_string())
    print(picks.groupby("interface")["seconds"].mean().round(2).to_string())
    print(picks.groupby(["interface", "seed"]).size().groupby("interface").mean().to_string())


if __name__ == "__main__":
    main()
