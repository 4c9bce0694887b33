"""The classifier, its training, its guidance, and which images are annotated next."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ModelWrapValidatorHandler, model_validator

from study.config.naming import known, one_of, schema
from study.config.section import NonNegative, Positive, Section, Share
from study.config.training import Beta, WeightsName

STRATEGY_NAMES = (
    "random",
    "entropy",
    "least-confidence",
    "margin",
    "score-bands",
    "worst-classes",
    "oracle",
    "bald",
    "mc-entropy",
    "vote-entropy",
    "jensen-shannon",
    "l2-disagreement",
    "self-consistency",
    "label-dispersion",
    "svm-margin",
    "k-center",
    "core-set",
    "vaal",
    "badge",
    "typiclust",
    "prob-cover",
    "learning-loss",
    "ensemble-entropy",
    "ensemble-consistency",
    "attention",
    "attention-7x7",
)
"""Our strategies; installed packages may add to them (``clickstudy.strategies``)."""
POSITIVE_FORMS = ("none", "point", "spread", "disc", "discs", "disc+point")
NEGATIVE_FORMS = ("none", "sum", "log-outside")
POLYGON_FORMS = ("none", "outside", "log-energy", "iou", "squared", "kl")
"""Our guidance; installed packages may add to it, as ``polygon.NAME`` (``clickstudy.guidance``)."""
_STRATEGIES, _GUIDANCE = "clickstudy.strategies", "clickstudy.guidance"


def strategy_names() -> tuple[str, ...]:
    """Every acquisition strategy."""
    return known(STRATEGY_NAMES, _STRATEGIES)


StrategyName = Annotated[
    str,
    AfterValidator(one_of("a strategy", STRATEGY_NAMES, _STRATEGIES)),
    schema(STRATEGY_NAMES, _STRATEGIES),
]
SamplingName = Annotated[
    str,
    AfterValidator(one_of("a strategy", ("active", *STRATEGY_NAMES), _STRATEGIES)),
    schema(("active", *STRATEGY_NAMES), _STRATEGIES),
]
PositiveForm = Annotated[
    str,
    AfterValidator(one_of("a form", POSITIVE_FORMS, _GUIDANCE, "positive.")),
    schema(POSITIVE_FORMS, _GUIDANCE, "positive."),
]
NegativeForm = Annotated[
    str,
    AfterValidator(one_of("a form", NEGATIVE_FORMS, _GUIDANCE, "negative.")),
    schema(NEGATIVE_FORMS, _GUIDANCE, "negative."),
]
PolygonForm = Annotated[
    str,
    AfterValidator(one_of("a form", POLYGON_FORMS, _GUIDANCE, "polygon.")),
    schema(POLYGON_FORMS, _GUIDANCE, "polygon."),
]
ScoreName = Literal["label", "centred", "absolute", "rounded"]
MethodName = Literal["forms", "rrr", "rrr-cam", "hint"]
TrainName = Literal["all", "block", "head"]
"""What learns: the whole network, its last block and its head, or its head."""


class ModelConfig(Section):
    """The classifier.

    ``name`` is ``small`` (a residual net for the scenes), ``efficientnet-lite0`` (whose ImageNet
    weights are installed), a torchvision classifier's or ``timm/`` and a timm classifier's.
    ``weights`` are where it starts: ``none``, ``imagenet``, or a file (a PyTorch ``state_dict``,
    safetensors, or a checkpoint of ours), of which what fits is taken. ``checkpoint`` is a finished
    biased classifier of ours; it must fit in everything, and nothing is pretrained.

    ``precision = "bfloat16"`` computes the convolutions in half the bits, which is faster on GPUs
    that know them; weights, losses and attention stay in float32. Probabilities then differ by a
    few hundredths at most, and runs are no longer the same to the last bit as float32's.

    ``input`` is the side, in pixels, to which the network's images are resized (bilinearly); masks,
    clicks and what people see stay as the dataset has them.

    ``normalisation`` says whose channel means and deviations images are standardised with: the
    network's own (ImageNet's, of most), or those of the dataset's training images.
    """

    name: str = "resnet18"
    weights: Literal["none", "imagenet"] | Path = "none"
    input: Positive | None = None
    width: Positive = 16
    blocks: Annotated[int, Field(strict=True, ge=2, le=6)] = 3
    checkpoint: Path | None = None
    precision: Literal["float32", "bfloat16"] = "float32"
    normalisation: Literal["network", "dataset"] = "network"


class FineTuningConfig(Section):
    """Fine-tuning on the annotated images (section 4.2; the paper does not give its momentum).

    ``train`` says what learns: all of the network (the paper), its last block and head, or its
    head alone; what does not learn is computed once for every image and kept.

    ``optimiser = "lbfgs"`` (of ``train = "head"``) goes to the optimum of loss and anchor, from
    which more iterations change nothing; ``epochs`` is the most of them, and the rate, momentum,
    weight decay, batch and clipping have no part in it. ``anchor`` is the weight of half the
    squared distance from the classifier before any annotation (L2-SP: Li, Grandvalet & Davoine
    2018): without it too many steps turn the shortcut's evidence round instead of taking it away
    (docs/guidance.md).

    ``ensemble`` is how many heads learn, each from its own draw of the annotated images and of the
    training split (bootstrap); with more than one, the classifier is their mean.

    ``weights`` are what each annotated image's classification loss counts, as in pretraining.
    ``data = "balanced"`` learns nothing from annotations: the head is fitted anew, with
    ``weight_decay``, to as many training images of every group as the smallest has (last-layer
    re-training: Kirichenko, Izmailov & Wilson 2022), each of an ensemble to a draw of its own. It
    needs the context of every training image, and is what a head could be at best.
    """

    train: TrainName = "all"
    optimiser: Literal["sgd", "lbfgs"] = "sgd"
    learning_rate: Annotated[float, Field(strict=True, gt=0)] = 0.01
    momentum: Annotated[float, Field(strict=True, ge=0, lt=1)] = 0.9
    weight_decay: NonNegative = 0.0005
    batch: Positive = 128
    epochs: Positive = 150
    clip: Annotated[float, Field(strict=True, gt=0)] = 1.0
    anchor: NonNegative = 0.0
    ensemble: Positive = 1
    weights: WeightsName = "none"
    beta: Beta = 0.999
    data: Literal["annotated", "balanced"] = "annotated"

    @model_validator(mode="wrap")
    @classmethod
    def _as_the_mode_has_it(
        cls, values: Any, handler: ModelWrapValidatorHandler[FineTuningConfig]
    ) -> FineTuningConfig:
        if not isinstance(values, dict) or values.get("train") != "head":
            return handler(values)
        made = handler({**HEAD_DEFAULTS, **values})
        # another mode, in a condition or an arm, has its own defaults
        made.model_fields_set.intersection_update(values)
        return made

    @property
    def said(self) -> dict[str, Any]:
        """What was set, without what ``train`` sets."""
        by_mode = HEAD_DEFAULTS if self.train == "head" else {}
        return {k: v for k, v in super().said.items() if k not in by_mode or by_mode[k] != v}

    @model_validator(mode="after")
    def _can_be_done(self) -> FineTuningConfig:
        if self.optimiser == "lbfgs" and self.train != "head":
            raise ValueError(
                f"optimiser = 'lbfgs' fits heads, and train = {self.train!r}: "
                f"set train = 'head', or optimiser = 'sgd'"
            )
        if self.data == "balanced":
            if self.train != "head":
                raise ValueError(
                    f"data = 'balanced' fits the last layer anew, and train = {self.train!r}: set "
                    f"train = 'head'"
                )
            if self.weights != "none":
                raise ValueError(
                    f"data = 'balanced' has as many images of every group, and weights = "
                    f"{self.weights!r} weighs them: take one of the two out"
                )
        return self


HEAD_DEFAULTS = {"optimiser": "lbfgs", "anchor": 0.05}
"""What ``train = "head"`` changes of the defaults; docs/guidance.md says how it was chosen."""


class GuidanceConfig(Section):
    """The loss ``w_c * loss_c + w_g * (loss_pos + loss_neg)`` and the forms of its parts.

    ``score`` is what the guided map explains; see :mod:`study.learning.attention`. ``auto`` is
    ``absolute`` where a head alone learns, which costs least where the bias holds (``rounded``
    where it learns after each image: :mod:`study.live`), and ``centred`` elsewhere
    (docs/guidance.md).

    ``method`` is ``forms``, this system's own, or another way of holding a classifier to its
    reasons (:mod:`study.learning.reasons`): ``rrr``, ``rrr-cam``, ``hint``; those have no forms, no
    floor and their own scale.
    """

    method: MethodName = "forms"
    w_g: NonNegative = 0.75
    w_c: NonNegative = 0.25
    positive: PositiveForm = "disc+point"
    negative: NegativeForm = "log-outside"
    polygon: PolygonForm = "log-energy"
    radius: Annotated[float, Field(strict=True, gt=0.0, le=1.0)] = 0.19
    floor: Share = 0.01
    normalise: bool = True
    score: ScoreName | Literal["auto"] = "auto"

    @model_validator(mode="after")
    def _settings_are_the_methods(self) -> GuidanceConfig:
        own = {"positive", "negative", "polygon", "floor", "normalise"}
        if self.method == "rrr":
            own.add("score")
        foreign = sorted(own & self.model_fields_set)
        if self.method != "forms" and foreign:
            raise ValueError(
                f"{' and '.join(foreign)} {'are' if len(foreign) > 1 else 'is'} of method = "
                f"'forms', and method = {self.method!r}: take one of the two out"
            )
        return self


class AcquisitionConfig(Section):
    """What ``active`` sampling means; the paper's is its attention strategy (section 3.5).

    ``combine`` names strategies whose ranks are added to those of ``active``; ``balance_weight``
    is what one image too many or too few of a class costs, where 1 is what lies between the images
    that the strategy likes most and least. ``balance_form`` says what is weighed against it:
    ``ranks`` of the scores, ``raw`` scores (Eq. 4.8 and Algorithm 2 of the thesis as printed; the
    weight is then in their unit), or, for comparison, ``pseudo-labels``: as many of each predicted
    class as are wanted, the best first, without a weight. ``options`` are hyper-parameters of the
    strategy, by the names of its constructor's arguments. ``committee`` is how many further
    classifiers learn beside the task's own where the strategy asks how far classifiers disagree.
    """

    active: StrategyName = "attention"
    options: Mapping[str, float | int | str] = {}
    committee: Positive = 4
    combine: tuple[StrategyName, ...] = ()
    balance: bool = False
    balance_weight: NonNegative = 1.0
    balance_form: Literal["ranks", "raw", "pseudo-labels"] = "ranks"
    subsample: Positive | None = None

    def __hash__(self) -> int:
        # options are a mapping, which pydantic's own hash cannot take
        return hash(self.model_dump_json())
