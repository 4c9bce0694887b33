"""How a classifier looks at a few images: what a picture of its attention is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import torch
from numpy.typing import NDArray

from study.data.dataset import ImageSet
from study.learning.attention import at_full_resolution, attend, normalised
from study.learning.models import Classifier
from study.seeds import rng


@dataclass(frozen=True)
class Look:
    """How one model looks at some images.

    Attributes:
        maps: float32 [N, h, w], attention for the labelled class on the network's grid, each with
            a maximum of 1 (or zero everywhere).
        chance: float32 [N], probability of the labelled class.
        inside: float32 [N], share of attention in the object (NaN without one).
    """

    maps: NDArray[np.float32]
    chance: NDArray[np.float32]
    inside: NDArray[np.float32]


def pick(split: ImageSet, count: int, study_seed: int) -> list[int]:
    """Images that show most: with an object, classes and aligned / conflicting in turn."""
    kinds: dict[tuple[int, bool], list[int]] = {}
    aligned = split.aligned
    for i in rng(study_seed, "before-after").permutation(len(split)).tolist():
        if split.masks is None or bool(split.masks[i].any()):
            usual = aligned is None or bool(aligned[i])
            kinds.setdefault((int(split.asked[i]), usual), []).append(i)
    turns = zip_longest(*(kinds[kind] for kind in sorted(kinds)))
    return [i for turn in turns for i in turn if i is not None][:count]


def look(model: Classifier, images: ImageSet, device: torch.device | str) -> Look:
    """Attention, confidence and attention inside the object, for the labelled class."""
    model.eval()
    with torch.no_grad() if model.closed_form else torch.enable_grad():
        logits, maps = attend(model, images.inputs[:].to(device), images.asked.to(device))
    maps = maps.detach().float().cpu()
    said = model.labelling.probabilities(logits.detach()).cpu()
    chance = said[torch.arange(len(images)), images.asked]
    inside = torch.full((len(images),), float("nan"))
    if images.masks is not None:
        full = normalised(at_full_resolution(maps, *images.size), 0.0)
        share = (full * images.masks).flatten(1).sum(1)
        inside = torch.where(images.masks.flatten(1).any(1), share, inside)
    peak = maps.amax((1, 2), keepdim=True).clamp_min(1e-12)
    return Look((maps / peak).numpy(), chance.numpy(), inside.numpy())
