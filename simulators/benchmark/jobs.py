"""What a worker does: prepare a seed's classifier, or do one run."""

from __future__ import annotations

import json
import os
import platform
import traceback
from io import BytesIO

import torch

from simulators.benchmark import run
from simulators.benchmark.config import Run
from simulators.benchmark.labels import machine_of
from simulators.benchmark.places import Places
from simulators.benchmark.state import State
from simulators.engines import reproducible
from study.cycle import Needs
from study.device import pick_device
from study.files import write_atomically
from study.start import Start, prepared
from study.versions import versions


def is_prepared(places: Places, one: Run, needs: Needs) -> bool:
    """Whether what the run starts from is there."""
    return prepared(places.baseline(one), one.study.config, needs)


def prepare(places: Places, one: Run, needs: Needs, device: str, parent: int) -> None:
    """Make what the run starts from; ``needs`` are those of all runs that start from it."""
    with reproducible(parent):
        directory, on = places.baseline(one), pick_device(device)
        begin = Start(one.study, directory, on, labels=not one.labels)
        if one.arm.annotator != "people" and one.file.config.task.buys != "labels":
            begin.dataset["train"].require_masks("a simulated annotator")
        begin.prepare(needs)


def perform(places: Places, one: Run, device: str, parent: int) -> None:
    """One run, from its last finished cycle; what goes wrong is written down.

    A batch system may start a job anew, whose first runs are finished.
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


def _go(places: Places, one: Run, device: torch.device) -> None:
    machine = machine_of(one)(one, start(places, one, device), device)
    state = State(machine.beginning)
    for path in places.partials(one)[:1]:
        packed = torch.load(path, map_location="cpu", weights_only=True)
        state = State.unpack(packed, machine.beginning.model)

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
        **run.result(machine, state),
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


_STARTS: dict[tuple[str, str], Start] = {}


def start(places: Places, one: Run, device: torch.device) -> Start:
    """What a run starts from, on the device; the last is kept in each process."""
    directory = places.baseline(one)
    key = (str(directory.path), str(device))
    if key not in _STARTS:
        _STARTS.clear()
        _STARTS[key] = Start(one.study, directory, device, labels=not one.labels)
    return _STARTS[key]


def write_failure(places: Places, one: Run, problem: str, trace: str) -> None:
    """Write down what went wrong with a run, until it is run again."""
    content = {"parameters": one.parameters(), "problem": problem, "traceback": trace}
    write_atomically(places.failure(one), json.dumps(content, indent=1).encode())
