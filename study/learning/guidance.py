"""Guidance losses: how far attention is from what a person pointed at (section 3.6).

Every form is a pure function ``(maps [N, h, w], targets) -> loss [N]``; maps are not negative.
Coordinates and distances are image-relative. A map is only as good a guide as its scale allows, so
:func:`guidance_loss` makes distributions of the maps first unless the study file says otherwise:
on plain maps Eq. 4 has a trivial minimum, the map that is zero everywhere.

The paper's forms are ``point`` (Eq. 3) and ``sum`` (Eq. 4), with ``normalise = false`` as printed.
Eq. 3 prints a *sum* over the positive points, which for two points lies outside the image;
``point`` takes their mean, as the text says ("the center of the user-directed positive points").

Why the defaults are what they are (docs/guidance.md; all of the small network, *beside* scenes, 95%
biased, ten seeds, 256 images, 40 epochs; accuracy on conflicting and, after the slash, on all
unbiased images): labels only .10 / .54, Eq. 3-4 as printed .28 / .62, ``disc+point`` with negative
regions on the map of the centred logit .73 / .73, polygons .76 / .75. On the map of the label's
logit (three other seeds, .35 / .65 beside .76 / .75) attention moved onto the object as well while
the decision stayed with the shortcut in one seed of three (conflicting accuracy .00). Where the
pretrained network knew nothing of the object, centred guidance took the shortcut away and left
little in its place. A head, and a last block taught by clicks, behind a trunk that ImageNet taught
learn best from the absolute map.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from study.config import GuidanceConfig
from study.learning.attention import TINY, normalised
from study.learning.targets import Targets
from study.plugins import found

__all__ = ["NEGATIVE", "POLYGON", "POSITIVE", "Targets", "guidance_loss"]

Form = Callable[[Tensor, Targets], Tensor]


def barycentre(maps: Tensor) -> Tensor:
    """Centre of mass of each map, (x, y) in [0, 1]: [N, h, w] -> [N, 2]."""
    x, y = _cell_centres(maps)
    mass = maps.sum((1, 2)) + TINY
    return torch.stack([(maps.sum(1) * x).sum(1) / mass, (maps.sum(2) * y).sum(1) / mass], dim=1)


def share(maps: Tensor, coverage: Tensor) -> Tensor:
    """Share of each map's mass that ``coverage`` [N, h, w] covers: [N] in [0, 1]."""
    return (maps * coverage.to(maps)).sum((1, 2)) / (maps.sum((1, 2)) + TINY)


def nothing(maps: Tensor, targets: Targets) -> Tensor:
    """No guidance of this kind."""
    return maps.new_zeros(len(maps))


def point(maps: Tensor, targets: Targets) -> Tensor:
    """Eq. 3: distance from the barycentre of attention to the mean of the positive points."""
    return _distance(barycentre(maps) - targets.mean_point.to(maps))


def spread(maps: Tensor, targets: Targets) -> Tensor:
    """Mean distance of attention from the nearest positive point.

    Unlike ``point`` it is not content with attention on two sides of the point.
    """
    if not targets.points.shape[1]:
        return nothing(maps, targets)
    x, y = _cell_centres(maps)
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
    distance = _distance(grid - targets.points.to(maps)[:, :, None, None, :])
    padding = ~targets.is_point[:, :, None, None]
    nearest = distance.masked_fill(padding, 2.0).amin(1)
    return share(maps, nearest)


def disc(maps: Tensor, targets: Targets) -> Tensor:
    """-log of the share of attention within the radius of any positive point.

    The logarithm keeps its gradient where attention has left the object altogether.
    """
    return -torch.log(share(maps, targets.disc) + TINY)


def discs(maps: Tensor, targets: Targets) -> Tensor:
    """Mean over the positive points of -log of the share of attention within each one's radius.

    With one point it is ``disc``; with several, attention on one of them does not excuse the rest.
    """
    mass = maps.sum((1, 2)) + TINY
    inside = torch.einsum("nphw,nhw->np", targets.discs.to(maps), maps) / mass[:, None]
    loss = -torch.log(inside + TINY) * targets.is_point
    return loss.sum(1) / targets.point_counts.clamp(min=1)


def disc_and_point(maps: Tensor, targets: Targets) -> Tensor:
    """``disc`` and ``point`` together."""
    return disc(maps, targets) + point(maps, targets)


def total(maps: Tensor, targets: Targets) -> Tensor:
    """Eq. 4: the sum of attention in the negative regions (their share, on distributions)."""
    return (maps * targets.negative.to(maps)).sum((1, 2))


def log_outside(maps: Tensor, targets: Targets) -> Tensor:
    """-log of the share of attention outside the negative regions."""
    return -torch.log(1 - share(maps, targets.negative) + TINY)


def outside(maps: Tensor, targets: Targets) -> Tensor:
    """The sum of attention outside the polygons (their share, on distributions)."""
    return (maps * (1 - targets.inside.to(maps))).sum((1, 2))


def log_energy(maps: Tensor, targets: Targets) -> Tensor:
    """-log of the share of attention inside the polygons."""
    return -torch.log(share(maps, targets.inside) + TINY)


def iou(maps: Tensor, targets: Targets) -> Tensor:
    """Yang et al. (2019): -ln(G and S / G or S), with the map scaled to a maximum of 1.

    Intersection and union of a graded map and a graded region are the sums of the cell-wise
    minimum and maximum.
    """
    scaled = maps / (maps.amax((1, 2), keepdim=True) + TINY)
    region = targets.inside.to(maps)
    both = torch.minimum(scaled, region).sum((1, 2))
    either = torch.maximum(scaled, region).sum((1, 2))
    return -torch.log(both / (either + TINY) + TINY)


def squared(maps: Tensor, targets: Targets) -> Tensor:
    """Squared distance of two maps, each scaled to a maximum of 1: a mean over the cells."""
    scaled = maps / (maps.amax((1, 2), keepdim=True) + TINY)
    wanted = targets.inside.to(maps)
    wanted = wanted / (wanted.amax((1, 2), keepdim=True) + TINY)
    return ((scaled - wanted) ** 2).mean((1, 2))


def divergence(maps: Tensor, targets: Targets) -> Tensor:
    """Kullback-Leibler divergence of attention from what was drawn, both as distributions.

    In nats; the person's map comes first, so that attention is missed where it is not.
    """
    wanted = targets.inside.to(maps)
    wanted = wanted / (wanted.sum((1, 2), keepdim=True) + TINY)
    shares = maps / (maps.sum((1, 2), keepdim=True) + TINY)
    return (wanted * (torch.log(wanted + TINY) - torch.log(shares + TINY))).sum((1, 2))


POSITIVE: Mapping[str, Form] = {
    "none": nothing,
    "point": point,
    "spread": spread,
    "disc": disc,
    "discs": discs,
    "disc+point": disc_and_point,
}
NEGATIVE: Mapping[str, Form] = {"none": nothing, "sum": total, "log-outside": log_outside}
POLYGON: Mapping[str, Form] = {
    "none": nothing,
    "outside": outside,
    "log-energy": log_energy,
    "iou": iou,
    "squared": squared,
    "kl": divergence,
}


FORMS: Mapping[str, Mapping[str, Form]] = {
    "positive": POSITIVE,
    "negative": NEGATIVE,
    "polygon": POLYGON,
}


def form(part: str, name: str) -> Form:
    """The form ``name`` of a part of the loss: ours, or an installed package's ``part.name``."""
    ours = FORMS[part].get(name)
    if ours is not None:
        return ours
    theirs: Form = found("clickstudy.guidance")[f"{part}.{name}"]
    return theirs


def guidance_loss(maps: Tensor, targets: Targets, config: GuidanceConfig) -> Tensor:
    """``loss_pos + loss_neg`` (and the polygon's loss) of every image: [N].

    Each part counts where its kind of annotation was made, and is exactly zero elsewhere, so an
    image that nobody annotated gives no guidance.

    Args:
        maps: attention [N, h, w], not negative, differentiable.
        targets: the annotations of the same N images, on the same grid and device.
        config: which forms, and whether maps are made distributions first.
    """
    if config.normalise:
        maps = normalised(maps, config.floor)
    loss = maps.new_zeros(len(maps))
    for present, part, name in (
        (targets.has_point, "positive", config.positive),
        (targets.has_negative, "negative", config.negative),
        (targets.has_inside, "polygon", config.polygon),
    ):
        if name != "none":
            loss = loss + torch.where(present, form(part, name)(maps, targets), 0.0)
    return loss


def _cell_centres(maps: Tensor) -> tuple[Tensor, Tensor]:
    """x [w] and y [h] of the cells' centres."""
    height, width = maps.shape[1:]
    x = (torch.arange(width, device=maps.device, dtype=maps.dtype) + 0.5) / width
    y = (torch.arange(height, device=maps.device, dtype=maps.dtype) + 0.5) / height
    return x, y


def _distance(difference: Tensor) -> Tensor:
    """Euclidean length over the last axis, with a gradient of zero (not NaN) at zero."""
    return torch.sqrt((difference**2).sum(-1) + TINY**2)
