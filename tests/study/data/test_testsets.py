"""Further test sets by context."""

import pytest

from study.config import StudyFileError, load
from study.data.dataset import DataError
from study.data.loading import load_dataset

TEXT = """
name = "x"
[dataset]
kind = "scenes"
size = 32
train = 4
val = 4
test = 40
balanced = 40
"""


def loaded(tmp_path, tests, cache=None):
    (tmp_path / "study.toml").write_text(TEXT + f"tests = {tests}\n")
    return load_dataset(load(tmp_path / "study.toml"), cache)


def test_all_images_without_a_context(tmp_path):
    dataset = loaded(tmp_path, '[{name = "no-buoy", of = "balanced", without = ["buoy"]}]')
    part = dataset["no-buoy"]
    assert set(part.contexts.tolist()) == {0}
    assert len(part) == int((dataset["balanced"].contexts == 0).sum()) == 20
    assert dataset.test_splits == ("test", "balanced", "no-buoy")
    assert loaded(tmp_path, '[{name = "a", only = ["buoy"]}]')["a"].contexts.unique().item() == 1


def test_test_sets_neither_change_the_data_nor_draw_them_again(tmp_path):
    plain = loaded(tmp_path, "[]", tmp_path / "cache")
    tested = loaded(tmp_path, '[{name = "a", only = ["sun"]}]', tmp_path / "cache")
    assert tested.fingerprint == plain.fingerprint
    drawn = [path for path in (tmp_path / "cache").iterdir() if path.suffix != ".lock"]
    assert len(drawn) == 1


@pytest.mark.parametrize(
    ("tests", "problem"),
    [
        ('[{name = "a", without = ["boy"]}]', "'boy' is not a context; did you mean 'buoy'?"),
        ('[{name = "a", of = "tset", without = ["buoy"]}]', "did you mean 'test'?"),
        ('[{name = "a", without = ["buoy", "sun"]}]', "a has no image in test"),
    ],
)
def test_what_the_data_do_not_have(tmp_path, tests, problem):
    with pytest.raises(DataError) as caught:
        loaded(tmp_path, tests)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("tests", "problem"),
    [
        ('[{name = "a"}]', "a must say which contexts it is without"),
        ('[{name = "val", only = ["sun"]}]', "'val' is a split already"),
        ('[{name = "A", only = ["sun"]}]', "dataset.tests"),
        ('[{name = "a", only = ["sun"]}, {name = "a", only = ["sun"]}]', "a is listed 2 times"),
    ],
)
def test_what_the_study_file_may_not_say(tmp_path, tests, problem):
    with pytest.raises(StudyFileError) as caught:
        loaded(tmp_path, tests)
    assert problem in str(caught.value)
