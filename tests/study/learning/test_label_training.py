"""Training on labels as the thesis has it: augmentation, schedules, effective numbers, machines."""

import numpy as np
import pytest
import torch
from sklearn.svm import LinearSVC
from torch import nn

from study.config import ModelConfig, ShapesConfig, TrainingConfig
from study.data.shapes import render
from study.learning import checkpoints, models
from study.learning.augmentation import (
    augmented,
    channel_statistics,
    simsiam_views,
    supervised,
)
from study.learning.groups import balancing, effective_number
from study.learning.machines import fit_machines
from study.learning.parts import learning_part
from study.learning.training import scheduler


@pytest.fixture(scope="module")
def train():
    return render(ShapesConfig(kind="shapes", classes=3, size=24, train=30, val=6, test=3))["train"]


def test_a_padded_crop_is_a_shift_with_a_black_border(train) -> None:
    crop = supervised(TrainingConfig(augment=("crop",), padding=2), train.size)
    white = torch.full((40, 3, 24, 24), 255, dtype=torch.uint8)
    seen = augmented(white, crop, "crop")
    rows, columns = (seen[:, 0] > 0).any(2).sum(1), (seen[:, 0] > 0).any(1).sum(1)
    assert set(rows.tolist()) == set(columns.tolist()) == {22, 23, 24}
    assert ((seen == 0) | (seen == 255)).all()


def test_every_image_has_its_own_draw_from_a_named_stream(train) -> None:
    one = train.images[:1].expand(16, -1, -1, -1)
    views = augmented(one, simsiam_views(train.size), "a")
    assert len({view.numpy().tobytes() for view in views}) == 16
    assert torch.equal(views, augmented(one, simsiam_views(train.size), "a"))
    assert not torch.equal(views, augmented(one, simsiam_views(train.size), "b"))
    state = torch.random.get_rng_state()
    augmented(one, simsiam_views(train.size), "a", together=8)
    assert torch.equal(state, torch.random.get_rng_state())  # nobody else's draws move


@pytest.mark.parametrize(("schedule", "expected"), [
    ({"schedule": "steps", "milestones": (1, 3), "gamma": 0.2}, [1.0, 0.2, 0.2, 0.04]),
    ({"schedule": "constant"}, [1.0, 1.0, 1.0, 1.0]),
])  # fmt: skip
def test_the_rate_falls_as_it_was_said(schedule, expected) -> None:
    config = TrainingConfig(learning_rate=1.0, batch=5, epochs=4, **schedule)
    descent = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    follows, rates = scheduler(descent, config, 10), []
    for _ in range(4):
        rates.append(descent.param_groups[0]["lr"])
        for _ in range(2):
            descent.step()
            follows.step()
        follows.epoch()
    assert rates == pytest.approx(expected)


def test_a_cosine_ends_near_nothing() -> None:
    config = TrainingConfig(learning_rate=1.0, batch=5, epochs=50, schedule="cosine")
    descent = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    follows = scheduler(descent, config, 5)
    rates = []
    for _ in range(50):
        rates.append(descent.param_groups[0]["lr"])
        descent.step()
        follows.step()
    expected = [0.5 * (1 + np.cos(np.pi * step / 51)) for step in range(50)]
    assert rates == pytest.approx(expected)


def test_effective_numbers_are_sums_of_geometric_series(train) -> None:
    """Cui et al. 2019, Eq. 1: 1 + beta + ... + beta^(n-1)."""
    counts = torch.tensor([1, 2, 10, 500])
    expected = [sum(0.9**i for i in range(n)) for n in counts.tolist()]
    assert effective_number(counts, 0.9).tolist() == pytest.approx(expected)
    few = train.subset([*range(12)])
    weights = balancing(few, "effective", "", 0.9)
    number = effective_number(few.labels.bincount(), 0.9)[few.labels]
    assert torch.allclose(weights, (1 / number / (1 / number).mean()).float())
    nearly = balancing(few, "effective", "", 1 - 1e-9)
    assert torch.allclose(nearly, balancing(few, "class", ""), atol=1e-5)


def test_machines_are_those_of_scikit_learn_and_never_name_a_class_without_images(train) -> None:
    whole = models.build(ModelConfig(name="small", width=8, blocks=2), 4, 0, tuple("abcd"))
    head = learning_part(whole, "head")
    inputs, labels = whole.features(train.images).detach(), train.labels
    fit_machines(head, inputs, labels, 5.0)
    features = inputs.mean((2, 3)).double().numpy()
    machine = LinearSVC(C=5.0, dual=False).fit(features, labels.numpy())
    with torch.no_grad():
        logits = head(inputs)
    assert np.allclose(logits[:, :3], machine.decision_function(features), atol=1e-4)
    assert (logits[:, 3] == -1).all()
    two = labels < 2
    fit_machines(head, inputs[two], labels[two], 5.0)
    machine = LinearSVC(C=5.0, dual=False).fit(features[two.numpy()], labels[two].numpy())
    with torch.no_grad():
        logits = head(inputs[two])
    decision = machine.decision_function(features[two.numpy()])
    assert np.allclose(logits[:, 1], decision, atol=1e-4)
    assert np.allclose(logits[:, 0], -decision, atol=1e-4)


def test_images_are_standardised_with_their_own_statistics_and_so_from_a_file(
    train, tmp_path
) -> None:
    mean, std = channel_statistics(train.images)
    pixels = train.images.double() / 255
    assert mean == pytest.approx(pixels.mean((0, 2, 3)).tolist())
    assert std == pytest.approx(pixels.std((0, 2, 3), correction=0).tolist())
    config = ModelConfig(name="small", width=8, blocks=2, normalisation="dataset")
    model = models.build(config, 3, 0, train.classes)
    model.standardise(mean, std)
    seen = model.normalise(train.images)
    assert torch.allclose(seen.mean((0, 2, 3)), torch.zeros(3), atol=1e-5)
    checkpoints.save(tmp_path / "a.pt", model, {})
    again, _ = checkpoints.load(tmp_path / "a.pt", "cpu", config)
    assert again.colours == model.colours
