"""What the browser is told follows from the study file and the log."""

from __future__ import annotations

from pathlib import Path

from analysis.registration import condition_count
from apps.web.state import workspace_of
from study.config import load, parse
from study.protocol.steps import Instructions, StartTask
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
