"""Figure 8 of a benchmark: the attention of a fixed sample before and after, by strategy."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from apps.commands.pictures import draw
from simulators.benchmark.config import BenchFile, Run
from simulators.benchmark.jobs import start
from simulators.benchmark.places import Places
from simulators.benchmark.run import look, sample
from study.config import InterfaceName
from study.cycle import Needs
from study.learning.looks import Look

ROWS = 4
"""Strategies in one picture, at most."""


def before_after(file: BenchFile, place: Path) -> list[tuple[bytes, str]]:
    """A picture (PNG) and its caption for each interface with finished runs.

    The first finished seed; the baseline strategy, the attention strategies, then the others in the
    file's order, up to :data:`ROWS`.
    """
    places = Places(place.resolve())
    pictures = []
    if file.config.task.labels:
        return []  # nobody guides attention
    for interface in file.interfaces:
        chosen = _chosen(file, places, interface)
        if chosen:
            pictures.append(_picture(file, places, interface, chosen))
    return pictures


def _chosen(file: BenchFile, places: Places, interface: InterfaceName) -> list[Run]:
    done = [one for one in file.runs() if one.interface == interface]
    done = [one for one in done if places.result(one).exists()]
    same_seed = [one for one in done if one.number == done[0].number]
    return sorted(
        same_seed,
        key=lambda one: (one.arm.name != file.config.baseline, "attention" not in one.arm.name),
    )[:ROWS]


def _picture(
    file: BenchFile, places: Places, interface: InterfaceName, chosen: Sequence[Run]
) -> tuple[bytes, str]:
    first = chosen[0]
    cpu = torch.device("cpu")
    beginning, config = start(places, first, cpu), first.study.config
    shown = sample(beginning.data(config), first.number)
    pretrained = beginning.learner(config, Needs()).model
    results = [json.loads(places.result(one).read_text()) for one in chosen]
    looks = [_look(look(pretrained, shown, cpu)), *(_look(one["look"]) for one in results)]
    spent = max(row["images"] for row in results[0]["rows"])
    figure = draw(
        shown,
        looks,
        ("before", *(one.arm.name for one in chosen)),
        f"SIMULATED annotator, {interface}, seed {first.number}, about {spent} images",
    )
    file_like = io.BytesIO()
    figure.savefig(file_like, format="png", dpi=130, bbox_inches="tight")
    caption = (
        f"What the classifier looks at before annotation and at the end of the budget, with the "
        f"{interface} interface, on {len(shown)} fixed images of seed {first.number} (Figure 8); "
        f"the object is outlined. SIMULATED annotator. One seed is an example, not evidence."
    )
    return file_like.getvalue(), caption


def _look(values: dict[str, list[object]]) -> Look:
    arrays = {name: np.asarray(value, dtype=np.float32) for name, value in values.items()}
    return Look(**arrays)
