"""What a reveal shows, made of a study's images: who may be shown, and every map of importance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from study import reveal
from study.data.dataset import Dataset, ImageSet
from study.errors import UserError
from study.human import files
from study.human.importance import SIDE, importance
from study.human.record import Record, by_image
from study.learning.attention import attention_maps

if TYPE_CHECKING:
    from study.loop import TaskLoop


@dataclass(frozen=True)
class Prepared:
    """The candidates of a study's reveal.

    Attributes:
        candidates: images that may be shown.
        classes: of the dataset.
        maps: by source, float32 [n, h, w] over the photographs; any size.
    """

    candidates: tuple[reveal.Candidate, ...]
    classes: tuple[str, ...]
    maps: dict[str, NDArray[np.float32]]

    def trials(self, loop: TaskLoop, participant: str) -> list[reveal.Trial]:
        """The trials of a participant."""
        config = loop.config
        return reveal.trials(config.reveal, config.seed, participant, self.candidates, self.classes)


def prepare(loop: TaskLoop) -> Prepared:
    """Choose the candidates and make their maps.

    They are validation images; where people's maps are compared, images of which the file has one,
    of the split that has more of them.

    Raises:
        UserError: the file of people's maps cannot be read, or has no image of the study.
    """
    config = loop.config
    split = "val"
    gave: dict[str, list[Record]] = {}
    if config.reveal.maps:
        split, gave = people_of(loop.dataset, loop.file.resolve(Path(config.reveal.maps)))
    images = loop.dataset[split].items
    names = [name for name in images.names if not gave or name in gave]
    picked = [images.positions[names[i]] for i in reveal.chosen(names, config.seed)]
    candidates = tuple(
        reveal.Candidate(split, images.names[i], images.classes[int(images.asked[i])])
        for i in picked
    )
    made: dict[str, NDArray[np.float32]] = {}
    for source in config.reveal.sources:
        made[source] = _maps(loop, source, split, picked, gave)
    return Prepared(candidates, tuple(images.classes), made)


def people_of(dataset: Dataset, path: Path) -> tuple[str, dict[str, list[Record]]]:
    """People's maps of a file, by image: of the split that has more of its images, and which it is.

    Raises:
        UserError: the file cannot be read, or says nothing of an image of the study.
    """
    records = files.read(path)
    found: list[tuple[int, str, dict[str, list[Record]]]] = []
    problem = ""
    for split in ("val", "train"):
        try:
            here = files.known(records, dataset[split].items, path)
        except UserError as error:
            problem = str(error)
            continue
        marked = [r for r in here if importance(r.annotation).any()]
        of_each = dict(by_image(marked))
        found.append((len(of_each), split, of_each))
    most, split, gave = max(found, key=lambda each: each[0], default=(0, "", {}))
    if not most:
        why = f"{path} marks nothing on any image of the study" if found else problem
        raise UserError(f"reveal.maps: {why}")
    return split, gave


def _maps(
    loop: TaskLoop,
    source: str,
    split: str,
    picked: Sequence[int],
    gave: dict[str, list[Record]],
) -> NDArray[np.float32]:
    images: ImageSet = loop.dataset[split].items
    if source == "people":
        each = [
            np.mean([importance(r.annotation) for r in gave[images.names[i]]], 0) for i in picked
        ]
    elif source == "saliency":
        each = [reveal.saliency(loop.picture(split, i)) for i in picked]
    else:
        model, data = loop.before()
        seen = attention_maps(model, data[split].items.subset(list(picked)), device=loop.device)
        each = [
            images.frame(i).over_photograph(grid, (SIDE, SIDE), 0.0)
            for i, grid in zip(picked, _smooth(seen.float().cpu().numpy()), strict=True)
        ]
    return np.stack(each).astype(np.float32)


def _smooth(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """As they are shown over an image: bilinearly, so that their order is that of the colours."""
    import torch

    from study.learning.attention import at_full_resolution

    return at_full_resolution(torch.from_numpy(maps), SIDE, SIDE).numpy()
