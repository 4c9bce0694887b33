"""The wheel without any extra: the protocol, the tables and the report, and no PyTorch."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import pytest
from first_log import first_log
from installed import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from study.extras import EXTRAS

pytestmark = pytest.mark.xdist_group("light install")

COMMANDS = """
import contextlib, io, json, sys
from apps.commands.cli import main

said = []
for line in json.loads(sys.argv[1]):
    sys.argv = ["clickstudy", *line]
    out, wrong = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(wrong):
        try:
            main()
        except SystemExit as end:
            said.append([end.code or 0, wrong.getvalue()])
print(json.dumps(said))
"""
WORKS = """
--version
doctor .
init .
check study.toml --file-only
plan study.toml --out plan
power --studies 100
enrol run people.csv --out links.csv
export run --out tables
report outcomes --out report
bundle outcomes --out osf.zip
backup run --out backup.zip
restore backup.zip --out again
forget run S01 --yes
"""
NEEDS = {
    "learn": """
check study.toml
simulate study.toml --out simulated
benchmark benchmark.toml --out benchmarked
attention run --out pictures
calibrate run --out people.toml
annotations export run --out drawn.json
data show run --out sheets
replicate
""",
    "serve": """
serve study.toml --out served
sandbox study.toml
""",
}


@pytest.fixture
def study(folder: Path) -> Path:
    """A study directory with a log, a table of outcomes, and a list of people."""
    first_log(folder / "run")
    (folder / "outcomes").mkdir()
    table = (ROOT / "tests/analysis/data/strong.csv").read_text().splitlines()
    (folder / "outcomes" / "tasks.csv").write_text("\n".join(table[:25]))  # six people
    shutil.copy(ROOT / "apps/examples/benchmark.toml", folder / "benchmark.toml")
    (folder / "people.csv").write_text("participant\nP07\n")
    return folder


def _said(light, folder: Path, lines: str) -> list[tuple[str, int, str]]:
    """Of each line: the line, its exit code, and what it said on standard error."""
    wanted = lines.strip().splitlines()
    words = json.dumps([line.split() for line in wanted])
    printed = light.run("python", "-P", "-c", COMMANDS, words, folder=folder)
    found = json.loads(printed.splitlines()[-1])
    return [(line, *one) for line, one in zip(wanted, found, strict=True)]


def test_extras_are_what_pyproject_says() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    base = {canonicalize_name(Requirement(text).name) for text in declared["dependencies"]}
    for name, extra in EXTRAS.items():
        brought: set[str] = set()
        for wanted in map(Requirement, declared["optional-dependencies"][name]):
            ours = wanted.name == "clickstudy"
            brought |= wanted.extras if ours else {canonicalize_name(wanted.name)}
        assert brought == {*extra.packages.values(), *extra.extras}, name
        assert not brought & base, name


def test_it_brings_no_network_and_no_server(light) -> None:
    heavy = {name for one in EXTRAS.values() for name in one.packages.values()}
    brought_by_others = {"scikit-learn", "joblib"}  # pingouin's
    assert heavy & light.distributions <= brought_by_others


def test_what_needs_no_network_runs(light, study: Path) -> None:
    assert [one for one in _said(light, study, WORKS) if one[1]] == []
    for name in ("plan/plan.toml", "links.csv", "tables/items.csv", "report/report.html"):
        assert (study / name).is_file(), name
    assert (study / "osf.zip").stat().st_size > 10_000


def test_what_needs_more_says_which_extra_in_one_sentence(light, study: Path) -> None:
    shutil.copy(ROOT / "apps/examples/scenes.toml", study / "study.toml")
    before = set(study.iterdir())
    for extra, lines in NEEDS.items():
        for line, code, wrong in _said(light, study, lines):
            assert code == 2, line
            assert f"pip install 'clickstudy[{extra}]'" in wrong, line
            assert len(wrong.strip().splitlines()) == 1, line
    assert set(study.iterdir()) == before  # nothing was begun


def test_the_face_says_so_too(light, folder: Path) -> None:
    code = (
        "import clickstudy as cs\n"
        "assert callable(cs.anova) and 'entropy' in cs.strategies()\n"
        "for use in (lambda: cs.attention_maps, lambda: cs.simulate('study.toml', 'run')):\n"
        "    try:\n"
        "        use()\n"
        "    except ValueError as error:\n"
        "        print(type(error).__name__, \"pip install 'clickstudy[learn]'\" in str(error))\n"
    )
    assert light.run("python", "-P", "-c", code, folder=folder) == "UserError True\n" * 2
