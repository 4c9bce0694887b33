"""What a Slurm job asks for, and whether jobs can be submitted from here."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from study.config import nearest
from study.errors import UserError

WARNING = 60
"""Seconds before the time limit at which a job is told, so that it can be queued again."""


@dataclass(frozen=True)
class SlurmOptions:
    """What a job asks for.

    Attributes:
        partition: by default the cluster's own.
        minutes: time limit of a job, after which it is queued again and goes on.
        memory: of a job, in GB.
        cpus: of a job; one run computes with one thread.
        gpus: of a job.
        requeues: how often a job may be queued again because of its time limit.
        setup: shell lines before Python starts, such as ``module load cuda``.
        cluster: ``slurm``; ``local`` starts the same jobs on this machine, to try them.
        sbatch: further options of sbatch, by their long names.
    """

    partition: str | None = None
    minutes: float = 240
    memory: float = 8
    cpus: int = 1
    gpus: int = 0
    requeues: int = 20
    setup: tuple[str, ...] = ()
    cluster: str = "slurm"
    sbatch: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, texts: Sequence[str]) -> SlurmOptions:
        """From ``key=value`` texts; a key that is not ours is an option of sbatch.

        Raises:
            UserError: naming the text that is not such a pair, or whose value has no meaning.
        """
        ours: dict[str, Any] = {"sbatch": {}}
        for text in texts:
            key, equals, value = text.partition("=")
            key = key.strip().lstrip("-")
            if not equals or not key or not value:
                raise UserError(f"--slurm {text!r} is not KEY=VALUE, such as minutes=120")
            if key == "setup":
                ours["setup"] = (*ours.get("setup", ()), value)
            elif key in _KINDS:
                ours[key] = _KINDS[key](text, value)
            elif key in _TAKEN:
                raise UserError(f"--slurm {text!r}: say {_TAKEN[key]} instead")
            else:
                ours["sbatch"][key] = value
        return cls(**ours)

    def arguments(self) -> list[str]:
        """As they are given on the command line; what is not said is left out."""
        said = []
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name == "sbatch":
                said += [f"{name}={text}" for name, text in value.items()]
            elif one.name == "setup":
                said += [f"setup={line}" for line in value]
            elif value != one.default:
                said.append(f"{one.name}={value}")
        return [part for text in said for part in ("--slurm", text)]

    def parameters(self, name: str, at_once: int) -> dict[str, Any]:
        """The same in submitit's words, for its Slurm executor."""
        further = {"requeue": True, **self.sbatch}
        return {
            "job_name": name,
            "partition": self.partition,
            "time": math.ceil(self.minutes),
            "mem": f"{round(self.memory * 1024)}M",
            "cpus_per_task": self.cpus,
            "gpus_per_node": self.gpus or None,
            "signal_delay_s": min(WARNING, round(self.minutes * 15)),
            "array_parallelism": at_once,
            "setup": list(self.setup) or None,
            "additional_parameters": further,
        }


def _number(text: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not (math.isfinite(number) and number > 0):
        raise UserError(f"--slurm {text!r}: {value!r} is not a number above 0")
    return number


def _count(text: str, value: str) -> int:
    if not value.isdecimal():
        raise UserError(f"--slurm {text!r}: {value!r} is not a whole number")
    return int(value)


def _cluster(text: str, value: str) -> str:
    if value not in ("slurm", "local"):
        hint = nearest(value, ["slurm", "local"])
        raise UserError(f"--slurm {text!r}: cluster is slurm or local{hint}")
    return value


_KINDS: Mapping[str, Callable[[str, str], Any]] = {
    "partition": lambda _, value: value,
    "minutes": _number,
    "memory": _number,
    "cpus": _count,
    "gpus": _count,
    "requeues": _count,
    "cluster": _cluster,
}
_TAKEN = {"time": "minutes", "mem": "memory", "cpus-per-task": "cpus", "array": "--workers"}
assert set(_KINDS) | {"setup", "sbatch"} == {one.name for one in fields(SlurmOptions)}


def check_slurm(options: SlurmOptions) -> None:
    """Raises :class:`UserError` where jobs cannot be submitted from here."""
    try:
        import submitit  # noqa: F401
    except ImportError as error:
        raise UserError(
            "engine 'slurm' is not installed: pip install 'clickstudy[cluster]'"
        ) from error
    missing = [name for name in ("sbatch", "squeue", "scancel", "srun") if not shutil.which(name)]
    if options.cluster == "slurm" and missing:
        raise UserError(
            f"engine 'slurm' needs {', '.join(missing)}: start this where Slurm's commands are "
            f"(or try it on this machine with --slurm cluster=local)"
        )
