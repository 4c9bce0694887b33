"""The wheel without any extra, used from a folder with files of the user's own."""

from __future__ import annotations

import os
import signal
import socket
import time
import tomllib
import urllib.error
import urllib.request
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
from installed import ROOT, packaged_files
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from study.acquisition.registry import STRATEGIES

pytestmark = pytest.mark.xdist_group("many processes")

TINY = """
[dataset]
kind = "scenes"
size = 48
train = 40
val = 8
test = 8
balanced = 16

[model]
name = "small"
width = 8
blocks = 2

[pretraining]
epochs = 1

[fine_tuning]
epochs = 1
"""
BENCH = (
    """
name = "all"
seeds = [0]
interfaces = ["click"]
strategies = "all"

[budget]
batch = 4
cycles = 1
"""
    + TINY
)


def test_the_wheel_holds_every_file_of_the_rooms(wheel) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    assert {path.as_posix() for path in packaged_files()} - packed == set()


def test_what_only_extras_bring_is_not_there(installed, folder) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [Requirement(text) for text in sum(extras["optional-dependencies"].values(), [])]
    names = {canonicalize_name(one.name) for one in wanted} - {"clickstudy"}
    assert {"scikit-activeml", "hypothesis", "ray", "distributed"} <= names - installed.distributions
    code = (
        "from importlib.util import find_spec\n"
        "names = 'skactiveml', 'hypothesis', 'ray', 'distributed', 'pytest', 'streamlit', 'torch'\n"
        "print([name for name in names if find_spec(name)])"
    )
    assert installed.run("python", "-P", "-c", code, folder=folder) == "['streamlit', 'torch']\n"


def test_doctor_init_and_check(installed, folder) -> None:
    installed.run("clickstudy", "doctor", folder=folder)
    installed.run("clickstudy", "init", ".", folder=folder)
    assert "is valid" in installed.run("clickstudy", "check", "study.toml", folder=folder)


def test_every_strategy_runs(installed, folder) -> None:
    (folder / "bench.toml").write_text(BENCH)
    command = ["benchmark", "bench.toml", "--out", "run", "--device", "cpu"]
    installed.run("clickstudy", *command, "--workers", 2, folder=folder)
    names = (folder / "run" / "cycles.csv").read_text()
    assert [name for name in STRATEGIES if f"{name}," not in names] == []
