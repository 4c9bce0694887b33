"""One class of an image, or any of several features: losses, answers, questions, evidence."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM
from torch.nn import functional

from study.acquisition import Pool, build
from study.annotation import Annotation
from study.config import (
    AcquisitionConfig,
    FineTuningConfig,
    GuidanceConfig,
    ModelConfig,
    PretrainingConfig,
    ScenesConfig,
)
from study.data.dataset import Dataset
from study.data.scenes import render
from study.learning import checkpoints, models, training
from study.learning.attention import attend, attention_maps
from study.learning.evaluation import evaluate
from study.learning.features import FeatureStore
from study.learning.labelling import LABELLINGS
from study.learning.models import Classifier, ModelError
from study.learning.parts import learning_part
from study.learning.tuning import fine_tune
from study.metrics import FEATURE_METRICS, by_feature

ONE, SEVERAL = LABELLINGS["one"], LABELLINGS["several"]
LOGITS = torch.tensor([[2.0, -1.0, 0.5], [-0.5, 3.0, -2.0]])


@pytest.fixture(scope="module")
def data() -> Dataset:
    return render(
        ScenesConfig(labels="several", size=32, bias=0.8, train=32, val=12, test=24, balanced=12)
    )


@pytest.fixture(scope="module")
def net() -> Classifier:
    config = ModelConfig(name="small", width=16, blocks=2)
    return models.build(config, 2, 1, ("airplane", "boat"), "several")


def test_binary_cross_entropy_is_a_mean_over_features() -> None:
    labels = torch.tensor([[True, False, True], [False, False, True]])
    loss = SEVERAL.loss(LOGITS, labels)
    by_hand = [
        sum(
            -math.log(1 / (1 + math.exp(-x if there else x)))
            for x, there in zip(row, labels[i].tolist(), strict=True)
        )
        / 3
        for i, row in enumerate(LOGITS.tolist())
    ]
    assert loss.tolist() == pytest.approx(by_hand, rel=1e-6)
    weighted = SEVERAL.loss(LOGITS, labels, torch.tensor([[2.0, 2, 2], [0, 0, 0]]))
    assert weighted.tolist() == pytest.approx([2 * by_hand[0], 0.0])


def test_answers_and_what_is_right() -> None:
    labels = torch.tensor([[True, False, False], [False, True, False]])
    assert SEVERAL.answers(LOGITS).tolist() == [[True, False, True], [False, True, False]]
    assert SEVERAL.accuracy(LOGITS, labels).tolist() == pytest.approx([2 / 3, 1.0])
    assert ONE.accuracy(LOGITS, torch.tensor([0, 0])).tolist() == [1.0, 0.0]


def test_of_a_feature_it_is_asked_whether_it_is_there() -> None:
    asked = torch.tensor([2, 0])
    answers = SEVERAL.question(LOGITS, asked)
    assert answers[:, 1].tolist() == torch.sigmoid(torch.tensor([0.5, -0.5])).tolist()
    assert answers.sum(1).tolist() == pytest.approx([1.0, 1.0])
    many = SEVERAL.question(torch.stack([LOGITS, -LOGITS]), asked)
    assert torch.allclose(many[0], many[1].flip(-1))
    assert SEVERAL.truth(asked).tolist() == [1, 1]
    assert ONE.truth(asked).tolist() == [2, 0]
    assert SEVERAL.memberships(answers, asked, 3).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_a_network_that_answers_one_feature_alike_for_all_is_told_from_one_that_does_not() -> None:
    alike = torch.tensor([[True, True], [True, True], [True, True]])
    assert SEVERAL.commonest(SEVERAL.tally(alike, 2)) == 1.0
    alike[0, 1] = False
    assert SEVERAL.commonest(SEVERAL.tally(alike, 2)) == pytest.approx(2 / 3)


def test_attention_is_of_the_logit_of_the_feature_that_is_asked(
    net: Classifier, data: Dataset
) -> None:
    items = data["test"].items
    ours = attention_maps(net, items).numpy()
    assert ours.shape[0] == len(items)

    class Logit:
        def __init__(self, feature: int) -> None:
            self.feature = feature

        def __call__(self, output: torch.Tensor) -> torch.Tensor:
            return output[self.feature]

    pixels = net.normalise(items.images[:])
    block = net.network.get_submodule(net.cut.in_block[-1])
    with GradCAM(net, [block]) as oracle:
        theirs = oracle(pixels, [Logit(int(a)) for a in items.asked])
    for mine, other in zip(ours, theirs, strict=True):
        large = functional.interpolate(
            torch.tensor(mine)[None, None], size=other.shape, mode="bilinear"
        )[0, 0].numpy()
        if large.max() > 0:
            assert np.corrcoef(large.ravel(), other.ravel())[0, 1] > 0.999


def test_the_absolute_map_shows_evidence_against_a_feature(net: Classifier, data: Dataset) -> None:
    items = data["test"].items
    inputs, asked = items.images[:8], items.asked[:8]
    linear = net.linear
    assert linear is not None
    features = net.features(inputs)
    grid = features.shape[2] * features.shape[3]
    evidence = torch.einsum("nc,nchw->nhw", linear.weight[asked], features) / grid
    assert torch.allclose(attend(net, inputs, asked, "absolute")[1], evidence.abs(), atol=1e-6)
    assert torch.allclose(attend(net, inputs, asked, "centred")[1], evidence.relu(), atol=1e-6)


def test_pretraining_learns_features_that_are_there_together(data: Dataset) -> None:
    config = ModelConfig(name="small", width=16, blocks=2)
    net = models.build(config, 2, 1, data.classes, "several")
    settings = PretrainingConfig(epochs=12, batch=8, learning_rate=0.05, schedule="one-cycle")
    history = training.pretrain(net, data["train"], data["val"], settings, 0, "cpu")
    assert history.train_loss[-1] < history.train_loss[0]
    assert history.train_loss[-1] < 0.66  # less than a coin for every feature


def test_guidance_moves_the_attention_of_the_feature_that_was_asked(
    net: Classifier, data: Dataset
) -> None:
    whole = data["train"]
    kept = FeatureStore(None, net, "head", "cpu").attach(whole).items
    head = learning_part(net, "head")
    item = int(kept.labels.all(1).nonzero()[0])
    alone = kept.subset([item])
    drawn = [Annotation(positive_points=((0.1, 0.1),))]
    before = attention_maps(head, alone)
    config = FineTuningConfig(train="head", epochs=30, anchor=0.01)
    fine_tune(head, alone, drawn, config, GuidanceConfig(w_c=0.0, w_g=1.0, score="label"), 0, "cpu")
    after = attention_maps(head, alone)

    def near(maps: torch.Tensor) -> float:
        return float(maps[0, :3, :3].sum() / maps[0].sum().clamp(min=1e-9))

    assert near(after) > near(before) + 0.05
    other = 1 - int(alone.asked)
    linear, old = head.linear, net.linear
    assert linear is not None
    assert old is not None
    # nothing was said of the other feature, and nothing happened to it
    assert torch.equal(linear.weight[other], old.weight[other])
    assert not torch.equal(linear.weight[1 - other], old.weight[1 - other])


@pytest.mark.parametrize("strategy", ["entropy", "margin", "attention", "k-center", "oracle"])
def test_strategies_choose_items(net: Classifier, data: Dataset, strategy: str) -> None:
    items = data["train"].items
    pool = Pool(net, items, np.arange(len(items)))
    assert pool.probabilities.shape == (len(items), 2)
    config = AcquisitionConfig.model_validate({"active": strategy, "balance": True})
    picks = build(config).select(pool, 8, np.random.default_rng(0))
    assert len(set(picks.tolist())) == 8
    # balance is between the features that are asked
    assert np.bincount(items.asked[picks].numpy(), minlength=2).tolist() == [4, 4]


def test_entropy_is_that_of_the_feature_that_is_asked(net: Classifier, data: Dataset) -> None:
    items = data["train"].items
    pool = Pool(net, items, np.arange(len(items)))
    said = net(items.images[:])[torch.arange(len(items)), items.asked].sigmoid()
    wanted = torch.special.entr(said) + torch.special.entr(1 - said)
    best = build(AcquisitionConfig(active="entropy")).select(pool, 5, np.random.default_rng(0))
    assert set(best.tolist()) == set(wanted.topk(5).indices.tolist())


def test_every_feature_is_evaluated_for_itself(
    net: Classifier, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = data["test"]
    assert test.aligned is not None
    # a classifier that sees airplanes everywhere, and knows all about boats
    sure = torch.stack([torch.ones(len(test)), test.labels[:, 1].float() * 2 - 1], 1)
    monkeypatch.setattr(type(net), "classify", lambda self, features: sure[: len(features)])
    whole, features = by_feature(evaluate(net, test, "cpu", batch=len(test)).as_dict())
    airplane, boat = features["airplane"], features["boat"]
    shown = test.labels.float().mean(0)
    assert airplane["sensitivity"] == 1.0
    assert airplane["specificity"] == 0.0
    assert airplane["balanced_accuracy"] == 0.5
    assert airplane["accuracy"] == pytest.approx(shown[0].item())
    assert boat["accuracy"] == boat["balanced_accuracy"] == boat["conflicting_accuracy"] == 1.0
    assert whole["accuracy"] == pytest.approx((shown[0].item() + 1) / 2)
    assert whole["exact_accuracy"] == pytest.approx(shown[0].item())
    assert whole["balanced_accuracy"] == pytest.approx(0.75)
    assert whole["worst_group_accuracy"] == 0.0
    assert whole["accuracy_no airplane_sun"] == 0.0
    assert whole["accuracy_boat_buoy"] == 1.0
    wrong = ~test.aligned[:, 0]
    assert airplane["conflicting_accuracy"] == pytest.approx(
        test.labels[wrong, 0].float().mean().item()
    )
    assert airplane["count_conflicting"] == wrong.sum()


def test_attention_of_a_feature_is_measured_on_its_own_object(
    net: Classifier, data: Dataset
) -> None:
    test = data["test"]
    whole, features = by_feature(evaluate(net, test, "cpu", batch=7).as_dict())
    one = evaluate(net, test, "cpu").as_dict()
    assert whole["attention_inside"] == pytest.approx(one["attention_inside"])
    assert all(set(found) == set(FEATURE_METRICS) for found in features.values())
    weights = test.labels.sum(0).double()
    means = torch.tensor([features[name]["attention_inside"] for name in test.classes])
    assert whole["attention_inside"] == pytest.approx((weights * means).sum() / weights.sum())


def test_a_checkpoint_knows_what_its_logits_mean(net: Classifier, tmp_path: Path) -> None:
    checkpoints.save(tmp_path / "a.pt", net, {})
    again, _ = checkpoints.load(tmp_path / "a.pt", "cpu", labels="several")
    assert again.labelling is SEVERAL
    with pytest.raises(ModelError, match="its labels is 'several', the study needs 'one'"):
        checkpoints.load(tmp_path / "a.pt", "cpu", labels="one")
