"""The results as tidy CSV tables at full precision, for whoever computes further."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

Line = dict[str, Any]


def write(results: Line, folder: Path) -> list[str]:
    """Write every table into `folder`; each row says `simulated`. Returns the files' names."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for name, rows in tables(results).items():
        frame = pd.DataFrame(rows)
        frame.insert(0, "mode", "simulated")
        frame.to_csv(folder / f"{name}.csv", index=False)
        names.append(f"{name}.csv")
    return names


def tables(results: Line) -> dict[str, list[Line]]:
    """Rows by table; empty tables are left out."""
    found = {
        "final": list(_compared(results, "final")),
        "area": list(_compared(results, "area")),
        "values": list(_values(results)),
        "classes": list(_classes(results)),
        "curves": list(_curves(results)),
        "target": list(_target(results)),
        "interfaces": list(_interfaces(results)),
        "ranks": list(_ranks(results)),
        "wins": list(_wins(results)),
        "choices": list(_choices(results)),
        "overlap": list(_overlap(results)),
        "cost": [
            {"interface": i, "strategy": s} | line
            for i, by in results["cost"].items()
            for s, line in by.items()
        ],
    }
    return {name: rows for name, rows in found.items() if rows}


def bounds(interval: list[float] | None, prefix: str = "") -> Line:
    """An interval as two columns."""
    low, high = interval if interval is not None else (None, None)
    return {f"{prefix}low": low, f"{prefix}high": high}


def _each(results: Line, kind: str) -> Iterator[tuple[Line, Any]]:
    for interface, by_axis in results[kind].items():
        for axis, by_measure in by_axis.items():
            for measure, found in by_measure.items():
                yield {"interface": interface, "axis": axis, "measure": measure}, found


def _mean(line: Line) -> Line:
    return {"n": line["n"], "mean": line["mean"], **bounds(line["ci95"])}


def _compared(results: Line, kind: str) -> Iterator[Line]:
    for where, found in _each(results, kind):
        head = where | {"budget": results["budgets"][where["interface"]][where["axis"]]}
        if "pretrained" in found:
            yield head | {"strategy": "pretrained"} | _mean(found["pretrained"])
        for strategy, line in found["strategies"].items():
            row = head | {"strategy": strategy} | _mean(line)
            row["missing_seeds"] = " ".join(map(str, line["missing"]))
            d = line["difference"]
            if d:
                row |= {"difference": d["estimate"], **bounds(d["ci95"], "difference_")}
                row |= {"pairs": d["n"], "t": d["t"], "p": d["p"], "p_holm": d["p_holm"]}
            if "gain" in line:
                row |= {
                    "gain": line["gain"]["estimate"],
                    **bounds(line["gain"]["ci95"], "gain_"),
                }
            yield row


def _values(results: Line) -> Iterator[Line]:
    for kind in ("final", "area"):
        for where, found in _each(results, kind):
            for strategy, line in found["strategies"].items():
                for seed, value in line["values"].items():
                    yield (
                        {"kind": kind}
                        | where
                        | {
                            "strategy": strategy,
                            "seed": seed,
                            "value": value,
                        }
                    )


def _classes(results: Line) -> Iterator[Line]:
    for where, found in _each(results, "classes"):
        yield where | {"strategy": "pretrained"} | _mean(found["pretrained"])
        for strategy, line in found["strategies"].items():
            yield where | {"strategy": strategy} | _mean(line)


def _curves(results: Line) -> Iterator[Line]:
    for where, found in _each(results, "curves"):
        for strategy, line in found["strategies"].items():
            for i, x in enumerate(found["x"]):
                yield where | {"strategy": strategy, "x": x} | {k: line[k][i] for k in line}


def _target(results: Line) -> Iterator[Line]:
    if results["target"] is None:
        return
    for interface, by in results["target"]["interfaces"].items():
        for strategy, axes in by.items():
            for axis, line in axes.items():
                yield {"interface": interface, "strategy": strategy, "axis": axis} | {
                    key: line[key] for key in ("n", "reached", "median")
                }


def _interfaces(results: Line) -> Iterator[Line]:
    for line in results["interfaces_compared"]:
        head = {k: line[k] for k in ("a", "b", "axis", "budget", "measure")}
        parts = {"all, over seeds": line["over_seeds"], "all, over blocks": line["over_blocks"]}
        for strategy, d in (parts | line["by_strategy"]).items():
            yield head | {
                "strategy": strategy,
                "n": d["n"],
                "difference": d["estimate"],
                **bounds(d["ci95"]),
                "p": d.get("p"),
            }


def _ranks(results: Line) -> Iterator[Line]:
    for axis, found in results["ranking"].items():
        for strategy, rank in found.get("mean_ranks", {}).items():
            yield {
                "axis": axis,
                "strategy": strategy,
                "mean_rank": rank,
                "blocks": found["n_blocks"],
                "critical_difference": found["critical_difference"],
            }


def _wins(results: Line) -> Iterator[Line]:
    for axis, found in results["ranking"].items():
        names = found.get("strategies", [])
        for i, row in enumerate(names):
            for j, column in enumerate(names):
                if i != j:
                    yield {
                        "axis": axis,
                        "strategy": row,
                        "against": column,
                        "share_won": found["wins"][i][j],
                    }


def _choices(results: Line) -> Iterator[Line]:
    for interface, found in results["picks"].items():
        for strategy, line in found["choices"].items():
            for what, d in line.items():
                yield {"interface": interface, "strategy": strategy, "what": what} | _mean(d)


def _overlap(results: Line) -> Iterator[Line]:
    for interface, found in results["picks"].items():
        for when in ("cycle_1", "end"):
            part = (found["overlap"] or {}).get(when)
            if part is None:
                continue
            names = part["strategies"]
            for i, a in enumerate(names):
                for j in range(i + 1, len(names)):
                    yield {
                        "interface": interface,
                        "when": when,
                        "a": a,
                        "b": names[j],
                        "jaccard": part["matrix"][i][j],
                        "seeds": part["n"][i][j],
                    }
