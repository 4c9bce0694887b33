"""A classifier that learns from what some people said elsewhere, and is held against others.

What ClickMe's authors do (Linsley et al. 2019): maps of some people guide, those of others say
whether attention has become more like people's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch

from study import cycle
from study.annotation import Annotation
from study.config import StudyConfig
from study.cycle import Needs
from study.data.dataset import Dataset, ImageSet
from study.human.agreement import correlation, nss, of_the_others
from study.human.importance import SIDE, importance
from study.human.record import Record, by_image
from study.learning.attention import attention_maps
from study.learning.learner import Learner
from study.learning.models import Classifier
from study.seeds import rng

SHARE = 0.2
"""Of the people, or of one person's images, that are held out where nobody says which."""


def split(
    records: Sequence[Record], names: Sequence[str], seed: int
) -> tuple[list[Record], list[Record]]:
    """Records to learn from and records held out.

    Args:
        records: all of them.
        names: of participants who are held out; none: a fifth of them, at least one, by chance, or
            where there is one person alone, a fifth of the images.
        seed: of that chance.
    """
    people = sorted({record.participant for record in records})
    if names or len(people) > 1:
        order = rng(seed, "held out").permutation(people).tolist()
        chosen = set(names) or set(order[: max(1, round(SHARE * len(people)))])
        held = [record for record in records if record.participant in chosen]
        return [record for record in records if record.participant not in chosen], held
    images = sorted({record.image for record in records})
    order = rng(seed, "held out").permutation(images).tolist()
    chosen = set(order[: max(1, round(SHARE * len(images)))])
    held = [record for record in records if record.image in chosen]
    return [record for record in records if record.image not in chosen], held


def together(records: Sequence[Record]) -> Annotation:
    """What several people said of one image, as one annotation that guides by all of it."""
    drawn = [record.annotation for record in records]
    kinds = Annotation.model_fields
    return Annotation.model_validate(
        {name: [mark for one in drawn for mark in getattr(one, name)] for name in kinds}
    )


def likeness(
    model: Classifier, images: ImageSet, held: Sequence[Record], device: torch.device
) -> pd.DataFrame:
    """How like a classifier's attention is to what people marked, image by image.

    Args:
        model: takes ``images``.
        images: a split that has the records' images.
        held: of people that it did not learn from.
        device: where to compute.

    Returns:
        ``image``; ``correlation`` with the mean importance map of the people and ``nss``, the map
        where they marked, each over the photograph; ``ceiling``, the mean correlation of each
        person with the mean of the others, where there are several.
    """
    rows = []
    of_each: Mapping[str, list[Record]] = by_image(held)
    chosen = images.subset([images.positions[name] for name in of_each])
    seen = attention_maps(model, chosen, device=device).cpu().numpy()
    for number, (name, here) in enumerate(of_each.items()):
        maps = [importance(record.annotation) for record in here]
        maps = [one for one in maps if one.any()]
        if not maps:
            continue
        looked = chosen.frame(number).over_photograph(seen[number], (SIDE, SIDE), 0.0)
        others = of_the_others(maps)
        alike = [correlation(o, m) for o, m in zip(others, maps, strict=False)]
        known = [value for value in alike if value is not None]
        rows.append(
            {
                "image": name,
                "correlation": correlation(looked, np.mean(maps, 0)),
                "nss": nss(looked, np.max(maps, 0)),
                "ceiling": float(np.mean(known)) if known else None,
            }
        )
    columns = ["image", "correlation", "nss", "ceiling"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[1:], float))


def guided(
    learner: Learner,
    data: Dataset,
    learnt: Sequence[Record],
    held: Sequence[Record],
    config: StudyConfig,
    stream: cycle.Stream,
    device: torch.device,
) -> pd.DataFrame:
    """A classifier before and after it was tuned on people's annotations.

    Args:
        learner: biased, as a task begins with it.
        data: the images as it takes them; the records' are in the training split.
        learnt: to learn from; of several people on one image all count.
        held: of people that it is held against.
        config: fine-tuning and guidance, of one condition.
        stream: of what is drawn.
        device: where to compute.

    Returns:
        Two rows, ``model`` "before" and "after": ``images`` learnt from; ``held_out`` images;
        ``correlation``, ``nss`` and ``ceiling`` on held-out people's maps; the metrics of every
        test split, ``SPLIT_METRIC``.
    """
    images = data["train"].items
    drawn = {images.positions[name]: together(of) for name, of in by_image(learnt).items()}
    after, _ = cycle.tune(learner, learner, images, drawn, config, Needs(), stream, 1, device)
    rows = []
    for name, one in (("before", learner), ("after", after)):
        model = cycle.predictor(one, config)
        alike = likeness(model, images, held, device)
        measured = cycle.measure(model, data, device)
        row: dict[str, object] = {
            "model": name,
            "images": 0 if name == "before" else len(drawn),
            "held_out": len(alike),
        }
        row |= {
            measure: float(alike[measure].mean()) for measure in ("correlation", "nss", "ceiling")
        }
        for split, metrics in measured.items():
            row |= {f"{split}_{metric}": value for metric, value in metrics.items()}
        rows.append(row)
    return pd.DataFrame(rows)
