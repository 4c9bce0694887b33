"""Classifiers: building, cutting, saving."""

import copy
from pathlib import Path

import pytest
import torch

from study.config import ModelConfig
from study.learning import checkpoints, models
from study.learning.models import ModelError

TINY = ModelConfig(name="small", width=4, blocks=2)


def _images(n: int = 2, size: int = 80) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, 3, size, size), dtype=torch.uint8, generator=generator)


def test_the_small_net_halves_once_per_block() -> None:
    for blocks, side in ((2, 20), (3, 10), (4, 5)):
        config = ModelConfig(name="small", width=4, blocks=blocks)
        model = models.build(config, 2, seed=0)
        assert model.features(_images()).shape[2:] == (side, side)


def test_a_cell_of_the_small_net_sees_49_pixels() -> None:
    model = models.build(ModelConfig(name="small", width=4), 2, seed=0)
    images = torch.rand(1, 3, 161, 161, requires_grad=True)
    model.features(images)[0, :, 10, 10].sum().backward()
    assert images.grad is not None
    seen = images.grad.abs().sum((0, 1)).nonzero()
    assert (seen.amax(0) - seen.amin(0) + 1).amax().item() == 49


@pytest.mark.parametrize(
    ("name", "closed", "grid"),
    [
        ("small", True, 8),
        ("resnet18", True, 2),
        ("shufflenet_v2_x0_5", True, 2),
        ("mobilenet_v2", True, 2),
        ("mobilenet_v3_small", False, 2),
        ("squeezenet1_1", False, 3),
        ("mnasnet0_5", True, 2),
        ("regnet_y_400mf", True, 2),
        ("densenet121", True, 2),
        ("convnext_tiny", False, 2),
        ("swin_t", True, 2),
        ("alexnet", False, 3),
        ("vgg11", False, 4),
    ],
)
def test_the_pieces_are_the_network(name: str, closed: bool, grid: int) -> None:
    model = models.build(ModelConfig(name=name), 3, seed=0)
    images = models.normalise_images(_images(size=64))
    features = model.block(model.stem(images))
    assert features.shape[2:] == (grid, grid)
    assert torch.equal(features, model.features(images))
    assert torch.allclose(model.classify(features.clone()), model.network(images), atol=1e-5)
    assert model.closed_form is closed
    if closed:
        assert model.linear is not None
        pooled = features.mean((2, 3)) @ model.class_weights.T + model.linear.bias
        assert torch.allclose(model.classify(features.clone()), pooled, atol=1e-5)


@pytest.mark.parametrize("name", ["small", "resnet18", "densenet121", "alexnet", "swin_t"])
def test_each_mode_learns_its_parts_and_freezes_the_rest(name: str) -> None:
    model = models.build(ModelConfig(name=name), 2, seed=0)
    everything = set(model.network.state_dict())
    seen: list[set[int]] = []
    for train in ("all", "block", "head"):
        learning = {id(p) for part in model.parts(train) for p in part.parameters()}
        frozen = {
            key for key, value in model.network.named_parameters() if id(value) not in learning
        }
        assert frozen == dict(model.network.named_parameters()).keys() & model.trunk_state(train)
        seen.append(learning)
    assert seen[2] < seen[1] < seen[0]
    assert set(model.trunk_state("head")) < everything
    assert set(model.trunk_state("block")) < set(model.trunk_state("head"))
    assert not model.trunk_state("all")


def test_training_the_head_leaves_what_the_trunk_computes() -> None:
    model = models.build(TINY, 2, seed=0)
    entering, features = model.stem(_images()), model.features(_images())
    with torch.no_grad():
        for part in model.parts("head"):
            for parameter in part.parameters():
                parameter.add_(1)
    assert torch.equal(features, model.features(_images()))
    with torch.no_grad():
        for part in model.parts("block"):
            for parameter in part.parameters():
                parameter.add_(1)
    assert torch.equal(entering, model.stem(_images()))
    assert not torch.equal(features, model.features(_images()))


def test_images_that_are_too_small_are_said_to_be() -> None:
    model = models.build(ModelConfig(name="alexnet"), 2, seed=0)
    with pytest.raises(ModelError, match="too small for alexnet"):
        model(_images(size=32))


def test_a_copy_has_its_own_weights() -> None:
    model = models.build(TINY, 2, seed=0)
    other = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    assert not other(_images()).any()
    assert model(_images()).any()


def test_half_the_bits_change_probabilities_by_a_hundredth_at_most() -> None:
    full = models.build(ModelConfig(name="resnet18"), 2, seed=0)
    half = models.build(ModelConfig(name="resnet18", precision="bfloat16"), 2, seed=0)
    images = _images(8)
    exact, rounded = full(images).softmax(1), half(images).softmax(1)
    assert half.features(images).dtype == torch.float32
    assert not torch.equal(exact, rounded)
    assert (exact - rounded).abs().max() < 0.01
    rounded[:, 0].sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in half.parameters())


def test_a_checkpoint_computes_as_the_study_says(tmp_path) -> None:
    checkpoints.save(tmp_path / "a.pt", models.build(TINY, 2, seed=0), {})
    wanted = TINY.model_copy(update={"checkpoint": tmp_path / "a.pt", "precision": "bfloat16"})
    loaded, _ = checkpoints.load(tmp_path / "a.pt", "cpu", wanted, 2)
    assert loaded.config.precision == "bfloat16"
    with pytest.raises(ValueError, match="is loaded, not built"):
        models.build(wanted, 2, seed=1)


def test_first_weights_depend_on_the_seed_alone() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    a, b, c = (models.build(TINY, 2, seed=seed)(_images()) for seed in (0, 0, 1))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert torch.equal(before, torch.random.get_rng_state())


def test_saving_and_loading(tmp_path: Path) -> None:
    model = models.build(TINY, 3, seed=0)
    path = tmp_path / "deep" / "model.pt"
    checkpoints.save(path, model, {"epochs": 4})
    loaded, meta = checkpoints.load(path, "cpu")
    assert meta == {"epochs": 4}
    assert torch.equal(model(_images()), loaded(_images()))
    assert list(path.parent.iterdir()) == [path]
    again, _ = checkpoints.load(path, "cpu", TINY, 3)
    assert torch.equal(model(_images()), again(_images()))


def test_refuses_checkpoints_that_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with pytest.raises(ModelError, match="no such checkpoint"):
        checkpoints.load(path, "cpu")
    checkpoints.save(path, models.build(TINY, 2, seed=0), {})
    with pytest.raises(ModelError, match="its classes is 2, the study needs 3"):
        checkpoints.load(path, "cpu", TINY, 3)
    with pytest.raises(ModelError, match="its width is 4"):
        checkpoints.load(path, "cpu", TINY.model_copy(update={"width": 8}), 2)
    with pytest.raises(ModelError, match="its input is None, the study needs 64"):
        checkpoints.load(path, "cpu", TINY.model_copy(update={"input": 64}), 2)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ModelError, match="not a readable checkpoint"):
        checkpoints.load(path, "cpu")
    torch.save({"other": 1}, path)
    with pytest.raises(ModelError, match="not a clickstudy checkpoint"):
        checkpoints.load(path, "cpu")


class _Mischief:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("this must not run",)


def test_a_checkpoint_cannot_run_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.pt"
    torch.save({"clickstudy": 1, "meta": _Mischief()}, path)
    with pytest.raises(ModelError, match="not a readable checkpoint"):
        checkpoints.load(path, "cpu")
    assert "must not run" not in capsys.readouterr().out


def test_refuses_unknown_networks() -> None:
    with pytest.raises(ModelError, match="did you mean"):
        models.build(ModelConfig(name="resnet81"), 2, seed=0)


def test_says_what_to_do_without_a_network_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*args: object, **kwargs: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("torch.hub.download_url_to_file", offline)
    monkeypatch.setenv("TORCH_HOME", "/nonexistent/torch")
    monkeypatch.setattr("os.makedirs", lambda *a, **k: None)
    with pytest.raises(ModelError, match="could not be downloaded"):
        models.build(ModelConfig(name="resnet18", weights="imagenet"), 2, seed=0)
