"""Attention before and after, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from study.data.dataset import ImageSet
from study.learning.attention import at_full_resolution, attend, normalised
from study.learning.models import Classifier
from study.loop import TaskLoop
from study.protocol.session import Session
from study.seeds import rng

MARK = "SIMULATED"


@dataclass(frozen=True)
class Look:
    """How one model looks at some images.

    ``maps`` float32 [N, H, W], each with maximum 1; ``chance`` float32 [N], probability of the
    labelled class; ``inside`` float32 [N], share of attention in the object (NaN without one).
    """

    maps: NDArray[np.float32]
    chance: NDArray[np.float32]
    inside: NDArray[np.float32]


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
    split = loop.dataset["balanced" if "balanced" in loop.dataset.splits else "test"]
    shown = split.subset(pick(split, images, loop.config.seed))
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


def pick(split: ImageSet, count: int, study_seed: int) -> list[int]:
    """Images that show most: with an object, classes and aligned / conflicting in turn."""
    kinds: dict[tuple[int, bool], list[int]] = {}
    aligned = split.aligned
    for i in rng(study_seed, "before-after").permutation(len(split)).tolist():
        if split.masks is None or bool(split.masks[i].any()):
            usual = aligned is None or bool(aligned[i])
            kinds.setdefault((int(split.labels[i]), usual), []).append(i)
    turns = zip_longest(*(kinds[kind] for kind in sorted(kinds)))
    return [i for turn in turns for i in turn if i is not None][:count]


def look(model: Classifier, images: ImageSet, device: torch.device) -> Look:
    """Attention, confidence and attention inside the object, for the labelled class."""
    model.eval()
    with torch.no_grad() if model.closed_form else torch.enable_grad():
        logits, maps = attend(model, images.images.to(device), images.labels.to(device))
    full = at_full_resolution(maps.detach(), *images.size).cpu()
    chance = logits.detach().softmax(1).cpu()[torch.arange(len(images)), images.labels]
    inside = torch.full((len(images),), float("nan"))
    if images.masks is not None:
        share = (normalised(full, 0.0) * images.masks).flatten(1).sum(1)
        inside = torch.where(images.masks.flatten(1).any(1), share, inside)
    peak = full.amax((1, 2), keepdim=True).clamp_min(1e-12)
    return Look((full / peak).numpy(), chance.numpy(), inside.numpy())


def draw(images: ImageSet, looks: Sequence[Look], names: Sequence[str], title: str) -> Any:
    """One row for each way of looking, one column for each image; the object is outlined."""
    from matplotlib.figure import Figure

    rows = len(looks)
    figure = Figure(figsize=(1.5 * len(images), 1.72 * rows + 0.5), layout="constrained")
    figure.suptitle(title, fontsize=9)
    axes = figure.subplots(rows, len(images), squeeze=False)
    for row, (one, name) in enumerate(zip(looks, names, strict=True)):
        for column, axis in enumerate(axes[row]):
            photo = images.images[column].permute(1, 2, 0).numpy()
            axis.imshow(photo)
            heat = one.maps[column]
            axis.imshow(heat, cmap="inferno", alpha=0.15 + 0.6 * heat, vmin=0, vmax=1)
            if images.masks is not None and bool(images.masks[column].any()):
                mask = images.masks[column].numpy()
                axis.contour(mask, levels=[0.5], colors="#7df9a6", linewidths=0.9)
            axis.set_xticks([])
            axis.set_yticks([])
            label = images.classes[int(images.labels[column])]
            inside = one.inside[column]
            text = f"{label}: {one.chance[column]:.0%}"
            if np.isfinite(inside):
                text += f", {inside:.0%} inside"
            axis.set_xlabel(text, fontsize=7)
            if row == 0 and images.aligned is not None:
                usual = bool(images.aligned[column])
                axis.set_title("aligned" if usual else "conflicting", fontsize=7)
        axes[row][0].set_ylabel(name, fontsize=9)
    return figure
