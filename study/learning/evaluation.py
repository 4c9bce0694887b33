"""How well a classifier does, and where it looks.

Accuracy and attention are both reported, never one as a proxy for the other: attention can move
onto the object without the bias being cured.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from study.data.dataset import ImageSet
from study.learning.attention import at_full_resolution, attend
from study.learning.guidance import barycentre, share
from study.learning.models import Classifier

SIZES = {"small": (0.0, 0.04), "medium": (0.04, 0.12), "large": (0.12, 1.01)}
"""Object sizes, as a share of the image's area: lower bound included, upper bound not."""


@dataclass(frozen=True)
class Evaluation:
    """Metrics by name; see :func:`evaluate`."""

    values: dict[str, float | None]

    def as_dict(self) -> dict[str, float | None]:
        """A flat, JSON-ready copy."""
        return dict(self.values)

    def __getitem__(self, name: str) -> float | None:
        return self.values[name]


def evaluate(
    model: Classifier, split: ImageSet, device: torch.device | str, batch: int = 256
) -> Evaluation:
    """Every metric that ``split`` has the inputs for; the others are None, never 0.

    - ``accuracy``, ``accuracy_<class>``; with contexts ``accuracy_<class>_<context>`` for every
      group, ``worst_group_accuracy`` (over groups with images), ``aligned_accuracy`` and
      ``conflicting_accuracy``; each with its ``count``, as in ``count_<class>_<context>``.
    - With masks, over images whose mask is not empty, from the map of the labelled class at full
      resolution: ``attention_inside`` (energy pointing game, Wang et al. 2020: the share of
      attention inside the mask; a dead map has none) and the same for ``small``, ``medium`` and
      ``large`` objects (:data:`SIZES`); ``pointing_game`` (Zhang et al. 2016: share of images
      whose strongest pixel is on the object); ``attention_iou`` (mask against the pixels of at
      least half the maximum); ``barycentre_distance`` (between the centres of mass of attention
      and of mask, in image sides; images with a dead map do not count); ``dead_maps``, the share
      of maps that are zero everywhere.
    """
    correct, looks = _measure(model, split, torch.device(device), batch)
    values: dict[str, float | None] = {"count": float(len(split)), "accuracy": _mean(correct)}
    for label, name in enumerate(split.classes):
        _put(values, name, correct, split.labels == label)
    _groups(values, split, correct)
    _attention(values, looks)
    return Evaluation(values)


def _groups(values: dict[str, float | None], split: ImageSet, correct: Tensor) -> None:
    accuracies = []
    if split.contexts is not None:
        for label, name in enumerate(split.classes):
            for context, where in enumerate(split.context_names):
                group = (split.labels == label) & (split.contexts == context)
                accuracies.append(_put(values, f"{name}_{where}", correct, group))
    known = [accuracy for accuracy in accuracies if accuracy is not None]
    values["worst_group_accuracy"] = min(known, default=None)
    aligned = split.aligned
    for name, chosen in (
        ("aligned", aligned),
        ("conflicting", None if aligned is None else ~aligned),
    ):
        values[f"{name}_accuracy"] = None if chosen is None else _mean(correct[chosen])
        values[f"count_{name}"] = None if chosen is None else float(chosen.sum())


def _attention(values: dict[str, float | None], looks: dict[str, Tensor] | None) -> None:
    names = ("inside", "hit", "iou", "distance", "dead", "area")
    found = looks or {name: torch.zeros(0) for name in names}
    values["attention_inside"] = _mean(found["inside"])
    for size, (low, high) in SIZES.items():
        chosen = (found["area"] >= low) & (found["area"] < high)
        values[f"attention_inside_{size}"] = _mean(found["inside"][chosen])
        values[f"count_{size}"] = None if looks is None else float(chosen.sum())
    values["pointing_game"] = _mean(found["hit"])
    values["attention_iou"] = _mean(found["iou"])
    values["barycentre_distance"] = _mean(found["distance"][found["dead"] == 0])
    values["dead_maps"] = _mean(found["dead"])


def _measure(
    model: Classifier, split: ImageSet, device: torch.device, batch: int
) -> tuple[Tensor, dict[str, Tensor] | None]:
    """Correctness of every image, and the looks of those with an object; on the CPU."""
    training = model.training
    model.to(device).eval()
    correct: list[Tensor] = []
    looks: list[dict[str, Tensor]] = []
    graph = split.masks is not None and not model.closed_form
    try:
        with torch.set_grad_enabled(graph):
            for start in range(0, len(split), batch):
                images = split.inputs[start : start + batch].to(device)
                labels = split.labels[start : start + batch].to(device)
                if split.masks is None:
                    logits = model(images)
                else:
                    logits, maps = attend(model, images, labels)
                    masks = split.masks[start : start + batch].to(device)
                    looks.append(_look(maps.detach().float(), masks))
                correct.append((logits.detach().argmax(1) == labels).float())
    finally:
        model.train(training)
    joined = (
        {name: torch.cat([look[name] for look in looks]).cpu() for name in looks[0]}
        if looks
        else None
    )
    return torch.cat(correct).cpu() if correct else torch.zeros(0), joined


def _look(maps: Tensor, masks: Tensor) -> dict[str, Tensor]:
    """Per-image attention metrics of the images [n <= N] whose mask is not empty."""
    present = masks.any((1, 2))
    inside = masks[present].float()
    full = at_full_resolution(maps[present], *masks.shape[1:])
    peak = full.amax((1, 2))
    dead = peak <= 0
    strongest = full.flatten(1).argmax(1, keepdim=True)
    bright = (full >= peak[:, None, None] / 2) & ~dead[:, None, None]
    both = (bright & masks[present]).sum((1, 2))
    either = (bright | masks[present]).sum((1, 2))
    # scaled to a maximum of 1, so that what keeps divisions finite is small beside the mass
    scaled = full / peak.clamp(min=1e-30)[:, None, None]
    hit = inside.flatten(1).gather(1, strongest)[:, 0]
    return {
        "inside": share(scaled, inside),
        "hit": torch.where(dead, torch.zeros_like(hit), hit),
        "iou": both / either,
        "distance": (barycentre(scaled) - barycentre(inside)).norm(dim=1),
        "dead": dead.float(),
        "area": inside.mean((1, 2)),
    }


def _put(
    values: dict[str, float | None], name: str, correct: Tensor, chosen: Tensor
) -> float | None:
    accuracy = _mean(correct[chosen])
    values[f"accuracy_{name}"] = accuracy
    values[f"count_{name}"] = float(chosen.sum())
    return accuracy


def _mean(values: Tensor) -> float | None:
    """The mean, or None of nothing."""
    return float(values.double().mean()) if values.numel() else None
