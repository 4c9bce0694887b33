"""Running an experiment of the documents, and what came out beside what was published."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from simulators.replications.published import Experiment
from study.data import recipes
from study.data.counts import counts
from study.data.loading import load_dataset
from study.data.reading import Progress
from study.errors import UserError

Settings = dict[str, Any]
SMALL: Mapping[str, Mapping[str, Any]] = {
    "dataset": {"size": 32},
    "model": {"name": "small", "width": 16, "blocks": 2},
    "pretraining": {"epochs": 2, "batch": 16, "learning_rate": 0.05},
    "fine_tuning": {"epochs": 1, "batch": 8},
}
"""A run to try the way with; its numbers mean nothing."""
COLUMNS = ["arm", "measure", "published", "here", "runs"]


def place_of(dataset: str, root: Path) -> Path:
    """Where a dataset lies: in a folder of its name below ``root``, or in ``root`` itself."""
    folder = root / dataset.split("-")[0]
    return folder if folder.is_dir() and not recipes.recipe(dataset).missing(folder) else root


def require(experiment: Experiment, root: Path) -> None:
    """Raise a :class:`study.data.dataset.DataError` that lists all that is missing."""
    for dataset in experiment.datasets:
        recipes.recipe(dataset).require(place_of(dataset, root))


def file_of(experiment: Experiment, dataset: str, root: Path, small: bool) -> str:
    """The benchmark or study file, as TOML."""
    recipe, place = recipes.recipe(dataset), place_of(dataset, root)
    settings: Settings = {"name": experiment.name, **_copied(experiment.settings)}
    given = {"root": str((place / recipe.inside).resolve()), **recipe.settings(place)}
    chosen = {**given, **experiment.dataset.get(dataset, {})}
    settings["dataset"] = {name: value for name, value in chosen.items() if value is not None}
    if experiment.kind == "benchmark":
        settings["title"] = experiment.title
    if small:
        for table, changes in SMALL.items():
            kept = {} if table == "model" else settings.get(table, {})
            settings[table] = {**kept, **changes}
        if experiment.kind == "benchmark":
            settings |= {"seeds": [0], "budget": {"batch": 4, "cycles": 1}}
        else:
            settings["task"] = {"images": 4, "batch": 4, "page": 2}
    head = f"# {experiment.source}: {experiment.title}.\n# What is not set has the paper's value.\n"
    return head + tomli_w.dumps(settings)


def _copied(settings: Mapping[str, Any]) -> Settings:
    return {
        key: dict(value) if isinstance(value, Mapping) else value for key, value in settings.items()
    }


def run(
    experiment: Experiment,
    root: Path,
    out: Path,
    *,
    workers: int = 0,
    device: str = "auto",
    small: bool = False,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Run what is not finished of an experiment.

    Args:
        experiment: which.
        root: the folder of the dataset, or of folders ``coco``, ``celeba``, ``awa2``.
        out: where everything is written; called again, it resumes.
        workers: processes; 0 is one for each core.
        device: where models are computed.
        small: a scaled-down run.
        progress: told how many photographs are read, of how many.

    Returns:
        ``arm, measure, published, here, runs``: a row for each published number.
    """
    require(experiment, root)
    out.mkdir(parents=True, exist_ok=True)
    if experiment.kind == "counts":
        here = _counts(experiment, root, out, small, progress)
    else:
        dataset = experiment.datasets[0]
        file = out / ("bench.toml" if experiment.kind == "benchmark" else "study.toml")
        text = file_of(experiment, dataset, root, small)
        if file.exists() and file.read_text(encoding="utf-8") != text:
            raise UserError(
                f"{file} is of another run (other settings or photographs): choose another --out, "
                f"or delete it"
            )
        file.write_text(text, encoding="utf-8")
        chosen = _benchmark if experiment.kind == "benchmark" else _study
        here = chosen(file, out, workers, device, small)
    return beside(experiment, here)


def beside(
    experiment: Experiment, here: Mapping[tuple[str, str], tuple[float, int]]
) -> pd.DataFrame:
    """The published figures, what was measured (NaN: it was not) and over how many runs."""
    rows = []
    for figure in experiment.figures:
        value, runs = here.get((figure.arm, figure.measure), (float("nan"), 0))
        rows.append((figure.arm, figure.measure, figure.value, value, runs))
    return pd.DataFrame(rows, columns=COLUMNS)


Found = dict[tuple[str, str], tuple[float, int]]


def _counts(
    experiment: Experiment, root: Path, out: Path, small: bool, progress: Progress | None
) -> Found:
    from study.config import load

    found: Found = {}
    for dataset in experiment.datasets:
        file = out / f"{dataset}.toml"
        file.write_text(file_of(experiment, dataset, root, small), encoding="utf-8")
        table = counts(load_dataset(load(file), out / "cache", progress))
        per_class = table.groupby("class")[["train", "val", "test"]].sum()
        for split in per_class:
            for name, value in per_class[split].items():
                found[f"{dataset}: {name}", str(split)] = (float(value), 1)
            if dataset == "celeba":  # Table 1 states both classes together
                whole = float(per_class[split].sum())
                found["celeba: Wearing_Lipstick", str(split)] = (whole, 1)
    return found


def _benchmark(file: Path, out: Path, workers: int, device: str, small: bool) -> Found:
    from simulators.benchmark import config, sweep

    failures = sweep.run(config.load(file), out / "benchmark", workers, device=device)
    if failures:
        first = failures[0]
        raise UserError(
            f"{len(failures)} runs failed ({first.run.arm.name}, seed {first.run.number}: "
            f"{first.problem}): put it right and run the same command again"
        )
    return of_cycles(pd.read_csv(out / "benchmark" / "cycles.csv"))


def of_cycles(cycles: pd.DataFrame) -> Found:
    """Means over runs of every metric of every split: before, and at the end of each arm."""
    found: Found = {}
    metrics = [c for c in map(str, cycles) if c.startswith(("accuracy", "attention_inside"))]
    last = cycles[cycles["cycle"] == cycles.groupby("trial")["cycle"].transform("max")]
    first = cycles[cycles["cycle"] == 0].drop_duplicates(["seed", "split"])
    for arm, rows in (("pretrained", first), *last.groupby("strategy")):
        for split, part in rows.groupby("split"):
            for metric in metrics:
                values = part[metric].dropna()
                if len(values):
                    found[str(arm), f"{split}:{metric}"] = (float(values.mean()), len(values))
    return found


def _study(file: Path, out: Path, workers: int, device: str, small: bool) -> Found:
    from simulators.runner import simulate
    from study.config import load
    from study.directory import StudyDirectory
    from study.export.tables import read
    from study.loop import TaskLoop

    study = load(file)
    directory = StudyDirectory.create(out / "study", study)
    loop = TaskLoop(study, directory, device)
    if not loop.prepared:
        loop.prepare()
    simulate(study, directory, 4 if small else 16, workers, device=device, progress=False)
    tasks = read(directory.path)["tasks"]
    found: Found = {}
    for (interface, sampling), rows in tasks.groupby(["interface", "sampling"]):
        for measure in ("seconds_per_image", "accuracy_before", "accuracy_after"):
            values = rows[measure].dropna()
            if len(values):
                found[f"{interface}-{sampling}", measure] = (float(values.mean()), len(values))
    return found
