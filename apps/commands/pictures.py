"""Attention before and after, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from study.data.dataset import ImageSet
from study.learning.attention import at_full_resolution
from study.learning.looks import Look, look, pick
from study.loop import TaskLoop
from study.protocol.session import Session

MARK = "SIMULATED"


def before_after(
    loop: TaskLoop, session: Session, position: int, out: Path, images: int = 8
) -> Path:
    """Draw what the classifier looks at before and after one participant's task.

    Images of the (balanced) test split, picked by the study's seed: each class aligned and
    conflicting in turn, where contexts are known.

    Args:
        loop: the study's task loop, prepared.
        session: the participant.
        position: which of the participant's tasks, from 1.
        out: a .png or .svg file.
        images: how many.
    """
    progress = session.progress
    task = progress.task(position)
    cycles = sum(cycle.evaluated for cycle in task.cycles)
    name = "balanced" if "balanced" in loop.dataset.splits else "test"
    split = loop.dataset[name].items
    chosen = [split.names[index] for index in pick(split, images, loop.config.seed)]
    shown = loop.images(progress, position, chosen, name)
    looks = [
        look(loop.model(progress, position, cycle), shown, loop.device) for cycle in (0, cycles)
    ]
    mark = f"{MARK} annotator · " if progress.mode == "simulated" else ""
    title = (
        f"{mark}{task.condition.name}, {task.images} images annotated in {cycles} cycles "
        f"({progress.participant})"
    )
    figure = draw(shown, looks, ("before", "after"), title)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=160, bbox_inches="tight")
    return out


LONG = 9
"""Letters of a class beside which a picture's width has no room for numbers."""


def draw(images: ImageSet, looks: Sequence[Look], names: Sequence[str], title: str) -> Any:
    """One row for each way of looking, one column for each image; the object is outlined."""
    from matplotlib.figure import Figure

    rows = len(looks)
    figure = Figure(figsize=(1.5 * len(images), 1.72 * rows + 0.5), layout="constrained")
    figure.suptitle(title, fontsize=9)
    axes = figure.subplots(rows, len(images), squeeze=False)
    for row, (one, name) in enumerate(zip(looks, names, strict=True)):
        maps = at_full_resolution(torch.as_tensor(one.maps), *images.size).numpy()
        for column, axis in enumerate(axes[row]):
            photo = images.images[column].permute(1, 2, 0).numpy()
            axis.imshow(photo)
            heat = maps[column] / max(float(maps[column].max()), 1e-12)
            axis.imshow(heat, cmap="inferno", alpha=0.15 + 0.6 * heat, vmin=0, vmax=1)
            if images.masks is not None and bool(images.masks[column].any()):
                mask = images.masks[column].numpy()
                axis.contour(mask, levels=[0.5], colors="#7df9a6", linewidths=0.9)
            axis.set_xticks([])
            axis.set_yticks([])
            label = images.classes[int(images.asked[column])]
            inside = one.inside[column]
            after = " " if len(label) <= LONG else "\n"
            text = f"{label}:{after}{one.chance[column]:.0%}"
            if np.isfinite(inside):
                text += f", {inside:.0%} inside"
            axis.set_xlabel(text, fontsize=7)
            if row == 0 and images.aligned is not None:
                usual = bool(images.aligned[column])
                axis.set_title("aligned" if usual else "conflicting", fontsize=7)
        axes[row][0].set_ylabel(name, fontsize=9)
    return figure
