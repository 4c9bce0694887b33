"""Rapid categorisation of what little of an image is shown: which pixels matter to people?

As ClickMe's authors check their maps (Linsley et al. 2019): only the most important pixels of an
image are shown, for a moment, and one says which of two things it is. Maps that are right let
people know it by fewer pixels. Compared are maps of other people, the biased classifier's
attention, and bottom-up saliency. What is shown to whom is drawn by the study's seed; no image is
shown twice while there are others.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from study.config import RevealConfig
from study.protocol.events import Categorised
from study.seeds import rng

MOST = 48
"""Images that are prepared, at most."""
GREY = 128
"""What stands in for a pixel that is not shown."""
SALIENCY_SIDE = 64
"""Pixels of the side on which saliency is computed, as in its paper."""


@dataclass(frozen=True)
class Candidate:
    """An image that may be shown.

    Attributes:
        split: of the dataset that has it.
        name: of the image.
        label: its class.
    """

    split: str
    name: str
    label: str


@dataclass(frozen=True)
class Trial:
    """One image, shown in part.

    Attributes:
        candidate: the image's place among the candidates.
        source: of the map that says what is important.
        share: of the pixels that is shown.
        choices: the class and another one, in the order in which they stand on the page.
    """

    candidate: int
    source: str
    share: float
    choices: tuple[str, str]


def trials(
    config: RevealConfig,
    seed: int,
    participant: str,
    candidates: Sequence[Candidate],
    classes: Sequence[str],
) -> list[Trial]:
    """The trials of a participant, ``config.items`` of them.

    Sources and shares come equally often, as far as the number allows.
    """
    stream = rng(seed, participant, "reveal")
    cells = list(itertools.product(config.sources, config.shares))
    rounds = -(-config.items // len(cells))
    chosen = [cells[i] for _ in range(rounds) for i in stream.permutation(len(cells))]
    repeats = -(-config.items // len(candidates))
    order = [int(i) for _ in range(repeats) for i in stream.permutation(len(candidates))]
    found = []
    for index, (source, share) in zip(order[: config.items], chosen, strict=False):
        label = candidates[index].label
        other = str(stream.choice([name for name in classes if name != label]))
        pair = (label, other) if stream.random() < 0.5 else (other, label)
        found.append(Trial(index, source, share, pair))
    return found


def shown(
    importance: NDArray[np.floating], share: float, shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """The most important pixels, as many as ``share`` says.

    Args:
        importance: [h, w], over the photograph; its order alone matters.
        share: of the pixels, in (0, 1].
        shape: (H, W) of the photograph.

    Returns:
        bool [H, W] with round(share H W) True, at least one; of equal ones the first.
    """
    picture = Image.fromarray(np.asarray(importance, np.float32))
    fine = np.asarray(picture.resize((shape[1], shape[0]), Image.Resampling.BILINEAR))
    count = max(1, round(share * fine.size))
    mask = np.zeros(fine.size, dtype=bool)
    mask[np.argsort(-fine.ravel(), kind="stable")[:count]] = True
    return mask.reshape(shape)


def revealed(picture: Image.Image, importance: NDArray[np.floating], share: float) -> Image.Image:
    """A picture of which only the most important pixels are left."""
    pixels = np.asarray(picture.convert("RGB")).copy()
    pixels[~shown(importance, share, pixels.shape[:2])] = GREY
    return Image.fromarray(pixels)


def saliency(picture: Image.Image) -> NDArray[np.float32]:
    """Bottom-up saliency of a picture: spectral residual (Hou & Zhang 2007, Eq. 2-5).

    What of the log spectrum differs from its own local mean, back in the image and smoothed.

    Returns:
        float32 [:data:`SALIENCY_SIDE`, :data:`SALIENCY_SIDE`], not negative.
    """
    from scipy import ndimage  # `clickstudy --help` does not wait for it

    small = picture.convert("L").resize((SALIENCY_SIDE, SALIENCY_SIDE), Image.Resampling.BILINEAR)
    spectrum = np.fft.fft2(np.asarray(small, dtype=np.float64) / 255.0)
    size = np.log(np.abs(spectrum) + 1e-9)
    residual = size - ndimage.uniform_filter(size, 3, mode="wrap")
    back = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    return np.asarray(ndimage.gaussian_filter(back, 2.5), dtype=np.float32)


@dataclass(frozen=True)
class Glimpse:
    """How a browser showed an image.

    Attributes:
        onset: when it appeared, in seconds since 1970.
        seconds: that it was there.
        early: answers before it appeared.
    """

    onset: float
    seconds: float
    early: int


def categorised(
    number: int,
    trial: Trial,
    shown: Candidate,
    answer: str,
    seconds: float,
    glimpse: Glimpse | None = None,
) -> Categorised:
    """What the log keeps of the trial of this number: who said what of which image, how fast.

    Args:
        number: from 1.
        trial: what was shown.
        shown: its image.
        answer: the choice.
        seconds: from the onset to the answer.
        glimpse: how a browser showed it.
    """
    return Categorised(
        number=number,
        image=shown.name,
        label=shown.label,
        source=trial.source,
        share=trial.share,
        answer=answer,
        correct=answer == shown.label,
        seconds=seconds,
        onset=None if glimpse is None else glimpse.onset,
        shown=None if glimpse is None else glimpse.seconds,
        early=None if glimpse is None else glimpse.early,
    )


def chosen(names: Sequence[str], seed: int) -> Iterator[int]:
    """Which of these images are prepared: at most :data:`MOST`, by chance, in their order."""
    order = rng(seed, "reveal").permutation(len(names))[:MOST]
    return iter(sorted(int(i) for i in order))
