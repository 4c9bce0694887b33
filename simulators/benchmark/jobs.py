"""What a worker does: prepare a seed's classifier, or go through one trial."""

from __future__ import annotations

import json
import os
import platform
import traceback
from io import BytesIO

import torch

from simulators.benchmark import trial
from simulators.benchmark.config import Trial
from simulators.benchmark.places import Places
from simulators.benchmark.state import State
from simulators.engines import reproducible
from study.data.dataset import Dataset
from study.data.loading import load_dataset
from study.device import pick_device
from study.files import write_atomically
from study.learning import models, predictions
from study.loop import TaskLoop
from study.versions import versions


def prepared(places: Places, one: Trial) -> bool:
    """Whether what the trial starts from is there."""
    directory = places.baseline(one)
    kept = directory.predictions(directory.pretrained).exists()
    if one.arm.needs_predictions and not kept and one.study.config.model.checkpoint is None:
        return False
    return directory.pretrained.exists() and directory.baseline.exists()


def prepare(places: Places, one: Trial, device: str, parent: int) -> None:
    """Pretrain the classifier that the trial starts from, evaluate it and draw its images."""
    with reproducible(parent):
        directory = places.baseline(one)
        if not prepared(places, one):
            # trained before anyone asked for its predictions: again, to the same weights
            directory.baseline.unlink(missing_ok=True)
        TaskLoop(one.study, directory, device).prepare()


def perform(places: Places, one: Trial, device: str, parent: int) -> None:
    """One trial, from its last finished cycle; what goes wrong is written down.

    A batch system may start a job anew, whose first trials are finished.
    """
    if places.result(one).exists():
        return
    begun = places.begun(one)
    write_atomically(begun, str(os.getpid()).encode())
    with reproducible(parent):
        try:
            _go(places, one, pick_device(device))
            places.failure(one).unlink(missing_ok=True)
        except Exception as error:
            problem = str(error).splitlines()[0] if str(error) else ""
            write_failure(
                places, one, f"{type(error).__name__} {problem}".strip(), traceback.format_exc()
            )
    begun.unlink(missing_ok=True)


def _go(places: Places, one: Trial, device: torch.device) -> None:
    before = json.loads(places.baseline(one).baseline.read_text())
    machine = trial.Run(one, images(places, one, device), before, device)
    state = _resumed(places, one, device)

    def keep(state: State) -> None:
        if state.spent or state.cycle >= one.file.config.budget.cycles:
            return
        packed = BytesIO()
        torch.save(state.pack(), packed)
        older = places.partials(one)
        write_atomically(places.partial(one, state.cycle), packed.getvalue())
        for path in older:
            path.unlink(missing_ok=True)

    state = machine.go(state, keep)
    content = {
        "parameters": one.parameters(),
        "versions": versions(),
        "ran_on": _ran_on(device),
        **trial.result(machine, state, device),
    }
    write_atomically(places.result(one), json.dumps(content).encode())
    for path in places.partials(one):
        path.unlink(missing_ok=True)


def _ran_on(device: torch.device) -> dict[str, str]:
    """The hardware, for people: results of different kinds differ in the last bits."""
    gpu = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if gpu else device.type,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }


_LOADED: dict[tuple[str, str], Dataset] = {}


def images(places: Places, one: Trial, device: torch.device) -> Dataset:
    """The images of a trial's seed, on the device; the last are kept in each process."""
    directory = places.baseline(one)
    key = (str(directory.path), str(device))
    if key not in _LOADED:
        _LOADED.clear()
        _LOADED[key] = load_dataset(one.study, directory.cache).to(device)
    return _LOADED[key]


def _resumed(places: Places, one: Trial, device: torch.device) -> State:
    directory = places.baseline(one)
    model = models.load(directory.pretrained, device)[0]
    for path in places.partials(one):
        packed = torch.load(path, map_location="cpu", weights_only=True)
        return State.unpack(packed, model)
    path = directory.predictions(directory.pretrained)
    wanted = one.arm.needs_predictions and path.exists()  # a given checkpoint brings none
    return State(model, predictions=predictions.load(path) if wanted else None)


def write_failure(places: Places, one: Trial, problem: str, trace: str) -> None:
    """Write down what went wrong with a trial, until it is run again."""
    content = {"parameters": one.parameters(), "problem": problem, "traceback": trace}
    write_atomically(places.failure(one), json.dumps(content, indent=1).encode())
