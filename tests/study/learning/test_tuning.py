"""Tuning a head on kept features: an optimum, held by an anchor."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from study.annotation import Annotation
from study.config import FineTuningConfig, GuidanceConfig, ModelConfig, ScoreName
from study.data.dataset import ImageSet
from study.learning import models, reasons, tuning
from study.learning.attention import attend, gradcam
from study.learning.learner import Learner, mean_of
from study.learning.models import Classifier
from study.learning.objective import Objective
from study.learning.parts import learning_part

CLICK = Annotation(positive_points=((0.2, 0.3),))
HEAD = FineTuningConfig(train="head", anchor=0.1)


@pytest.fixture
def head() -> Classifier:
    """The head of a small network, with weights that say something."""
    model = models.build(ModelConfig(name="small", width=16, blocks=2), 2, seed=0)
    part = learning_part(model, "head")
    with torch.no_grad():
        for parameter in part.parameters():
            parameter.copy_(
                torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
            )
    return part


@pytest.fixture
def kept() -> ImageSet:
    """Images with features that one direction tells apart, in one corner."""
    generator = torch.Generator().manual_seed(2)
    labels = torch.arange(24) % 2
    features = torch.rand(24, 32, 5, 5, generator=generator)
    features[:, 0, 1, 1] += 3 * labels
    features[:, 1, 4, 4] += 3 * (1 - labels)
    return ImageSet(
        images=torch.zeros(24, 3, 8, 8, dtype=torch.uint8),
        labels=labels,
        names=tuple(map(str, range(24))),
        classes=("a", "b"),
        features=features.half(),
    )


def _tuned(model: Classifier, images: ImageSet, config: FineTuningConfig) -> Classifier:
    after = copy.deepcopy(model)
    guidance = GuidanceConfig(positive="disc")
    tuning.fine_tune(after, images, [CLICK] * len(images), config, guidance, 0, "cpu", before=model)
    return after


def _objective(model: Classifier, before: Classifier, images: ImageSet) -> Tensor:
    """The loss of :func:`_tuned`, written out."""
    features = images.inputs.float()
    evidence = torch.einsum("kc,nchw->nkhw", model.class_weights, features) / 25
    assert model.linear is not None
    logits = evidence.sum((2, 3)) + model.linear.bias
    own = evidence[torch.arange(len(images)), images.labels]
    maps = (own - evidence.mean(1)).abs()
    maps = maps + 0.01 * maps.amax((1, 2), keepdim=True)
    from study.annotation import fill_discs

    disc = torch.from_numpy(fill_discs([(0.2, 0.3)], 0.19, 5, 5)).float()
    inside = (maps * disc).sum((1, 2)) / maps.sum((1, 2))
    entropy = torch.nn.functional.cross_entropy(logits, images.labels)
    pairs = zip(model.parameters(), before.parameters(), strict=True)
    pull = sum((now - then.detach()).square().sum() for now, then in pairs)
    return 0.25 * entropy - 0.75 * torch.log(inside).mean() + 0.1 / 2 * pull


def test_nothing_near_the_result_is_better(head: Classifier, kept: ImageSet) -> None:
    after = _tuned(head, kept, HEAD)
    best = _objective(after, head, kept)
    assert best < _objective(head, head, kept) - 0.05
    gradients = torch.autograd.grad(best, list(after.parameters()))
    assert max(gradient.abs().max().item() for gradient in gradients) < 5e-3
    generator = torch.Generator().manual_seed(3)
    for _ in range(20):
        near = copy.deepcopy(after)
        with torch.no_grad():
            for parameter in near.parameters():
                parameter.add_(0.02 * torch.randn(parameter.shape, generator=generator))
        assert _objective(near, head, kept) > best


def test_more_iterations_change_nothing(head: Classifier, kept: ImageSet) -> None:
    once = _tuned(head, kept, HEAD)
    longer = _tuned(head, kept, HEAD.model_copy(update={"epochs": 1000}))
    for a, b in zip(once.parameters(), longer.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_strong_anchor_holds_the_head_where_it_was(head: Classifier, kept: ImageSet) -> None:
    after = _tuned(head, kept, HEAD.model_copy(update={"anchor": 1e6}))
    for now, then in zip(after.parameters(), head.parameters(), strict=True):
        assert torch.allclose(now, then, atol=1e-5)


def test_labels_alone_need_no_grid(head: Classifier, kept: ImageSet) -> None:
    config = GuidanceConfig(w_g=0.0, w_c=1.0)
    pooled = replace(kept, features=kept.inputs.float().mean((2, 3), keepdim=True))
    results = []
    for images in (kept, pooled):
        after = copy.deepcopy(head)
        tuning.fine_tune(after, images, [CLICK] * 24, HEAD, config, 0, "cpu")
        results.append(after.class_weights.detach())
    assert torch.allclose(results[0], results[1], atol=1e-4)


def test_labels_alone_do_not_pool_what_enters_a_block() -> None:
    """A last block sees the grid, whether its maps are guided or not."""
    whole = models.build(ModelConfig(name="small", width=8, blocks=2), 2, seed=0)
    generator = torch.Generator().manual_seed(2)
    pixels = torch.randint(0, 256, (12, 3, 32, 32), dtype=torch.uint8, generator=generator)
    labels = torch.arange(12) % 2
    images = ImageSet(pixels, labels, tuple(map(str, range(12))), ("a", "b"))
    with torch.no_grad():
        entering = whole.stem(pixels)
    assert entering.shape[2:] != (1, 1)
    images = replace(images, features=entering)
    config = FineTuningConfig(train="block", epochs=3, batch=6, learning_rate=0.1)
    states = []
    for w_g in (0.0, 1e-12):
        part = learning_part(whole, "block")
        tuning.fine_tune(
            part, images, [CLICK] * 12, config, GuidanceConfig(w_g=w_g, w_c=1.0), 0, "cpu"
        )
        states.append(part.state_dict())
    moved = learning_part(whole, "block").state_dict()
    assert any(not torch.allclose(states[0][name], moved[name]) for name in moved)
    for name in moved:
        torch.testing.assert_close(states[0][name], states[1][name], rtol=1e-4, atol=1e-5)


def test_a_head_that_loses_its_numbers_gets_the_good_ones_back(
    head: Classifier, kept: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        reasons, "guidance_loss", lambda maps, targets, config: maps.sum((1, 2)) * torch.nan
    )
    after = copy.deepcopy(head)
    result = tuning.fine_tune(after, kept, [CLICK] * 24, HEAD, GuidanceConfig(), 0, "cpu")
    assert result.collapsed
    for now, then in zip(after.parameters(), head.parameters(), strict=True):
        assert torch.equal(now, then)


@pytest.mark.parametrize("of", ["label", "centred", "absolute", "rounded"])
def test_one_pass_gives_logits_and_the_map_of_every_score(
    head: Classifier, kept: ImageSet, of: ScoreName
) -> None:
    features = kept.inputs.float().requires_grad_()
    logits, maps = attend(head, features, kept.labels, of)
    plain = head.classify(features)
    assert torch.allclose(logits, plain, atol=1e-5)
    scores = plain[torch.arange(24), kept.labels]
    if of != "label":
        scores = scores - plain.mean(1)
    general = gradcam(features, scores)
    off = 0.1 * general.square().mean((1, 2), keepdim=True).sqrt()
    expected = {
        "absolute": general.abs(),
        "rounded": (general.square() + off.square()).sqrt() - off,
    }.get(of, general.relu())
    assert torch.allclose(maps, expected, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("draw", [0, 1])
def test_few_steps_get_further_where_the_map_has_no_edges(draw: int) -> None:
    """Coarse maps, and a head that meets one image after the other, as in live feedback."""
    whole = models.build(ModelConfig(name="small", width=32, blocks=2), 2, seed=0)
    part = learning_part(whole, "head")
    generator = torch.Generator().manual_seed(draw)
    with torch.no_grad():
        for parameter in part.parameters():
            parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
    features = torch.randn(16, 64, 2, 2, generator=generator).relu()
    labels = torch.arange(16) % 2
    features[:, 0, 0, 0] += 3 * labels
    features[:, 1, 1, 1] += 3 * (1 - labels)
    pixels = torch.zeros(16, 3, 8, 8, dtype=torch.uint8)
    images = ImageSet(pixels, labels, tuple(map(str, range(16))), ("a", "b"), features=features)
    edged, smooth = GuidanceConfig(score="absolute"), GuidanceConfig(score="rounded")
    reached = []
    for guidance in (edged, smooth):
        head = copy.deepcopy(part)
        for known in range(1, 17):
            few = FineTuningConfig(train="head", anchor=0.05 * 16 / known, epochs=5)
            some = images.subset(list(range(known)))
            tuning.fine_tune(head, some, [CLICK] * known, few, guidance, 0, "cpu", before=part)
        pairs = zip(head.parameters(), part.parameters(), strict=True)
        pull = 0.05 / 2 * sum(float((now - then).detach().square().sum()) for now, then in pairs)
        # both on the map with edges, which is what the first of them descends on
        clicks = [CLICK] * 16
        task = Objective.of(head, images, clicks, few, edged, torch.device("cpu"), None)
        reached.append(pull + task.mean(head))
    assert reached[1] < 0.95 * reached[0]


def test_the_mean_of_heads_adds_up_their_logits(head: Classifier, kept: ImageSet) -> None:
    other = _tuned(head, kept, HEAD)
    mean = mean_of((head, other))
    features = kept.inputs.float()
    expected = (head(features) + other(features)) / 2
    assert torch.allclose(mean(features), expected, atol=1e-5)
    whole = models.build(ModelConfig(name="small", width=16, blocks=2), 2, seed=0)
    with pytest.raises(models.ModelError, match="ensemble = 1"):
        mean_of((whole, whole))


def test_a_learner_comes_back_from_its_file(head: Classifier, kept: ImageSet, tmp_path) -> None:  # type: ignore[no-untyped-def]
    learner = Learner(head, (_tuned(head, kept, HEAD),), torch.arange(6).view(2, 3).numpy())
    path = tmp_path / "deep" / "x.pt"
    learner.save(path)
    again = Learner.load(path, head)
    for a, b in zip(learner.classifiers[1], again.classifiers[1], strict=True):
        assert torch.equal(a.class_weights, b.class_weights)
    assert again.predictions is not None
    assert again.predictions.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert path.stat().st_size < 20_000
    path.write_bytes(b"nothing")
    with pytest.raises(models.ModelError, match="not a readable model"):
        Learner.load(path, head)
