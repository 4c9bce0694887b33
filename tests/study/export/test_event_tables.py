"""Tables and export, on a log written by hand with numbers computed by hand."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from study.annotation import Annotation, Region
from study.config import load
from study.directory import StudyDirectory
from study.export.dictionary import describe
from study.export.folder import export, for_spreadsheets
from study.export.rows import idle_seconds
from study.export.tables import TablesError, read
from study.protocol.events import (
    Action,
    Answered,
    BatchSelected,
    Checked,
    Consented,
    Described,
    Enrolled,
    Evaluated,
    Event,
    Excluded,
    FineTuned,
    FineTuningFailed,
    ItemAnnotated,
    Mode,
    Noted,
    Payload,
    Practised,
    TaskExtended,
    TaskStarted,
)

STUDY = """
name = "by-hand"
conditions = [
  { interface = "click", sampling = "active" },
  { interface = "polygon", sampling = "random" },
]
demographics = [{ key = "age", text = "Age?", kind = "number" }]
[sequences]
plan = "listed"
listed = [["click-active", "polygon-random"]]
[task]
images = 3
batch = 2
page = 1
[workspace]
idle_seconds = 10
[dataset]
kind = "scenes"
[[dataset.tests]]
name = "without-sun"
without = ["sun"]
"""
ORDER = ("click-active", "polygon-random")
REGION = Region(point=(0.9, 0.9), height=2, width=2, counts=(3, 1))
TWO_POINTS = Annotation(positive_points=((0.1, 0.2), (0.3, 0.4)), negative_regions=(REGION,))
ONE_POINT = Annotation(positive_points=((0.5, 0.5),))
POLYGONS = Annotation(
    polygons=(((0, 0), (1, 0), (0, 1)), ((0.1, 0.1), (0.2, 0.1), (0.2, 0.2), (0.1, 0.2)))
)


def actions(*spec: tuple[float, str]) -> tuple[Action, ...]:
    return tuple(Action.model_validate({"t": t, "kind": kind}) for t, kind in spec)


def metrics(test: float, balanced: float) -> dict[str, dict[str, float | None]]:
    """Each metric of a split is the split's number plus its place."""
    named = ("accuracy", "conflicting_accuracy", "worst_group_accuracy", "attention_inside")
    return {
        split: {name: value + place / 100 for place, name in enumerate(named)}
        for split, value in (
            ("test", test),
            ("balanced", balanced),
            ("without-sun", test - 0.2),
        )
    }


def item(
    position: int, cycle: int, image: str, seconds: float, drawn: Annotation, **rest: Any
) -> ItemAnnotated:
    values = {"page": 1} | rest
    return ItemAnnotated(
        position=position, cycle=cycle, image=image, seconds=seconds, annotation=drawn, **values
    )


def tuned(position: int, cycle: int) -> FineTuned:
    return FineTuned(
        position=position,
        cycle=cycle,
        images=2,
        epochs=30,
        seconds=7.0,
        waiting_seconds=8.0,
        loss=0.125,
        collapsed=True,
        note="restored",
    )


LOG: list[tuple[float, Payload]] = [
    (0, Enrolled(sequence=0, order=ORDER, simulated={"speed": 1.5})),
    (10, Consented()),
    (20, Described(answers={"age": 24.5})),
    (
        30,
        Practised(
            interface="click", attempt=1, image="p", annotation=ONE_POINT, correct=True, seconds=2
        ),
    ),
    (90, Evaluated(position=1, cycle=0, metrics=metrics(0.6, 0.3), seconds=1)),
    (100, TaskStarted(position=1)),
    (
        104,
        BatchSelected(
            position=1, cycle=1, strategy="attention", images=("b", "a"), seconds=1.5,
            classes=("boat", "airplane"), contexts=("water", "sky"),
        ),
    ),
    (
        110,
        item(
            1, 1, "a", 6.0, TWO_POINTS, page=2,
            actions=actions((1, "positive"), (2, "undo"), (3, "positive"), (4, "negative")),
        ),
    ),
    # 15 s before the first action: 5 beyond the threshold
    (130, item(1, 1, "b", 20.0, TWO_POINTS, actions=actions((15, "positive")))),
    # away from 1 s to 3 s, and one undo more
    (
        140,
        item(
            1, 1, "a", 4.0, ONE_POINT, page=2, visit=2,
            actions=actions((1, "blur"), (3, "focus"), (3.5, "undo")),
        ),
    ),
    (141, Checked(position=1, cycle=1, number=1, passed=False, seconds=1)),
    (1e6, TaskExtended(position=1, seconds=60)),
    (150, tuned(1, 1)),
    (152, Evaluated(position=1, cycle=1, metrics=metrics(0.7, 0.4), seconds=2)),
    (
        155,
        BatchSelected(
            position=1, cycle=2, strategy="attention", images=("c",), seconds=2.5,
            classes=("boat",),
        ),
    ),
    (165, item(1, 2, "c", 8.0, Annotation())),
    (175, FineTuningFailed(position=1, cycle=2, reason="out of memory")),
    (176, Evaluated(position=1, cycle=2, metrics=metrics(0.8, 0.5), seconds=2)),
    (180, Answered(instrument="paper", question="Q1", answer=4.0, position=1)),
    (200, Evaluated(position=2, cycle=0, metrics=metrics(0.6, 0.3), seconds=1)),
    (210, TaskStarted(position=2)),
    (211, BatchSelected(position=2, cycle=1, strategy="random", images=("d", "e"), seconds=0)),
    (300, item(2, 1, "d", 1 / 3, POLYGONS)),
    (300, Answered(instrument="paper", question="Q9", answer="a, \"b\"\nc")),
    (310, Noted(text="yawned")),
    (320, Excluded(reason="asleep")),
]  # fmt: skip


def make(path: Path, log: Sequence[tuple[float, Payload]] = LOG) -> StudyDirectory:
    """A study directory with P01's log, and P02, a pilot who has only enrolled."""
    file = path / "study.toml"
    file.write_text(STUDY)
    directory = StudyDirectory.create(path / "run", load(file))
    people: list[tuple[str, Mode, Sequence[tuple[float, Payload]]]] = [
        ("P01", "live", log),
        ("P02", "pilot", [(5.0, Enrolled(sequence=0, order=ORDER))]),
    ]
    study = directory.study()
    study.store.append(
        Event.of(payload, participant=name, mode=mode, study_hash=study.hash, at=at)
        for name, mode, events in people
        for at, payload in events
        if log
    )
    return directory


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> StudyDirectory:
    return make(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def tables(run: StudyDirectory) -> dict[str, pd.DataFrame]:
    return read(run.path)


def row(frame: pd.DataFrame, **where: object) -> dict[str, Any]:
    """The one row with these values."""
    for column, value in where.items():
        frame = frame[frame[column] == value]
    (found,) = frame.to_dict("records")
    return {str(column): value for column, value in found.items()}


KEYS = ["participant", "mode", "sequence", "position", "interface", "sampling"]
ISSUE = {
    "tasks": [
        *KEYS, "images", "seconds_per_image", "annotation_seconds", "waiting_seconds",
        "training_seconds", "accuracy_before", "accuracy_after", "conflicting_accuracy_before",
        "conflicting_accuracy_after", "worst_group_accuracy_before", "worst_group_accuracy_after",
        "attention_inside_before", "attention_inside_after",
    ],
    "items": [
        *KEYS, "cycle", "page", "image", "trial", "seconds", "idle_seconds", "positive_points",
        "negative_regions", "vertices", "undos",
    ],
    "answers": [*KEYS, "instrument", "question", "answer"],
    "cycles": KEYS,
    "participants": KEYS[:3],
    "events": ["participant", "mode", "type", "payload"],
}  # fmt: skip


@pytest.mark.parametrize("table", ISSUE)
def test_every_promised_column_is_there_also_in_an_empty_log(
    table: str, tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    empty = read(make(tmp_path, []).path)[table]
    assert len(empty) == 0
    for frame in (tables[table], empty):
        assert set(ISSUE[table]) <= set(frame)
        assert frame.columns[-1] == "study_hash"


def test_a_task_by_hand(tables: dict[str, pd.DataFrame]) -> None:
    found = row(tables["tasks"], participant="P01", position=1)
    expected = {
        "mode": "live", "sequence": 0, "interface": "click", "sampling": "active", "images": 3,
        "cycles": 2, "annotation_seconds": 38.0, "seconds_per_image": 38 / 3,
        # 4 + 9 + 2, 3 + 10 + 1; the experimenter's extension is no waiting
        "waiting_seconds": 29.0, "training_seconds": 7.0, "collapsed": 1, "failed": 1,
    }  # fmt: skip
    assert {key: found[key] for key in expected} == pytest.approx(expected)


def test_accuracy_is_of_the_test_split_and_the_rest_of_the_balanced_one(
    tables: dict[str, pd.DataFrame],
) -> None:
    found = row(tables["tasks"], participant="P01", position=1)
    expected = {
        "accuracy_before": 0.60, "accuracy_after": 0.80,
        "conflicting_accuracy_before": 0.31, "conflicting_accuracy_after": 0.51,
        "worst_group_accuracy_before": 0.32, "worst_group_accuracy_after": 0.52,
        "attention_inside_before": 0.33, "attention_inside_after": 0.53,
        "accuracy_on_without_sun_before": 0.40, "accuracy_on_without_sun_after": 0.60,
    }  # fmt: skip
    assert {key: found[key] for key in expected} == pytest.approx(expected)


def test_a_task_that_was_not_finished_has_no_row_but_its_items_have(
    tables: dict[str, pd.DataFrame],
) -> None:
    assert tables["tasks"]["position"].tolist() == [1]
    assert tables["items"]["image"].tolist() == ["a", "b", "c", "d"]


def test_cycles_by_hand(tables: dict[str, pd.DataFrame]) -> None:
    cycles = tables["cycles"]
    assert list(zip(cycles["position"], cycles["cycle"], strict=True)) == [
        (1, 0), (1, 1), (1, 2), (2, 0), (2, 1),
    ]  # fmt: skip
    first, second = (row(cycles, position=1, cycle=cycle) for cycle in (1, 2))
    expected = {
        "strategy": "attention", "images": 2, "annotation_seconds": 30.0, "waiting_seconds": 15.0,
        "selection_seconds": 1.5, "training_seconds": 7.0, "epochs": 30, "loss": 0.125,
        "collapsed": True, "note": "restored", "test_accuracy": 0.7, "balanced_accuracy": 0.4,
    }  # fmt: skip
    assert {key: first[key] for key in expected} == pytest.approx(expected)
    assert (second["waiting_seconds"], second["images"]) == (14.0, 1)
    assert second["note"] == "out of memory"
    assert pd.isna(second["training_seconds"])
    assert pd.isna(second["collapsed"])


def test_items_by_hand(tables: dict[str, pd.DataFrame]) -> None:
    columns = [
        "cycle", "page", "image", "trial", "visits", "seconds", "idle_seconds",
        "positive_points", "negative_regions", "polygons", "vertices", "undos", "confirmed_at",
    ]  # fmt: skip
    found = [list(values) for values in tables["items"][columns].itertuples(index=False)]
    assert found == [
        [1, 2, "a", 1, 2, 10.0, 2.0, 1, 0, 0, 0, 2, 140.0],
        [1, 1, "b", 2, 1, 20.0, 5.0, 2, 1, 0, 0, 0, 130.0],
        [2, 1, "c", 3, 1, 8.0, 0.0, 0, 0, 0, 0, 0, 165.0],
        [1, 1, "d", 1, 1, 1 / 3, 0.0, 0, 0, 2, 7, 0, 300.0],
    ]


def test_class_and_context_are_those_that_the_log_says(tables: dict[str, pd.DataFrame]) -> None:
    items = tables["items"].set_index("image")
    assert items["class"].dropna().to_dict() == {"a": "airplane", "b": "boat", "c": "boat"}
    assert items["context"].dropna().to_dict() == {"a": "sky", "b": "water"}


@pytest.mark.parametrize(
    ("spec", "seconds", "idle"),
    [
        ([], 8.0, 0.0),
        ([], 25.0, 15.0),
        ([(12, "positive"), (30, "positive")], 31.0, 2 + 8),
        ([(1, "blur"), (4, "focus")], 5.0, 3.0),
        # never came back before confirming
        ([(2, "blur")], 6.0, 4.0),
        # away for long is all idle, not only what exceeds the threshold
        ([(1, "blur"), (31, "focus"), (45, "positive")], 46.0, 30 + 4),
        # an action after the confirmation's time does not count beyond it
        ([(30, "positive")], 20.0, 10.0),
        # out of order
        ([(5, "positive"), (3, "positive")], 14.0, 0.0),
    ],
)
def test_idle_time(spec: list[tuple[float, str]], seconds: float, idle: float) -> None:
    assert idle_seconds(actions(*spec), seconds, threshold=10.0) == pytest.approx(idle)


def test_participants_by_hand(tables: dict[str, pd.DataFrame]) -> None:
    found = row(tables["participants"], participant="P01")
    expected = {
        "mode": "live", "sequence": 0, "order": "click-active polygon-random",
        "status": "excluded", "excluded_reason": "asleep", "enrolled_at": 0.0, "last_at": 300.0,
        "tasks_finished": 1, "attention_checks": 1, "attention_checks_failed": 1,
        "practice_attempts": 1, "simulated": '{"speed": 1.5}', "notes": "yawned",
        "demographic_age": 24.5,
    }  # fmt: skip
    assert {key: found[key] for key in expected} == expected
    pilot = row(tables["participants"], participant="P02")
    assert (pilot["mode"], pilot["status"], pilot["tasks_finished"]) == ("pilot", "active", 0)
    assert pd.isna(pilot["demographic_age"])


def test_answers_by_hand(tables: dict[str, pd.DataFrame]) -> None:
    likert = row(tables["answers"], question="Q1")
    assert (likert["position"], likert["interface"], likert["answer"]) == (1, "click", 4)
    comment = row(tables["answers"], question="Q9")
    assert comment["answer"] == 'a, "b"\nc'
    assert pd.isna(comment["position"])


def test_events_are_the_whole_log(tables: dict[str, pd.DataFrame], run: StudyDirectory) -> None:
    log = run.study().store.events()
    events = tables["events"]
    assert events["id"].tolist() == [event.id for event in log]
    again = [json.loads(text) for text in events["payload"]]
    assert again == [event.payload.model_dump(mode="json") for event in log]
    assert set(events["study_hash"]) == {load(run.study_file).hash}


# -- export --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def out(run: StudyDirectory, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "new" / "folder"
    export(run.path, folder)
    return folder


def test_every_exported_column_is_in_the_data_dictionary(out: Path) -> None:
    dictionary = pd.read_csv(out / "data_dictionary.csv", keep_default_na=False)
    described = set(zip(dictionary["table"], dictionary["column"], strict=True))
    for table in ISSUE:
        exported = {(table, column) for column in pd.read_csv(out / f"{table}.csv").columns}
        assert exported == {pair for pair in described if pair[0] == table}
    assert dictionary["description"].str.len().min() > 3


@pytest.mark.parametrize("column", ["nonsense", "images_during"])
@pytest.mark.parametrize("table", ISSUE)
def test_a_column_nobody_described_is_not_described(table: str, column: str) -> None:
    if (table, column) == ("cycles", "images_during"):
        return  # a split called images may measure "during": splits and metrics are open
    with pytest.raises(KeyError):
        describe(table, column)


@pytest.mark.parametrize("table", ["tasks", "cycles", "items", "participants"])
def test_csv_gives_the_numbers_back_exactly(
    table: str, out: Path, tables: dict[str, pd.DataFrame]
) -> None:
    with (out / f"{table}.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    for column in tables[table].select_dtypes("number"):
        for value, line in zip(tables[table][column], written, strict=True):
            text = line[str(column)]
            assert pd.isna(value) if text == "" else float(text) == value, column


@pytest.mark.parametrize("table", ISSUE)
def test_parquet_holds_what_csv_holds(
    table: str, out: Path, tables: dict[str, pd.DataFrame]
) -> None:
    parquet = pd.read_parquet(out / f"{table}.parquet")
    assert list(parquet) == list(tables[table])
    assert parquet.isna().equals(tables[table].isna())
    for column in parquet:
        values = tables[table][column].dropna().tolist()
        if column == "answer":
            # numbers and text: a Parquet column has one type
            values = [str(value) for value in values]
        assert parquet[column].dropna().tolist() == values, column


def test_the_manifest_says_what_was_exported(out: Path, run: StudyDirectory) -> None:
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["study"] == "by-hand"
    assert manifest["study_hash"] == load(run.study_file).hash
    assert manifest["modes"] == ["live", "pilot"]
    assert manifest["rows"]["items"] == 4
    assert manifest["versions"]["python"]
    assert (out / "study.toml").read_bytes() == run.study_file.read_bytes()


def test_one_mode_can_be_exported_alone(run: StudyDirectory, tmp_path: Path) -> None:
    frames = export(run.path, tmp_path, mode="pilot")
    assert frames["participants"]["participant"].tolist() == ["P02"]
    assert len(frames["items"]) == len(frames["answers"]) == 0
    assert set(frames["events"]["mode"]) == {"pilot"}
    assert json.loads((tmp_path / "manifest.json").read_text())["modes"] == ["pilot"]


def test_an_empty_log_can_be_exported(tmp_path: Path) -> None:
    frames = export(make(tmp_path, []).path, tmp_path / "out")
    assert all(len(frame) == 0 for name, frame in frames.items() if name != "questions")
    for table in ISSUE:
        assert len(pd.read_parquet(tmp_path / "out" / f"{table}.parquet")) == 0
        assert set(ISSUE[table]) <= set(pd.read_csv(tmp_path / "out" / f"{table}.csv"))


def test_a_folder_without_a_study_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TablesError, match="is not a study directory"):
        export(tmp_path, tmp_path / "out")


def test_a_target_that_cannot_be_written_is_one_sentence(
    run: StudyDirectory, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TablesError, match="cannot be written"):
        export(run.path, tmp_path / "file" / "out")


def test_a_study_file_changed_after_the_log_began_is_told(tmp_path: Path) -> None:
    directory = make(tmp_path)
    directory.study_file.write_text(STUDY.replace("click", "polygon", 1))
    with pytest.raises(TablesError):
        read(directory.path)


# -- factors -------------------------------------------------------------------------------

FACTORS = """
name = "factors"
questionnaires = ["mine"]
[factors]
overlay = ["on", "off"]
radius_of_discs = ["small", "large"]
[[conditions]]
interface = "click"
sampling = "active"
overlay = "off"
radius_of_discs = "small"
[conditions.workspace]
idle_seconds = 1.0
[[conditions]]
interface = "click"
sampling = "active"
overlay = "on"
radius_of_discs = "large"
[conditions.guidance]
radius = 0.4
[[instruments]]
name = "mine"
title = "Mine"
[[instruments.questions]]
key = "maps"
text = "The maps helped me."
overlay = "on"
"""
FACTORS_LOG: list[tuple[float, Payload]] = [
    (0, Enrolled(sequence=0, order=("click-active-off-small", "click-active-on-large"))),
    (1, Evaluated(position=1, cycle=0, metrics=metrics(0.6, 0.3), seconds=1)),
    (2, TaskStarted(position=1)),
    (3, BatchSelected(position=1, cycle=1, strategy="attention", images=("a",), seconds=0)),
    (9, item(1, 1, "a", 6.0, ONE_POINT)),
    (10, Answered(instrument="mine", question="maps", answer=4.0, position=2)),
    (11, Answered(instrument="mine", question="all", answer="x")),
]


@pytest.fixture(scope="module")
def factors(tmp_path_factory: pytest.TempPathFactory) -> StudyDirectory:
    path = tmp_path_factory.mktemp("factors")
    (path / "study.toml").write_text(FACTORS)
    directory = StudyDirectory.create(path / "run", load(path / "study.toml"))
    study = directory.study()
    study.store.append(
        Event.of(payload, participant="P01", mode="live", study_hash=study.hash, at=at)
        for at, payload in FACTORS_LOG
    )
    return directory


@pytest.mark.parametrize("table", ["tasks", "cycles", "items", "answers", "questions"])
def test_declared_factors_are_columns_after_sampling(table: str, factors: StudyDirectory) -> None:
    columns = list(read(factors.path)[table])
    at = columns.index("interface")
    assert columns[at : at + 4] == ["interface", "sampling", "overlay", "radius_of_discs"]


@pytest.mark.parametrize("table", ["participants", "events"])
def test_what_is_about_no_condition_has_no_factors(table: str, factors: StudyDirectory) -> None:
    assert "overlay" not in read(factors.path)[table]


def test_every_row_has_its_conditions_levels(factors: StudyDirectory) -> None:
    tables = read(factors.path)
    found = row(tables["items"], image="a")
    assert (found["overlay"], found["radius_of_discs"]) == ("off", "small")
    # the condition's own idle threshold
    assert found["idle_seconds"] == 5.0
    assert row(tables["answers"], question="maps")["overlay"] == "on"
    assert pd.isna(row(tables["answers"], question="all")["overlay"])
    assert row(tables["questions"], question="maps")["overlay"] == "on"
    assert set(tables["cycles"]["overlay"]) == {"off"}


def test_the_data_dictionary_says_the_levels(factors: StudyDirectory, tmp_path: Path) -> None:
    export(factors.path, tmp_path)
    dictionary = pd.read_csv(tmp_path / "data_dictionary.csv", keep_default_na=False)
    found = row(dictionary, table="items", column="overlay")
    assert found["description"] == "level of the factor 'overlay': on or off"


def test_no_spreadsheet_runs_what_a_participant_typed() -> None:
    typed = ["=cmd|' /C calc'!A1", "+1 for clicks", "@here", "-3.5", "-", "fine"]
    frame = pd.DataFrame({"answer": typed, "seconds": range(6)})
    found = for_spreadsheets(frame)
    assert found["answer"].tolist() == [
        "'=cmd|' /C calc'!A1", "'+1 for clicks", "'@here", "-3.5", "-", "fine",
    ]  # fmt: skip
    assert frame["answer"].tolist() == typed
