"""Re-weighting by groups, and last-layer re-training on balanced ones."""

import copy
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight

from study.annotation import Annotation
from study.config import (
    FineTuningConfig,
    GuidanceConfig,
    ModelConfig,
    PretrainingConfig,
    ScenesConfig,
    WeightsName,
)
from study.data.dataset import DataError, ImageSet
from study.data.scenes import render
from study.learning import models, training, tuning
from study.learning.features import FeatureStore
from study.learning.groups import balanced, balancing, require_groups
from study.learning.parts import learning_part


@pytest.mark.parametrize("by", ["class", "context", "group"])
def test_weights_are_those_of_scikit_learn(toy: ImageSet, by: WeightsName) -> None:
    uneven = toy.subset(list(range(29)))
    assert uneven.contexts is not None
    labels, contexts = uneven.labels.numpy(), uneven.contexts.numpy()
    numbers = {"class": labels, "context": contexts, "group": 10 * contexts + labels}[by]
    found = balancing(uneven, by, "a test")
    assert found is not None
    assert found.tolist() == pytest.approx(compute_sample_weight("balanced", numbers).tolist())
    assert found.mean().item() == pytest.approx(1.0)


def test_every_feature_has_weights_of_its_own() -> None:
    config = ScenesConfig(labels="several", size=32, train=40, val=4, test=4, balanced=4, bias=0.9)
    items = render(config)["train"].items
    found = balancing(items, "group", "a test")
    assert found is not None
    assert items.every_context is not None
    for feature in (0, 1):
        numbers = items.every_context[:, feature] * 2 + items.labels[:, feature]
        wanted = compute_sample_weight("balanced", numbers.numpy())
        assert found[:, feature].tolist() == pytest.approx(wanted.tolist())


def test_without_contexts_there_are_no_groups(toy: ImageSet) -> None:
    unknown = replace(toy, contexts=None)
    assert balancing(unknown, "class", "x") is not None
    for by in ("context", "group"):
        with pytest.raises(DataError, match="needs the context of every image"):
            balancing(unknown, by, "fine_tuning.weights = 'group'")
    with pytest.raises(DataError, match=r"fine_tuning\.data = 'balanced' needs the context"):
        balanced(unknown, 0)
    # and so before anybody waits
    require_groups(unknown, FineTuningConfig(weights="class"))
    for wrong in ({"weights": "group"}, {"train": "head", "data": "balanced"}):
        with pytest.raises(DataError, match="needs the context of every image"):
            require_groups(unknown, FineTuningConfig.model_validate(wrong))


def test_a_balanced_draw_has_as_many_of_every_group(toy: ImageSet) -> None:
    assert toy.contexts is not None
    one, other = balanced(toy, 0), balanced(toy, 1)
    assert one != other
    assert one == balanced(toy, 0)
    groups = Counter(zip(toy.labels[one].tolist(), toy.contexts[one].tolist(), strict=True))
    assert set(groups.values()) == {6}
    assert len(groups) == 4


def _kept(toy: ImageSet) -> tuple[models.Classifier, ImageSet]:
    whole = models.build(ModelConfig(name="small", width=16, blocks=2), 2, seed=3).eval()
    return learning_part(whole, "head"), FeatureStore(None, whole, "head", "cpu").attach(toy)


def test_retraining_is_a_logistic_regression_of_its_own(toy: ImageSet) -> None:
    head, kept = _kept(toy)
    some = kept.subset(balanced(kept, 0))
    decay = 0.01
    config = FineTuningConfig(train="head", weight_decay=decay, epochs=500)
    other = copy.deepcopy(head)
    with torch.no_grad():  # it is fitted anew: where it was does not matter
        for parameter in other.parameters():
            parameter.mul_(-3.0)
    for model in (head, other):
        tuning.retrain(model, some, config, "cpu")
    assert torch.equal(head.class_weights, other.class_weights)
    pooled = some.inputs[:].float().mean((2, 3))
    # softmax of two classes with a penalty on both is the sigmoid with half of it
    oracle = LogisticRegression(C=2 / (decay * len(some)), max_iter=5000, tol=1e-8)
    oracle.fit(pooled.numpy(), some.labels.numpy())
    ours = head(some.inputs[:].float()).softmax(1).detach().numpy()
    assert np.allclose(ours, oracle.predict_proba(pooled.numpy()), atol=0.01)


def test_weights_count_in_pretraining_and_in_tuning(toy: ImageSet) -> None:
    """An image that counts twice is an image that is there twice."""
    head, kept = _kept(toy)
    once = kept.subset([0, 1, 2, 3, 4, 6])  # 4 red, 2 green
    twice = kept.subset([0, 1, 2, 3, 4, 6, 1, 3])
    weighted, doubled = copy.deepcopy(head), copy.deepcopy(head)
    settings = PretrainingConfig(train="head", weight_decay=0.01, weights="class")
    training.pretrain(weighted, once, once, settings, 0, "cpu")
    plain = settings.model_copy(update={"weights": "none"})
    training.pretrain(doubled, twice, twice, plain, 0, "cpu")
    assert torch.allclose(weighted.class_weights, doubled.class_weights, atol=2e-3)
    weighted, doubled = copy.deepcopy(head), copy.deepcopy(head)
    labels_alone = GuidanceConfig(w_g=0.0, w_c=1.0)
    tuned = FineTuningConfig(train="head", anchor=0.1, weights="class")
    tuning.fine_tune(weighted, once, [Annotation()] * 6, tuned, labels_alone, 0, "cpu")
    tuned = FineTuningConfig(train="head", anchor=0.1)
    tuning.fine_tune(doubled, twice, [Annotation()] * 8, tuned, labels_alone, 0, "cpu")
    assert torch.allclose(weighted.class_weights, doubled.class_weights, atol=2e-3)
