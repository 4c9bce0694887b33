"""Tables of a benchmark file that no study file has: what is bought, and under which budget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from simulators.person import Person
from study.config import (
    PAPER_FACTORS,
    InterfaceName,
    NonNegative,
    Positive,
    Section,
    Share,
    explain,
    nearest,
)
from study.metrics import FEATURE_COLUMNS

INTERFACES: tuple[InterfaceName, ...] = PAPER_FACTORS["interface"]
Percent = Annotated[str, Field(pattern=r"^\d+(\.\d+)?\s?%$")]
Price = Annotated[str, Field(pattern=r"^\d+(\.\d+)?\s?(%|s)$")]
METRICS = (
    "accuracy",
    "worst_group_accuracy",
    "balanced_accuracy",
    "aligned_accuracy",
    "conflicting_accuracy",
    "attention_inside",
    "attention_inside_small",
    "attention_inside_medium",
    "attention_inside_large",
    "pointing_game",
    "attention_iou",
    "barycentre_distance",
    "dead_maps",
)
"""What may be a target, beside ``accuracy_CLASS``, ``accuracy_CLASS_CONTEXT`` and, where an image
may show several features, ``METRIC_of_FEATURE`` (:data:`study.metrics.FEATURE_COLUMNS`).
"""


def images_of(amount: int | str, pool: int, price: float = 0.0) -> int:
    """An amount in images: of images, of a share of the pool, or of what seconds buy.

    >>> images_of(12, 2000), images_of("5%", 2000), images_of("600 s", 2000, 2.0)
    (12, 100, 300)

    Args:
        amount: images, ``"5%"`` or ``"600 s"``.
        pool: images in it; a share is of these, rounded, and at least one image.
        price: of an image, in seconds; more than 0 where the amount is in seconds.
    """
    if isinstance(amount, int):
        return amount
    number = float(amount.rstrip("%s "))
    return max(1, int(number / price) if amount.endswith("s") else round(number / 100 * pool))


class TaskConfig(Section):
    """What is bought of an image: guidance of attention, its label, or both.

    With guidance all labels are known, as in He et al. (2023). With labels (Zolfaghari Bengar 2021,
    chapters 3 to 5) ``start`` images are labelled before the first cycle, drawn evenly by class or
    at random from the whole pool; the others' labels are unknown to the classifier and to every
    strategy but ``oracle``. ``price`` is what a label costs, in annotator seconds: by default one
    mental preparation and one pointing (1.35 + 1.1 s; keystroke-level model, Card, Moran & Newell
    1980), which is an assumption.

    In each cycle the classifier is trained (``[training]``) on all labels bought so far: from
    ``scratch``, from the ``last`` cycle's weights, or from the ``pretrained`` ones that ``[model]``
    or ``pretraining.objective = "simsiam"`` gives. ``reference`` trains one with all labels of the
    pool for every seed, which accuracies are set in relation to. ``informativeness`` lets every arm
    put all unlabelled images in its order once, before the first cycle, and keeps how accurate the
    classifier is on the first of them (section 3.3.2); it costs a selection of the whole pool.
    """

    buys: Literal["guidance", "labels", "both"] = "guidance"
    start: Positive | Percent = "10%"
    draw: Literal["even", "random"] = "even"
    price: NonNegative = 2.45
    training: Literal["scratch", "last", "pretrained"] = "scratch"
    reference: bool = True
    informativeness: bool = False

    @property
    def labels(self) -> bool:
        """Whether labels are bought."""
        return self.buys != "guidance"


class SelfTrainingConfig(Section):
    """Labels that the classifier gives itself, where labels are bought; see :mod:`study.pseudo`.

    ``two-models``: a teacher, and an auxiliary model that also learns the teacher's guesses about a
    ``share`` of the pool, the surest ``by`` dispersion or entropy. ``ceal``: one model, which also
    learns its guesses with an entropy below ``threshold``, less ``decay`` for each cycle.
    """

    method: Literal["none", "two-models", "ceal"] = "none"
    share: Positive | Percent = "10%"
    by: Literal["dispersion", "entropy"] = "dispersion"
    threshold: NonNegative = 0.05
    decay: NonNegative = 0.0033


class BudgetConfig(Section):
    """What one run may spend; whichever ends first ends it.

    ``seconds`` are the simulated annotator's, without waiting: an image that would be finished
    after them is not annotated (Tables 2 and 3 compare strategies after 240 minutes). ``actions``
    are presses, undone ones included. ``batch`` and ``images`` are images or, as ``"5%"``, a share
    of the pool; where labels are bought a batch may be what some seconds buy, as ``"600 s"``.
    """

    batch: Positive | Price = 256
    cycles: Positive = 10
    images: Positive | Percent | None = None
    actions: Positive | None = None
    seconds: Annotated[float, Field(strict=True, gt=0)] | None = None

    def batch_of(self, pool: int, price: float = 0.0) -> int:
        """The images of a cycle, at least one, of a pool of so many and so many seconds each."""
        return images_of(self.batch, pool, price)

    def most_images(self, pool: int, price: float = 0.0) -> int:
        """No run annotates more."""
        full = self.batch_of(pool, price) * self.cycles
        return full if self.images is None else min(full, images_of(self.images, pool))


class AnnotatorConfig(Section):
    """The simulated annotators: parameters of :class:`~simulators.person.Person` that are fixed.

    Every seed has a person of its own, the same for all strategies and interfaces.

    ``annotations`` is a file of what people gave elsewhere (COCO or Label Studio JSON, NPZ maps),
    for arms with ``annotator = "people"``: those choose among its images, and where several people
    annotated one, a seed takes one of them.
    """

    annotations: str = ""

    fixed: Mapping[str, NonNegative] = {}
    show_attention: tuple[InterfaceName, ...] = INTERFACES

    @model_validator(mode="after")
    def _parameters_exist(self) -> AnnotatorConfig:
        for name in self.fixed:
            if name not in Person.model_fields:
                raise ValueError(
                    f"{name!r} is not a parameter of a simulated person"
                    f"{nearest(name, list(Person.model_fields))}"
                )
        try:
            Person.model_validate(dict(self.fixed))
        except ValidationError as error:
            lines = [f"fixed.{line}" for line in explain(error, Person)]
            raise ValueError("\n".join(lines)) from error
        return self


class TargetConfig(Section):
    """What is reported first, and the value that strategies race to.

    ``split`` is by default the balanced test split where there is one; it may be one of
    ``dataset.tests``.
    """

    split: str | None = None
    metric: str = "accuracy"
    value: Share | None = None

    @property
    def of_feature(self) -> bool:
        """Whether the metric is of one of several features alone."""
        own, found, _ = self.metric.partition("_of_")
        return bool(found) and own in FEATURE_COLUMNS

    @model_validator(mode="after")
    def _metric_exists(self) -> TargetConfig:
        if not (self.metric in METRICS or self.metric.startswith("accuracy_") or self.of_feature):
            raise ValueError(
                f"metric = {self.metric!r} is not measured{nearest(self.metric, list(METRICS))}"
            )
        return self
