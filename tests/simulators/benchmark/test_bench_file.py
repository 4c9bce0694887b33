"""The benchmark file: short forms, every mistake at once, names that say what matters."""

import tomllib
from pathlib import Path

import pytest

from simulators.benchmark import config
from simulators.benchmark.config import BenchConfig
from study.acquisition import STRATEGIES
from study.config import StudyFileError

EXAMPLE = Path("apps/examples/benchmark.toml")


def test_all_means_every_strategy_and_random_first(bench) -> None:
    file = bench([('["random", "entropy", "label-dispersion"]', '"all"')])
    names = [arm.name for arm in file.config.strategies]
    assert names[0] == "random"
    assert sorted(names) == sorted(STRATEGIES)


def test_an_arm_is_named_by_what_tells_it_from_others(bench) -> None:
    arms = """[
        "random", "entropy + margin",
        { strategy = "entropy", balance = true },
        { strategy = "score-bands", options = { low = 0.4, high = 0.6 } },
        { strategy = "vote-entropy", committee = 2, subsample = 20 },
        { strategy = "k-center", label = "mine" },
    ]"""
    file = bench([('["random", "entropy", "label-dispersion"]', arms)])
    assert [arm.name for arm in file.config.strategies] == [
        "random",
        "entropy + margin",
        "entropy, balanced",
        "score-bands (low=0.4, high=0.6)",
        "vote-entropy, committee of 3, of 20",
        "mine",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"entropy"', '"entrpy"', "strategies[1].strategy = 'entrpy' is not a strategy"),
        ('"entropy"', '"random"', "strategies: random is listed 2 times"),
        ('"random", ', "", "baseline = 'random' is not among the strategies"),
        ('"entropy"', '"entropy + random"', "Random gives images no scores of their own"),
        ('"entropy"', '{ strategy = "entropy", options = { low = 1 } }', "'low' is not an option"),
        ("cycles = 2", "cycle = 2", "budget.cycle is not a setting; did you mean 'cycles'?"),
        ("[0, 1]", "[0, 0]", "seeds: 0 is listed 2 times"),
        ("batch = 6", "batch = 6\nseconds = 0.0", "budget.seconds = 0.0 must be more than 0"),
        ("epochs = 1", "epochs = 1\n[annotator]\nfixed = { speeed = 1.0 }", "did you mean 'speed'"),
        (
            "epochs = 1",
            "epochs = 1\n[annotator]\nfixed = { slip_rate = 7.0 }",
            "fixed.slip_rate = 7.0 must be at most 1",
        ),
        ("[0, 1]", "[-3]", "seeds[0] = -3 must be at least 0"),
        ("epochs = 1", "epochs = 1\n[target]\nmetric = 'acuracy'", "did you mean 'accuracy'?"),
        (
            "epochs = 1",
            "epochs = 1\n[target]\nvalue = 70.0",
            "target.value = 70.0 must be at most 1",
        ),
        ("epochs = 1", "epochs = 1\n[target]\nsplit = 'tets'", "did you mean 'test'?"),
        ('"entropy"', '{ strategi = "entropy" }', "did you mean 'strategy'?"),
        ('"entropy"', '{ active = "entropy" }', "active is not a setting; it must be one of strat"),
        (
            "blocks = 2",
            "blocks = 2\ncheckpoint = 'a.pt'",
            "strategies[2]: label-dispersion looks back on the training of the first classifier",
        ),
    ],
)
def test_mistakes_are_named_by_their_path(bench, old: str, new: str, said: str) -> None:
    with pytest.raises(StudyFileError) as error:
        bench([(old, new)])
    assert said in str(error.value)
    assert "bench.toml" in str(error.value)


def test_a_runs_name_depends_on_what_can_change_its_result_only(bench) -> None:
    first = [run.hash for run in bench().runs()]
    assert len(set(first)) == len(first) == 6
    renamed = bench([('"entropy"', '{ strategy = "entropy", label = "H" }')])
    assert [run.hash for run in renamed.runs()] == first
    fewer = bench([('["random", "entropy", "label-dispersion"]', '["random"]')])
    assert {run.hash for run in fewer.runs()} < set(first)
    longer = bench([("cycles = 2", "cycles = 3")])
    assert not {run.hash for run in longer.runs()} & set(first)
    assert {t.baseline for t in longer.runs()} == {t.baseline for t in bench().runs()}


def test_the_example_shows_every_setting_of_its_own() -> None:
    text = EXAMPLE.read_text()
    config.load(EXAMPLE)
    assert tomllib.loads(text)
    own = [name for name in BenchConfig.model_fields if name not in ("instruments",)]
    for name in own:
        assert name in text
    for table in ("budget", "annotator", "target"):
        for setting in BenchConfig.model_fields[table].default.model_fields_set | set(
            type(BenchConfig.model_fields[table].default).model_fields
        ):
            assert setting in text


def test_the_example_of_labels_shows_every_setting_of_what_is_bought() -> None:
    path = EXAMPLE.with_name("labels.toml")
    text, file = path.read_text(), config.load(path)
    for table in (file.config.task, file.config.training, file.config.self_training):
        for setting in type(table).model_fields:
            assert setting in text


def test_an_arm_says_what_it_changes_of_the_file(bench) -> None:
    arms = '["random", { strategy = "random", guidance = { positive = "point" }, label = "point" }]'
    old = 'strategies = ["random", "entropy", "label-dispersion"]'
    plain, other = bench(exchanged=[(old, f"strategies = {arms}")]).config.strategies
    assert plain.settings == {}
    assert other.settings == {"guidance: positive": "point"}


def test_a_runs_name_depends_on_the_photographs_and_the_checkpoint(tmp_path) -> None:
    folder = tmp_path / "photos" / "cat"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(b"one")
    (tmp_path / "given.pt").write_bytes(b"weights")
    text = 'name = "x"\nstrategies = ["random"]\n[dataset]\nkind = "folder"\nroot = "photos"\n'
    (tmp_path / "bench.toml").write_text(text + '[model]\ncheckpoint = "given.pt"\n')

    def name() -> str:
        return next(config.load(tmp_path / "bench.toml").runs()).hash

    first = name()
    (folder / "a.png").touch()
    assert name() == first
    (folder / "a.png").write_bytes(b"two")
    other = name()
    (tmp_path / "given.pt").write_bytes(b"others")
    assert len({first, other, name()}) == 3
    (tmp_path / "photos").rename(tmp_path / "moved")
    (tmp_path / "moved").rename(tmp_path / "photos")
    (folder / "a.png").write_bytes(b"one")
    (tmp_path / "given.pt").write_bytes(b"weights")
    assert name() == first
