"""Classifiers: a trunk and a head, cut where attention is read and where outputs can be kept.

A classifier takes uint8 images and normalises them itself, so no caller has to know how.
:mod:`study.learning.backbones` knows the networks.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from study.config import LabelsName, ModelConfig, TrainName
from study.device import side_by_side
from study.learning.backbones import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Backbone,
    Colour,
    ModelError,
    backbone,
)
from study.learning.cuts import Cut, Nothing
from study.learning.frozen import AT_ONCE, fold
from study.learning.labelling import LABELLINGS, Labelling
from study.learning.small import without_narrow_strides
from study.learning.tokens import GridError
from study.seeds import first_weights

LOGGER = logging.getLogger(__name__)
TOO_SMALL = ("Output size is too small", "can't be greater than actual input size")


def normalise_images(
    images: Tensor, mean: Colour = IMAGENET_MEAN, std: Colour = IMAGENET_STD
) -> Tensor:
    """uint8 [N, 3, H, W] -> float32, standardised; with ImageNet's mean and deviation by default.

    Channels lie last in memory, as in the weights: half the time of a step on a CPU.
    """
    middle = torch.tensor(mean, device=images.device).view(1, 3, 1, 1)
    spread = torch.tensor(std, device=images.device).view(1, 3, 1, 1)
    standard = (images.float() / 255.0 - middle) / spread
    return standard.contiguous(memory_format=torch.channels_last)


class Classifier(nn.Module):
    """A network, cut before its last block and after it, in front of pooling.

    Attributes:
        network: the whole network; ``state_dict`` holds each weight once.
        linear: the one linear layer (with its bias) that follows average pooling, or None. Where it
            is there, Grad-CAM has a closed form, and attention costs nothing beyond the forward
            pass.
        config: what it was built from.
        classes: how many classes it tells apart, or features it looks for.
        labelling: which of the two, and so what its logits mean.
        class_names: their names in the order of the logits, or empty where nobody gave them.
        size: the side in pixels of the images that its trunk was made for; most take others.
        notes: sentences on what a user would not expect of it, such as layers that start anew.
    """

    def __init__(
        self,
        backbone: Backbone,
        config: ModelConfig,
        classes: int,
        class_names: Sequence[str] = (),
        labels: LabelsName = "one",
    ) -> None:
        super().__init__()
        without_narrow_strides(backbone.network)
        self.network = backbone.network.to(memory_format=torch.channels_last)
        self.config = config
        self.classes = classes
        self.class_names = tuple(class_names)
        self.labelling: Labelling = LABELLINGS[labels]
        self.size = backbone.size
        self.notes = backbone.notes
        # In tuples, so that what shares the network's weights is not registered a second time.
        self._cut = (backbone.cut,)
        self._linear = (_only_linear(backbone),)
        self._mean, self._std = backbone.mean, backbone.std

    def stem(self, images: Tensor) -> Tensor:
        """What enters the last block, float32.

        ``images`` is uint8 [N, 3, H, W], or float when it is normalised already.
        """
        return self._compute(self._cut[0].stem, self.normalise(images))

    def block(self, entering: Tensor) -> Tensor:
        """The last block's output from what :meth:`stem` gives: float32 [N, C, h, w]."""
        return self._compute(self._cut[0].block, entering)

    def features(self, images: Tensor) -> Tensor:
        """What enters pooling, the last block's output: float32 [N, C, h, w].

        ``images`` is uint8 [N, 3, H, W], or float when it is normalised already.
        """
        return self.block(self.stem(images))

    def classify(self, features: Tensor) -> Tensor:
        """Logits [N, K] from the last block's output."""
        with self._fitting(features):
            return self._cut[0].head(features)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [N, K]."""
        return self.classify(self.features(images))

    def normalise(self, images: Tensor) -> Tensor:
        """uint8 [N, 3, H, W] as this network wants it; float is handed on."""
        if images.is_floating_point():
            return images
        side = self.config.input
        if side is not None and images.shape[2:] != (side, side):
            images = functional.interpolate(
                images.float(), size=(side, side), mode="bilinear", align_corners=False
            )
        return normalise_images(images, self._mean, self._std)

    @property
    def colours(self) -> tuple[Colour, Colour]:
        """What is taken from each channel of an image in [0, 1], and what it is divided by."""
        return self._mean, self._std

    def standardise(self, mean: Colour, std: Colour) -> None:
        """Normalise images with these from now on (``model.normalisation = "dataset"``)."""
        self._mean, self._std = mean, std

    @property
    def cut(self) -> Cut:
        """The three pieces; they share the network's weights."""
        return self._cut[0]

    @property
    def linear(self) -> nn.Linear | None:
        """The one layer behind average pooling, or None."""
        return self._linear[0]

    @property
    def closed_form(self) -> bool:
        """Whether ``classify`` is global average pooling and ``linear``."""
        return self.linear is not None

    @property
    def class_weights(self) -> Tensor:
        """[K, C], the linear layer of a closed-form classifier."""
        if self.linear is None:
            raise ModelError(f"{self.config.name} does not end in average pooling and one layer")
        return self.linear.weight

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def parts(self, train: TrainName) -> tuple[nn.Module, ...]:
        """The modules that learn: all of the network, its last block and head, or its head.

        Raises:
            ModelError: ``block`` of a network whose last block is not known.
        """
        if train == "all":
            return (self.network,)
        return tuple(self.network.get_submodule(name) for name in self._learning(train))

    def trunk_state(self, train: TrainName) -> dict[str, Tensor]:
        """The entries of ``network.state_dict()`` that do not learn in this mode.

        What the trunk computes of an image depends on these, the architecture and the precision
        alone; the other entries are what ``parts`` changes.
        """
        if train == "all":
            return {}
        learning = tuple(f"{name}." for name in self._learning(train))
        state = self.network.state_dict()
        return {key: value for key, value in state.items() if not key.startswith(learning)}

    def frozen_stem(self, train: TrainName) -> Callable[[Tensor], Tensor]:
        """The fastest function from images to what a cache keeps of them while ``train`` learns.

        What enters the last block (``block``) or pooling (``head``), in evaluation mode and without
        a graph, on the device where the weights are now. It keeps the weights of now: later changes
        do not reach it. It differs from :meth:`stem` and :meth:`features` by at most ``1e-4`` of
        the largest value; :mod:`study.learning.frozen` says how it is faster.

        Raises:
            ModelError: ``all``, where nothing is frozen, and ``block`` of a network without.
        """
        if train == "all":
            raise ModelError("fine_tuning.train = 'all' freezes nothing that could be kept")
        self._learning(train)
        plain = copy.deepcopy(self).eval().requires_grad_(False)

        def compute(model: Classifier, images: Tensor) -> Tensor:
            with torch.no_grad():
                return model.features(images) if train == "head" else model.stem(images)

        model = plain
        if self.config.precision == "float32":  # half the bits round a folded weight differently
            folded = copy.deepcopy(plain)
            drawn = torch.randn(
                1, 3, self.size, self.size, generator=torch.Generator().manual_seed(0)
            )
            if fold(folded.network, partial(compute, folded), drawn.to(self.device)):
                model = folded

        def frozen(images: Tensor) -> Tensor:
            if images.device.type != "cpu":
                return compute(model, images)
            return torch.cat(side_by_side(partial(compute, model), images.split(AT_ONCE)))

        return frozen

    def _learning(self, train: TrainName) -> tuple[str, ...]:
        if train == "head":
            return self._cut[0].in_head
        if self._cut[0].cannot:
            raise ModelError(
                f"fine_tuning.train = 'block': {self.config.name} has no block mode "
                f"({self._cut[0].cannot}); train its head, or all of it"
            )
        return self._cut[0].in_block + self._cut[0].in_head

    def _compute(self, piece: nn.Module, values: Tensor) -> Tensor:
        if isinstance(piece, Nothing):  # of a head alone, which is asked thousands of times
            return values.float()
        half = self.config.precision == "bfloat16"
        with (
            self._fitting(values),
            torch.autocast(values.device.type, torch.bfloat16, enabled=half),
        ):
            return piece(values).float()

    @contextmanager
    def _fitting(self, values: Tensor) -> Iterator[None]:
        """Says in a sentence that images do not suit the network."""
        sides = " x ".join(str(side) for side in values.shape[2:])
        try:
            yield
        except RuntimeError as error:
            if any(words in str(error) for words in TOO_SMALL):
                raise ModelError(
                    f"the images are too small for {self.config.name}: {sides} cells are less than "
                    f"its next layer needs; raise dataset.size or model.input, or choose another "
                    f"model.name"
                ) from error
            raise
        except (AssertionError, GridError) as error:
            raise ModelError(
                f"{self.config.name} does not take images of {sides} pixels ({error}); "
                f"choose a square data size such as {self.size}"
            ) from error


def _only_linear(backbone: Backbone) -> nn.Linear | None:
    """The head's linear layer, if the head is average pooling and that layer, and nothing else.

    The head itself is asked, with drawn features: what it says of them must be what the layer says
    of their mean. Names and classes of layers differ from family to family; this does not.
    """
    layers = [
        layer
        for name in backbone.cut.in_head
        for layer in backbone.network.get_submodule(name).modules()
        if isinstance(layer, nn.Linear)
    ]
    if len(layers) != 1:
        return None
    generator = torch.Generator().manual_seed(0)
    drawn = 10 * torch.randn(2, layers[0].in_features, 3, 3, generator=generator)
    training = backbone.network.training
    backbone.network.eval()
    try:
        with torch.no_grad():
            given, expected = backbone.cut.head(drawn), layers[0](drawn.mean((2, 3)))
    except (
        RuntimeError,
        AssertionError,
    ):  # the head does not take so many channels, or so small a grid
        return None
    finally:
        backbone.network.train(training)
    fits = given.shape == expected.shape and torch.allclose(given, expected, rtol=1e-4, atol=1e-4)
    return layers[0] if fits else None


def build(
    config: ModelConfig,
    classes: int,
    seed: int,
    class_names: Sequence[str] = (),
    labels: LabelsName = "one",
) -> Classifier:
    """A classifier with ``classes`` outputs, in evaluation mode.

    The first weights depend on ``seed`` alone. What a user would not expect is said in ``notes``
    and logged. A finished classifier is loaded (:mod:`study.learning.checkpoints`), not built.

    Raises:
        ModelError: unknown name, or weights that cannot be had.
        ValueError: ``config`` names a checkpoint.
    """
    if config.checkpoint is not None:
        raise ValueError("a classifier with a checkpoint is loaded, not built")
    with first_weights(seed):
        model = Classifier(backbone(config, classes), config, classes, class_names, labels).eval()
    for note in model.notes:
        LOGGER.log(logging.WARNING if isinstance(config.weights, Path) else logging.INFO, note)
    return model


def with_precision(model: Classifier, config: ModelConfig) -> Classifier:
    """The classifier, computing from now on as ``config`` says."""
    model.config = model.config.model_copy(update={"precision": config.precision})
    return model
