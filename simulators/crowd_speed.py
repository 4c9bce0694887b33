"""What a simulated click annotation costs, beside the ideal clicker of RITM.

Part of :mod:`simulators.speed`; everything is timed here, on the same images, one after the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from simulators.annotator import Shape, annotate
from simulators.crowd import click
from simulators.desk import People, Rows
from simulators.outlines import outline
from simulators.person import Person
from simulators.population import Population
from simulators.sheet import Sheet
from study.config import ScenesConfig
from study.data import scenes
from study.data.dataset import ImageSet
from study.seeds import rng, seed

IMAGES = 2048
ANNOTATIONS = 1_000_000
PEOPLE = 64
OUTLINES = 16_384
FEW = 128
"""Images that the one-image hand and RITM's clicker are timed on."""


def million(device: torch.device) -> Iterator[tuple[str, float, float, str]]:
    """(what, measured, at most, detail): a million annotations, and one beside RITM's clicker."""
    split = scenes.render(ScenesConfig(scene="beside", train=IMAGES, val=8, test=8, balanced=8))
    masks, maps = split["train"].require_masks("--speed"), looked(split["train"])
    spent: dict[str, float] = {}
    with _clock(spent, "tables", device):
        sheet = Sheet(masks, maps, device)
    with _clock(spent, "superpixels", device):
        sheet.look_up(torch.arange(IMAGES, device=device))
    people = People([Population().draw(rng("speed", number)) for number in range(PEOPLE)], device)
    number = torch.arange(ANNOTATIONS)
    rows = Rows(
        image=number % IMAGES,
        person=number % PEOPLE,
        key=number * 2_654_435_761,
        trial=1 + number // IMAGES,
        hours=torch.zeros(ANNOTATIONS, dtype=torch.float64),
        similarity=torch.zeros(ANNOTATIONS, dtype=torch.float64),
    ).to(device)
    with _clock(spent, "annotations", device):
        done = click(sheet, people, rows)
    total = sum(spent.values())
    marks = int(done.marks.sum())
    where = f"{device}, one thread" if device.type == "cpu" else str(device)
    yield (
        "seconds of 1,000,000 click annotations: points, regions, times",
        total,
        60.0 if device.type == "cpu" else 3.0,
        f"{IMAGES:,} images of 80 px with their maps, {PEOPLE} people, {marks:,} marks; tables of "
        f"all images {spent['tables']:.2f} s, superpixels of all {spent['superpixels']:.2f} s, "
        f"annotating {spent['annotations']:.2f} s; {where}",
    )
    clicker = _per_call(lambda at: ritm_click(masks[at].numpy(), nothing), FEW)
    per_mark = spent["annotations"] / marks
    yield (
        "one of those clicks with its time / one of RITM's clicker",
        per_mark / clicker,
        1.0,
        f"ours {1e6 * per_mark:.2f} us on tables that are made, {1e6 * total / marks:.2f} us with "
        f"making them; the maximum of two distance transforms (scipy) {1e6 * clicker:.0f} us",
    )
    heat = maps.numpy()
    alone = _per_call(
        lambda at: annotate(
            "click", masks[at].numpy(), heat[at][None], Person(), Shape(), seed(at)
        ),
        FEW,
    )
    new = (spent["tables"] + spent["superpixels"]) / IMAGES + spent["annotations"] / ANNOTATIONS
    yield (
        "an annotation of an image never seen, together / one image at a time",
        new / alone,
        1.0,
        f"{1e3 * new:.2f} ms against {1e3 * alone:.2f} ms; the image's superpixels are "
        f"{1e3 * spent['superpixels'] / IMAGES:.2f} ms of either",
    )
    with _clock(spent, "outlines", device):
        outline(sheet, people, next(rows.parts(OUTLINES)))
    together = spent["outlines"] / OUTLINES
    alone = _per_call(
        lambda at: annotate("polygon", masks[at].numpy(), None, Person(), Shape(), seed(at)), FEW
    )
    yield (
        "a polygon annotation with its time, together / one image at a time",
        together / alone,
        1.0,
        f"{1e3 * together:.2f} ms against {1e3 * alone:.2f} ms; {OUTLINES:,} annotations of "
        f"{IMAGES:,} images, whose contours are made once",
    )


nothing = np.zeros((80, 80), dtype=bool)


def ritm_click(mask: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> tuple[int, int, bool]:
    """The ideal clicker (Sofiiuk et al. 2022): row, column, whether it is a positive click.

    Of the missed and of the wrongly found pixels, both [H, W], the one farthest from their edge;
    the image's edge is an edge. Ties are negative. Made from its definition, for timing beside.
    """
    missed = ndimage.distance_transform_edt(np.pad(mask & ~predicted, 1))[1:-1, 1:-1]
    found = ndimage.distance_transform_edt(np.pad(predicted & ~mask, 1))[1:-1, 1:-1]
    positive = bool(missed.max() > found.max())
    place = int((missed if positive else found).argmax())
    return place // mask.shape[1], place % mask.shape[1], positive


def looked(images: ImageSet) -> torch.Tensor:
    """Maps like a biased classifier's, float32 [N, 10, 10]: on what goes with the class."""
    assert images.context_masks is not None
    beside = torch.as_tensor(images.context_masks[:]).float()
    on = images.require_masks("--speed").float() * 0.4 + beside
    small = torch.nn.functional.adaptive_avg_pool2d(on[:, None], 10)
    return torch.nn.functional.avg_pool2d(small, 3, 1, 1)[:, 0]


def _per_call(job: Callable[[int], object], calls: int) -> float:
    job(0)
    began = time.process_time()
    for number in range(calls):
        job(number)
    return (time.process_time() - began) / calls


class _clock:
    """Puts the seconds of a block into ``spent[name]``: of the processor, or of the device."""

    def __init__(self, spent: dict[str, float], name: str, device: torch.device) -> None:
        self.spent, self.name, self.device = spent, name, device

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
            return time.perf_counter()
        return time.process_time()

    def __enter__(self) -> None:
        self.began = self._now()

    def __exit__(self, *_: object) -> None:
        self.spent[self.name] = self._now() - self.began
