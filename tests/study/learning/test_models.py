"""Classifiers: building, cutting, saving."""

import copy
from pathlib import Path

import pytest
import torch

from study.config import ModelConfig
from study.learning import models
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
    "name",
    ["resnet18", "shufflenet_v2_x0_5", "mobilenet_v3_small", "squeezenet1_1", "mnasnet0_5"],
)
def test_the_halves_are_the_network(name: str) -> None:
    model = models.build(ModelConfig(name=name), 3, seed=0)
    images = models.normalise_images(_images(size=64))
    features = model.features(images)
    assert features.ndim == 4
    assert torch.allclose(model.classify(features.clone()), model.network(images), atol=1e-5)


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
    models.save(tmp_path / "a.pt", models.build(TINY, 2, seed=0), {})
    wanted = TINY.model_copy(update={"checkpoint": tmp_path / "a.pt", "precision": "bfloat16"})
    assert models.build(wanted, 2, seed=1).config.precision == "bfloat16"


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
    models.save(path, model, {"epochs": 4})
    loaded, meta = models.load(path, "cpu")
    assert meta == {"epochs": 4}
    assert torch.equal(model(_images()), loaded(_images()))
    assert list(path.parent.iterdir()) == [path]
    again = models.build(TINY.model_copy(update={"checkpoint": path}), 3, seed=9)
    assert torch.equal(model(_images()), again(_images()))


def test_refuses_checkpoints_that_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with pytest.raises(ModelError, match="no such checkpoint"):
        models.load(path, "cpu")
    models.save(path, models.build(TINY, 2, seed=0), {})
    config = TINY.model_copy(update={"checkpoint": path})
    with pytest.raises(ModelError, match="its classes is 2, the study needs 3"):
        models.build(config, 3, seed=0)
    with pytest.raises(ModelError, match="its width is 4"):
        models.build(config.model_copy(update={"width": 8}), 2, seed=0)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ModelError, match="not a readable checkpoint"):
        models.load(path, "cpu")
    torch.save({"other": 1}, path)
    with pytest.raises(ModelError, match="not a clickstudy checkpoint"):
        models.load(path, "cpu")


class _Mischief:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("this must not run",)


def test_a_checkpoint_cannot_run_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.pt"
    torch.save({"clickstudy": 1, "meta": _Mischief()}, path)
    with pytest.raises(ModelError, match="not a readable checkpoint"):
        models.load(path, "cpu")
    assert "must not run" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet81", "did you mean"),
        ("vit_b_16", "no last convolutional block"),
        ("swin_t", "no last convolutional block"),
    ],
)
def test_refuses_networks_it_cannot_look_into(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        models.build(ModelConfig(name=name), 2, seed=0)


def test_says_what_to_do_without_a_network_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*args: object, **kwargs: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("torch.hub.download_url_to_file", offline)
    monkeypatch.setenv("TORCH_HOME", "/nonexistent/torch")
    monkeypatch.setattr("os.makedirs", lambda *a, **k: None)
    with pytest.raises(ModelError, match="could not be downloaded"):
        models.build(ModelConfig(name="resnet18", weights="imagenet"), 2, seed=0)
