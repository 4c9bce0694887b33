"""What arms set for themselves, what settings on the command line change, and runs' names."""

import pandas as pd
import pytest
import torch
from finished_runs import cycles, told

from analysis.benchmark.measures import measures
from analysis.benchmark.tables import read
from simulators.benchmark import config, jobs, sweep
from simulators.benchmark.places import Places
from study.config import ModelConfig, StudyFileError
from study.learning import models

ARMS = '["random", "entropy", "label-dispersion"]'
HEAD = 'fine_tuning = { train = "head", epochs = 20 }'


def _hashes(file):
    return {one.arm.name: one.hash for one in file.runs()}


def test_a_file_of_weights_counts_by_what_is_in_it(bench, tmp_path) -> None:
    small = ModelConfig(name="small", width=8, blocks=2)
    seen = []
    for name, number in (("a.pt", 0), ("b.pt", 0), ("b.pt", 1)):
        torch.save(models.build(small, 2, number).state_dict(), tmp_path / "scratch")
        (tmp_path / "scratch").replace(tmp_path / name)
        file = bench([("width = 8", f"width = 8\nweights = '{name}'")])
        one = next(file.runs())
        seen.append((one.hash, one.baseline))
    assert seen[0] == seen[1]
    assert seen[2][0] != seen[1][0]
    assert seen[2][1] != seen[1][1]


def test_set_changes_what_is_run_hashed_and_kept(bench) -> None:
    path = bench().path
    file = config.load(path, ["budget.batch=3", "model.name = small", "fine_tuning.train=head"])
    assert file.config.budget.batch == 3
    assert file.config.fine_tuning.train == "head"
    assert file.config.fine_tuning.optimiser == "lbfgs"
    assert file.hash != bench().hash
    assert not set(_hashes(file).values()) & set(_hashes(bench()).values())
    assert b"batch = 3" in file.raw
    for wrong, said in (
        ("budget", "must be key=value"),
        ("name.x=1", "name is not a table"),
        ("budget.bach=1", "bach"),
    ):
        with pytest.raises(StudyFileError, match=said):
            config.load(path, [wrong])


@pytest.mark.parametrize(
    "own",
    ["guidance = { w_g = 0.0 }", HEAD, "model = { width = 16 }", "pretraining = { epochs = 1 }"],
)  # fmt: skip
def test_an_arm_of_its_own_settings_is_another_run_and_its_label_is_not(bench, own) -> None:
    arms = f'["random", {{ strategy = "random", label = "own", {own} }}]'
    found = _hashes(bench([(ARMS, arms), ("[0, 1]", "[0]")]))
    renamed = _hashes(bench([(ARMS, arms.replace('"own"', '"other"')), ("[0, 1]", "[0]")]))
    assert found["own"] != found["random"]
    assert found["own"] == renamed["other"]


def test_arms_of_all_and_of_a_head_share_a_file_and_a_first_classifier(bench, tmp_path) -> None:
    arms = f'["random", {{ strategy = "random", label = "head", {HEAD} }}, ' \
           f'{{ strategy = "vote-entropy", label = "votes", committee = 1, {HEAD} }}]'  # fmt: skip
    file = bench([(ARMS, arms), ("[0, 1]", "[0]")])
    place = tmp_path / "run"
    assert sweep.run(file, place, workers=1, device="cpu", progress=False) == []
    table = cycles(place).query("cycle == 0 and split == 'balanced'")
    assert len(set(table["attention_inside"])) == 1
    last = cycles(place).query("cycle == 2 and split == 'balanced'").set_index("strategy")
    assert last.loc["random", "attention_inside"] != last.loc["head", "attention_inside"]


def test_head_mode_cut_short_goes_on_to_the_same_numbers(bench, tmp_path, monkeypatch) -> None:
    arms = f'["random", {{ strategy = "vote-entropy", label = "votes", committee = 1, {HEAD} }}]'
    file = bench([(ARMS, arms), ("[0, 1]", "[0]")])
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert sweep.run(file, whole, workers=1, device="cpu", progress=False) == []
    one = next(run for run in file.runs() if run.arm.name == "votes")
    real, kept = jobs.write_atomically, []

    def once(path, content):
        real(path, content)
        if path.name.endswith(".1.pt") and one.hash in path.name:
            kept.append(path)
            raise KeyboardInterrupt

    monkeypatch.setattr(jobs, "write_atomically", once)
    with pytest.raises(KeyboardInterrupt):
        sweep.run(file, cut, workers=1, device="cpu", progress=False)
    monkeypatch.undo()
    assert kept
    assert Places(cut).partials(one) == kept
    jobs._STARTS.clear()
    assert sweep.run(file, cut, workers=1, device="cpu", progress=False) == []
    assert told(whole) == told(cut)


def test_the_first_row_of_an_ensemble_is_the_ensembles(bench, tmp_path) -> None:
    both = HEAD.replace("}", ", ensemble = 3 }")
    arms = f'["random", {{ strategy = "random", label = "three", {both} }}]'
    file = bench([(ARMS, arms), ("[0, 1]", "[0]"), ("cycles = 2", "cycles = 1")])
    place = tmp_path / "run"
    assert sweep.run(file, place, workers=1, device="cpu", progress=False) == []
    start = cycles(place).query("cycle == 0 and split == 'balanced'").set_index("strategy")
    assert start.loc["three", "attention_inside"] != start.loc["random", "attention_inside"]


def _arms(**own: str) -> str:
    arms = (f'{{ label = "{k}", strategy = "random", {v} }}' for k, v in own.items())
    return f"[{', '.join(arms)}]"


BASELINES = {
    "masks": 'annotator = "masks"',
    "rrr": 'guidance = { method = "rrr" }',
    "rrr-cam": f'guidance = {{ method = "rrr-cam" }}, {HEAD}',
    "hint": f'guidance = {{ method = "hint" }}, {HEAD}',
    "weights": 'guidance = { w_g = 0.0 }, fine_tuning = { train = "head", weights = "group" }',
    "retraining": 'fine_tuning = { train = "head", data = "balanced" }',
}


def test_the_baselines_of_the_literature_are_arms(bench) -> None:
    arms = f'{_arms(**BASELINES)}\nbaseline = "masks"'
    file = bench([(ARMS, arms), ("[0, 1]", "[0]"), ("cycles = 2", "cycles = 1")])
    out = file.path.parent / "out"
    assert sweep.run(file, out, workers=1, device="cpu", progress=False) == []
    last = cycles(out)[lambda rows: rows["cycle"] == 1].set_index("strategy")
    assert set(last.index) == set(BASELINES)
    assert (last.loc["masks", "seconds"] == 0).all()
    assert (last.loc["rrr", "seconds"] > 0).all()
    assert last.loc["retraining", "note"].str.contains("as many of every group").all()


@pytest.mark.parametrize(
    ("own", "lines", "said"),
    [
        ({"rrr": 'guidance = { method = "rrr" }, ' + HEAD}, "", "same in every cell"),
        ({"rrr": 'guidance = { method = "rrr", positive = "disc" }'}, "", "positive is of method"),
        ({"masks": 'annotator = "masks"'}, "seconds = 60.0", "budget.seconds does not end them"),
        ({"all": 'fine_tuning = { data = "balanced" }'}, "", "set train = 'head'"),
    ],
)  # fmt: skip
def test_what_a_baseline_cannot_do_is_refused_in_a_sentence(bench, own, lines, said) -> None:
    arms = f'{_arms(**own)}\nbaseline = "{next(iter(own))}"'
    with pytest.raises(StudyFileError, match=said):
        bench([(ARMS, arms), ("cycles = 2", f"cycles = 2\n{lines}")])


def test_what_several_features_cannot_do_is_refused_in_a_sentence(bench) -> None:
    several = [("size = 48", 'size = 48\nlabels = "several"'), (ARMS, '["svm-margin"]')]
    with pytest.raises(StudyFileError, match="svm-margin is the boundary between classes"):
        bench([*several, ("[budget]", 'baseline = "svm-margin"\n\n[budget]')])


def test_every_feature_has_rows_of_its_own(bench) -> None:
    several = ("size = 48", 'size = 48\nlabels = "several"')
    aim = ("epochs = 1", "epochs = 1\n[target]\nmetric = 'conflicting_accuracy_of_boat'")
    file = bench([several, (ARMS, '["random"]'), ("[0, 1]", "[0]"), aim])
    out = file.path.parent / "out"
    assert sweep.run(file, out, workers=1, device="cpu", progress=False) == []
    features = pd.read_csv(out / "features.csv")
    assert set(features["feature"]) == {"airplane", "boat"}
    assert list(features["cycle"].unique()) == [0, 1, 2]
    assert not [name for name in cycles(out).columns if ": " in name]
    whole = cycles(out).set_index(["cycle", "split"])["accuracy"]
    means = features.groupby(["cycle", "split"])["accuracy"].mean()
    assert means.to_dict() == pytest.approx(whole.to_dict())
    own = cycles(out).set_index(["cycle", "split"])["conflicting_accuracy_of_boat"]
    of_boats = features[features["feature"] == "boat"].set_index(["cycle", "split"])
    assert own.dropna().to_dict() == of_boats["conflicting_accuracy"].dropna().to_dict()
    primary = measures(read(out)).iloc[0]
    assert primary["key"] == "balanced:conflicting_accuracy_of_boat"
    assert primary["label"].startswith("Accuracy on conflicting images, “boat” alone")


@pytest.mark.parametrize(
    ("labels", "metric", "said"),
    [
        ("several", "accuracy_of_bot", "did you mean 'accuracy_of_boat'"),
        ("one", "attention_inside_of_boat", "set dataset.labels = 'several'"),
    ],
)
def test_a_target_of_a_feature_that_is_not_there(bench, labels, metric, said) -> None:
    aim = ("epochs = 1", f"epochs = 1\n[target]\nmetric = '{metric}'")
    with pytest.raises(StudyFileError, match=said):
        bench([("size = 48", f'size = 48\nlabels = "{labels}"'), aim])


def test_draws_of_a_seed_begin_alike_and_go_by_chance_of_their_own(bench, tmp_path) -> None:
    drawn = bench(
        [
            (ARMS, '[{ strategy = "random", draws = 2 }]'),
            ("[0, 1]", "[0]"),
            ("cycles = 2", "cycles = 1"),
        ]
    )
    first, second = drawn.runs()
    assert (
        next(bench([(ARMS, '["random"]'), ("cycles = 2", "cycles = 1")]).runs()).hash == first.hash
    )
    assert (second.baseline, second.hash == first.hash) == (first.baseline, False)
    assert sweep.run(drawn, tmp_path / "run", 1, device="cpu", progress=False) == []
    table = cycles(tmp_path / "run")
    assert table.groupby("cycle")["draw"].unique().map(list).to_dict() == {0: [0, 1], 1: [0, 1]}
    picked = pd.read_csv(tmp_path / "run" / "picks.csv").groupby("draw")["image"].agg(set)
    assert picked[0] != picked[1]
    start = table[table["cycle"] == 0].groupby("split")["accuracy"].nunique()
    assert (start == 1).all()
