"""Run a study with simulated participants, in parallel, resumably.

Participants are enrolled in one process and in order, so that sequences are allocated the same
whatever the number of workers. Then each participant is one independent job: it opens the log,
goes on where the log ends, and stops when the study is complete. Nothing is passed between jobs.
"""

from __future__ import annotations

import functools
import logging
import os
import shlex
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import joblib
from rich.console import Console

from simulators.engines import check_engine, jobs_on, reproducible
from simulators.participant import Participant
from simulators.person import Person
from simulators.population import Population
from simulators.slurm_options import SlurmOptions
from simulators.watch import Watch
from study.beginning import fingerprints
from study.config import StudyFile
from study.constraints import write_constraints
from study.directory import StudyDirectory
from study.errors import UserError
from study.loop import TaskLoop
from study.protocol.events import Enrolled
from study.protocol.session import Session, Study, enrol, open_study
from study.seeds import rng

FIRST_MORNING = 1767600000.0
"""2026-01-05 08:00 UTC: when the first simulated participant comes; the others a day apart each."""
DAY = 86400.0
NOTE = "calibrated to He et al. (2023), section 7.1: not evidence for it"

log = logging.getLogger(__name__)


class SimulationError(UserError):
    """Some participants could not go on; the others are complete."""


@dataclass(frozen=True)
class Outcome:
    """How one participant's job ended: a status, or what went wrong."""

    participant: str
    status: str
    problem: str = ""


def simulate(
    file: StudyFile,
    directory: Path | StudyDirectory,
    participants: int = 16,
    workers: int = 0,
    engine: str = "local",
    device: str = "auto",
    *,
    fixed: Mapping[str, float] | None = None,
    waiting: float | None = None,
    progress: bool = True,
    slurm: SlurmOptions | None = None,
    population: Population | None = None,
) -> list[Outcome]:
    """Run the whole study with ``participants`` simulated people; called again, it resumes.

    Args:
        file: the study file.
        directory: the study directory; made when missing.
        participants: how many there are in the end, those of earlier calls included.
        workers: processes; 0 is one for each core.
        engine: ``local`` processes, or ``slurm``, ``ray`` or ``dask``, which see the directory.
            SQLite's log is for one machine: a cluster needs ``CLICKSTUDY_STORE``.
        device: where models are computed.
        fixed: parameters of :class:`~simulators.person.Person` that are the same for everybody,
            for instance ``{"familiarity": 0.0}``.
        waiting: simulated seconds per machine step; None takes the measured ones.
        progress: whether to draw a progress bar over the tasks.
        slurm: what each Slurm job asks for; their logs are in ``slurm/``.
        population: whom people are drawn from, in place of the study file's ``people``.

    Returns:
        One outcome for each participant, in order of enrolment.

    Raises:
        SimulationError: after everybody else finished, naming who could not.
        UserError: for an unknown or missing engine, or a dataset without masks.
    """
    check_engine(engine, slurm)
    named = file.config.people or "declared"
    if population is None:
        population = population_of(file)
    else:
        named = str(population.about.get("source", "a population"))
    if not isinstance(directory, StudyDirectory):
        directory = StudyDirectory.create(directory, file)
    loop = TaskLoop(file, directory, device)
    require_masks(loop)
    loop.prepare()
    study = directory.study(file)
    names = _enrol(study, participants, population, named, fixed or {})
    open_study(study, "simulated", device, **fingerprints(directory))
    write_constraints(directory)
    job = functools.partial(_run, file, directory, device, waiting, os.getpid())
    jobs = [joblib.delayed(job)(name) for name in names]
    watch = Watch(study, names) if progress else nullcontext()
    try:
        with watch, jobs_on(engine, workers, directory.path / "slurm", slurm) as pool:
            outcomes: list[Outcome] = pool(jobs)
    except KeyboardInterrupt:
        command = ["clickstudy", "simulate", str(file.path), "--participants", str(participants)]
        command += ["--workers", str(workers), "--engine", engine, "--device", device]
        command += ["--out", str(directory.path), *(slurm.arguments() if slurm else [])]
        Console(stderr=True).print(
            f"\nInterrupted; what was recorded is kept. To go on: {shlex.join(command)}",
            soft_wrap=True,
            markup=False,
        )
        raise
    finally:
        study.store.close()
    failed = [outcome for outcome in outcomes if outcome.problem]
    if failed:
        lines = "; ".join(f"{outcome.participant}: {outcome.problem}" for outcome in failed)
        raise SimulationError(
            f"{len(failed)} of {len(outcomes)} participants could not go on, the others are "
            f"complete ({lines}): put it right and run the same command again"
        )
    return outcomes


def population_of(file: StudyFile) -> Population:
    """Whom the study's simulated people are drawn from."""
    people = file.config.people
    return Population.read(file.resolve(Path(people))) if people else Population()


def require_masks(loop: TaskLoop) -> None:
    """Raise before hours of training what would end the first task: images without masks."""
    for split in ("train", "val"):
        loop.dataset[split].require_masks("a simulated participant")


def _enrol(
    study: Study,
    participants: int,
    population: Population,
    named: str,
    fixed: Mapping[str, float],
) -> Sequence[str]:
    """The names of the simulated participants, after enrolling those that are missing."""
    present = set(study.store.participants("simulated"))
    names = [f"S{number:02d}" for number in range(1, participants + 1)]
    for number, name in enumerate(names):
        if name in present:
            continue
        person = population.draw(rng(study.config.seed, name, "person"), fixed)
        described = {
            "person": person.model_dump(),
            "people": named,
            "note": NOTE if named == "declared" else f"as {named} says",
        }
        enrol(study, name, "simulated", FIRST_MORNING + DAY * number, described)
    return names


def _run(
    file: StudyFile,
    directory: StudyDirectory,
    device: str,
    waiting: float | None,
    parent: int,
    name: str,
) -> Outcome:
    """One participant, from where the log ends; a failure is an outcome, so that others go on."""
    with reproducible(parent):
        study = directory.study(file)
        try:
            session = Session(study, name)
            if session.progress.status != "active":
                return Outcome(name, session.progress.status)
            loop = _loop(file, directory, device)
            participant = Participant(session, loop, _person(session), waiting)
            return Outcome(name, participant.run())
        except Exception as error:
            log.exception("simulated participant %s could not go on", name)
            problem = str(error).splitlines()[0] if str(error) else ""
            return Outcome(name, "active", f"{type(error).__name__} {problem}".strip())
        finally:
            study.store.close()


def _person(session: Session) -> Person:
    """Who the participant is, from the log: not drawn anew, so that a new version changes nobody.

    Raises:
        SimulationError: when somebody else enrolled the participant as simulated.
    """
    for event in session.study.store.events(session.participant):
        if isinstance(event.payload, Enrolled) and event.payload.simulated:
            return Person.model_validate(event.payload.simulated["person"])
    raise SimulationError(f"{session.participant} was enrolled without a simulated person")


@functools.lru_cache(maxsize=1)
def _loop(file: StudyFile, directory: StudyDirectory, device: str) -> TaskLoop:
    """The machine's side, loaded once in each process."""
    return TaskLoop(file, directory, device)
