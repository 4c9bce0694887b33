"""What one task or run has learnt so far: a classifier, its committee, its training's predictions.

It is kept as a small file: of a network with a frozen trunk only what learns is written.
"""

from __future__ import annotations

import copy
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from study.files import write_atomically
from study.learning.models import Classifier, ModelError
from study.learning.predictions import Predictions, packed, unpacked

FORMAT = 1


@dataclass(frozen=True)
class Learner:
    """What a cycle begins with, and what it leaves.

    Attributes:
        model: the classifier, or the part of it that learns.
        members: other classifiers of the same kind that learnt from the same annotations, each
            from its own draw of them (bootstrap).
        predictions: int64 [T, N], the class that each image of the pool was taken for after each
            epoch of the last training, or None where nobody kept them.
    """

    model: Classifier
    members: tuple[Classifier, ...] = ()
    predictions: Predictions | None = None

    @property
    def classifiers(self) -> tuple[Classifier, tuple[Classifier, ...]]:
        """The model and the members."""
        return self.model, self.members

    def copy(self) -> Learner:
        """A learner that can be trained without changing this one."""
        return Learner(
            copy.deepcopy(self.model),
            tuple(copy.deepcopy(member) for member in self.members),
            self.predictions,
        )

    def pack(self) -> dict[str, Any]:
        """Plain values and tensors, for ``torch.save``."""
        return {
            "learner": FORMAT,
            "weights": [_weights(model) for model in (self.model, *self.members)],
            "predictions": None if self.predictions is None else packed(self.predictions),
        }

    @classmethod
    def unpack(cls, values: dict[str, Any], like: Classifier) -> Learner:
        """What :meth:`pack` packed; the classifiers are built ``like`` this one.

        Raises:
            ModelError: when the weights are those of another network.
        """
        classifiers = []
        for weights in values["weights"]:
            classifiers.append(copy.deepcopy(like))
            try:
                classifiers[-1].load_state_dict(weights)
            except RuntimeError as error:
                raise ModelError(f"the weights do not fit a {like.config.name} network") from error
        kept = values["predictions"]
        return cls(classifiers[0], tuple(classifiers[1:]), None if kept is None else unpacked(kept))

    def save(self, path: Path) -> None:
        """Write a file in one step."""
        content = io.BytesIO()
        torch.save(self.pack(), content)
        write_atomically(path, content.getvalue())

    @classmethod
    def load(cls, path: Path, like: Classifier) -> Learner:
        """What :meth:`save` wrote.

        Raises:
            FileNotFoundError: when there is no such file.
            ModelError: when it is damaged or of another network.
        """
        try:
            values = torch.load(path, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            raise
        except Exception as error:
            raise ModelError(f"{path}: not a readable model ({type(error).__name__})") from error
        if not isinstance(values, dict) or values.get("learner") != FORMAT:
            raise ModelError(f"{path}: not a model of format {FORMAT}")
        return cls.unpack(values, like)


def mean_of(models: tuple[Classifier, ...]) -> Classifier:
    """One classifier with the mean weights of several.

    For heads of pooling and one linear layer that is their ensemble: it adds up their logits, so
    its probabilities are the (normalised) geometric means of theirs, and it has a closed form.

    Raises:
        ModelError: when they are not such heads.
    """
    if not all(model.closed_form and len(model.state_dict()) <= 2 for model in models):
        raise ModelError(
            "fine_tuning.ensemble: the mean of several classifiers is one only for heads of "
            "pooling and one linear layer; set fine_tuning.train = 'head' and such a model.name, "
            "or ensemble = 1"
        )
    mean = copy.deepcopy(models[0])
    states = [model.state_dict() for model in models]
    mean.load_state_dict(
        {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}
    )
    return mean


def _weights(model: Classifier) -> dict[str, Tensor]:
    return {name: value.detach().cpu() for name, value in model.state_dict().items()}
