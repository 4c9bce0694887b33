"""SimSiam: its loss by hand, its gradient by finite differences, and features that stay apart."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from study import cycle
from study.config import ModelConfig, PretrainingConfig, ShapesConfig, StudyConfig
from study.data.shapes import render
from study.learning import models, simsiam

CPU = torch.device("cpu")
SETTINGS = {
    "objective": "simsiam",
    "epochs": 6,
    "batch": 32,
    "learning_rate": 0.05,
    "projection": 32,
    "prediction": 8,
}


@pytest.fixture(scope="module")
def data():
    return render(ShapesConfig(kind="shapes", classes=3, size=24, train=64, val=6, test=6))


def test_the_loss_is_half_of_each_negative_cosine() -> None:
    """Eq. 5.1 and 5.2 in numpy."""
    p1, z1, p2, z2 = np.random.default_rng(0).standard_normal((4, 5, 3))
    expected = 0.0
    for p, z in ((p1, z2), (p2, z1)):
        each = [
            -(a @ b) / (np.linalg.norm(a) * np.linalg.norm(b)) for a, b in zip(p, z, strict=True)
        ]
        expected += np.mean(each) / 2
    given = map(torch.from_numpy, (p1, z1, p2, z2))
    assert simsiam.loss(*given).item() == pytest.approx(expected)


def test_the_gradient_is_that_of_finite_differences_with_the_other_side_held_fixed() -> None:
    """The encoder's output enters p and z; only what comes through p counts (stop-gradient)."""
    torch.manual_seed(0)
    shape = (4, 3)
    x1, x2, predict = (torch.randn(*s, dtype=torch.float64) for s in (shape, shape, (3, 3)))
    encode = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
    z1, z2 = x1 @ encode, x2 @ encode
    simsiam.loss(z1 @ predict, z1, z2 @ predict, z2).backward()
    fixed = [(x @ encode).detach() for x in (x1, x2)]

    def value(weights: torch.Tensor) -> float:
        p1, p2 = x1 @ weights @ predict, x2 @ weights @ predict
        return simsiam.loss(p1, fixed[0], p2, fixed[1]).item()

    numeric, step = torch.zeros(3, 3, dtype=torch.float64), 1e-6
    for i in range(3):
        for j in range(3):
            moved = torch.zeros(3, 3, dtype=torch.float64)
            moved[i, j] = step
            with torch.no_grad():
                numeric[i, j] = (value(encode + moved) - value(encode - moved)) / (2 * step)
    assert torch.allclose(encode.grad, numeric, atol=1e-8)


def test_spread_is_one_on_the_sphere_and_nothing_where_all_are_the_same() -> None:
    z = torch.randn(4000, 16, generator=torch.Generator().manual_seed(1))
    assert simsiam.spread(z) == pytest.approx(1.0, abs=0.02)
    assert simsiam.spread(z[:1].expand(50, -1)) == pytest.approx(0.0, abs=1e-6)


def _trained(data, **settings):
    model = models.build(ModelConfig(name="small", width=8, blocks=2), 3, 0, data.classes)
    config = PretrainingConfig(**{**SETTINGS, **settings})
    return model, simsiam.pretrain(model, data["train"], config, 3, CPU)


def test_features_do_not_collapse_and_would_without_the_stop(data, monkeypatch) -> None:
    head = models.build(ModelConfig(name="small", width=8, blocks=2), 3, 0, data.classes)
    model, history = _trained(data, epochs=12, learning_rate=0.3)
    assert history.losses[-1] < history.losses[0] - 0.1
    assert min(history.spreads) > 0.9
    assert not model.training
    assert torch.equal(model.class_weights, head.class_weights)  # the classes have no part
    with torch.no_grad():
        features = model.features(data["test"].images).mean((2, 3))
    assert torch.pdist(features).min() > 0.01 * features.norm(dim=1).mean()

    def without_stop(p: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return -functional.cosine_similarity(p, z, dim=1).mean()

    monkeypatch.setattr(simsiam, "_distance", without_stop)
    _, collapsing = _trained(data, epochs=12, learning_rate=0.3)
    assert collapsing.losses[-1] < -0.6  # better by its own measure
    assert collapsing.spreads[-1] < 0.8


def test_labels_have_no_part_in_it(data) -> None:
    other = replace(data["train"], labels=data["train"].labels.flip(0), masks=None)
    states = []
    for images in (data["train"], other):
        model = models.build(ModelConfig(name="small", width=8, blocks=2), 3, 0, data.classes)
        config = PretrainingConfig(**{**SETTINGS, "epochs": 1})
        simsiam.pretrain(model, images, config, 3, CPU)
        states.append(model.state_dict())
    one, two = states
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_study_fits_its_head_to_the_labels_and_a_benchmark_that_buys_them_does_not(data) -> None:
    config = StudyConfig.model_validate(
        {
            "name": "x",
            "model": {"name": "small", "width": 8, "blocks": 2},
            "pretraining": {**SETTINGS, "epochs": 1},
        }
    )
    bought, _ = cycle.pretrain(config, data, 3, None, CPU, labels=False)
    fitted, _ = cycle.pretrain(config, data, 3, None, CPU)
    trunk, other = bought.trunk_state("head"), fitted.trunk_state("head")
    assert all(torch.equal(trunk[name], other[name]) for name in trunk)
    assert not torch.equal(bought.class_weights, fitted.class_weights)
    with torch.no_grad():
        right = (fitted(data["train"].images).argmax(1) == data["train"].labels).float().mean()
    assert right > 0.5
