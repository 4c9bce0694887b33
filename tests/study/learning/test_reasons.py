"""RRR, RRR with Grad-CAM and HINT, against references that share nothing with them."""

import copy
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from study.annotation import Annotation, Region
from study.config import FineTuningConfig, GuidanceConfig, MethodName, ModelConfig
from study.data.dataset import ImageSet
from study.learning import models, reasons, tuning
from study.learning.attention import attend
from study.learning.features import FeatureStore
from study.learning.labelling import LABELLINGS
from study.learning.models import Classifier
from study.learning.parts import learning_part
from study.learning.reasons import METHODS, Guided, Reasoned, misranked
from study.learning.targets import Targets

CORNER = np.zeros((32, 32), dtype=bool)
CORNER[8:16, 4:12] = True
OBJECT = Annotation(objects=(Region.from_mask((0.25, 0.375), CORNER),))


def _reasoned(
    method: MethodName, model: Classifier, images: ImageSet, drawn: list[Annotation]
) -> Reasoned:
    way = METHODS[method]
    targets = Targets.from_annotations(drawn, *way.grid(model, images.images), 0.19)
    config = GuidanceConfig(method=method)
    return way(model, Guided(images.images, images.labels, targets, config, "centred"))


def _log_probabilities(model: Classifier, pixels: Tensor) -> Tensor:
    return model(pixels).log_softmax(1).sum(1)


def test_input_gradients_are_those_of_finite_differences(tiny: Classifier, toy: ImageSet) -> None:
    few = toy.subset([0, 1])
    pixels = tiny.normalise(few.images)
    found = _reasoned("rrr", tiny, few, [OBJECT] * 2)
    generator = torch.Generator().manual_seed(0)
    # sum_d A_d g_d^2 over everything is too many differences: all gradients of a few cells
    cells = torch.randint(0, 32, (6, 2), generator=generator).tolist()
    given = pixels.clone().requires_grad_()
    (exact,) = torch.autograd.grad(_log_probabilities(tiny, given).sum(), given)
    for (row, column), channel in product(cells, range(3)):
        step = torch.zeros_like(pixels)
        step[:, channel, row, column] = 1e-2
        with torch.no_grad():
            up, down = (_log_probabilities(tiny, pixels + s * step) for s in (1, -1))
        difference = (up - down) / 2e-2
        assert torch.allclose(exact[:, channel, row, column], difference, atol=2e-3)
    outside = torch.from_numpy(~CORNER).float()
    assert torch.allclose(found.loss, (outside * exact.square()).sum((1, 2, 3)), rtol=1e-4)


@pytest.mark.parametrize(("method", "step"), [("rrr", 1e-2), ("rrr-cam", 1e-4), ("hint", 1e-4)])
def test_the_gradient_reaches_the_weights(
    tiny: Classifier, toy: ImageSet, method: MethodName, step: float
) -> None:
    """The loss's own gradient against a difference along a drawn direction of all weights."""
    few = toy.subset([0, 1, 2])
    model = tiny.eval()
    loss = _reasoned(method, model, few, [OBJECT] * 3).loss.sum()
    parameters = list(model.parameters())
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    generator = torch.Generator().manual_seed(1)
    # along the gradient itself, and a little beside it
    direction = [
        torch.zeros_like(p) if g is None else g + 0.1 * g.norm() / g.numel() ** 0.5
        * torch.randn(g.shape, generator=generator)
        for p, g in zip(parameters, gradients, strict=True)
    ]  # fmt: skip
    length = torch.cat([d.flatten() for d in direction]).norm()
    slope = sum(
        float((d / length * g).sum())
        for d, g in zip(direction, gradients, strict=True)
        if g is not None
    )
    losses = []
    for sign in (1, -1):
        moved = copy.deepcopy(model)
        with torch.no_grad():
            for parameter, d in zip(moved.parameters(), direction, strict=True):
                parameter.add_(sign * step * d / length)
        losses.append(float(_reasoned(method, moved, few, [OBJECT] * 3).loss.detach().sum()))
    assert slope == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=0.05)


def test_rrr_with_grad_cam_by_hand(tiny: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = torch.tensor([[[4.0, 2.0], [0.0, 1.0]]] * 3)
    monkeypatch.setattr(reasons, "attend", lambda *_: (torch.zeros(3, 2), maps))
    half = [
        Annotation(polygons=(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)),)),
        Annotation(),
        Annotation(negative_regions=(Region.from_mask((0.25, 0.25), np.eye(2, dtype=bool)),)),
    ]
    targets = Targets.from_annotations(half, 2, 2, 0.19)
    config = GuidanceConfig(method="rrr-cam")
    guided = Guided(torch.zeros(3), torch.zeros(3).long(), targets, config, "label")
    found = METHODS["rrr-cam"](tiny, guided)
    # outside the left half: .5 and .25 of the maximum; in the negative diagonal: 1 and .25
    assert found.loss.tolist() == pytest.approx([(0.25 + 0.0625) / 4, 0.0, (1 + 0.0625) / 4])


def test_hint_is_the_sum_over_misranked_pairs() -> None:
    generator = torch.Generator().manual_seed(0)
    wanted = torch.rand(4, 7, generator=generator).round(decimals=1)
    found = torch.randn(4, 7, generator=generator)
    for n, loss in enumerate(misranked(wanted, found).tolist()):
        scaled = (found[n] / found[n].abs().max()).tolist()
        human = wanted[n].tolist()
        total, pairs = 0.0, 0
        for i, j in product(range(7), repeat=2):
            if human[i] > human[j]:
                pairs += 1
                if scaled[i] < scaled[j]:
                    total += abs((human[i] - human[j]) - (scaled[i] - scaled[j]))
        assert loss == pytest.approx(total / pairs, rel=1e-5)


def test_hint_is_zero_where_the_network_ranks_as_people_do() -> None:
    wanted = torch.tensor([[0.0, 0.5, 1.0], [1.0, 1.0, 1.0]])
    assert misranked(wanted, torch.tensor([[-3.0, 0.1, 9.0], [3.0, 1.0, 2.0]])).tolist() == [0, 0]
    assert misranked(wanted, -wanted)[0] > 1


def test_where_the_reason_is() -> None:
    """On what was drawn, anywhere where nothing was, and not in a negative region."""
    left = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    top = np.array([[True, True], [False, False]])
    region = Region.from_mask((0.5, 0.25), top)
    drawn = [
        Annotation(),
        Annotation(polygons=(left,)),
        Annotation(negative_regions=(region,)),
        Annotation(polygons=(left,), negative_regions=(region,)),
        Annotation(objects=(region,)),
    ]
    targets = Targets.from_annotations(drawn, 2, 2, 0.19)
    assert targets.relevant.tolist() == [
        [[1, 1], [1, 1]],
        [[1, 0], [1, 0]],
        [[0, 0], [1, 1]],
        [[0, 0], [1, 0]],
        [[1, 1], [0, 0]],
    ]
    assert targets.any.tolist() == [False, True, True, True, True]


@pytest.mark.parametrize("method", ["rrr", "rrr-cam", "hint"])
def test_what_nobody_annotated_guides_nothing(
    tiny: Classifier, toy: ImageSet, method: MethodName
) -> None:
    found = _reasoned(method, tiny, toy.subset([0, 1]), [Annotation(), OBJECT])
    assert found.loss[0] == 0
    assert found.loss[1] > 0


@pytest.mark.parametrize("method", ["rrr-cam", "hint"])
def test_a_head_learns_to_look_at_the_object(toy: ImageSet, method: MethodName) -> None:
    whole = models.build(ModelConfig(name="small", width=16, blocks=2), 2, seed=3).eval()
    kept = FeatureStore(None, whole, "head", "cpu").attach(toy)
    head = learning_part(whole, "head")

    def inside(model: Classifier) -> float:
        maps = attend(model, kept.inputs[:], kept.labels, "centred")[1].detach()
        share = Targets.from_annotations([OBJECT] * len(toy), *maps.shape[1:], 0.19).relevant
        mass = maps.sum((1, 2))
        return float(((maps * share).sum((1, 2))[mass > 0] / mass[mass > 0]).mean())

    before = inside(head)
    guidance = GuidanceConfig(method=method, w_g=1.0, w_c=0.05, score="centred")
    config = FineTuningConfig(train="head", anchor=0.001, epochs=60)
    result = tuning.fine_tune(head, kept, [OBJECT] * len(toy), config, guidance, 0, "cpu")
    assert result.guidance_loss[-1] < result.guidance_loss[0]
    assert inside(head) > before


def test_a_whole_network_loses_its_wrong_input_gradients(tiny: Classifier, toy: ImageSet) -> None:
    some = toy.subset([0, 1, 2, 3])
    guidance = GuidanceConfig(method="rrr", w_g=100.0, w_c=0.5)
    config = FineTuningConfig(epochs=3, batch=4, learning_rate=0.02)
    model = copy.deepcopy(tiny)
    before = _reasoned("rrr", model, some, [OBJECT] * 4).loss.detach().mean()
    result = tuning.fine_tune(model, some, [OBJECT] * 4, config, guidance, 0, "cpu")
    assert not result.collapsed
    assert _reasoned("rrr", model, some, [OBJECT] * 4).loss.detach().mean() < before


def test_the_gradient_of_a_pooled_head_knows_no_place(tiny: Classifier, toy: ImageSet) -> None:
    """Why rrr is refused where a head alone learns."""
    features = tiny.eval().features(toy.images[:2]).detach().requires_grad_()
    logits = tiny.classify(features)
    (gradient,) = torch.autograd.grad(logits.log_softmax(1).sum(), features)
    assert torch.allclose(gradient, gradient.mean((2, 3), keepdim=True).expand_as(gradient))


class _Linear:
    """Two classes by hand: the logits of an image of two cells are x1 and 2 x2."""

    labelling = LABELLINGS["one"]

    def __call__(self, pixels: Tensor) -> Tensor:
        return pixels[:, 0, 0] * torch.tensor([1.0, 2.0])

    def normalise(self, pixels: Tensor) -> Tensor:
        return pixels


def _by_hand(x1: float, drawn: list[Annotation]) -> Tensor:
    images = torch.tensor([[[[x1, 0.0]]]]).repeat(len(drawn), 1, 1, 1)
    targets = Targets.from_annotations(drawn, 1, 2, 0.19)
    labels = torch.zeros(len(drawn)).long()
    guided = Guided(images, labels, targets, GuidanceConfig(method="rrr"), "label")
    model: Any = _Linear()
    return METHODS["rrr"](model, guided).loss.detach()


def test_rrr_by_hand() -> None:
    """The gradient is sum_k W_k - K sum_j p_j W_j = (1, 2) - 2 (.75, .5), where p = (.75, .25)."""
    left = Annotation(polygons=(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)),))
    region = Region.from_mask((0.25, 0.5), np.array([[True, False]]))
    not_left = Annotation(negative_regions=(region,))
    losses = _by_hand(float(np.log(3)), [left, not_left, Annotation()])
    assert losses.tolist() == pytest.approx([1.0, 0.25, 0.0], rel=1e-5)


def test_rrr_of_a_network_that_is_certain_is_finite() -> None:
    """p = (1, 0) to the last bit: the gradient is (1, 2) - 2 (1, 0)."""
    region = Region.from_mask((0.25, 0.5), np.array([[True, True]]))
    losses = _by_hand(200.0, [Annotation(negative_regions=(region,))])
    assert losses.tolist() == pytest.approx([1.0 + 4.0])
