"""Guidance losses: gradients, what each asks for, and that they reach the whole network."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from study import config as study_config
from study.annotation import Annotation, Region, fill_discs
from study.config import GuidanceConfig, ModelConfig
from study.learning.attention import attend
from study.learning.guidance import (
    NEGATIVE,
    POLYGON,
    POSITIVE,
    Targets,
    barycentre,
    guidance_loss,
)
from study.learning.models import build

FORMS = [
    *((name, form) for name, form in POSITIVE.items()),
    *((name, form) for name, form in NEGATIVE.items()),
    *((name, form) for name, form in POLYGON.items()),
]
LEFT = Annotation(
    positive_points=((0.2, 0.5), (0.3, 0.7)),
    negative_regions=(
        Region.from_mask((0.9, 0.5), torch.arange(64).view(8, 8).remainder(8).ge(5).numpy()),
    ),
    polygons=(((0.0, 0.2), (0.45, 0.2), (0.45, 0.8), (0.0, 0.8)),),
)
ONE_POINT = Annotation(positive_points=((0.2, 0.5),))
EMPTY = Annotation()


def _targets(*annotations: Annotation, size: int = 5) -> Targets:
    return Targets.from_annotations(annotations, size, size, radius=0.25)


def _maps(n: int, size: int = 5, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, size, size, generator=generator, dtype=torch.float64) + 0.05


def _blob(column: int, size: int = 8) -> Tensor:
    maps = torch.full((1, size, size), 1e-3)
    maps[0, 3:5, column] = 1.0
    return maps


def test_registry_names_are_the_study_files() -> None:
    assert tuple(POSITIVE) == study_config.POSITIVE_FORMS
    assert tuple(NEGATIVE) == study_config.NEGATIVE_FORMS
    assert tuple(POLYGON) == study_config.POLYGON_FORMS


@pytest.mark.parametrize(("name", "form"), FORMS, ids=[name for name, _ in FORMS])
def test_gradients_equal_finite_differences(name: str, form: object) -> None:
    maps = _maps(2).requires_grad_()
    targets = _targets(LEFT, ONE_POINT)
    if name == "none":
        assert not form(maps, targets).any()  # type: ignore[operator]
        return
    assert torch.autograd.gradcheck(lambda m: form(m, targets), (maps,))  # type: ignore[operator]


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("positive", ["point", "disc", "disc+point"])
def test_the_whole_loss_equals_finite_differences(normalise: bool, positive: str) -> None:
    config = GuidanceConfig(positive=positive, normalise=normalise)  # type: ignore[arg-type]
    targets = _targets(LEFT, EMPTY, ONE_POINT)
    maps = _maps(3).requires_grad_()
    assert torch.autograd.gradcheck(lambda m: guidance_loss(m, targets, config), (maps,))


@pytest.mark.parametrize("name", [name for name, _ in FORMS if name != "none"])
def test_every_form_prefers_attention_where_the_person_pointed(name: str) -> None:
    form = dict(FORMS)[name]
    targets = _targets(LEFT, size=8)
    assert form(_blob(1), targets) < form(_blob(6), targets)


@pytest.mark.parametrize("config", [GuidanceConfig(), GuidanceConfig(normalise=False)])
def test_images_without_annotation_guide_nothing(config: GuidanceConfig) -> None:
    maps = _maps(2).requires_grad_()
    loss = guidance_loss(maps, _targets(EMPTY, LEFT), config)
    assert loss[0] == 0
    loss.sum().backward()
    assert maps.grad is not None
    assert not maps.grad[0].any()
    assert maps.grad[1].any()


def test_equation_3_takes_the_mean_of_the_points() -> None:
    targets = _targets(Annotation(positive_points=((0.1, 0.1), (0.9, 0.9))), size=8)
    uniform = torch.ones(1, 8, 8)
    assert POSITIVE["point"](uniform, targets).item() == pytest.approx(0, abs=1e-6)


def test_equation_4_sums_the_plain_values() -> None:
    maps = _maps(1, size=8)
    expected = maps[0, :, 5:].sum().item()
    assert NEGATIVE["sum"](maps, _targets(LEFT, size=8)).item() == pytest.approx(expected)


def test_log_energy_is_minus_the_log_of_the_share_inside() -> None:
    maps = torch.ones(1, 10, 10)
    inside = _targets(LEFT, size=10).inside.mean().item()
    loss = POLYGON["log-energy"](maps, _targets(LEFT, size=10)).exp().item()
    assert loss == pytest.approx(1 / inside, rel=1e-4)


def test_iou_of_a_map_with_itself_is_perfect() -> None:
    targets = _targets(LEFT, size=10)
    assert POLYGON["iou"](targets.inside, targets).item() == pytest.approx(0, abs=1e-5)


def test_discs_want_attention_on_every_point() -> None:
    targets = _targets(Annotation(positive_points=((0.2, 0.5), (0.9, 0.5))), size=8)
    both = (_blob(1) + _blob(7)) / 2
    assert POSITIVE["discs"](both, targets) < POSITIVE["discs"](_blob(1), targets)


@pytest.mark.parametrize("positive", sorted(set(POSITIVE) - {"none"}))
@pytest.mark.parametrize("negative", sorted(set(NEGATIVE) - {"none"}))
@pytest.mark.parametrize("normalise", [True, False])
def test_a_dead_map_has_a_finite_loss_and_gradient(
    positive: str, negative: str, normalise: bool
) -> None:
    config = GuidanceConfig.model_validate(
        {"positive": positive, "negative": negative, "normalise": normalise}
    )
    maps = torch.zeros(2, 5, 5, requires_grad=True)
    loss = guidance_loss(maps, _targets(LEFT, EMPTY), config).sum()
    loss.backward()
    assert loss.isfinite()
    assert maps.grad is not None
    assert maps.grad.isfinite().all()


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 99))
def test_on_distributions_the_scale_of_the_map_does_not_matter(scale: float, seed: int) -> None:
    targets = _targets(LEFT)
    config = GuidanceConfig()
    maps = _maps(1, seed=seed)
    before = guidance_loss(maps, targets, config)
    after = guidance_loss(maps * scale, targets, config)
    assert torch.allclose(before, after, rtol=1e-4)


@settings(max_examples=25, deadline=None)
@given(x=st.floats(0.3, 0.7), y=st.floats(0.3, 0.7))
def test_the_barycentre_of_a_disc_is_its_centre(x: float, y: float) -> None:
    disc = torch.from_numpy(fill_discs([(x, y)], 0.25, 20, 20))[None]
    assert barycentre(disc)[0].tolist() == pytest.approx([x, y], abs=0.01)


@pytest.mark.parametrize("name", ["small", "mobilenet_v3_small"])
def test_the_attention_loss_alone_moves_the_first_convolution_and_the_classifier(name: str) -> None:
    model = build(ModelConfig(name=name, width=4), 2, seed=0)
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8, generator=generator)
    maps = attend(model, images, torch.tensor([0, 1]))[1]
    targets = Targets.from_annotations([LEFT, ONE_POINT], *maps.shape[1:], radius=0.25)
    guidance_loss(maps, targets, GuidanceConfig()).mean().backward()
    weights = [p for p in model.parameters() if p.ndim > 1]
    for weight in (weights[0], weights[-1]):
        assert weight.grad is not None
        assert weight.grad.isfinite().all()
        before = weight.detach().clone()
        with torch.no_grad():
            weight -= 0.1 * weight.grad / weight.grad.norm()
        assert not torch.equal(before, weight)


def test_targets_can_be_indexed_and_moved() -> None:
    targets = _targets(LEFT, EMPTY, ONE_POINT).to("cpu")
    part = targets[torch.tensor([2, 0])]
    assert len(part) == 2
    assert part.has_point.tolist() == [True, True]
    assert part.has_negative.tolist() == [False, True]
    assert torch.allclose(part.mean_point[1], torch.tensor([0.25, 0.6]))
    assert part.is_point.tolist() == [[True, False], [True, True]]


def test_nobody_annotated_anything() -> None:
    targets = _targets(EMPTY, EMPTY)
    for form in {**POSITIVE, **NEGATIVE, **POLYGON}.values():
        assert form(_maps(2).float(), targets).shape == (2,)
    assert not guidance_loss(_maps(2).float(), targets, GuidanceConfig()).any()


def test_dense_forms_are_zero_where_maps_agree_and_grow_with_their_distance() -> None:
    targets = _targets(LEFT, size=8)
    for name in ("squared", "kl"):
        same = POLYGON[name](targets.inside, targets)
        flat = POLYGON[name](torch.ones(1, 8, 8), targets)
        wrong = POLYGON[name](1 - targets.inside, targets)
        assert same.item() == pytest.approx(0, abs=1e-4)
        assert same.item() < flat.item() < wrong.item()
    # scipy's relative entropy is the same
    from scipy.special import rel_entr

    p = targets.inside[0].numpy().astype(float)
    q = np.random.default_rng(0).random((8, 8)) + 0.1
    expected = rel_entr(p / p.sum(), q / q.sum()).sum()
    found = POLYGON["kl"](torch.from_numpy(q)[None], targets)
    assert found.item() == pytest.approx(float(expected), rel=1e-4)
