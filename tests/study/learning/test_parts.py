"""What learns behind a frozen trunk says of features what the whole says of images."""

from __future__ import annotations

import pytest
import torch

from study.config import ModelConfig, TrainName
from study.learning import models
from study.learning.attention import attend
from study.learning.models import Classifier, ModelError
from study.learning.parts import learning_part, put_back

NAMES = ("small", "resnet18", "mobilenet_v3_small", "efficientnet-lite0", "timm/test_vit")
SIZE = 64
VIT = {"timm/test_vit": 160}


@pytest.fixture(scope="module", params=NAMES)
def whole(request: pytest.FixtureRequest) -> Classifier:
    config = ModelConfig(name=request.param, width=8, blocks=2, input=VIT.get(request.param))
    return models.build(config, 3, seed=1, class_names=("a", "b", "c"))


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (4, 3, SIZE, SIZE), dtype=torch.uint8, generator=generator)


LABELS = torch.tensor([0, 1, 2, 0])


def _entering(whole: Classifier, images: torch.Tensor, train: TrainName) -> torch.Tensor:
    with torch.no_grad():
        return whole.features(images) if train == "head" else whole.stem(images)


@pytest.mark.parametrize("train", ["head", "block"])
def test_logits_and_attention_are_the_wholes(
    whole: Classifier, images: torch.Tensor, train: TrainName
) -> None:
    part = learning_part(whole, train)
    assert part.closed_form == whole.closed_form == (whole.config.name != "mobilenet_v3_small")
    assert part.class_names == whole.class_names
    entering = _entering(whole, images, train).requires_grad_(not whole.closed_form)
    for of in ("label", "centred", "absolute"):
        wanted = attend(whole, images, LABELS, of)  # type: ignore[arg-type]
        found = attend(part, entering, LABELS, of)  # type: ignore[arg-type]
        for one, other in zip(found, wanted, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("train", ["head", "block"])
def test_a_part_learns_alone_and_can_be_put_back(
    whole: Classifier, images: torch.Tensor, train: TrainName
) -> None:
    before = {name: value.clone() for name, value in whole.state_dict().items()}
    part = learning_part(whole, train)
    entering = _entering(whole, images, train)
    part(entering).square().sum().backward()
    assert all(p.grad is not None for p in part.parameters())
    assert all(p.grad is None for p in whole.parameters())
    with torch.no_grad():
        for parameter in part.parameters():
            parameter.add_(0.01)
    again = put_back(part, whole, train)
    with torch.no_grad():
        torch.testing.assert_close(again(images), part(entering), rtol=1e-4, atol=1e-4)
        assert not torch.allclose(again(images), whole(images), atol=1e-4)
    assert all(torch.equal(value, before[name]) for name, value in whole.state_dict().items())
    trunk = again.trunk_state(train)
    assert trunk
    assert all(torch.equal(value, whole.trunk_state(train)[name]) for name, value in trunk.items())
    learnt = sum(value.numel() for value in part.state_dict().values())
    frozen = sum(value.numel() for value in trunk.values())
    assert learnt + frozen == sum(value.numel() for value in whole.network.state_dict().values())


def test_all_is_a_copy_of_the_whole(whole: Classifier, images: torch.Tensor) -> None:
    part = learning_part(whole, "all")
    with torch.no_grad():
        assert torch.equal(part(images), whole(images))
        next(part.parameters()).mul_(2)
        assert not torch.equal(part(images), whole(images))


def test_a_part_of_another_network_is_refused() -> None:
    one = models.build(ModelConfig(name="small", width=8, blocks=2), 3, seed=0)
    other = models.build(ModelConfig(name="small", width=4, blocks=2), 3, seed=0)
    with pytest.raises(ModelError, match="does not fit this network"):
        put_back(learning_part(one, "head"), other, "head")
