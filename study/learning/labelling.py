"""What labels ask of logits: one class of an image, or every feature that it may show.

Everything that depends on which of the two holds is here: the loss, what counts as an answer and
as a right one, the probabilities that strategies look at, and which score attention explains.

* ``one``: softmax and cross-entropy; the question is which class the image is of.
* ``several``: a sigmoid and binary cross-entropy for each feature (He et al. 2023, section 5,
  "compatibility for multiple features"); a row is asked about one of them, and the question is
  whether the image shows it. A feature's log-odds is its logit alone, so its evidence map is that
  of its logit: nothing of the other features is in it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from study.config import LabelsName, ScoreName


class Labelling(ABC):
    """One of the two; N rows, K classes or features.

    Attributes:
        name: ``one`` or ``several``.
    """

    name: LabelsName

    @abstractmethod
    def loss(self, logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """The classification loss of every row, [N].

        Args:
            logits: [N, K].
            labels: as :attr:`study.data.dataset.ImageSet.labels` has them.
            weights: of the shape of ``labels``: what each counts; by default 1.
        """

    @abstractmethod
    def answers(self, logits: Tensor) -> Tensor:
        """What the logits say, in the form of labels."""

    def right(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Whether each answer is right: bool, of the shape of ``labels``."""
        return self.answers(logits) == labels

    @abstractmethod
    def accuracy(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The share of a row's answers that is right, float [N]."""

    @abstractmethod
    def probabilities(self, logits: Tensor) -> Tensor:
        """Of each class or feature, [N, K]."""

    @abstractmethod
    def question(self, logits: Tensor, asked: Tensor) -> Tensor:
        """The probabilities of the possible answers to what is asked of each row, [N, A].

        Leading axes of ``logits`` [..., N, K] stay in front. ``asked`` is int64 [N].
        """

    @abstractmethod
    def log_question(self, logits: Tensor, asked: Tensor) -> Tensor:
        """The logarithms of :meth:`question`, finite and with a gradient where those round to 0."""

    @abstractmethod
    def truth(self, asked: Tensor) -> Tensor:
        """Which of those answers is right, int64 [N]: people are asked about what is there."""

    @abstractmethod
    def options(self, classes: int) -> int:
        """A: how many answers a question has."""

    @abstractmethod
    def memberships(self, answers: Tensor, asked: Tensor, classes: int) -> Tensor:
        """What each row adds to each class's or feature's count, as far as is known: [N, K].

        ``answers`` [N, A] is what :meth:`question` gives.
        """

    @abstractmethod
    def evidence(self, asked: Tensor, classes: int, of: ScoreName) -> Tensor:
        """[N, K], such that ``(logits * weights).sum(1)`` is the score that attention explains."""

    @abstractmethod
    def tally(self, answers: Tensor, classes: int) -> Tensor:
        """How often each answer was given, [G, A]: G questions, A answers of each."""

    def commonest(self, tally: Tensor) -> float:
        """The share of the commonest answer; of several questions, of that with the most doubt."""
        shares = tally.amax(1) / tally.sum(1).clamp(min=1)
        return float(shares.min())


class OneOf(Labelling):
    """Every image is of one of K classes."""

    name: LabelsName = "one"

    def loss(self, logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """Cross-entropy."""
        entropy = functional.cross_entropy(logits, labels, reduction="none")
        return entropy if weights is None else entropy * weights

    def answers(self, logits: Tensor) -> Tensor:
        """int64 [N], the most probable class."""
        return logits.argmax(1)

    def accuracy(self, logits: Tensor, labels: Tensor) -> Tensor:
        """0 or 1."""
        return self.right(logits, labels).float()

    def probabilities(self, logits: Tensor) -> Tensor:
        """Softmax."""
        return logits.softmax(-1)

    def question(self, logits: Tensor, asked: Tensor) -> Tensor:
        """Which class: softmax, A = K."""
        return logits.softmax(-1)

    def log_question(self, logits: Tensor, asked: Tensor) -> Tensor:
        """Log-softmax."""
        return logits.log_softmax(-1)

    def truth(self, asked: Tensor) -> Tensor:
        """The class itself."""
        return asked

    def options(self, classes: int) -> int:
        """K."""
        return classes

    def memberships(self, answers: Tensor, asked: Tensor, classes: int) -> Tensor:
        """The probabilities: a real pool has no labels yet."""
        return answers

    def evidence(self, asked: Tensor, classes: int, of: ScoreName) -> Tensor:
        """The class's logit, less the mean of all unless it is ``label``'s."""
        weights = functional.one_hot(asked, classes).float()
        return weights - 1.0 / classes if of != "label" else weights

    def tally(self, answers: Tensor, classes: int) -> Tensor:
        """[1, K]."""
        return torch.bincount(answers, minlength=classes).float()[None]


class AnyOf(Labelling):
    """An image may show any of K features."""

    name: LabelsName = "several"

    def loss(self, logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """Binary cross-entropy, its mean over the features."""
        entropy = functional.binary_cross_entropy_with_logits(
            logits, labels.to(logits), reduction="none"
        )
        return (entropy if weights is None else entropy * weights).mean(1)

    def answers(self, logits: Tensor) -> Tensor:
        """Bool [N, K], which features are more probable than not."""
        return logits > 0

    def accuracy(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The share of features of which the answer is right."""
        return self.right(logits, labels).float().mean(1)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Sigmoids."""
        return logits.sigmoid()

    def question(self, logits: Tensor, asked: Tensor) -> Tensor:
        """Whether the feature is there: no and yes, A = 2."""
        return self._no_yes(logits, asked).sigmoid()

    def log_question(self, logits: Tensor, asked: Tensor) -> Tensor:
        """Log-sigmoids."""
        return functional.logsigmoid(self._no_yes(logits, asked))

    def _no_yes(self, logits: Tensor, asked: Tensor) -> Tensor:
        index = asked.expand(logits.shape[:-1])[..., None]
        logit = logits.gather(-1, index)
        return torch.cat([-logit, logit], dim=-1)

    def truth(self, asked: Tensor) -> Tensor:
        """Yes: what an image does not show is not asked."""
        return torch.ones_like(asked)

    def options(self, classes: int) -> int:
        """No or yes."""
        return 2

    def memberships(self, answers: Tensor, asked: Tensor, classes: int) -> Tensor:
        """The feature that is asked, for certain."""
        return functional.one_hot(asked, classes).to(answers)

    def evidence(self, asked: Tensor, classes: int, of: ScoreName) -> Tensor:
        """The feature's logit, which is its log-odds: there is nothing to centre."""
        return functional.one_hot(asked, classes).float()

    def tally(self, answers: Tensor, classes: int) -> Tensor:
        """[K, 2]: no and yes, of every feature."""
        yes = answers.float().sum(0)
        return torch.stack([len(answers) - yes, yes], dim=1)


LABELLINGS: Mapping[LabelsName, Labelling] = {"one": OneOf(), "several": AnyOf()}
"""By ``dataset.labels``."""
