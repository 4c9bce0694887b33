"""What is known of an image before anybody is asked about it: what the classifier makes of it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from study.data.dataset import ImageSet
from study.learning.attention import TINY, looked_at
from study.learning.models import Classifier
from study.learning.superpixels import PROPOSED, propose

Signs = dict[str, float]
"""Of one image, by name; a sign that is not there is taken to be as usual."""


def signs(model: Classifier, images: ImageSet, device: torch.device) -> list[Signs]:
    """The signs of each image, from one pass.

    * ``certainty``: the probability that the classifier gives to the right answer;
    * ``doubt``: the entropy of its answers, 1 where all are alike;
    * ``spread``: the entropy of attention for what is asked, 1 where it is everywhere alike;
    * ``spots``: in how many parts the map is above half of its maximum;
    * ``held``: the share of attention in the region that would be proposed, and ``region`` that
      region's share of the map;
    * ``edge``: the share of attention in the outermost cells;
    * ``asked NAME``: 1 for the class or feature that is asked about, 0 for the others.
    """
    logits, maps = looked_at(model, images, device=device)
    logits, asked = logits.cpu(), images.asked
    answers = model.labelling.question(logits, asked).double()
    right = answers.gather(1, model.labelling.truth(asked)[:, None])[:, 0]
    entropy = -(answers * (answers + TINY).log()).sum(1) / np.log(answers.shape[1])
    seen = maps.cpu().double().numpy()
    return [
        {
            "certainty": round(float(right[i]), 6),
            "doubt": round(float(entropy[i]), 6),
            **{name: round(value, 6) for name, value in _of_map(seen[i]).items()},
            **{f"asked {c}": float(k == int(asked[i])) for k, c in enumerate(images.classes)},
        }
        for i in range(len(images))
    ]


def _of_map(attention: NDArray[np.float64]) -> Signs:
    """What an attention map [h, w] shows; nothing of one that is zero everywhere."""
    from skimage.measure import label

    mass = attention.sum()
    if mass <= 0:
        return {}
    shares = attention / mass
    inner = shares[1:-1, 1:-1].sum()
    region = propose(attention, *attention.shape) > 0
    return {
        "spread": float(-(shares * np.log(shares + TINY)).sum() / np.log(max(shares.size, 2))),
        "spots": float(label(attention >= PROPOSED * attention.max(), connectivity=1).max()),
        "held": float(shares[region].sum()),
        "region": float(region.mean()),
        "edge": float(1 - inner),
    }
