"""What went well in an epoch of fine-tuning, and whether it has gone wrong."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from study.learning.labelling import Labelling


@dataclass
class EpochSums:
    """Sums over one epoch's images, on the device, read once at its end.

    Attributes:
        classification, guidance: of the losses.
        correct: of right answers.
        answers: [G, A], how often each answer to each question was given.
        dead, guided: of annotated images, with an all-zero map and in all.
    """

    classification: Tensor
    guidance: Tensor
    correct: Tensor
    answers: Tensor
    dead: Tensor
    guided: Tensor

    @classmethod
    def empty(cls, labelling: Labelling, classes: int, labels: Tensor) -> EpochSums:
        """Nothing yet."""
        a, b, c, d, e = torch.zeros(5, device=labels.device).unbind()
        return cls(a, b, c, labelling.tally(labels[:0], classes), d, e)


class Watch:
    """Notices training that has gone wrong, compared with how it began.

    A network may pass through one answer for every image, or through dead maps, while attention
    moves from one thing to another; it has collapsed when it stays there.
    """

    DEAD = 0.5
    ONE_ANSWER = 0.98
    RARE = 0.1
    PATIENCE = 10

    def __init__(self, labelling: Labelling, labels: Tensor, classes: int) -> None:
        self.labelling = labelling
        # one answer for all is wrong only where every image is not of one class anyway
        shares = labelling.tally(labels, classes) / len(labels)
        self.mixed = shares.amax(1) < 1 - self.RARE
        self.first: tuple[bool, bool] | None = None
        self.ill_for = 0
        self.fatal = False

    def symptom(self, epoch: EpochSums) -> str:
        """What looks wrong after this epoch, or an empty string; sets ``fatal``."""
        if not torch.isfinite(epoch.classification + epoch.guidance).item():
            self.fatal = True
            return "the loss is not finite"
        dead = epoch.dead.item() > self.DEAD * max(epoch.guided.item(), 1)
        answers = epoch.answers[self.mixed]
        single = len(answers) > 0 and self.labelling.commonest(answers) >= self.ONE_ANSWER
        if self.first is None:  # before training: what was so already is no symptom
            self.first = dead, single
        died, lost = dead and not self.first[0], single and not self.first[1]
        self.ill_for = self.ill_for + 1 if died or lost else 0
        self.fatal = self.ill_for >= self.PATIENCE
        if died:
            return "attention died: most annotated images have an all-zero map"
        return "the network gives one answer for every image" if lost else ""
