"""A whole study of images with several features: whatever learns, each feature is an item."""

import pytest

from simulators import runner
from simulators.runner import simulate
from study.config import load
from study.directory import StudyDirectory
from study.export.dictionary import describe
from study.export.tables import tables

STUDY = """
name = "several"
questionnaires = []
demographics = []

[dataset]
kind = "scenes"
labels = "several"
size = 32
bias = 0.9
train = 24
val = 8
test = 10
balanced = 10

[model]
name = "small"
width = 16
blocks = 2

[pretraining]
epochs = 1
batch = 8

[fine_tuning]
train = "block"
epochs = 1

[task]
images = 4
batch = 4
page = 2

[practice]
items = 1

[breaks]
seconds = 0

[[conditions]]
interface = "click"
sampling = "active"

[[conditions]]
interface = "polygon"
sampling = "entropy"
guidance = { method = "hint" }
fine_tuning = { train = "head", weights = "group" }

[[conditions]]
interface = "click"
sampling = "label-dispersion"
guidance = { method = "rrr" }
fine_tuning = { train = "all" }
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    (folder / "study.toml").write_text(STUDY)
    file = load(folder / "study.toml")
    directory = StudyDirectory.create(folder / "run", file)
    how = {"participants": 1, "workers": 1, "device": "cpu", "waiting": 1.0, "progress": False}
    simulate(file, directory, **how)
    runner._loop.cache_clear()
    study = directory.study()
    return tables(study.config, list(study.store.events()))


def test_every_item_says_its_photograph_and_its_feature(found):
    items = found["items"]
    assert len(items) == 12
    assert set(items["feature"]) <= {"airplane", "boat"}
    assert (items["class"] == items["feature"]).all()
    assert not items["image"].str.contains("@").any()
    things = items["context"].str.removeprefix("no ")
    wanted = items["feature"].map({"airplane": "sun", "boat": "buoy"})
    assert (things == wanted).all()


def test_every_feature_is_measured_in_every_cycle_of_every_task(found):
    features = found["features"]
    assert len(found["tasks"]) == 3
    sizes = features.groupby(["position", "cycle", "split"]).size()
    assert len(sizes) == 3 * 2 * 2
    assert (sizes == 2).all()
    assert features["balanced_accuracy"].between(0, 1).all()
    assert features["attention_inside"].notna().all()
    assert not [name for name in found["cycles"].columns if ": " in name]
    whole = found["cycles"].set_index(["position", "cycle"])["test_accuracy"]
    of_test = features[features["split"] == "test"]
    means = of_test.groupby(["position", "cycle"])["accuracy"].mean()
    assert means.to_dict() == pytest.approx(whole.to_dict())


def test_a_task_has_the_accuracy_of_every_feature(found):
    tasks = found["tasks"].set_index("position")
    features = found["features"].set_index(["position", "cycle", "split", "feature"])
    for name in ("airplane", "boat"):
        for when, cycle in (("before", 0), ("after", 1)):
            for metric, split in (("accuracy", "test"), ("balanced_accuracy", "balanced"),
                                  ("attention_inside", "balanced")):  # fmt: skip
                said = tasks[f"{metric}_of_{name}_{when}"]
                for position, value in said.items():
                    assert value == features.loc[position, cycle, split, name][metric]
                unit, words = describe("tasks", str(said.name))
                assert name in words
                assert unit == "share"


def test_nothing_failed(found):
    assert not found["tasks"]["failed"].any()
    assert (found["tasks"]["images"] == 4).all()
