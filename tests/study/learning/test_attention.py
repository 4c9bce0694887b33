"""Attention maps, against pytorch-grad-cam and against their own definition."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from study.config import ModelConfig
from study.learning.attention import (
    ROUNDED,
    attend,
    attention_maps,
    gradcam,
    normalised,
    rounded,
)
from study.learning.models import build, normalise_images


class _Raw:
    """pytorch-grad-cam's map before it is scaled to [0, 1] and enlarged."""

    def __init__(self, network: nn.Module, block: nn.Module) -> None:
        from pytorch_grad_cam import GradCAM

        self.maps: list[np.ndarray] = []
        keep = self.maps

        class Keeping(GradCAM):
            def get_cam_image(self, *args: object, **kwargs: object) -> np.ndarray:
                keep.append(super().get_cam_image(*args, **kwargs))
                return keep[-1]

        self.cam = Keeping(model=network, target_layers=[block])

    def __call__(self, images: Tensor, labels: Tensor) -> np.ndarray:
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        self.cam(images, [ClassifierOutputTarget(int(label)) for label in labels])
        return np.maximum(self.maps[-1], 0)


def _images(n: int = 3, size: int = 64) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, 3, size, size), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize(
    ("name", "block", "closed"),
    [
        ("small", "layer4", True),
        ("resnet18", "layer4", True),
        ("vgg11", "features.19", False),
        ("mobilenet_v3_small", "features", False),
    ],
)
def test_equals_pytorch_grad_cam(name: str, block: str, closed: bool) -> None:
    model = build(ModelConfig(name=name), 3, seed=0)
    images, labels = normalise_images(_images()), torch.tensor([0, 1, 2])
    expected = _Raw(model.network, model.network.get_submodule(block))(images, labels)
    maps = attend(model, images, labels)[1].detach().numpy()
    assert model.closed_form is closed
    scale = max(float(expected.max()), 1e-12)
    assert np.abs(maps - expected).max() / scale < 1e-5


@pytest.mark.parametrize("name", ["small", "resnet18", "shufflenet_v2_x0_5", "regnet_y_400mf"])
def test_closed_form_equals_differentiation(name: str) -> None:
    model = build(ModelConfig(name=name), 2, seed=0)
    labels = torch.tensor([0, 1, 1])
    closed = attend(model, _images(), labels)[1]
    features = model.features(_images())
    scores = model.classify(features).gather(1, labels[:, None])[:, 0]
    general = gradcam(features, scores).relu()
    assert torch.allclose(closed, general, atol=1e-6, rtol=1e-4)


def test_the_centred_score_does_not_see_what_all_classes_share() -> None:
    model = build(ModelConfig(name="small", width=4, blocks=2), 2, seed=0)
    labels = torch.tensor([0, 1, 1])
    before = attend(model, _images(), labels, of="absolute")[1]
    with torch.no_grad():
        model.class_weights.add_(torch.randn(1, model.class_weights.shape[1]))
    after = attend(model, _images(), labels, of="absolute")[1]
    assert torch.allclose(before, after, atol=1e-5)


def test_a_rounded_map_is_the_magnitude_without_its_edge() -> None:
    evidence = torch.randn(5, 3, 4, generator=torch.Generator().manual_seed(0))
    evidence[0, 0, 0] = 0.0
    evidence.requires_grad_()
    maps = rounded(evidence)
    off = ROUNDED * evidence.square().mean((1, 2), keepdim=True).sqrt()
    assert (evidence.abs() - maps >= -1e-6).all()
    assert (evidence.abs() - maps <= off + 1e-6).all()
    assert maps[0, 0, 0] == 0
    # as large as the map: guidance sees shares of it
    assert torch.allclose(rounded(1000 * evidence), 1000 * maps, rtol=1e-4)
    dead = torch.zeros(1, 2, 2, requires_grad=True)
    (slope,) = torch.autograd.grad(rounded(dead).sum(), dead)
    assert torch.equal(slope, torch.zeros(1, 2, 2))
    exact = evidence[:1].double()
    assert torch.autograd.gradcheck(rounded, exact)


def test_normalised_maps_are_distributions_even_when_dead() -> None:
    maps = torch.stack([torch.zeros(4, 4), torch.eye(4) * 1e4])
    result = normalised(maps, 0.01)
    assert torch.allclose(result.sum((1, 2)), torch.ones(2))
    assert torch.allclose(result[0], torch.full((4, 4), 1 / 16))
    assert (result > 0).all()


@pytest.mark.parametrize("name", ["small", "squeezenet1_1"])
def test_scoring_maps_need_no_graph_and_leave_the_model_as_it_was(name: str) -> None:
    model = build(ModelConfig(name=name), 2, seed=0).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    labels = torch.tensor([0, 1, 0, 1, 1])
    maps = attention_maps(model, _images(5), labels, "cpu", batch=2)
    assert not maps.requires_grad
    assert maps.dtype == torch.float32
    assert model.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.allclose(maps, attention_maps(model, _images(5), labels), atol=1e-5)
