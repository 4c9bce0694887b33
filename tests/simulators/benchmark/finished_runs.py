"""What tests read in a benchmark directory."""

import json

import pandas as pd


def told(directory):
    """Every finished run but for what computing took, by name."""
    kept = {}
    for path in sorted((directory / "runs").glob("*.json")):
        content = json.loads(path.read_text())
        for row in content["rows"]:
            for name in [name for name in row if name.endswith("_s")]:
                del row[name]
        kept[path.stem] = content
    return kept


def cycles(directory):
    return pd.read_csv(directory / "cycles.csv")
