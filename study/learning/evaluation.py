"""How well a classifier does, and where it looks.

Accuracy and attention are both reported, never one as a proxy for the other: attention can move
onto the object without the bias being cured.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from study.data.dataset import ImageSet
from study.learning.attention import at_full_resolution, attend_to
from study.learning.guidance import barycentre, share
from study.learning.models import Classifier
from study.metrics import OF_FEATURE

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

    - ``accuracy``, ``accuracy_<class>`` and, their mean over classes with images,
      ``balanced_accuracy``; with contexts ``accuracy_<class>_<context>`` for every
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

    Where images may show several features, an answer is about an image and a feature: ``accuracy``
    and the accuracies of aligned and conflicting ones are over all answers, attention is over all
    features that images show. ``exact_accuracy`` is the share of images of which every answer is
    right, ``balanced_accuracy`` a mean over features, ``worst_group_accuracy`` the worst of any. A
    group is the images that show a feature, or that do not, in one of its contexts
    (``accuracy_boat_water``, ``accuracy_no boat_water``). Every feature has the same metrics for
    itself under ``<feature>: <metric>``, with ``balanced_accuracy`` the mean of ``sensitivity``
    (accuracy where it shows) and ``specificity`` (where it does not).
    """
    correct, looks = _measure(model, split, torch.device(device), batch)
    values: dict[str, float | None] = {"count": float(len(split)), "accuracy": _mean(correct)}
    if split.several:
        _features(values, split, correct, looks)
    else:
        found = [
            _put(values, name, correct, split.labels == label)
            for label, name in enumerate(split.classes)
        ]
        known = [accuracy for accuracy in found if accuracy is not None]
        values["balanced_accuracy"] = sum(known) / len(known) if known else None
        _groups(values, split, correct)
    _aligned(values, correct, split.aligned)
    _attention(values, looks)
    return Evaluation(values)


def _groups(values: dict[str, float | None], split: ImageSet, correct: Tensor) -> None:
    accuracies = []
    if split.contexts is not None:
        for label, name in enumerate(split.classes):
            for context, where in enumerate(split.context_names):
                group = (split.labels == label) & (split.contexts == context)
                accuracies.append(_put(values, f"{name}_{where}", correct, group))
    values["worst_group_accuracy"] = _worst(accuracies)


def _features(
    values: dict[str, float | None],
    split: ImageSet,
    correct: Tensor,
    looks: dict[str, Tensor] | None,
) -> None:
    """The metrics of every feature, and what is made of them: ``correct`` is [N, K]."""
    values["exact_accuracy"] = _mean((correct == 1).all(1).float())
    seen = split.items.asked if looks is None else split.items.asked[looks["item"]]
    every: list[dict[str, float | None]] = []
    for label, name in enumerate(split.classes):
        own, shown = correct[:, label], split.labels[:, label]
        found: dict[str, float | None] = {
            "count": float(len(split)),
            "count_shown": float(shown.sum()),
            "accuracy": _mean(own),
            "sensitivity": _mean(own[shown]),
            "specificity": _mean(own[~shown]),
        }
        both = found["sensitivity"], found["specificity"]
        known = [share for share in both if share is not None]
        found["balanced_accuracy"] = sum(known) / len(known) if known else None
        groups: dict[str, float | None] = {}
        if split.contexts is not None:
            contexts = split.contexts[:, label]
            for there, what in ((shown, name), (~shown, f"no {name}")):
                for context in contexts.unique().tolist():
                    where = f"{what}_{split.context_names[context]}"
                    _put(groups, where, own, there & (contexts == context))
        accuracies = [v for key, v in groups.items() if key.startswith("accuracy_")]
        found["worst_group_accuracy"] = _worst(accuracies)
        _aligned(found, own, None if split.aligned is None else split.aligned[:, label])
        _attention(found, looks and {key: v[seen == label] for key, v in looks.items()})
        values |= groups
        values |= {f"{name}{OF_FEATURE}{metric}": value for metric, value in found.items()}
        every.append(found)
    balanced = [v for v in (found["balanced_accuracy"] for found in every) if v is not None]
    values["balanced_accuracy"] = sum(balanced) / len(balanced) if balanced else None
    values["worst_group_accuracy"] = _worst([found["worst_group_accuracy"] for found in every])


def _worst(accuracies: list[float | None]) -> float | None:
    return min((accuracy for accuracy in accuracies if accuracy is not None), default=None)


def _aligned(values: dict[str, float | None], correct: Tensor, aligned: Tensor | None) -> None:
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
    """Correctness of every answer, and the looks of items with an object; on the CPU.

    The first is float [N], or [N, K] of several features; ``item`` of the looks says which item
    each is of.
    """
    training = model.training
    model.to(device).eval()
    correct: list[Tensor] = []
    looks: list[dict[str, Tensor]] = []
    masked = split.masks is not None
    items, begin = split.items, 0
    try:
        with torch.set_grad_enabled(masked and not model.closed_form):
            for start in range(0, len(split), batch):
                labels = split.labels[start : start + batch].to(device)
                features = model.features(split.inputs[start : start + batch].to(device))
                # an image whose features are several is looked at for each that it shows
                rows = labels.nonzero()[:, 0] if split.several else None
                end = begin + (len(labels) if rows is None else len(rows))
                if masked and end > begin:
                    asked = items.asked[begin:end].to(device)
                    of_items = features if rows is None else features[rows]
                    logits, maps = attend_to(model, of_items, asked)
                    assert items.masks is not None
                    seen = _look(maps.detach().float(), items.masks[begin:end].to(device))
                    looks.append({**seen, "item": begin + seen["item"]})
                if not masked or rows is not None:
                    logits = model.classify(features)
                correct.append(model.labelling.right(logits.detach(), labels).float())
                begin = end
    finally:
        model.train(training)
    joined = (
        {name: torch.cat([look[name] for look in looks]).cpu() for name in looks[0]}
        if looks
        else None
    )
    return torch.cat(correct).cpu() if correct else torch.zeros(0), joined


def _look(maps: Tensor, masks: Tensor) -> dict[str, Tensor]:
    """Attention metrics of the items [n <= N] whose mask is not empty, and which those are."""
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
        "item": present.nonzero()[:, 0],
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
