"""results.json of benchmarks, held as it was before the analysis became tables.

To pin it anew after a documented change of the schema: `python -m
tests.analysis.benchmark.test_benchmark_golden`.
"""

from __future__ import annotations

import gzip
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.api.types import is_numeric_dtype

from analysis.benchmark import write
from tests.analysis.benchmark import synthetic

GOLDEN = Path(__file__).with_name("golden")


def uneven(folder: Path) -> Path:
    """Two interfaces, a missing seed, a failed run, a short one, gaps, remarks and a collapse."""
    effects = {"entropy": 0.05, "random": 0.0, "diversity": 0.01, "harmful, of 64": -0.05}
    cycles, picks = synthetic.frames(effects, seeds=4, cycles=3)
    gone = (cycles["strategy"] == "diversity") & (cycles["seed"] == 2)
    gone &= cycles["interface"] == "click"
    gone |= (cycles["trial"] == "003p0001") & (cycles["cycle"] > 2)
    cycles = cycles[~gone].reset_index(drop=True)
    cycles.loc[(cycles["trial"] == "003c0001") & (cycles["cycle"] == 2), "collapsed"] = True
    cycles.loc[(cycles["trial"] == "000c0000") & (cycles["cycle"] == 1), "note"] = "ran out; early"
    balanced = (cycles["strategy"] == "entropy") & (cycles["cycle"] > 0)
    cycles["balance_gap"] = np.where(balanced, 0.001, np.nan)
    cycles.loc[(cycles["trial"] == "002p0003") & (cycles["cycle"] == 1), "accuracy"] = np.nan
    cycles["barycentre_distance"] = 1 - cycles["attention_inside"]
    failed = [{"strategy": "random", "interface": "polygon", "seed": 3, "problem": "no memory"}]
    return synthetic.write(folder, cycles, picks, trials=33, finished=31, failed=failed)


def single(folder: Path) -> Path:
    """One seed, one interface, no picks, no baseline, a target that is a distance."""
    cycles, _ = synthetic.frames(
        {"entropy": 0.05, "bald": 0.0}, seeds=1, cycles=2, interfaces=("click",)
    )
    cycles["barycentre_distance"] = 1 - cycles["attention_inside"]
    target = {"split": "balanced", "metric": "barycentre_distance", "value": 0.66}
    primary = {"split": "test", "metric": "barycentre_distance"}
    return synthetic.write(folder, cycles, target=target, primary=primary)


CASES = {"uneven": uneven, "single": single}


def produced(name: str, folder: Path) -> tuple[Any, dict[str, str]]:
    """results.json and the CSV tables of a case."""
    write(CASES[name](folder), folder / "report")
    found = json.loads((folder / "report" / "results.json").read_text())
    del found["benchmark"]["analysed_with"]
    files = sorted((folder / "report" / "tables").glob("*.csv"))
    return found, {path.stem: path.read_text() for path in files}


def same(found: Any, golden: Any, where: str = "results") -> None:
    """The same tree, numbers to nine digits."""
    if isinstance(golden, dict):
        assert isinstance(found, dict), where
        assert set(found) == set(golden), where
        for key, value in golden.items():
            same(found[key], value, f"{where}.{key}")
    elif isinstance(golden, list):
        assert isinstance(found, list), where
        assert len(found) == len(golden), where
        for i, value in enumerate(golden):
            same(found[i], value, f"{where}[{i}]")
    elif isinstance(golden, float) and found is not None:
        assert math.isclose(found, golden, rel_tol=1e-9, abs_tol=1e-12), (where, found, golden)
    else:
        assert found == golden, where


@pytest.mark.parametrize("name", CASES)
def test_results_and_tables_are_those_that_were_pinned(name: str, tmp_path: Path) -> None:
    golden = json.loads(gzip.decompress((GOLDEN / f"{name}.json.gz").read_bytes()))
    results, tables = produced(name, tmp_path)
    # What was called a trial is a run, as everywhere in the house.
    warnings = golden["results"]["warnings"]
    golden["results"]["warnings"] = [text.replace("trial", "run") for text in warnings]
    same(results, golden["results"])
    for table, text in golden["tables"].items():
        expected = pd.read_csv(io.StringIO(text))
        frame = pd.read_csv(io.StringIO(tables[table]))
        if table == "overlap":  # each strategy with itself has come since
            frame = frame[frame["a"] != frame["b"]]
        if table == "interfaces":  # what is said in `over` now was said in the strategy's name
            all_ = {"seeds": "all, over seeds", "blocks": "all, over blocks"}
            frame["strategy"] = frame["over"].map(all_).fillna(frame["strategy"])
        frame = frame.reindex(columns=expected.columns)
        key = [c for c in expected if not is_numeric_dtype(expected[c]) or c in ("x", "seed")]
        pd.testing.assert_frame_equal(
            frame.sort_values(key, kind="stable", ignore_index=True),
            expected.sort_values(key, kind="stable", ignore_index=True),
            check_dtype=False,
            rtol=1e-9,
            atol=1e-12,
        )


def pin() -> None:
    """Write the golden files from the code as it is."""
    import tempfile

    GOLDEN.mkdir(exist_ok=True)
    for name in CASES:
        results, texts = produced(name, Path(tempfile.mkdtemp()))
        content = {"results": results, "tables": texts}
        packed = gzip.compress(json.dumps(content, sort_keys=True).encode(), mtime=0)
        (GOLDEN / f"{name}.json.gz").write_bytes(packed)


if __name__ == "__main__":
    pin()
