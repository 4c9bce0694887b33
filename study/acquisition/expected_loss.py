"""Learning loss: a small network says how wrong the classifier is likely to be."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from study.acquisition.pool import Pool
from study.acquisition.strategy import Ranking
from study.seeds import first_weights, seed, torch_generator


class LearningLoss(Ranking):
    """Learning loss for active learning (Yoo & Kweon 2019): the highest predicted loss first.

    A loss prediction module learns, from the labelled images and the classifier's cross-entropy on
    them, which of two images has the larger loss (Eq. 2). Here it sees the pooled features of the
    last block and is trained anew for each selection, after the classifier: the paper's sees four
    blocks and is trained beside it, its gradient stopped for the last 80 of 200 epochs. With fewer
    than two labelled images all are equally good.

    Args:
        epochs: passes over the labelled images.
        width: of the hidden layer (the paper's, 128).
        margin: of the ranking loss (the paper's xi, 1).
        batch: images per step, compared in pairs.
        learning_rate: of Adam.

    Raises:
        ValueError: when an option is out of its range.
    """

    def __init__(
        self,
        epochs: int = 100,
        width: int = 128,
        margin: float = 1.0,
        batch: int = 64,
        learning_rate: float = 1e-3,
    ) -> None:
        super().__init__()
        if min(epochs, width) < 1 or batch < 2:
            raise ValueError(
                f"epochs = {epochs}, width = {width}, batch = {batch}: at least 1, 1 and 2"
            )
        if margin <= 0 or learning_rate <= 0:
            raise ValueError("margin and learning_rate must be positive")
        self.epochs = epochs
        self.width = width
        self.margin = margin
        self.batch = batch
        self.learning_rate = learning_rate

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], the predicted losses; only their order means something."""
        if len(pool.labelled) < 2:
            return np.zeros(len(pool))
        features, losses = pool.labelled_features, pool.labelled_losses
        middle, spread = features.mean(0), features.std(0).clamp(min=1e-6)
        with first_weights(seed(pool.seed, "learning-loss", "weights")):
            module = nn.Sequential(
                nn.Linear(features.shape[1], self.width), nn.ReLU(), nn.Linear(self.width, 1)
            )
        module.to(features.device)
        with torch.enable_grad():
            self._train(module, (features - middle) / spread, losses, pool.seed)
        with torch.no_grad():
            return module((pool.features - middle) / spread)[:, 0].double().cpu().numpy()

    def _train(self, module: nn.Module, features: Tensor, losses: Tensor, name: int) -> None:
        draw = torch_generator(name, "learning-loss")
        optimiser = torch.optim.Adam(module.parameters(), self.learning_rate)
        for _ in range(self.epochs):
            for index in torch.randperm(len(losses), generator=draw).split(self.batch):
                if len(index) < 2:
                    continue
                loss = ranking_loss(module(features[index])[:, 0], losses[index], self.margin)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()


def ranking_loss(predicted: Tensor, losses: Tensor, margin: float) -> Tensor:
    """Mean of ``max(0, -sign(l_i - l_j) (p_i - p_j) + margin)`` over pairs (i, n - 1 - i), Eq. 2.

    Args:
        predicted, losses: float32 [n]; the middle one of an odd number stays alone.
        margin: how far apart the predictions of a pair should be.
    """
    pairs = len(losses) // 2
    apart = losses[:pairs] - losses.flip(0)[:pairs]
    said = predicted[:pairs] - predicted.flip(0)[:pairs]
    return (margin - apart.sign() * said).clamp(min=0).mean()
