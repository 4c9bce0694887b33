"""What the browser is told follows from the study file and the log."""

from __future__ import annotations

from pathlib import Path

from analysis.registration import condition_count
from apps.web.state import page_of, place_of, workspace_of
from study.config import load, parse
from study.protocol.steps import (
    Break,
    Done,
    Instructions,
    Practice,
    Questionnaire,
    StartTask,
)
from study.protocol.timeline import Progress, Task

FACTORS = """
name = "overlay"
[factors]
interface = ["click"]
overlay = ["on", "off"]
[workspace]
opacity = 0.3
"""


def test_a_task_has_its_conditions_workspace_and_practice_the_studys(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(FACTORS)
    config = load(path).config
    progress = Progress("P01", tasks=[Task(n, c) for n, c in enumerate(config.conditions, 1)])
    shown = {
        task.condition.name: workspace_of(
            config, progress, StartTask(task.position, task.condition, 4)
        )
        for task in progress.tasks
    }
    assert {name for name, w in shown.items() if w.show_attention} == {
        "click-random-on",
        "click-active-on",
    }
    assert {workspace.opacity for workspace in shown.values()} == {0.3}
    assert workspace_of(config, progress, Instructions("click")).show_attention == ("click",)


def test_the_analysis_counts_the_conditions_that_the_study_has(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    for text in (FACTORS, 'name = "a"', 'name = "a"\nfactors = { overlay = ["on", "off"] }'):
        path.write_text(text)
        assert condition_count(path) == len(load(path).config.conditions)
    assert len(parse({"name": "a", "factors": {"overlay": ["on", "off"]}}).conditions) == 8


def test_the_bar_of_the_study_never_goes_back() -> None:
    """It went from 305 to 179 pixels at the second instructions."""
    config = parse({"name": "bar"})
    tasks = [Task(n, c) for n, c in enumerate(config.conditions, 1)]
    progress = Progress("P01", tasks=tasks)
    shares = []
    names = list(dict.fromkeys(task.condition.interface for task in tasks))
    for name in names:
        shares.append(place_of(config, progress, Instructions(name))["share"])
        progress.instructed.add(name)
        for done in (0, 1, 2):
            step = Practice(name, attempt=done + 1, done=done, items=3)
            shares.append(place_of(config, progress, step)["share"])
    for task in tasks:
        shares.append(
            place_of(config, progress, StartTask(task.position, task.condition, 4))["share"]
        )
        asked = Questionnaire(task.position, task.condition, ())
        shares.append(place_of(config, progress, asked)["share"])
        shares.append(place_of(config, progress, Break(task.position, 60.0))["share"])
    assert len(names) == 2
    assert shares == sorted(shares)


def test_who_has_finished_has_done_every_stage() -> None:
    config = parse({"name": "bar"})
    progress = Progress("P01", tasks=[Task(n, c) for n, c in enumerate(config.conditions, 1)])
    assert place_of(config, progress, Done("completed"))["share"] == 1.0
    assert page_of(Done("completed")) == "done/completed"
