"""Runs that buy labels: what they know, what they spend, what they are compared with."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from finished_runs import cycles
from typer.testing import CliRunner

from analysis.benchmark import curve_figures, label_figures, sentences
from analysis.benchmark.comparisons import analyse
from analysis.benchmark.labels import teachers
from analysis.benchmark.report import of_labels
from analysis.benchmark.results import tree
from analysis.benchmark.tables import read
from analysis.errors import InputError
from apps.commands.benchmark import app
from simulators.benchmark import config, jobs, sweep, weights
from simulators.benchmark.places import Places
from simulators.benchmark.state import State
from study import labels as labels_of_pool
from study import pseudo
from study.acquisition.dispersion import dispersion
from study.config import StudyFileError
from study.data.dataset import ImageSet
from study.labels import Guess, Known
from study.learning.learner import Learner

DATA = """
[dataset]
kind = "shapes"
classes = 3
size = 24
train = 60
val = 6
test = 24

[model]
name = "small"
width = 8
blocks = 2
"""
ARMS = """[
    "random", "entropy", "oracle", "label-dispersion",
    { strategy = "entropy", balance = true, balance_form = "raw" },
]"""
FILE = (
    """
name = "labels"
seeds = [0]
strategies = STRATEGIES

[task]
buys = "labels"
start = "10%"
price = 2.0
informativeness = true

[budget]
batch = "10%"
cycles = 2

[training]
epochs = 2
batch = 16
schedule = "steps"
milestones = [1]
augment = ["crop", "flip"]
"""
    + DATA
)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """The file and the directory of a finished benchmark that buys labels."""
    folder = tmp_path_factory.mktemp("labels")
    (folder / "bench.toml").write_text(FILE.replace("STRATEGIES", ARMS))
    file = config.load(folder / "bench.toml")
    assert sweep.run(file, folder / "run", workers=1, device="cpu", progress=False) == []
    return file, folder / "run"


@pytest.fixture
def make(tmp_path):
    """A function that reads the file of labels, with text exchanged or added."""

    def read(*exchanged, added="", strategies=ARMS):
        text = FILE.replace("STRATEGIES", strategies)
        for old, new in exchanged:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "bench.toml").write_text(text + added)
        return config.load(tmp_path / "bench.toml")

    return read


def _machine(labelled, arm: str):
    file, place = labelled
    one = next(run for run in file.runs() if run.arm.name.startswith(arm))
    cpu = torch.device("cpu")
    return jobs.machine_of(one)(one, jobs.start(Places(place), one, cpu), cpu)


def test_the_start_is_labelled_and_each_batch_is_paid_for(labelled) -> None:
    table = cycles(labelled[1])
    assert set(table["interface"]) == {"label"}
    for _, run in table.groupby("trial"):
        assert run["labelled"].tolist() == [6, 12, 18]
        assert run["images"].tolist() == run["actions"].tolist() == [0, 6, 12]
        assert run["seconds"].tolist() == [0.0, 12.0, 24.0]
    start = table[table["cycle"] == 0]
    assert len(set(start["accuracy"])) == 1  # every arm begins with the same labels


def test_the_start_has_as_many_of_every_class_and_is_bought_by_nobody(labelled) -> None:
    machine = _machine(labelled, "random")
    labels = machine.pool.labels[torch.from_numpy(machine.start)]
    assert labels.bincount().tolist() == [2, 2, 2]
    picks = pd.read_csv(labelled[1] / "picks.csv")
    begun = {machine.pool.names[index] for index in machine.start.tolist()}
    assert not begun & set(picks["image"])
    assert not picks.duplicated(["trial", "image"]).any()


@pytest.mark.parametrize(("arm", "knows"), [("entropy", False), ("oracle", True)])
def test_a_strategy_sees_no_label_that_is_not_bought(labelled, arm, knows, monkeypatch) -> None:
    machine = _machine(labelled, arm)
    seen: list[ImageSet] = []
    select = type(machine.strategy).select

    def spy(strategy, pool, k, rng):
        seen.append(pool.images)
        return select(strategy, pool, k, rng)

    monkeypatch.setattr(type(machine.strategy), "select", spy)
    state = State(machine.beginning)
    machine.first(state)
    machine._select(state, 1, 6)
    images = seen[-1]
    known = torch.from_numpy(machine.start)
    rest = torch.from_numpy(np.setdiff1d(np.arange(60), machine.start))
    assert (images.labels[known] == machine.pool.labels[known]).all()
    if knows:
        assert images is machine.pool
    else:
        with torch.no_grad():
            guessed = state.learner.model(machine.pool.images).argmax(1)
        assert (images.labels[rest] == guessed[rest]).all()
        assert images.masks is images.contexts is images.usual_contexts is None


def test_labels_that_nobody_bought_change_nothing(labelled) -> None:
    """Another truth about the unlabelled images, the same batch."""
    machine = _machine(labelled, "entropy")
    first = State(machine.beginning)
    machine.first(first)
    chosen = machine._select(first, 1, 6)
    known = torch.from_numpy(machine.start)
    turned = (machine.pool.labels + 1) % 3
    turned[known] = machine.pool.labels[known]
    train = replace(machine.data["train"], labels=turned)
    machine.data = replace(machine.data, splits={**machine.data.splits, "train": train})
    again = State(machine.beginning)
    machine.first(again)
    assert machine._select(again, 1, 6).tolist() == chosen.tolist()


def test_dispersion_is_of_training_watched_from_the_first_epoch(labelled) -> None:
    machine = _machine(labelled, "label-dispersion")
    state = State(machine.beginning)
    machine.first(state)
    assert state.learner.predictions.shape == (2, 60)


def test_every_arm_orders_the_pool_for_the_classifier_of_the_start(labelled) -> None:
    table = pd.read_csv(labelled[1] / "informativeness.csv")
    whole = table[table["share"] == 1.0].set_index("strategy")["accuracy"]
    assert len(whole) == 5
    assert len(set(whole)) == 1  # of all images it is the same in any order
    oracle = table[table["strategy"] == "oracle"].set_index("share")["accuracy"]
    wrong = 1 - whole.iloc[0]
    assert (oracle[oracle.index < wrong - 0.02] == 0).all()
    assert oracle.is_monotonic_increasing


def test_dispersion_is_set_beside_what_is_right_in_every_cycle(labelled) -> None:
    place = labelled[1]
    bars = pd.read_csv(place / "histogram.csv").groupby("cycle")[["images", "correct"]].sum()
    assert bars["images"].tolist() == [54, 48, 42]
    said = pd.read_csv(place / "dispersion.csv").set_index("cycle")
    assert (bars["correct"] / bars["images"]).tolist() == pytest.approx(said["accuracy"].tolist())
    assert said["epochs"].tolist() == [2, 2, 2]
    shown = pd.read_csv(place / "scatter.csv")
    assert shown.groupby("cycle").size().tolist() == [54, 48, 42]
    assert shown["dispersion"].isin([0.0, 0.5]).all()  # of two epochs
    assert shown["confidence"].between(1 / 3, 1).all()
    counts = pd.read_csv(place / "classes.csv").groupby("strategy")[["pool", "start"]].sum()
    assert set(counts["pool"]) == {60}
    assert set(counts["start"]) == {6}


def test_a_cycle_trains_from_scratch_or_from_the_last_weights(labelled, make, tmp_path) -> None:
    file = make(("price = 2.0", 'training = "last"'), strategies='["random"]')
    other = _machine((file, labelled[1]), "random")
    state = State(other.beginning)
    other.first(state)
    assert other._begin(state, 1) is state.learner
    fresh = _machine(labelled, "random")
    one, two = (fresh._begin(state, number).model.state_dict() for number in (1, 2))
    assert any(not torch.equal(one[name], two[name]) for name in one)


@pytest.fixture(scope="module")
def analysed(labelled):
    """The benchmark as it is read, and its tables."""
    data = read(labelled[1])
    return data, analyse(data)


def test_all_data_is_the_reference_and_no_arm(labelled, analysed) -> None:
    place = labelled[1]
    known = pd.read_csv(place / "reference.csv")
    assert known["labelled"].tolist() == [60]
    assert "all data" not in set(cycles(place)["strategy"])
    info = json.loads((place / "benchmark.json").read_text())
    assert (info["buys"], info["trials"], info["finished"]) == ("labels", 5, 5)
    data, tables = analysed
    rows = tables["relative"].query("axis == 'images' and measure == 'test:accuracy'")
    rows = rows.set_index("strategy")["mean"]
    assert rows["all data"] == known["accuracy"].iloc[0]
    last = cycles(place).query("strategy == 'entropy' and cycle == 2")["accuracy"].iloc[0]
    assert rows["entropy"] == pytest.approx(last / rows["all data"])
    share = tree(data, tables)["relative"]["label"]["images"]["test:accuracy"]["entropy"]
    assert share["mean"] == pytest.approx(rows["entropy"])
    assert "test:balanced_accuracy" in set(tables["measures"]["key"])


def test_the_report_has_what_balancing_adds_and_what_was_picked(labelled, analysed) -> None:
    data, t = analysed
    assert data.info["pairs"] == [["entropy, balanced by raw scores", "entropy"]]
    table = cycles(labelled[1]).set_index(["strategy", "cycle"])["accuracy"]
    gain = t["gains"].set_index("cycle")["estimate"]
    for cycle in (1, 2):
        own = table["entropy, balanced by raw scores", cycle] - table["entropy", cycle]
        assert gain[cycle] == pytest.approx(own)
    assert t["picked_classes"]["strategy"].unique().tolist() == data.strategies
    sums = t["picked_classes"].groupby(["strategy", "cycle"])[["share", "pool"]].sum()
    assert np.allclose(sums, 1.0)
    even = t["picked_classes"].groupby("strategy")["pool"].std().dropna()
    assert (even < 0.02).all()  # the pool has as many of every class
    assert set(t["detection"]["score"]) == {"dispersion", "confidence", "entropy"}
    told = t["detection"].set_index(["score", "cycle"])["mean"]
    better = t["telling"].set_index(["than", "cycle"])["estimate"]
    for cycle in (0, 1, 2):
        own = told["dispersion", cycle] - told["confidence", cycle]
        assert better["confidence", cycle] == pytest.approx(own)
    assert t["teachers"].empty
    for _, name, figure, caption in of_labels(t):
        assert figure.axes, name
        assert caption
    assert {name for _, name, *_ in of_labels(t)} == {
        "picked-classes", "labels-gains", "labels-informativeness", "labels-bars", "labels-scatter"
    }  # fmt: skip
    assert sentences.summary(t)


def test_a_run_cut_short_goes_on_to_the_same_end(labelled, monkeypatch) -> None:
    machine = _machine(labelled, "label-dispersion")
    kept: list[dict] = []
    whole = machine.go(State(machine.beginning), lambda state: kept.append(state.pack()))
    torch.save(kept[0], path := labelled[1] / "cut.pt")
    packed = torch.load(path, weights_only=True)
    again = machine.go(State.unpack(packed, machine.beginning.model), lambda state: None)
    assert list(again.annotations) == list(whole.annotations)
    assert again.rows[-1]["accuracy"] == whole.rows[-1]["accuracy"]


@pytest.mark.parametrize(
    ("exchanged", "added", "strategies", "said"),
    [
        ([], "", '["random", "worst-classes"]', "worst-classes looks at labels"),
        ([], "[pretraining]\nepochs = 3\n", '["random"]', "shows the classifier every label"),
        ([], "[guidance]\nw_g = 0.5\n", '["random"]', "guidance is of guidance"),
        (
            [('price = 2.0', 'training = "pretrained"')],
            "",
            '["random"]',
            "no weights to begin with",
        ),
        ([('buys = "labels"', 'buys = "guidance"')], "", '["random"]', "buys no label"),
        (
            [('batch = "10%"', 'batch = "20 s"'), ("price = 2.0", "price = 0.0")],
            "",
            '["random"]',
            "task.price = 0",
        ),
        ([("milestones = [1]", "")], "", '["random"]', "epochs after which the rate falls"),
        (
            [("epochs = 2", 'epochs = 2\ntrain = "head"')],
            "",
            '["random"]',
            "computed once: take augment out",
        ),
        ([('kind = "shapes"', 'kind = "scenes"\nlabels = "several"'),
          ("classes = 3", ""), ("size = 24", "size = 32")], "", '["random"]', "has many"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_bought_labels_is_refused(
    make, exchanged, added, strategies, said
) -> None:
    with pytest.raises(StudyFileError, match=said):
        make(*exchanged, added=added, strategies=strategies)


def test_a_batch_may_be_what_seconds_buy(make) -> None:
    budget = make(('batch = "10%"', 'batch = "9 s"')).config.budget
    assert budget.batch_of(60, 2.0) == 4
    assert budget.most_images(60, 2.0) == 8


def test_heads_and_machines_learn_bought_labels_and_guidance_follows(make, tmp_path) -> None:
    """On a frozen trunk: a softmax, support vector machines, and labels with guidance."""
    training = '[training]\nepochs = 2\nbatch = 16\nschedule = "steps"\nmilestones = [1]\naugment'
    head = ('[training]\ntrain = "head"\nweight_decay = 0.01\n#', '"head"')
    arms = '["random", { strategy = "svm-margin", training = { head = "svm" }, label = "svm" }]'
    file = make((training, head[0]), strategies=arms)
    assert sweep.run(file, tmp_path / "heads", workers=1, device="cpu", progress=False) == []
    table = cycles(tmp_path / "heads")
    assert table.groupby("strategy")["labelled"].max().tolist() == [18, 18]
    both = make(
        (training, head[0]), ('buys = "labels"', 'buys = "both"'),
        added='[fine_tuning]\ntrain = "head"\nepochs = 3\n', strategies='["attention"]\n'
        'baseline = "attention"\ninterfaces = ["click"]\n',
    )  # fmt: skip
    assert sweep.run(both, tmp_path / "both", workers=1, device="cpu", progress=False) == []
    table = cycles(tmp_path / "both")
    assert (table["seconds"].diff().dropna() > 6 * 2.0).all()  # the labels and the clicks


def test_more_weight_makes_a_batch_more_even_and_less_uncertain(labelled, tmp_path) -> None:
    """Figure 4.4; of a benchmark whose runs are finished nothing is touched."""
    file, _ = labelled
    table = weights.sweep(file, tmp_path, (0.0, 0.05, 1.0, 3.0), "cpu")
    raw = table[table["form"] == "raw"].set_index("weight")
    assert raw.index.tolist() == [0.0, 0.05, 1.0, 3.0]
    assert raw["l1"].is_monotonic_decreasing
    assert raw["entropy"].is_monotonic_decreasing
    machine = _machine(labelled, "entropy")
    state = State(machine.beginning)
    machine.first(state)
    alone = machine._select(state, 1, 6)
    entropy = machine._guess(state).entropy[alone].mean()
    assert raw.loc[0.0, "entropy"] == pytest.approx(entropy)
    assert len(table) == 5
    assert label_figures.weights(table, weights.smallest(table)).axes


def test_the_smallest_lambda_that_suffices_leaves_a_fiftieth_of_what_can_be_gained() -> None:
    l1 = {0.0: 10.0, 0.1: 5.0, 1.0: 1.1, 2.0: 1.0}
    rows = [{"form": "raw", "weight": weight, "l1": value} for weight, value in l1.items()]
    table = pd.DataFrame([*rows, {"form": weights.PSEUDO, "weight": np.nan, "l1": 0.0}])
    assert weights.smallest(table) == 1.0
    table.loc[2, "l1"] = 1.2
    assert weights.smallest(table) == 2.0


TRAINED = """[
    "random",
    { strategy = "entropy", label = "two", self_training = { method = "two-models", share = 10 } },
    { strategy = "entropy", label = "ceal", self_training = CEAL },
]""".replace("CEAL", '{ method = "ceal", threshold = 1.0, decay = 0.1 }')


def test_two_models_learn_the_surest_guesses_and_forget_them(make, labelled, monkeypatch) -> None:
    machine = _machine((make(strategies=TRAINED), labelled[1]), "two")
    learnt: list[tuple[Known, Learner]] = []
    learn = labels_of_pool.learn

    def spy(*arguments):
        learnt.append((arguments[3], learn(*arguments)))
        return learnt[-1][1]

    monkeypatch.setattr(labels_of_pool, "learn", spy)
    state = State(machine.beginning)
    machine.first(state)
    (bought, teacher), (more, auxiliary) = learnt
    assert bought.index.tolist() == machine.start.tolist()
    assert state.learner is auxiliary
    given = more.index[6:]
    assert given.tolist() == state.aside
    assert len(given) == 10
    assert not set(given.tolist()) & set(bought.index.tolist())
    with torch.no_grad():
        guessed = teacher.model(machine.pool.images).argmax(1).numpy()
    assert more.labels[6:].tolist() == guessed[given].tolist()
    scores = dispersion(teacher.predictions, 3)
    rest = np.setdiff1d(np.arange(60), [*machine.start, *given])
    assert scores[given].max() <= scores[rest].min()  # the surest of all
    chosen = machine._select(state, 1, 44)
    assert len(chosen) == 44
    assert not set(chosen.tolist()) & set(state.aside)  # the auxiliary asks about the others
    assert {"teacher_accuracy", "pseudo", "pseudo_accuracy"} <= set(state.rows[0])
    machine.cycle(state)
    assert learnt[2][0].index.tolist() == machine.labelled(state)  # put back after training
    assert len(state.aside) == 10


def test_an_auxiliary_model_is_set_beside_its_teacher(labelled) -> None:
    data = read(labelled[1])
    rows = data.cycles["strategy"] == "entropy"
    taught = data.cycles.assign(
        teacher_accuracy=data.cycles["accuracy"].where(rows) - 0.25, pseudo_accuracy=0.5
    )
    found = teachers(replace(data, cycles=pd.concat([taught, taught.assign(seed=1)])))
    assert found["strategy"].unique().tolist() == ["entropy"]
    assert found["cycle"].tolist() == [0, 1, 2]
    assert np.allclose(found[["estimate", "low", "high"]], 0.25)
    assert (found["right"] == 0.5).all()
    assert (found["pairs"] == 2).all()


def test_all_data_is_drawn_where_there_is_a_curve_and_nowhere_else(analysed) -> None:
    lines = analysed[1]["curves"].query("axis == 'images' and measure == 'test:accuracy'")
    many = pd.concat([lines, *(lines.assign(strategy=lines["strategy"] + n) for n in "ab")])
    figure = curve_figures.curves(many, "random", "Accuracy", reference=0.8)
    dotted = [sum(line.get_linestyle() == ":" for line in axes.lines) for axes in figure.axes]
    names = many["strategy"].nunique() - 1
    assert dotted == [1] * names + [0] * (len(dotted) - names)
    assert 0 in dotted


def test_a_bin_with_few_images_has_no_accuracy() -> None:
    bins = pd.DataFrame(
        {"cycle": 0, "dispersion": [0.0, 0.1, 0.2], "images": [90, 20, 19], "correct": [80, 9, 19]}
    )
    axes = label_figures.bars(bins).axes[0]
    assert axes.lines[0].get_ydata().tolist() == [80 / 90, 9 / 20]


def test_another_arm_may_be_what_others_are_compared_with(labelled) -> None:
    final = analyse(read(labelled[1], "entropy"))["final"]
    assert final.loc[final["strategy"] == "entropy", "difference"].isna().all()
    assert final.loc[final["strategy"] == "random", "difference"].notna().all()
    with pytest.raises(InputError, match=r"no strategy of .*; there is random, entropy"):
        read(labelled[1], "entropie")


def test_the_budget_per_class_is_drawn_of_several_directories(labelled, tmp_path) -> None:
    done = CliRunner().invoke(app, ["classes", str(labelled[1]), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    table = pd.read_csv(tmp_path / "out" / "enough.csv")
    assert set(table["mode"]) == {"simulated"}
    assert set(table["classes"]) == {3}
    assert table["first"].tolist() == [4.0] * 4  # of 60 images 6 at the start, and 6 a cycle
    assert (tmp_path / "out" / "figures" / "enough.png").exists()


def test_ceal_learns_its_own_guesses_below_a_falling_threshold(make, labelled) -> None:
    machine = _machine((make(strategies=TRAINED), labelled[1]), "ceal")
    state = State(machine.beginning)
    machine.first(state)
    assert state.rows[-1].get("pseudo", 0) == 0
    for threshold in (1.0, 0.9):
        before = machine._guess(state).entropy
        machine.cycle(state)
        rest = machine._unlabelled(state)
        assert state.rows[-1]["pseudo"] == (before[rest] < threshold).sum()
    assert state.aside == []


def test_what_is_surest_and_what_is_below() -> None:
    doubts = np.array([0.3, 0.1, 0.2, 0.1, 0.9])
    guess = Guess(np.array([0, 1, 2, 0, 1]), 1 - doubts, doubts)
    rest = np.array([0, 2, 3, 4])
    known = pseudo.surest(doubts, rest, guess.labels, 2)
    assert (known.index.tolist(), known.labels.tolist()) == ([2, 3], [2, 0])
    known = pseudo.below(guess, rest, 0.3)
    assert (known.index.tolist(), known.labels.tolist()) == ([2, 3], [2, 0])
    assert len(pseudo.surest(doubts, rest, guess.labels, 9)) == 4
