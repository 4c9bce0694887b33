"""How far people agree on what matters in an image, and how near a classifier comes to them.

Everything is measured on importance maps (:mod:`study.human.importance`), image by image, and
averaged over images, so that an image that many people saw counts as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import krippendorff
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from study.human.importance import importance
from study.human.record import Record, by_image

Map = NDArray[np.float32]
MARKED = 0.5
"""A cell from this importance on is marked."""


def overlap(first: Map, second: Map) -> float | None:
    """Intersection over union of the marked cells; None where neither has any."""
    a, b = first >= MARKED, second >= MARKED
    union = int((a | b).sum())
    return float((a & b).sum() / union) if union else None


def correlation(first: Map, second: Map) -> float | None:
    """Pearson's correlation of two maps over their cells; None where one is flat."""
    a, b = first.ravel().astype(float), second.ravel().astype(float)
    if np.ptp(a) < 1e-9 or np.ptp(b) < 1e-9:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def nss(found: Map, marked: Map) -> float | None:
    """Normalised scanpath saliency (Peters et al. 2005): the map, in SDs from its mean, there where
    it is marked. 0 is chance. None where the map is flat or nothing is marked.
    """
    values = found.astype(float)
    spread = float(values.std())
    cells = marked >= MARKED
    if spread < 1e-9 or not cells.any():
        return None
    return float(((values - values.mean()) / spread)[cells].mean())


def alpha(maps: Sequence[Map]) -> float | None:
    """Krippendorff's alpha of whether cells are marked, over the people of an image.

    1 is agreement, 0 chance; None with fewer than two people, or where nobody or everybody marked
    everything.
    """
    marks = np.array([(one >= MARKED).ravel() for one in maps], dtype=int)
    if len(marks) < 2 or len(np.unique(marks)) < 2:
        return None
    return float(krippendorff.alpha(reliability_data=marks, level_of_measurement="nominal"))


def agreement(records: Sequence[Record], models: Mapping[str, Map] | None = None) -> pd.DataFrame:
    """Agreement between people, for each image that at least two of them annotated.

    Args:
        records: of one interface, or of several together. Of one person's several annotations of
            an image the last counts.
        models: a classifier's attention by image, any size; compared as another person would be.

    Returns:
        One row per image: ``people``; means over pairs of people of ``iou`` and ``correlation``;
        ``nss``, each person's marks on the mean map of the others; ``alpha``; ``ceiling``, the mean
        correlation of each person's map with the mean map of the others; with ``models`` also
        ``model``, the correlation of its map with the mean map of all, leaving each out in turn as
        for the ceiling.
    """
    rows = []
    for image, of_image in by_image(records).items():
        latest = {record.participant: record.annotation for record in of_image}
        maps = [importance(drawn) for drawn in latest.values()]
        maps = [one for one in maps if one.any()]
        if len(maps) < 2:
            continue
        pairs = list(combinations(maps, 2))
        others = of_the_others(maps)
        row = {
            "image": image,
            "people": len(maps),
            "iou": _mean([overlap(a, b) for a, b in pairs]),
            "correlation": _mean([correlation(a, b) for a, b in pairs]),
            "nss": _mean([nss(o, m) for o, m in zip(others, maps, strict=True)]),
            "alpha": alpha(maps),
            "ceiling": _mean([correlation(o, m) for o, m in zip(others, maps, strict=True)]),
        }
        if models is not None and image in models:
            shown = _resampled(models[image], maps[0].shape)
            row["model"] = _mean([correlation(o, shown) for o in others])
        rows.append(row)
    columns = ["image", "people", "iou", "correlation", "nss", "alpha", "ceiling"]
    return pd.DataFrame(rows, columns=columns if models is None else [*columns, "model"])


def of_the_others(maps: Sequence[Map]) -> list[Map]:
    """For each map the mean of the others; none where there is only one."""
    if len(maps) < 2:
        return []
    return [np.mean([m for j, m in enumerate(maps) if j != i], 0) for i in range(len(maps))]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _resampled(grid: Map, shape: tuple[int, ...]) -> Map:
    from PIL import Image

    size = shape[1], shape[0]
    picture = Image.fromarray(np.asarray(grid, np.float32))
    return np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
