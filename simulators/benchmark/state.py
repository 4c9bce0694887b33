"""Where a trial stands between two cycles, and how that is kept on disk."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from study.annotation import Annotation
from study.learning.models import Classifier


@dataclass
class State:
    """Where a trial stands after a cycle; with the trial itself, all that the next cycle needs.

    Attributes:
        model: the trial's classifier.
        members: the other classifiers of its committee.
        predictions: int64 [T, N], of the last training's epochs, where the strategy needs them.
        annotations: by index into the pool, in the order in which they were made.
        cycle, actions, seconds: spent so far.
        spent: whether a budget has ended.
        rows, picks: the tables so far.
    """

    model: Classifier
    members: list[Classifier] = field(default_factory=list)
    predictions: NDArray[np.int64] | None = None
    annotations: dict[int, Annotation] = field(default_factory=dict)
    cycle: int = 0
    actions: int = 0
    seconds: float = 0.0
    spent: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)
    picks: list[dict[str, Any]] = field(default_factory=list)

    def pack(self) -> dict[str, Any]:
        """Plain values and tensors, for ``torch.save``."""
        packed = {name: value for name, value in vars(self).items() if name not in _OBJECTS}
        return packed | {
            "weights": [
                {key: value.cpu() for key, value in model.state_dict().items()}
                for model in (self.model, *self.members)
            ],
            "annotations": [(i, a.model_dump_json()) for i, a in self.annotations.items()],
            "predictions": None
            if self.predictions is None
            else torch.from_numpy(np.ascontiguousarray(self.predictions)),
        }

    @classmethod
    def unpack(cls, packed: dict[str, Any], like: Classifier) -> State:
        """The state that :meth:`pack` packed; its classifiers are built ``like`` this one."""
        plain = {k: v for k, v in packed.items() if k != "weights" and k not in _OBJECTS}
        classifiers = []
        for weights in packed["weights"]:
            classifiers.append(copy.deepcopy(like))
            classifiers[-1].load_state_dict(weights)
        kept = packed["predictions"]
        return cls(
            model=classifiers[0],
            members=classifiers[1:],
            predictions=None if kept is None else kept.numpy(),
            annotations={i: Annotation.model_validate_json(a) for i, a in packed["annotations"]},
            **plain,
        )


_OBJECTS = ("model", "members", "predictions", "annotations")
