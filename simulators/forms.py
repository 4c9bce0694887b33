"""Which form of guidance cures a bias? One table for the forms, on drawn scenes.

For every scene, bias and seed: draw the data, pretrain the biased classifier, let a simulated
person annotate images by clicks and by polygons, fine-tune one copy of the classifier per form on
the same images for the same epochs, and evaluate on scenes in which the bias does not hold. A seed
changes everything: data, first weights, who is annotated, order of images. Every trial is one file
named by the hash of what it depends on, so a comparison that was cut short goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import torch

from simulators.clicks import click
from simulators.person import Person
from simulators.polygons import draw_polygons
from study.annotation import Annotation
from study.config import (
    FineTuningConfig,
    GuidanceConfig,
    ModelConfig,
    PretrainingConfig,
    ScenesConfig,
    nearest,
)
from study.data import scenes as drawn
from study.data.dataset import Dataset, ImageSet
from study.errors import UserError
from study.files import write_atomically
from study.learning import models, training
from study.learning.attention import attention_maps
from study.learning.evaluation import evaluate
from study.learning.superpixels import segment
from study.seeds import rng, seed

Scene = Literal["beside", "background"]
SMALL = ModelConfig(name="small")
ONE_CYCLE = PretrainingConfig(learning_rate=0.05, batch=64, epochs=20, schedule="one-cycle")
VERSION = 1
"""To be raised when the same settings mean another experiment."""

FORMS: dict[str, GuidanceConfig | None] = {
    "pretrained": None,
    # w_c = 1: the stronger of the two baselines (a quarter of the rate learns less)
    "labels": GuidanceConfig(w_g=0.0, w_c=1.0),
    "eq-3-4": GuidanceConfig(positive="point", negative="sum", normalise=False, score="label"),
    "clicks": GuidanceConfig(negative="none"),
    "clicks, label map": GuidanceConfig(negative="none", score="label"),
    "clicks+regions": GuidanceConfig(),
    "polygons": GuidanceConfig(),
}
"""What is compared; ``eq-3-4`` is the paper's loss as printed, on the plain ReLU map."""
MEASURES = {
    "accuracy": "accuracy, unbiased",
    "aligned_accuracy": "aligned",
    "conflicting_accuracy": "conflicting",
    "attention_inside": "attention inside",
    "biased_accuracy": "accuracy, biased",
}


@dataclass(frozen=True)
class Settings:
    """What every trial of a comparison shares."""

    epochs: int = 40
    images: int = 256
    batch: int = 32
    train: int = 1000
    test: int = 600
    model: ModelConfig = SMALL
    pretraining: PretrainingConfig = ONE_CYCLE

    def as_dict(self) -> dict[str, Any]:
        """Plain values; they are part of every trial's name."""
        return {
            "version": [VERSION, drawn.DRAWING_VERSION],
            "epochs": self.epochs,
            "images": self.images,
            "batch": self.batch,
            "train": self.train,
            "test": self.test,
            "model": self.model.model_dump(mode="json"),
            "pretraining": self.pretraining.model_dump(mode="json"),
        }


def compare(
    out: Path,
    scenes: Sequence[Scene] = ("beside", "background"),
    biases: Sequence[float] = (0.95, 1.0),
    seeds: Sequence[int] = (0, 1, 2),
    forms: Sequence[str] = tuple(FORMS),
    epochs: int = 40,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Run what has not been run, and tabulate all of it.

    Args:
        out: where trials, checkpoints, ``guidance.csv`` and ``guidance.svg`` go.
        scenes, biases, seeds, forms: the grid.
        epochs: of fine-tuning, where ``settings`` are not given.
        device: where to train.
        progress: called with (trials done, trials in all).
        settings: everything else.

    Returns:
        One row per trial: scene, bias, seed, form, accuracy (on the unbiased split),
        aligned_accuracy, conflicting_accuracy, attention_inside, dead_maps, biased_accuracy (on a
        split with the training bias), collapsed, seconds.

    Raises:
        UserError: for a form that does not exist.
    """
    for form in forms:
        if form not in FORMS:
            raise UserError(f"{form!r} is not a form of guidance{nearest(form, list(FORMS))}")
    settings = settings or Settings(epochs=epochs)
    grid = [
        (scene, bias, number, form)
        for scene in scenes
        for number in seeds
        for bias in biases
        for form in forms
    ]
    rows = []
    for done, (scene, bias, number, form) in enumerate(grid, start=1):
        rows.append(_trial(out, scene, bias, number, form, settings, torch.device(device)))
        if progress is not None:
            progress(done, len(grid))
    frame = pd.DataFrame(rows)
    write_atomically(out / "guidance.csv", frame.to_csv(index=False).encode())
    figure(frame, out / "guidance.svg")
    return frame


def summary(frame: pd.DataFrame) -> str:
    """Markdown: for each scene, bias and form the mean of each measure and every seed's value."""
    head = ["scene", "bias", "form", *MEASURES.values(), "collapsed"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for (scene, bias, form), part in frame.groupby(["scene", "bias", "form"], sort=False):
        cells = [str(scene), f"{bias:.0%}", str(form)]
        for measure in MEASURES:
            values = part.sort_values("seed")[measure]
            each = " ".join(f"{value:.2f}".removeprefix("0") for value in values)
            cells.append(f"**{values.mean():.3f}** ({each})")
        cells.append(f"{int(part['collapsed'].sum())} of {len(part)}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def figure(frame: pd.DataFrame, path: Path) -> None:
    """Accuracy, conflicting accuracy and attention inside, every seed a dot, as SVG."""
    from matplotlib.figure import Figure

    groups = list(frame.groupby(["scene", "bias"], sort=False))
    measures = ("accuracy", "conflicting_accuracy", "attention_inside")
    canvas = Figure(figsize=(3.0 * len(groups) + 1.2, 7.6), layout="constrained")
    axes = canvas.subplots(len(measures), len(groups), sharex=True, sharey="row", squeeze=False)
    forms = list(dict.fromkeys(frame["form"]))
    for column, ((scene, bias), part) in enumerate(groups):
        for row, measure in enumerate(measures):
            axis = axes[row][column]
            if "accuracy" in measure:  # two classes: a coin
                axis.axhline(0.5, color="grey", lw=1, ls=":")
            for place, form in enumerate(forms):
                values = part.loc[part["form"] == form, measure].astype(float)
                axis.plot([place] * len(values), values, "o", color="#33658a", alpha=0.6, ms=5)
                axis.hlines(values.mean(), place - 0.3, place + 0.3, color="#d1495b", lw=2)
            axis.set_ylim(0, 1)
            axis.set_xticks(range(len(forms)), forms, rotation=40, ha="right", fontsize=8)
            axis.grid(axis="y", alpha=0.3)
            if column == 0:
                axis.set_ylabel(MEASURES[measure])
        axes[0][column].set_title(f"{scene}, {bias:.0%} biased", fontsize=10)
    canvas.suptitle(
        "SIMULATED: what each form of guidance does (dots: seeds; bars: means; dotted: chance)"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas.savefig(path, format="svg")


def _trial(
    out: Path,
    scene: Scene,
    bias: float,
    number: int,
    form: str,
    settings: Settings,
    device: torch.device,
) -> dict[str, Any]:
    guidance = FORMS[form]
    parameters = {
        "scene": scene,
        "bias": bias,
        "seed": number,
        "form": form,
        "guidance": None if guidance is None else guidance.model_dump(mode="json"),
        "settings": settings.as_dict(),
    }
    path = out / "trials" / f"{_hash(parameters)}.json"
    if path.exists():
        return dict(json.loads(path.read_text())["row"])
    subject = _subject(out, scene, bias, number, settings, device)
    model = models.load(subject.checkpoint, device)[0]
    outcome: dict[str, Any] = {"collapsed": False, "note": "", "seconds": 0.0}
    if guidance is not None:
        result = training.fine_tune(
            model,
            subject.images,
            subject.polygons if form == "polygons" else subject.clicks,
            FineTuningConfig(epochs=settings.epochs, batch=settings.batch),
            guidance,
            seed(number, "forms", "order"),
            device,
        )
        outcome = {key: getattr(result, key) for key in outcome}
    fair = evaluate(model, subject.data["balanced"], device)
    names = ("accuracy", "aligned_accuracy", "conflicting_accuracy", "attention_inside")
    row = {
        "scene": scene,
        "bias": bias,
        "seed": number,
        "form": form,
        **{name: fair[name] for name in (*names, "dead_maps")},
        "biased_accuracy": evaluate(model, subject.data["test"], device)["accuracy"],
        **outcome,
    }
    write_atomically(path, json.dumps({"parameters": parameters, "row": row}, indent=1).encode())
    return row


@dataclass(frozen=True)
class _Subject:
    """What the trials of one scene, bias and seed start from."""

    data: Dataset
    checkpoint: Path
    images: ImageSet
    clicks: list[Annotation]
    polygons: list[Annotation]


@lru_cache(maxsize=1)
def _subject(
    out: Path, scene: Scene, bias: float, number: int, settings: Settings, device: torch.device
) -> _Subject:
    data = drawn.render(
        ScenesConfig(
            scene=scene,
            bias=bias,
            seed=number,
            train=settings.train,
            val=100,
            test=settings.test // 2,
            balanced=settings.test,
        )
    )
    name = _hash({"scene": scene, "bias": bias, "seed": number, "settings": settings.as_dict()})
    checkpoint = out / "checkpoints" / f"{name}.pt"
    if checkpoint.exists():
        model = models.load(checkpoint, device)[0]
    else:
        model = models.build(settings.model, len(data.classes), seed(number, "forms", "weights"))
        stream = seed(number, "forms", "pretrain")
        training.pretrain(model, data["train"], data["val"], settings.pretraining, stream, device)
        models.save(checkpoint, model, {"scene": scene, "bias": bias, "seed": number})
    order = rng(number, "forms", "images").permutation(len(data["train"]))
    images = data["train"].subset(order[: settings.images].tolist())
    pairs = list(_annotated(model, images, number, device))
    return _Subject(
        data, checkpoint, images, [clicks for clicks, _ in pairs], [outline for _, outline in pairs]
    )


def _annotated(
    model: models.Classifier, images: ImageSet, number: int, device: torch.device
) -> Iterator[tuple[Annotation, Annotation]]:
    """The clicks and the polygons of the same average person on the same images."""
    person = Person()
    maps = attention_maps(model, images, device=device).cpu().numpy()
    masks = images.require_masks("the comparison of guidance forms").numpy()
    for attention, mask, name in zip(maps, masks, images.names, strict=True):
        superpixels = lru_cache(
            lambda attention=attention, mask=mask: segment(attention, *mask.shape)
        )
        clicks, _ = click(mask, attention, superpixels, person, rng(number, name, "click"))
        outline, _ = draw_polygons(mask, person, rng(number, name, "polygon"))
        yield clicks, outline


def _hash(parameters: dict[str, Any]) -> str:
    text = json.dumps(parameters, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
