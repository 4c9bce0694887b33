"""What is known of a pool whose labels are bought, and how it is learnt."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from study import labels
from study.config import ModelConfig, ShapesConfig, TrainingConfig
from study.cycle import Needs
from study.data.shapes import render
from study.labels import Known
from study.learning import models
from study.learning.learner import Learner
from study.seeds import seed

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data():
    return render(ShapesConfig(kind="shapes", classes=3, size=24, train=30, val=6, test=3))


@pytest.fixture(scope="module")
def model(data):
    config = ModelConfig(name="small", width=8, blocks=2)
    return models.build(config, 3, 0, data.classes)


@given(count=st.integers(1, 30), stream=st.integers(0, 5))
def test_a_start_is_even_wherever_it_can_be(data, count, stream) -> None:
    chosen = labels.first(data["train"], count, "even", stream)
    assert len(set(chosen.tolist())) == count
    each = data["train"].labels[torch.from_numpy(chosen)].bincount(minlength=3)
    assert each.max() - each.min() <= 1
    assert chosen.tolist() == labels.first(data["train"], count, "even", stream).tolist()
    # a smaller start is the beginning of a larger one
    assert set(labels.first(data["train"], max(1, count - 1), "even", stream)) <= set(chosen)


def test_a_random_start_does_not_ask_for_labels(data) -> None:
    chosen = labels.first(data["train"], 12, "random", 3)
    turned = data["train"].labels.flip(0)
    other = labels.first(labels.hidden(data["train"], [], turned.numpy()), 12, "random", 3)
    assert chosen.tolist() == other.tolist()


def test_a_guess_is_the_softmax_of_the_model(model, data) -> None:
    found = labels.guess(model, data["train"], CPU)
    with torch.no_grad():
        logits = model(data["train"].images)
    assert found.labels.tolist() == logits.argmax(1).tolist()
    assert np.allclose(found.confidence, logits.softmax(1).amax(1), atol=1e-6)
    entropy = functional.cross_entropy(logits, logits.softmax(1), reduction="none")
    assert np.allclose(found.entropy, entropy, atol=1e-5)


def test_what_is_learnt_does_not_depend_on_other_labels(model, data) -> None:
    """Training and what is recorded of the pool depend on bought labels alone."""
    known = Known.bought(data["train"], range(12))
    config = TrainingConfig(epochs=2, batch=6, schedule="cosine", augment=("flip",))

    def trained(pool):
        return labels.learn(
            Learner(model), pool, data["val"], known, config, Needs(predictions=True),
            lambda *names: seed("test", *names), 1, CPU,
        )  # fmt: skip

    one = trained(data["train"])
    other = trained(labels.hidden(data["train"], range(12), np.zeros(30, dtype=np.int64)))
    assert one.predictions is not None
    assert one.predictions.shape == (2, 30)
    assert (one.predictions == other.predictions).all()
    a, b = one.model.state_dict(), other.model.state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)
    first = model.state_dict()
    assert any(not torch.equal(a[name], first[name]) for name in a)
