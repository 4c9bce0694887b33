"""What fine-tuning minimises: the loss of section 3.6, of annotated images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from study.annotation import Annotation
from study.config import FineTuningConfig, GuidanceConfig, ScoreName
from study.data.dataset import ImageSet
from study.learning.collapse import EpochSums
from study.learning.groups import balancing
from study.learning.models import Classifier
from study.learning.reasons import METHODS, Guided, Method
from study.learning.targets import Targets
from study.learning.training import pooled


@dataclass(frozen=True)
class Rows:
    """n of the images: see :class:`Objective`."""

    guided: Guided
    labels: Tensor
    weights: Tensor | None


@dataclass(frozen=True)
class Measured:
    """What one pass over n images said, without a graph.

    ``classification`` and ``guidance`` are the losses [n], unweighted; ``dead`` says where there
    was nothing to guide, and is None where nothing was guided.
    """

    rows: Rows
    logits: Tensor
    classification: Tensor
    guidance: Tensor
    dead: Tensor | None


@dataclass(frozen=True)
class Objective:
    """What is minimised of annotated images, on the device.

    ``w_c * loss_c + w_g * loss_g`` of images or features, labels and targets, and the anchor.
    ``asked`` is the class or feature of each row whose attention is guided; ``weights`` what each
    label counts, of their shape, or None where all count the same.
    """

    model: Classifier
    inputs: Tensor
    labels: Tensor
    asked: Tensor
    weights: Tensor | None
    targets: Targets
    method: Method
    guided: bool
    fine_tuning: FineTuningConfig
    guidance: GuidanceConfig
    score: ScoreName
    anchor: tuple[Tensor, ...]

    @classmethod
    def of(
        cls,
        model: Classifier,
        images: ImageSet,
        annotations: Sequence[Annotation],
        fine_tuning: FineTuningConfig,
        guidance: GuidanceConfig,
        device: torch.device,
        before: Classifier | None,
    ) -> Objective:
        """What :func:`study.learning.tuning.fine_tune` minimises; the arguments are its."""
        inputs, labels = images.inputs[:].to(device), images.labels.to(device)
        if inputs.is_floating_point():
            inputs = inputs.float().contiguous(memory_format=torch.channels_last)
        method = METHODS[guidance.method]
        height, width = method.grid(model, inputs)
        weights = balancing(
            images,
            fine_tuning.weights,
            f"fine_tuning.weights = {fine_tuning.weights!r}",
            fine_tuning.beta,
        )
        guided = guidance.w_g > 0 and any(not annotation.empty for annotation in annotations)
        targets = Targets.from_annotations(
            images.seen(annotations) if guided else [Annotation()] * len(images),
            height,
            width,
            guidance.radius,
        ).to(device)
        if guided:
            guidance = _asked_for(guidance, targets)
        start = model if before is None else before
        anchor = tuple(p.detach().clone().to(device) for p in start.parameters())
        return cls(
            model,
            inputs if guided else pooled(model, inputs),
            labels,
            images.asked.to(device),
            None if weights is None else weights.to(device),
            targets,
            method,
            guided,
            fine_tuning,
            guidance,
            guided_score(fine_tuning, guidance),
            anchor,
        )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def needs_no_graph(self) -> bool:
        """Whether losses can be had without derivatives: attention that has a closed form can."""
        return not self.guided or (self.model.closed_form and self.guidance.method != "rrr")

    def rows(self, index: Tensor | slice) -> Rows:
        """Some of the images."""
        inputs, asked, targets = self.inputs[index], self.asked[index], self.targets[index]
        weights = None if self.weights is None else self.weights[index]
        guided = Guided(inputs, asked, targets, self.guidance, self.score)
        return Rows(guided, self.labels[index], weights)

    def batches(self) -> list[Rows]:
        """All images, in their order: a slice of them is no copy."""
        size = self.fine_tuning.batch
        return [self.rows(slice(start, start + size)) for start in range(0, len(self), size)]

    def losses(self, rows: Rows) -> tuple[Tensor, Measured]:
        """The weighted losses [n] of some images, and what they consist of."""
        if self.guided:
            found = self.method(self.model, rows.guided)
            logits, steering, dead = found.logits, found.loss, found.dead
        else:
            logits = self.model(rows.guided.inputs)
            steering, dead = logits.new_zeros(len(logits)), None
        entropy = self.model.labelling.loss(logits, rows.labels, rows.weights)
        loss = self.guidance.w_c * entropy + self.guidance.w_g * steering
        return loss, Measured(rows, logits.detach(), entropy.detach(), steering.detach(), dead)

    def each(self, model: Classifier) -> Tensor:
        """The weighted losses [N] of all images with another classifier's weights, with a graph."""
        other = replace(self, model=model)
        return torch.cat([other.losses(rows)[0] for rows in other.batches()])

    def mean(self, model: Classifier) -> float:
        """The mean of :meth:`each`, as a number."""
        with torch.no_grad() if self.needs_no_graph else nullcontext():
            return float(self.each(model).detach().mean())

    def sums(self, met: Iterable[Measured]) -> EpochSums:
        """What went well in an epoch that met these images."""
        labelling = self.model.labelling
        sums = EpochSums.empty(labelling, self.model.classes, self.labels)
        for part in met:
            targets = part.rows.guided.targets
            sums.classification += part.classification.sum()
            sums.guidance += part.guidance.sum()
            sums.correct += labelling.accuracy(part.logits, part.rows.labels).sum()
            sums.answers += labelling.tally(labelling.answers(part.logits), self.model.classes)
            if part.dead is not None:
                sums.dead += (part.dead & targets.any).sum()
                sums.guided += targets.any.sum()
        return sums

    def pull(self) -> Tensor | None:
        """``anchor / 2`` times the squared distance from the weights before any annotation."""
        if not self.fine_tuning.anchor:
            return None
        pairs = zip(self.model.parameters(), self.anchor, strict=True)
        distance = torch.stack([(now - then).square().sum() for now, then in pairs]).sum()
        return self.fine_tuning.anchor / 2 * distance


def _asked_for(guidance: GuidanceConfig, targets: Targets) -> GuidanceConfig:
    """Without the parts of the loss that no annotation asks for: they would be zero, at a cost."""
    kinds = {
        "positive": targets.has_point,
        "negative": targets.has_negative,
        "polygon": targets.has_inside,
    }
    nobody = {part: "none" for part, present in kinds.items() if not bool(present.any())}
    return guidance.model_copy(update=nobody)


def guided_score(fine_tuning: FineTuningConfig, guidance: GuidanceConfig) -> ScoreName:
    """The score whose map is guided; what ``auto`` means."""
    if guidance.score != "auto":
        return guidance.score
    return "absolute" if fine_tuning.train == "head" else "centred"
