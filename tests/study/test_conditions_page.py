"""The study files that docs/conditions.md shows are study files."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from study.config import AcquisitionConfig, parse

PAGE = Path(__file__).parents[2] / "docs" / "conditions.md"
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("text", BLOCKS)
def test_a_study_file_on_the_page_is_valid(text: str) -> None:
    assert parse(tomllib.loads(text)).conditions


def test_the_page_says_what_they_make() -> None:
    crossed, own = (parse(tomllib.loads(text)) for text in BLOCKS[:2])
    assert [each.name for each in crossed.conditions[:2]] == [
        "polygon-random-on",
        "click-random-on",
    ]
    assert len(crossed.conditions) == 8
    weak, strong, random = (own.for_condition(each) for each in own.conditions)
    assert (weak.guidance.w_g, strong.guidance.w_g) == (0.25, own.guidance.w_g)
    assert random.acquisition == AcquisitionConfig(active="random", balance=True)


@pytest.mark.parametrize("example", ["demo", "scenes", "photographs", "live-feedback"])
def test_random_is_uniform_in_every_example(example: str) -> None:
    path = Path(__file__).parents[2] / "apps" / "examples" / f"{example}.toml"
    config = parse(tomllib.loads(path.read_text()))
    assert config.conditions
    for condition in config.conditions:
        if condition.sampling == "random":
            found = config.for_condition(condition).acquisition
            assert found == AcquisitionConfig(active="random")
