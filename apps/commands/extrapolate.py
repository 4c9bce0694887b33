"""``clickstudy extrapolate``: the expected outcome, power and hours of a study that was not run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from apps.commands.console import console, counted
from apps.commands.options import (
    DeviceOption,
    OutOption,
    StudyFileArgument,
    WorkersOption,
    margins_of,
    one_sentence,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from analysis.plan import Plan, Prediction
    from simulators.extrapolation import Outcomes
    from simulators.population import Population
    from study.config import StudyConfig


def extrapolate(
    study: StudyFileArgument,
    out: OutOption,
    people: Annotated[Path, typer.Option(help="Fitted people, from clickstudy calibrate.")] = Path(
        "people.toml"
    ),
    participants: Annotated[int, typer.Option(min=3, help="Of the study.")] = 16,
    gone_by: Annotated[
        Path | None,
        typer.Option(
            "--by",
            help="A study directory of this study file whose images, maps and accuracies are "
            "taken; otherwise a few simulated people do the study.",
            metavar="STUDY_DIR",
        ),
    ] = None,
    models: Annotated[
        int, typer.Option(min=1, help="How many simulated people do the study for that.")
    ] = 8,
    draws: Annotated[
        int, typer.Option(min=2, help="Populations that the data do not exclude.")
    ] = 40,
    items: Annotated[int, typer.Option(min=4, help="Images of each task that are timed.")] = 16,
    plan: Annotated[
        Path | None, typer.Option(help="The plan, where it is not in the study file.")
    ] = None,
    margin: Annotated[
        list[str] | None,
        typer.Option(help="A margin of equivalence, as accuracy_after=0.01; repeatable."),
    ] = None,
    workers: WorkersOption = 0,
    device: DeviceOption = "auto",
) -> None:
    """What a study would come to with fitted people: outcomes, power and hours, with doubts."""
    from simulators import extrapolation
    from simulators.population import Population
    from simulators.runner import require_masks, simulate
    from study.config import load
    from study.directory import StudyDirectory
    from study.loop import TaskLoop

    population = Population.read(people)
    file = load(study)
    with one_sentence():
        planned, margins = _plan(study, plan), margins_of(margin or [])
    directory = StudyDirectory.open(gone_by) if gone_by else StudyDirectory.create(out / "by", file)
    with counted("Reading the images") as reading:
        loop = TaskLoop(directory.file(), directory, device, reading)
    if gone_by is None:
        require_masks(loop)
        console.print(f"{models} SIMULATED people do the study, for its images and accuracies.")
        simulate(file, directory, models, workers, "local", device, population=population)
    log = directory.study(loop.file)
    with console.status("Reading what was done"):
        given = extrapolation.models(loop, log, items)
    log.store.close()
    with counted("Drawing people") as progress:
        outcomes = extrapolation.extrapolate(
            file.config, given, population, draws, progress=progress
        )
    expected = extrapolation.expected(outcomes, participants)
    powers = _powers(outcomes, file.config, planned, margins, participants)
    _write(out, expected, powers, outcomes, participants)
    _say(expected, powers, outcomes, participants, population)
    console.print(f"Wrote {out / 'expected.csv'}, power.csv and extrapolation.png.")


def _plan(study: Path, plan: Path | None) -> Plan:
    from analysis import plan as plans

    if plan is not None:
        return plans.find(study.parent, plan)[0]
    return plans.read(study) or plans.Plan.model_validate({})


def _powers(
    outcomes: Outcomes,
    config: StudyConfig,
    plan: Plan,
    margins: dict[str, float],
    participants: int,
) -> pd.DataFrame:
    """The power of every prediction of the plan that is about times or accuracy."""
    import pandas as pd

    from simulators import extrapolation

    rows = []
    margins = {**plan.equivalence_margins, **margins}
    for prediction in plan.tested:
        row: dict[str, object] = {
            "hypothesis": prediction.hypothesis,
            "metric": prediction.metric,
            "predicted": prediction.expect,
            "participants": participants,
            "note": "",
        }
        sign, weights, note = _contrast(prediction, config)
        if not note and sign == "=" and prediction.metric not in margins:
            note = "the plan sets no margin for it: give one with --margin"
        if note:
            rows.append(row | {"note": note})
            continue
        rows.append(
            row
            | extrapolation.power(
                outcomes,
                participants,
                prediction.metric,
                weights,
                sign,
                plan.alpha,
                margins.get(prediction.metric),
            )
        )
    columns = ["hypothesis", "metric", "predicted", "participants", "estimate", "estimate_low"]
    columns += ["estimate_high", "by_people", "by_models", "power", "low", "high", "note"]
    return pd.DataFrame(rows, columns=columns)


def _contrast(prediction: Prediction, config: StudyConfig) -> tuple[str, NDArray[np.float64], str]:
    """The sign, the weights of the conditions, and why there are none."""
    import numpy as np

    first, sign, second = prediction.relation
    none = np.zeros(len(config.conditions))
    if prediction.metric not in ("log_seconds_per_image", "accuracy_after"):
        return sign, none, f"{prediction.metric} is not extrapolated"
    levels = [condition.factors.get(prediction.factor) for condition in config.conditions]
    others = sorted({str(level) for level in levels} - {"random"})
    if len(others) == 1:  # `active` is whatever is compared with random
        first, second = (others[0] if name == "active" else name for name in (first, second))
    if {first, second} != set(levels):
        return sign, none, f"{prediction.factor} has not the levels {first} and {second}"
    is_first = np.array([level == first for level in levels])
    return sign, is_first / is_first.sum() - ~is_first / (~is_first).sum(), ""


def _write(
    out: Path,
    expected: pd.DataFrame,
    powers: pd.DataFrame,
    outcomes: Outcomes,
    participants: int,
) -> None:
    from analysis.page import style
    from apps.commands.extrapolation_figure import draw

    out.mkdir(parents=True, exist_ok=True)
    expected.assign(participants=participants, mode="simulated").to_csv(
        out / "expected.csv", index=False
    )
    powers.assign(mode="simulated").to_csv(out / "power.csv", index=False)
    with style.styled():
        style.save(draw(outcomes, participants), out, "extrapolation")


def _say(
    expected: pd.DataFrame,
    powers: pd.DataFrame,
    outcomes: Outcomes,
    participants: int,
    population: Population,
) -> None:
    from analysis.frames import records

    console.print(
        f"[bold red]SIMULATED[/bold red]: a study of {participants} people like the fitted ones"
    )
    shown = Table(title="Expected", title_justify="left")
    for heading in ("quantity", "mean", "95%", "by people", "by models"):
        shown.add_column(heading)
    for row in records(expected):
        shown.add_row(
            row["quantity"],
            f"{row['mean']:.3f}",
            f"{row['low']:.3f} to {row['high']:.3f}",
            f"{row['by_people']:.0%}",
            "" if row["by_models"] != row["by_models"] else f"{row['by_models']:.0%}",
        )
    console.print(shown)
    for row in records(powers):
        if row["note"]:
            console.print(f"- {row['hypothesis']} {row['note']}", markup=False, style="yellow")
            continue
        console.print(
            f"- {row['hypothesis']} Power {row['power']:.2f} ({row['low']:.2f} to "
            f"{row['high']:.2f} over populations).",
            markup=False,
        )
    console.print(
        "By people: the part of an interval that comes of not knowing the population; by models: "
        "of going by few participants; the rest is who takes part.",
        soft_wrap=True,
    )
    if outcomes.beyond > 0:
        console.print(
            f"{outcomes.beyond:.0%} of the tasks have more images than those that were gone by; "
            f"their accuracy is the last one there.",
            style="yellow",
        )
    if not any(law.centre_se or law.spread_se for law in population.laws.values()):
        console.print(
            "The people's file says nothing of what is not known of them: the intervals are of "
            "who takes part, and of nothing else.",
            style="yellow",
        )
