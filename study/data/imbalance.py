"""Long tails to order: images of some classes are taken out of the training split.

As in the thesis of M. Zolfaghari Bengar, section 4.5.1 ("Long-Tailed Datasets"): a share of each
class is set aside, and of the rest a factor IF is kept in half of the classes.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from study import seeds
from study.config import ImbalanceConfig
from study.data.dataset import DataError, Dataset, ImageSet
from study.data.rows import rows_of


def with_long_tail(dataset: Dataset, config: ImbalanceConfig | None, seed: int) -> Dataset:
    """The dataset with fewer training images of some classes; other splits stay as they are.

    Which classes and images go is drawn from ``seed``, and does not depend on what is kept of
    other classes.

    Raises:
        DataError: images may show several features, or a class would have no image left.
    """
    if config is None:
        return dataset
    train = dataset["train"]
    if train.several:
        raise DataError(
            "dataset.imbalance thins out classes, and here an image may show several features: "
            "leave it out, or set dataset.labels = 'one'"
        )
    classes = len(train.classes)
    rare = seeds.rng(seed, "imbalance", "classes").permutation(classes)[
        : round(config.share * classes)
    ]
    kept = torch.ones(len(train), dtype=torch.bool)
    for label in sorted(rare.tolist()):
        members = torch.nonzero(train.labels == label).flatten()
        order = seeds.rng(seed, "imbalance", label).permutation(len(members))
        aside = round(config.reserve * len(members))
        stay = aside + round(config.factor * (len(members) - aside))
        if not stay:
            raise DataError(
                f"dataset.imbalance leaves no image of {train.classes[label]}: raise factor or "
                f"reserve, or take more images"
            )
        kept[members[torch.as_tensor(order[stay:])]] = False
    return replace(dataset, splits={**dataset.splits, "train": _only(train, kept)})


def _only(images: ImageSet, kept: torch.Tensor) -> ImageSet:
    """The rows that are kept; pixels are not copied."""
    rows = torch.nonzero(kept).flatten()
    return replace(
        images,
        images=rows_of(images.images, rows),
        labels=images.labels[rows],
        names=tuple(images.names[row] for row in rows.tolist()),
        masks=None if images.masks is None else images.masks[rows],
        contexts=None if images.contexts is None else images.contexts[rows],
        context_masks=(
            None if images.context_masks is None else rows_of(images.context_masks, rows)
        ),
    )
