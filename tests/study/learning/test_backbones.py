"""What holds of every backbone, whatever its library and its layout; and what is particular."""

import copy
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.models import VisionTransformer

from study.config import ModelConfig
from study.learning import models, tokens
from study.learning.attention import attend, attention_maps, gradcam
from study.learning.frozen import fold
from study.learning.models import Classifier, ModelError
from study.learning.small import SparsePointwise, without_narrow_strides

BACKBONES = {
    # name: (side of the images, side of the grid, closed form, block mode)
    "small": (80, 10, True, True),
    "resnet18": (64, 2, True, True),
    "efficientnet-lite0": (64, 2, True, True),
    "alexnet": (224, 13, False, True),
    "mobilenet_v3_small": (64, 2, False, True),
    "timm/test_resnet": (64, 2, True, True),
    "timm/test_efficientnet": (64, 2, True, True),
    "timm/regnetx_002": (64, 2, True, True),
    "timm/test_convnext": (64, 2, False, True),
    "timm/mobilenetv3_small_050": (64, 2, False, True),
    "timm/test_vit": (64, 4, True, True),
    "timm/vit_tiny_patch16_224": (64, 4, True, True),
    "timm/eva02_tiny_patch14_224": (56, 4, False, True),
    "timm/swin_tiny_patch4_window7_224": (64, 2, True, True),
    "timm/rexnetr_100": (64, 2, True, False),
}


def _images(side: int, n: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, 3, side, side), dtype=torch.uint8, generator=generator)


@pytest.fixture(scope="module", params=BACKBONES)
def named(request: pytest.FixtureRequest) -> tuple[str, Classifier]:
    return request.param, models.build(ModelConfig(name=request.param), 3, seed=0)


def test_every_backbone(named: tuple[str, Classifier]) -> None:
    name, built = named
    model = copy.deepcopy(built)
    side, grid, closed, has_block = BACKBONES[name]
    images, labels = _images(side), torch.tensor([0, 2])

    with torch.no_grad():
        entering = model.stem(images)
        features = model.block(entering)
        logits = model.classify(features.clone())
    assert entering.dtype == features.dtype == torch.float32
    assert features.shape[0] == 2
    assert features.shape[2:] == (grid, grid)
    assert logits.shape == (2, 3)
    assert torch.allclose(logits, model.network(model.normalise(images)), atol=1e-4)
    assert model.closed_form is closed
    assert attention_maps(model, images, labels).shape == (2, grid, grid)

    state = model.network.state_dict()
    modes = ("block", "head") if has_block else ("head",)
    sizes = []
    for train in modes:
        learning = {id(p) for part in model.parts(train) for p in part.parameters()}
        named_parameters = dict(model.network.named_parameters())
        frozen = {key for key, value in named_parameters.items() if id(value) not in learning}
        trunk = model.trunk_state(train)
        assert frozen == named_parameters.keys() & trunk.keys()
        assert trunk.keys() < state.keys()
        sizes.append(len(learning))
    if has_block:
        assert sizes[0] > sizes[1] > 0
    else:
        with pytest.raises(ModelError, match=r"has no block mode .*train its head"):
            model.parts("block")

    model.classify(features.clone()).sum().backward()
    reached = {id(p) for p in model.parameters() if p.grad is not None}
    assert reached == {id(p) for part in model.parts("head") for p in part.parameters()}

    with torch.no_grad():
        for part in model.parts("head"):
            for parameter in part.parameters():
                parameter.add_(0.5)
        assert torch.equal(model.features(images), features)
        if has_block:
            for part in model.parts("block"):
                for parameter in part.parameters():
                    parameter.add_(0.5)
            assert torch.equal(model.stem(images), entering)


def test_the_frozen_trunk_computes_the_same(named: tuple[str, Classifier]) -> None:
    name, built = named
    model = copy.deepcopy(built)
    side, _, _, has_block = BACKBONES[name]
    generator = torch.Generator().manual_seed(1)
    for layer in model.modules():  # as after training: norms that do something
        if isinstance(layer, nn.BatchNorm2d) and layer.running_mean is not None:
            layer.running_mean.normal_(0, 0.2, generator=generator)
            layer.weight.data.uniform_(0.5, 1.5, generator=generator)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    images = _images(side, 3)
    for train in ("block", "head") if has_block else ("head",):
        expected = model.features(images) if train == "head" else model.stem(images)
        kept = model.frozen_stem(train)(images)
        assert kept.shape == expected.shape
        assert kept.dtype == torch.float32
        assert not kept.requires_grad
        assert (kept - expected).abs().max() <= 1e-4 * expected.abs().max()
    after = model.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())


def test_the_frozen_trunk_keeps_the_weights_of_now() -> None:
    model = models.build(ModelConfig(name="timm/test_resnet"), 2, seed=0)
    frozen = model.frozen_stem("head")
    before = frozen(_images(64))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert torch.equal(frozen(_images(64)), before)
    with pytest.raises(ModelError, match="freezes nothing"):
        model.frozen_stem("all")


@pytest.mark.parametrize("name", ["small", "resnet18", "efficientnet-lite0"])
def test_all_norms_are_folded_into_convolutions(name: str) -> None:
    model = models.build(ModelConfig(name=name), 2, seed=0).requires_grad_(False)
    images = _images(64)
    before = model.features(images)
    assert fold(model.network, model.features, images)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.weight.zero_()
            layer.bias.fill_(9)
    assert torch.allclose(model.features(images), before, atol=1e-4 * float(before.max()))


def test_a_norm_that_is_not_alone_behind_its_convolution_is_noticed() -> None:
    class Forked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

        def forward(self, images: Tensor) -> Tensor:
            between = self.convolution(images)
            return self.norm(between) + between

    network = Forked().eval().requires_grad_(False)
    nn.init.constant_(network.norm.weight, 2)
    assert not fold(network, network, torch.randn(1, 3, 4, 4))


def test_closed_form_equals_differentiation(named: tuple[str, Classifier]) -> None:
    name, model = named
    side, _, closed, _ = BACKBONES[name]
    if not closed:
        assert model.linear is None
        with pytest.raises(ModelError, match="does not end in average pooling"):
            _ = model.class_weights
        return
    labels = torch.tensor([0, 2])
    features = model.features(_images(side)).detach().requires_grad_()
    scores = model.classify(features.clone()).gather(1, labels[:, None])[:, 0]
    expected = gradcam(features, scores).relu()
    assert expected.any()
    maps = attend(model, _images(side), labels)[1]
    assert torch.allclose(maps, expected, rtol=1e-4, atol=1e-5 * float(expected.detach().max()))


def test_a_transformers_map_equals_pytorch_grad_cams() -> None:
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    maps: list[np.ndarray] = []

    class Keeping(GradCAM):
        def get_cam_image(self, *args: object, **kwargs: object) -> np.ndarray:
            maps.append(np.maximum(super().get_cam_image(*args, **kwargs), 0))
            return maps[-1]

    model = models.build(ModelConfig(name="timm/test_vit"), 3, seed=0)
    network: nn.Module = model.network
    images, labels = _images(64), torch.tensor([0, 2])
    cam = Keeping(
        model=network,
        target_layers=[network.get_submodule("norm")],
        reshape_transform=lambda given: tokens.to_grid(given, 1),
    )
    cam(model.normalise(images), [ClassifierOutputTarget(int(label)) for label in labels])
    ours = attend(model, images, labels)[1].detach().numpy()
    assert maps[-1].max() > 0
    np.testing.assert_allclose(ours, maps[-1], atol=1e-6 * float(maps[-1].max()) + 1e-9, rtol=1e-4)


def test_torchvisions_transformer_takes_images_of_other_sizes() -> None:
    network = VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=3).eval()
    nn.init.normal_(network.heads.head.weight)
    pieces = tokens.cut_torchvision(network)
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        features = pieces.block(pieces.stem(images))
        whole = torch.cat(
            [network.class_token.expand(2, -1, -1), network._process_input(images)], 1
        )
        expected = network.encoder(whole)[:, 1:]
        assert torch.allclose(features.flatten(2).transpose(1, 2), expected, atol=1e-6)
        assert torch.allclose(pieces.head(features), network.heads(expected.mean(1)), atol=1e-6)
        assert pieces.block(pieces.stem(torch.randn(2, 3, 48, 48))).shape == (2, 16, 6, 6)


def test_tokens_and_grids_are_inverse() -> None:
    grid = torch.randn(2, 5, 3, 3)
    assert torch.equal(tokens.to_grid(tokens.to_tokens(grid, 2), 2), grid)
    with pytest.raises(tokens.GridError, match="8 patches"):
        tokens.to_grid(torch.zeros(1, 10, 5), 2)


def test_a_transformer_says_how_it_answers_and_which_images_it_takes() -> None:
    model = models.build(ModelConfig(name="timm/test_vit"), 2, seed=0)
    assert "mean of its patch tokens" in model.notes[0]
    with pytest.raises(ModelError, match=r"does not take images of 50 x 50 pixels .* such as 160"):
        model(_images(50))


def test_each_backbone_brings_its_own_colours() -> None:
    images = _images(32)
    lite0 = models.build(ModelConfig(name="efficientnet-lite0"), 2, seed=0)
    expected = (images.float() - 127) / 128
    assert torch.allclose(lite0.normalise(images), expected, atol=1e-5)
    assert lite0.size == 192
    vit = models.build(ModelConfig(name="timm/vit_tiny_patch16_224"), 2, seed=0)
    assert torch.allclose(vit.normalise(images), images.float() / 127.5 - 1, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("timm/resnet81", "is not a network of timm; did you mean 'resnet"),
        ("timm/resnet18.a9_in1k", "has no weights 'a9_in1k'; did you mean"),
        ("timm/crossvit_9_240", "hands several tensors"),
        ("timm/deit_tiny_distilled_patch16_224", "cannot classify by the mean of its patches"),
        ("efficientnet-lite", "did you mean 'efficientnet-lite0'"),
    ],
)
def test_refuses_what_it_cannot_build(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        models.build(ModelConfig(name=name, weights="none"), 2, seed=0)


def test_sparse_pointwise_convolutions_compute_the_same() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(8, 16, 1, stride=2), nn.Conv2d(16, 8, 1, stride=2), nn.Conv2d(8, 8, 1)
    )
    images = torch.randn(2, 8, 15, 15)
    expected = network[0](images)
    without_narrow_strides(network)
    assert [type(layer) for layer in network] == [SparsePointwise, nn.Conv2d, nn.Conv2d]
    assert torch.allclose(network[0](images), expected, atol=1e-6)


def test_narrow_networks_do_not_end_python() -> None:
    script = """
        import torch
        from study.config import ModelConfig
        from study.learning import models
        torch.set_num_threads(1)
        for width, side in ((8, 96), (8, 112), (12, 96), (8, 200)):  # each ended it
            config = ModelConfig(name="small", width=width, blocks=3)
            model = models.build(config, 2, seed=0).train()
            for _ in range(4):
                images = torch.randint(0, 256, (4, 3, side, side), dtype=torch.uint8)
                model(images).square().sum().backward()
        print("alive")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr
