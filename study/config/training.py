"""How a classifier learns from labels, and what it has learnt before."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, model_validator

from study.config.section import NonNegative, Positive, Section, Share

WeightsName = Literal["none", "class", "effective", "context", "group"]
AugmentationName = Literal["crop", "resized-crop", "flip", "jitter"]
Beta = Annotated[float, Field(strict=True, gt=0.0, lt=1.0)]


class TrainingConfig(Section):
    """Training on labels (section 4.2; the paper does not give its momentum).

    ``train = "head"`` keeps a pretrained trunk as it is and fits the head alone, to its optimum
    (by L-BFGS, with ``weight_decay``); then the rate, momentum, batch, patience and schedule have
    no part in it, and ``epochs`` is the most iterations.

    ``schedule = "constant"`` stops early and keeps the best epoch, as in the paper.
    ``"one-cycle"`` raises the rate to ``learning_rate`` and lets it fall to zero over all
    ``epochs``, without stopping early: a validation split with the same bias stops a network as
    soon as it has the shortcut, before it has learned anything of the object.

    ``"steps"`` multiplies the rate by ``gamma`` after each of the epochs ``milestones``, and
    ``"cosine"`` lets it fall to zero as half a cosine; both run to their end as well.

    ``weights`` are what each image's loss counts: the inverse of how frequent its class, its
    context, or its group (class x context) is; ``"effective"`` is the inverse of the effective
    number of its class's images, (1 - beta^n) / (1 - beta) (Cui et al. 2019, Eq. 2).

    ``augment`` names what is drawn anew for every image in every epoch: ``crop`` (out of the image
    with ``padding`` black pixels on each side), ``resized-crop``, ``flip``, ``jitter`` (of
    colours); see :mod:`study.learning.augmentation`.

    ``head = "svm"`` (of ``train = "head"``) fits linear support vector machines, one class against
    the rest, whose training errors weigh ``regularisation``, in place of the softmax.
    """

    train: Literal["all", "head"] = "all"
    learning_rate: Annotated[float, Field(strict=True, gt=0)] = 0.1
    momentum: Annotated[float, Field(strict=True, ge=0, lt=1)] = 0.9
    weight_decay: NonNegative = 0.0005
    batch: Positive = 128
    epochs: Positive = 150
    patience: Positive = 10
    schedule: Literal["constant", "one-cycle", "steps", "cosine"] = "constant"
    milestones: tuple[Positive, ...] = ()
    gamma: Share = 0.1
    weights: WeightsName = "none"
    beta: Beta = 0.999
    augment: tuple[AugmentationName, ...] = ()
    padding: Positive = 4
    head: Literal["softmax", "svm"] = "softmax"
    regularisation: Annotated[float, Field(strict=True, gt=0)] = 5.0

    @model_validator(mode="after")
    def _settings_go_together(self) -> Self:
        if (self.schedule == "steps") != bool(self.milestones):
            raise ValueError(
                f"schedule = {self.schedule!r} and milestones = {list(self.milestones)}: epochs "
                f"after which the rate falls are of schedule = 'steps', which needs them"
            )
        if self.augment and self.train == "head":
            raise ValueError(
                "augment changes images, and train = 'head' learns from features that are "
                "computed once: take augment out, or set train = 'all'"
            )
        if {"crop", "resized-crop"} <= set(self.augment):
            raise ValueError("augment: crop and resized-crop are two ways to crop: choose one")
        if self.head == "svm" and self.train != "head":
            raise ValueError(
                f"head = 'svm' is fitted to the features of a frozen trunk, and train = "
                f"{self.train!r}: set train = 'head'"
            )
        if self.head == "svm" and self.weights != "none":
            raise ValueError(
                "weights are of a classification loss, and head = 'svm' has none: leave them out"
            )
        return self


class PretrainingConfig(TrainingConfig):
    """What the classifier has learnt before anybody annotates.

    ``objective = "labels"`` is training on the labels of the training split. ``"none"`` leaves the
    weights as ``[model]`` has them. ``"simsiam"`` lets the trunk learn from the training images
    without a label (Chen & He 2021; :mod:`study.learning.simsiam`), through heads of
    ``projection`` and ``prediction`` hidden units; the rate, momentum, weight decay, batch, epochs
    and schedule are then its own, with other defaults, and the head is fitted to the labels
    afterwards unless a benchmark buys them.
    """

    objective: Literal["labels", "none", "simsiam"] = "labels"
    projection: Positive = 2048
    prediction: Positive = 512

    @model_validator(mode="wrap")
    @classmethod
    def _as_the_objective_has_it(
        cls, values: Any, handler: ModelWrapValidatorHandler[PretrainingConfig]
    ) -> PretrainingConfig:
        if not isinstance(values, dict) or values.get("objective") != "simsiam":
            return handler(values)
        made = handler({**SIMSIAM_DEFAULTS, **values})
        made.model_fields_set.intersection_update(values)
        return made

    @model_validator(mode="after")
    def _objective_learns(self) -> PretrainingConfig:
        if self.objective == "simsiam":
            if self.train != "all":
                raise ValueError(
                    "objective = 'simsiam' trains the trunk, and train = 'head' freezes it: leave "
                    "train out here, and set it where labels are learnt"
                )
            if self.augment or self.weights != "none" or self.head != "softmax":
                raise ValueError(
                    "objective = 'simsiam' has augmentations of its own and no labels: leave "
                    "augment, weights and head out"
                )
        return self

    @property
    def said(self) -> dict[str, Any]:
        """What was set, without what the objective sets."""
        own = SIMSIAM_DEFAULTS if self.objective == "simsiam" else {}
        return {k: v for k, v in super().said.items() if k not in own or own[k] != v}


SIMSIAM_DEFAULTS = {
    "learning_rate": 0.03,
    "weight_decay": 0.0001,
    "batch": 512,
    "epochs": 800,
    "schedule": "cosine",
}
"""What ``objective = "simsiam"`` changes of the defaults (thesis, section 5.4)."""
