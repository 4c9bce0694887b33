"""A bundle for OSF: data with their dictionary, plan, report, scripts and versions in one file.

The layout is Psych-DS (https://psych-ds.github.io, specification 1): `dataset_description.json`
(schema.org's Dataset as JSON-LD) names every column of every `data/*_data.csv`; file names are
`keyword-value` pairs.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import zipfile
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from analysis.errors import InputError

DATA = re.compile(r"[a-z]+-[a-zA-Z0-9]+(_[a-z]+-[a-zA-Z0-9]+)*_data\.csv")
#: What is never in a bundle unless it is asked for: every click, with its raw payload.
RAW = ("events",)
#: Nor what says who somebody is elsewhere, such as `recruited_PROLIFIC_PID`.
IDENTITIES = re.compile(r"recruited_(?!via$).*")
#: The same on every computer and in every year, so that equal bundles are equal files.
STAMP = (1980, 1, 1, 0, 0, 0)
README = """# {title}

{mode}Everything that was recorded, planned, computed and found, made by clickstudy {version}.

- `data/`: the tables as they were recorded; `documentation/data_dictionary.csv` says what
  every column means. `dataset_description.json` says it again for machines (Psych-DS).
- `materials/`: the study file, from which the study can be run again.
- `documentation/`: the analysis plan where one was registered, the export's manifest, and
  `constraints.txt` with the versions of everything that computed a number
  (`pip install -c constraints.txt 'clickstudy[all]'`).
- `results/`: the report, its numbers (results.json, tables/), figures, and the tables for LaTeX,
  Word and Excel.
- `analysis/`: the same tests as scripts that stand alone, `Rscript report.R` and
  `python report.py`; `analysis/data/` are the tables after the plan's exclusions.

Before this is made public: read the participants' comments and the experimenters' notes for names.
Participants are codes; keep the list of who is who elsewhere. Choose a licence.
"""


def write(
    export: Path, report: Path, out: Path, *, title: str, mode: str, raw: bool = False
) -> list[str]:
    """Write the bundle, check it, and return the names of the files in it.

    Args:
        export: a folder of exported tables, with data_dictionary.csv and manifest.json where there
            are such; plan.toml and plan.md are taken from it as well.
        report: a folder that holds the report of it, with report.R and report.py.
        out: the zip file.
        title: of the study.
        mode: of the rows: `live`, `pilot` or `simulated`.
        raw: whether the events, every click with its payload, are in it too.

    Raises:
        InputError: when it would break a rule of Psych-DS, or cannot be written.
    """
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "bundle"
        lay_out(export, report, folder, title=title, mode=mode, raw=raw)
        problems = check(folder)
        if problems:
            raise InputError(f"{out}: the bundle breaks a rule of Psych-DS: {problems[0]}.")
        names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
                for name in names:
                    entry = zipfile.ZipInfo(name, STAMP)
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    packed.writestr(entry, (folder / name).read_bytes())
        except OSError as error:
            raise InputError(f"{out}: cannot be written ({error.strerror}).") from None
    return names


def lay_out(
    export: Path, report: Path, folder: Path, *, title: str, mode: str, raw: bool = False
) -> None:
    """The bundle as a folder; the arguments are those of `write`."""
    for name in ("data", "materials", "documentation", "results", "analysis"):
        (folder / name).mkdir(parents=True)
    tables = {
        path.stem: path
        for path in sorted(export.glob("*.csv"))
        if path.stem != "data_dictionary" and (raw or path.stem not in RAW)
    }
    for name, path in tables.items():
        tables[name] = folder / "data" / f"description-{_plain(name)}_data.csv"
        shutil.copyfile(path, tables[name])
    for name, place in {
        "study.toml": "materials",
        "plan.toml": "documentation",
        "plan.md": "documentation",
        "manifest.json": "documentation",
        "constraints.txt": "documentation",
        "data_dictionary.csv": "documentation",
    }.items():
        if (export / name).is_file():
            shutil.copyfile(export / name, folder / place / name)
    for path in report.iterdir():
        if path.name in ("report.R", "report.py", "data"):
            _copy(path, folder / "analysis" / path.name)
        elif path.name != export.name:
            _copy(path, folder / "results" / path.name)
    for path in folder.rglob("*.csv"):
        _without_identities(path)
    versions = {d.metadata["Name"]: d.version for d in metadata.distributions()}
    lines = [f"{name}=={version}" for name, version in sorted(versions.items(), key=_lower)]
    (folder / "documentation" / "constraints.txt").write_text("\n".join(lines) + "\n")
    own = versions.get("clickstudy", "")
    marked = "" if mode == "live" else f"{mode.upper()} participants: no finding about people.\n\n"
    (folder / "README.md").write_text(
        README.format(title=title, mode=marked, version=own), encoding="utf-8"
    )
    described = description(tables, export / "data_dictionary.csv", title=title, mode=mode)
    text = json.dumps(described, indent=2, ensure_ascii=False) + "\n"
    (folder / "dataset_description.json").write_text(text, encoding="utf-8")


def description(
    tables: dict[str, Path], dictionary: Path, *, title: str, mode: str
) -> dict[str, Any]:
    """`dataset_description.json`: the dataset, and each column with its meaning and unit."""
    said: dict[str, dict[str, str]] = {}
    if dictionary.is_file():
        for row in pd.read_csv(dictionary, dtype=str, keep_default_na=False).to_dict("records"):
            said.setdefault(str(row["column"]), {str(k): str(v) for k, v in row.items()})
    columns = dict.fromkeys(column for path in tables.values() for column in header(path))
    measured = []
    for column in columns:
        value = {"@type": "PropertyValue", "name": column}
        known = said.get(column, {})
        value |= {"description": known["description"]} if known.get("description") else {}
        value |= {"unitText": known["unit"]} if known.get("unit") else {}
        measured.append(value)
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": title,
        "description": f"A user study of attention guidance ({mode} participants): {title}. "
        "Tables of participants, tasks, annotated images and answers.",
        "schemaVersion": "Psych-DS 1.0.0",
        "variableMeasured": measured,
    }


def check(folder: Path) -> list[str]:
    """The rules of Psych-DS that a folder breaks, one sentence each; none if it is valid."""
    problems: list[str] = []
    place = folder / "dataset_description.json"
    try:
        about = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return [f"dataset_description.json cannot be read as JSON ({error})"]
    for key in ("name", "description", "variableMeasured"):
        if not about.get(key):
            problems.append(f"dataset_description.json has no {key}")
    if "schema.org" not in str(about.get("@context")) or about.get("@type") != "Dataset":
        problems.append("dataset_description.json is no schema.org Dataset (@context, @type)")
    measured = about.get("variableMeasured") or []
    named = {str(v.get("name") if isinstance(v, dict) else v) for v in measured}
    files = sorted((folder / "data").rglob("*_data.csv")) if (folder / "data").is_dir() else []
    if not files:
        problems.append("data/ has no file that ends in _data.csv")
    for path in files:
        name = str(path.relative_to(folder))
        if not DATA.fullmatch(path.name):
            problems.append(f"{name} is not named by keyword-value pairs")
        try:
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file))
        except UnicodeDecodeError:
            problems.append(f"{name} is not UTF-8")
            continue
        if not rows or not any(rows[0]):
            problems.append(f"{name} has no header")
            continue
        if len(set(rows[0])) < len(rows[0]):
            problems.append(f"{name} has a column twice")
        uneven = next((i for i, row in enumerate(rows, 1) if len(row) != len(rows[0])), None)
        if uneven:
            problems.append(f"{name} has another number of columns in line {uneven}")
        missing = [column for column in rows[0] if column not in named]
        if missing:
            problems.append(f"{name} has the column {missing[0]!r}, which variableMeasured lacks")
    return problems


def _without_identities(path: Path) -> None:
    """Take out of a CSV by what a recruiting service, or the lab's list, knows participants."""
    named = [name for name in header(path) if IDENTITIES.fullmatch(name)]
    if named:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
        frame.drop(columns=named).to_csv(path, index=False)


def header(path: Path) -> list[str]:
    """The columns of a CSV."""
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def _plain(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9]", "", name) or "table"


def _lower(item: tuple[str, str]) -> str:
    return item[0].lower()


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, target)
