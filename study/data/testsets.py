"""Further test sets: part of a test split, by context.

"All images without context B" (He et al. 2023, Table 3) asks whether a classifier still knows the
class when what it usually stands with is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from study.config import ExtraTest, nearest
from study.data.dataset import DataError, Dataset, ImageSet


def with_tests(dataset: Dataset, tests: Sequence[ExtraTest]) -> Dataset:
    """The dataset with a further split for each of ``tests``; its fingerprint stays the same.

    Raises:
        DataError: an unknown split or context, contexts that are not known, or a test set without
            images; the message names it.
    """
    if not tests:
        return dataset
    splits = dict(dataset.splits)
    for test in tests:
        splits[test.name] = _part(dataset, test)
    extended = replace(dataset, splits=splits)
    extended.__dict__["fingerprint"] = dataset.fingerprint
    return extended


def _part(dataset: Dataset, test: ExtraTest) -> ImageSet:
    where = f"dataset.tests: {test.name}"
    if test.of not in dataset.splits:
        raise DataError(f"{where} is of {test.of!r}{nearest(test.of, list(dataset.splits))}")
    images = dataset[test.of]
    if images.contexts is None:
        raise DataError(
            f"{where} chooses by context, and the dataset has none: set dataset.contexts"
        )
    known = list(images.context_names)
    for name in (*test.without, *test.only):
        if name not in known:
            raise DataError(f"{where}: {name!r} is not a context{nearest(name, known)}")
    numbers = [
        index
        for index, name in enumerate(known)
        if name not in test.without and (not test.only or name in test.only)
    ]
    chosen = torch.isin(images.contexts, torch.tensor(numbers, dtype=torch.int64))
    if images.several:  # every feature of an image has a context
        chosen = chosen.all(1)
    if not bool(chosen.any()):
        raise DataError(f"{where} has no image in {test.of}: choose other contexts")
    return images.subset(torch.nonzero(chosen).flatten())
