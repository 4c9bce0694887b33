"""The face: names, laziness, types, and the notebooks of the documentation."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import clickstudy as cs
from study.errors import UserError

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.md"))


def run(code: str, folder: Path) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_statistics_need_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys, clickstudy\n"
        "assert not {'pandas', 'torch', 'study', 'analysis'} & set(sys.modules)\n"
        "clickstudy.anova; clickstudy.ordinal; clickstudy.load_study; clickstudy.report\n"
        "assert 'torch' not in sys.modules\n"
    )
    run(code, tmp_path)


def test_every_name_is_there_and_an_unknown_one_is_refused() -> None:
    for name in dir(cs):
        assert callable(getattr(cs, name)), name
    assert {"anova", "tables", "simulate", "attention_maps", "guidance_loss"} <= set(dir(cs))
    with pytest.raises(AttributeError, match="no attribute 'anovva'"):
        _ = cs.anovva


def test_mypy_sees_every_name() -> None:
    text = (ROOT / "clickstudy" / "__init__.py").read_text()
    typed = set(re.findall(r"^    from \S+ import (\w+) as \1$", text, re.M))
    assert typed == set(dir(cs))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_of_the_documentation_run(notebook: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", notebook.read_text(), re.M | re.S)
    assert blocks
    assert run("\n".join(blocks), tmp_path)


def test_tables_of_an_export_are_ordered_baseline_first(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "participant": ["P1", "P1", "P2"],
            "mode": ["live", "live", "pilot"],
            "interface": ["click", "polygon", "box"],
        }
    )
    table.to_csv(tmp_path / "tasks.csv", index=False)
    found = cs.tables(tmp_path)["tasks"]
    assert list(found["interface"].cat.categories) == ["polygon", "click", "box"]
    assert len(cs.tables(tmp_path, mode="pilot")["tasks"]) == 1
    with pytest.raises(UserError, match="has no tables"):
        cs.tables(tmp_path / "absent")
