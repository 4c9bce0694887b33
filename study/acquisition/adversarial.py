"""Variational adversarial active learning: the images least like those annotated."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from study.acquisition.pool import Pool
from study.acquisition.strategy import Ranking
from study.seeds import first_weights, seed, torch_generator

SIDE = 32
"""Images are resampled to this many pixels a side."""


class VAAL(Ranking):
    """Variational adversarial active learning (Sinha, Ebrahimi & Darrell 2019, Algorithms 1-2).

    A small variational autoencoder learns to reproduce all images and to make the codes of the
    unlabelled ones look annotated; a discriminator D on the codes learns to tell them apart. The
    score is 1 - D(mean code): high for what is least like any annotated image. Both are trained
    anew for each selection, on the pool's device, with streams named by the pool's seed; the
    task's own classifier has no part in it. Without annotated images all are equally good.

    Args:
        epochs: passes over the unlabelled images; each step has as many annotated ones.
        latent: dimensions of the code.
        beta: weight of the codes' divergence from a standard normal (Eq. 1).
        adversarial: weight of deceiving the discriminator (Eq. 4).
        batch: unlabelled images per step.
        learning_rate: of Adam, for both networks.

    Raises:
        ValueError: when an option is out of its range.
    """

    def __init__(
        self,
        epochs: int = 5,
        latent: int = 16,
        beta: float = 1.0,
        adversarial: float = 1.0,
        batch: int = 64,
        learning_rate: float = 2e-3,
    ) -> None:
        super().__init__()
        if min(epochs, latent, batch) < 1:
            raise ValueError(f"epochs = {epochs}, latent = {latent}, batch = {batch}: at least 1")
        if min(beta, adversarial) < 0 or learning_rate <= 0:
            raise ValueError("beta and adversarial must not be negative, learning_rate positive")
        self.epochs = epochs
        self.latent = latent
        self.beta = beta
        self.adversarial = adversarial
        self.batch = batch
        self.learning_rate = learning_rate

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], the probability of being unlabelled by the discriminator."""
        if not len(pool.labelled):
            return np.zeros(len(pool))
        unlabelled = small_images(pool, pool.unlabelled)
        labelled = small_images(pool, pool.labelled)
        with first_weights(seed(pool.seed, "vaal", "weights")):
            autoencoder, discriminator = Autoencoder(self.latent), _discriminator(self.latent)
        autoencoder.to(pool.device)
        discriminator.to(pool.device)
        with torch.enable_grad():
            self._train(autoencoder, discriminator, unlabelled, labelled, pool.seed)
        with torch.no_grad():
            codes = torch.cat([autoencoder.encode(part)[0] for part in unlabelled.split(256)])
            return discriminator(codes)[:, 0].neg().double().sigmoid().cpu().numpy()

    def _train(
        self,
        autoencoder: Autoencoder,
        discriminator: nn.Module,
        unlabelled: Tensor,
        labelled: Tensor,
        name: int,
    ) -> None:
        draw = torch_generator(name, "vaal")
        coder = torch.optim.Adam(autoencoder.parameters(), self.learning_rate)
        judge = torch.optim.Adam(discriminator.parameters(), self.learning_rate)
        for _ in range(self.epochs):
            for index in torch.randperm(len(unlabelled), generator=draw).split(self.batch):
                known = torch.randint(len(labelled), (len(index),), generator=draw)
                images = torch.cat([labelled[known], unlabelled[index]])
                noise = torch.randn(len(images), self.latent, generator=draw).to(images)
                annotated = torch.ones(len(images), 1, device=images.device)
                truth = annotated.clone()
                truth[len(index) :] = 0.0

                mean, log_variance = autoencoder.encode(images)
                code = mean + noise * (0.5 * log_variance).exp()
                deceit = functional.binary_cross_entropy_with_logits(discriminator(code), annotated)
                loss = (
                    self._reconstruction(autoencoder.decode(code), images)
                    + self.beta * _divergence(mean, log_variance)
                    + self.adversarial * deceit
                )
                coder.zero_grad()
                loss.backward()
                coder.step()

                judge.zero_grad()
                verdict = discriminator(code.detach())
                functional.binary_cross_entropy_with_logits(verdict, truth).backward()
                judge.step()

    @staticmethod
    def _reconstruction(made: Tensor, images: Tensor) -> Tensor:
        """Squared error of an image, the mean over the batch."""
        return (made - images).square().flatten(1).sum(1).mean()


class Autoencoder(nn.Module):
    """A convolutional variational autoencoder for images of 32 x 32 pixels."""

    def __init__(self, latent: int, width: int = 16) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            *_halving(3, width), *_halving(width, 2 * width), *_halving(2 * width, 4 * width)
        )
        self.code = nn.Linear(4 * width * 16, 2 * latent)
        self.start = nn.Linear(latent, 4 * width * 16)
        self.decoder = nn.Sequential(
            *_doubling(4 * width, 2 * width),
            *_doubling(2 * width, width),
            nn.ConvTranspose2d(width, 3, 4, 2, 1),
        )

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """float32 [N, 3, 32, 32] -> mean and log-variance of the code, [N, latent] each."""
        mean, log_variance = self.code(self.encoder(images).flatten(1)).chunk(2, dim=1)
        return mean, log_variance.clamp(-8, 8)

    def decode(self, code: Tensor) -> Tensor:
        """[N, latent] -> float32 [N, 3, 32, 32]."""
        return self.decoder(self.start(code).unflatten(1, (-1, 4, 4)))


def small_images(pool: Pool, indices: NDArray[np.int64]) -> Tensor:
    """float32 [n, 3, 32, 32] in [-1, 1], on the pool's device."""
    parts = []
    for start in range(0, len(indices), pool.batch):
        index = torch.as_tensor(indices[start : start + pool.batch])
        images = pool.images.images[index].to(pool.device).float() / 127.5 - 1.0
        size = (SIDE, SIDE)
        parts.append(functional.interpolate(images, size, mode="bilinear", antialias=True))
    return torch.cat(parts)


def _discriminator(latent: int, width: int = 64) -> nn.Sequential:
    """Logit of being annotated, [N, latent] -> [N, 1]."""
    return nn.Sequential(
        nn.Linear(latent, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
    )


def _divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of the codes from a standard normal, mean over the batch."""
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(1).mean()


def _halving(channels: int, out: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, out, 4, 2, 1), nn.ReLU()]


def _doubling(channels: int, out: int) -> list[nn.Module]:
    return [nn.ConvTranspose2d(channels, out, 4, 2, 1), nn.ReLU()]
