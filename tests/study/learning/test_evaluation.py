"""Evaluation, on a classifier whose maps are known."""

import dataclasses
import json

import pytest
import torch
from torch import Tensor

from study.data.dataset import ImageSet
from study.learning import evaluation
from study.learning.evaluation import evaluate
from study.learning.models import Classifier


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every image is taken for class 0; attention is the left half of a 4 x 4 map."""

    def attend_to(model: Classifier, images: Tensor, asked: Tensor) -> tuple[Tensor, Tensor]:
        maps = torch.zeros(len(images), 4, 4)
        maps[:, 1:3, 0:2] = 1.0
        logits = torch.tensor([[1.0, 0.0]]).repeat(len(images), 1)
        return logits, maps

    monkeypatch.setattr(evaluation, "attend_to", attend_to)


@pytest.mark.usefixtures("known")
def test_accuracy_by_class_group_and_alignment(tiny: Classifier, toy: ImageSet) -> None:
    result = evaluate(tiny, toy, "cpu", batch=7).as_dict()
    assert result["accuracy"] == 0.5
    assert result["accuracy_red"] == 1.0
    assert result["accuracy_green"] == 0.0
    assert result["accuracy_red_bright"] == 1.0
    assert result["worst_group_accuracy"] == 0.0
    assert result["aligned_accuracy"] == 0.5
    assert result["conflicting_accuracy"] == 0.5
    counts = [result[f"count_{c}_{k}"] for c in ("red", "green") for k in ("dark", "bright")]
    assert sum(c for c in counts if c is not None) == result["count"] == len(toy)
    assert result["count_aligned"] == 36
    json.dumps(result)


@pytest.mark.usefixtures("known")
def test_attention_metrics(tiny: Classifier, toy: ImageSet) -> None:
    whole = torch.zeros_like(toy.masks)  # type: ignore[arg-type]
    whole[:, :, :16] = True
    result = evaluate(tiny, dataclasses.replace(toy, masks=whole), "cpu")
    # bilinear enlargement moves a sixteenth of the left half across the middle
    assert result["attention_inside"] == pytest.approx(15 / 16)
    assert result["attention_inside_large"] == result["attention_inside"]
    assert result["attention_inside_small"] is None
    assert result["pointing_game"] == 1.0
    assert result["attention_iou"] == pytest.approx(0.5, abs=0.1)
    assert result["barycentre_distance"] == pytest.approx(0.0, abs=0.08)
    assert result["dead_maps"] == 0.0


@pytest.mark.usefixtures("known")
def test_images_with_an_empty_mask_do_not_count(tiny: Classifier, toy: ImageSet) -> None:
    assert toy.masks is not None
    masks = toy.masks.clone()
    masks[10:] = False
    some = evaluate(tiny, dataclasses.replace(toy, masks=masks), "cpu")
    first = evaluate(tiny, toy.subset(range(10)), "cpu")
    assert some["attention_inside"] == pytest.approx(first["attention_inside"])
    assert some["count_medium"] == 10


def test_what_cannot_be_known_is_none(tiny: Classifier, toy: ImageSet) -> None:
    bare = dataclasses.replace(toy, masks=None, contexts=None, context_names=())
    result = evaluate(tiny, bare, "cpu").as_dict()
    assert result["accuracy"] is not None
    for name in (
        "worst_group_accuracy", "conflicting_accuracy", "aligned_accuracy", "attention_inside",
        "attention_inside_small", "pointing_game", "attention_iou", "barycentre_distance",
    ):  # fmt: skip
        assert result[name] is None
    empty = dataclasses.replace(toy, masks=torch.zeros_like(toy.masks))  # type: ignore[arg-type]
    assert evaluate(tiny, empty, "cpu")["attention_inside"] is None


def test_a_dead_map_has_nothing_inside(tiny: Classifier, toy: ImageSet) -> None:
    with torch.no_grad():
        tiny.class_weights.fill_(-1.0)
    result = evaluate(tiny, toy, "cpu")
    assert result["dead_maps"] == 1.0
    assert result["attention_inside"] == 0.0
    assert result["pointing_game"] == 0.0
    assert result["barycentre_distance"] is None


def test_the_model_stays_as_it_was(tiny: Classifier, toy: ImageSet) -> None:
    before = {key: value.clone() for key, value in tiny.train().state_dict().items()}
    evaluate(tiny, toy, "cpu")
    assert tiny.training
    assert all(torch.equal(before[key], value) for key, value in tiny.state_dict().items())
