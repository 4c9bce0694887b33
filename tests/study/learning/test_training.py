"""Pretraining and fine-tuning: what they promise about weights, order and collapse."""

import pytest
import torch

from study.annotation import Annotation
from study.config import FineTuningConfig, GuidanceConfig, PretrainingConfig
from study.data.dataset import ImageSet
from study.learning import reasons, training, tuning
from study.learning.evaluation import evaluate
from study.learning.models import Classifier

CLICK = Annotation(positive_points=((0.25, 0.375),))
QUICK = PretrainingConfig(learning_rate=0.05, batch=8, epochs=12, patience=12)
SHORT = FineTuningConfig(learning_rate=0.02, batch=16, epochs=3)


def _weights(model: Classifier) -> list[torch.Tensor]:
    return [value.clone() for value in model.state_dict().values()]


def _same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("schedule", ["constant", "one-cycle"])
def test_pretraining_learns(tiny: Classifier, toy: ImageSet, schedule: str) -> None:
    config = QUICK.model_copy(update={"schedule": schedule})
    history = training.pretrain(tiny, toy, toy, config, seed=0, device="cpu")
    assert evaluate(tiny, toy, "cpu")["accuracy"] == history.val_accuracy[history.best_epoch]
    assert history.val_accuracy[history.best_epoch] > 0.9
    assert not tiny.training


def test_pretraining_stops_early_and_keeps_the_best(tiny: Classifier, toy: ImageSet) -> None:
    config = PretrainingConfig(learning_rate=2.0, batch=16, epochs=40, patience=2)
    history = training.pretrain(tiny, toy, toy, config, seed=0, device="cpu")
    assert len(history.val_loss) == history.best_epoch + 3 < 40
    assert min(history.val_loss) == history.val_loss[history.best_epoch]


def test_guidance_moves_attention_onto_the_clicks(tiny: Classifier, toy: ImageSet) -> None:
    training.pretrain(tiny, toy, toy, QUICK, seed=0, device="cpu")
    before = evaluate(tiny, toy, "cpu")["attention_inside"]
    config = SHORT.model_copy(update={"epochs": 10})
    calls: list[tuple[int, int]] = []
    result = tuning.fine_tune(
        tiny, toy, [CLICK] * len(toy), config, GuidanceConfig(), 0, "cpu",
        lambda done, total: calls.append((done, total)),
    )  # fmt: skip
    after = evaluate(tiny, toy, "cpu")["attention_inside"]
    assert before is not None
    assert after is not None
    assert after > before
    assert calls == [(i + 1, 10) for i in range(10)]
    assert not result.collapsed
    assert result.restored_epoch == len(result.losses) == 10
    assert result.losses[0] == pytest.approx(
        0.25 * result.classification_loss[0] + 0.75 * result.guidance_loss[0]
    )


def test_the_same_seed_gives_the_same_weights(tiny: Classifier, toy: ImageSet) -> None:
    first = _weights(tiny)
    results = []
    for seed in (3, 3, 4):
        tiny.load_state_dict(dict(zip(tiny.state_dict(), first, strict=True)))
        tuning.fine_tune(tiny, toy, [CLICK] * len(toy), SHORT, GuidanceConfig(), seed, "cpu")
        results.append(_weights(tiny))
    assert _same(results[0], results[1])
    assert not _same(results[0], results[2])


def test_statistics_of_batch_norm_stay_as_pretrained(tiny: Classifier, toy: ImageSet) -> None:
    before = {k: v.clone() for k, v in tiny.state_dict().items() if "running" in k}
    tuning.fine_tune(tiny, toy, [CLICK] * len(toy), SHORT, GuidanceConfig(), 0, "cpu")
    assert all(torch.equal(tiny.state_dict()[key], value) for key, value in before.items())


@pytest.mark.parametrize("guidance", [GuidanceConfig(w_g=0.0), GuidanceConfig()])
def test_without_annotations_it_is_training_on_labels(
    tiny: Classifier, toy: ImageSet, guidance: GuidanceConfig
) -> None:
    annotations = [CLICK if guidance.w_g == 0 else Annotation()] * len(toy)
    result = tuning.fine_tune(tiny, toy, annotations, SHORT, guidance, 0, "cpu")
    assert set(result.guidance_loss) == {0.0}


def test_a_loss_that_is_not_finite_restores_the_last_good_weights(
    tiny: Classifier, toy: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _weights(tiny)
    monkeypatch.setattr(
        reasons, "guidance_loss", lambda maps, targets, config: maps.sum((1, 2)) * torch.nan
    )
    result = tuning.fine_tune(tiny, toy, [CLICK] * len(toy), SHORT, GuidanceConfig(), 0, "cpu")
    assert result.collapsed
    assert result.note == "the loss is not finite; the weights after 0 epochs are kept"
    assert _same(before, _weights(tiny))


def test_attention_that_dies_is_noticed(
    tiny: Classifier, toy: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    training.pretrain(tiny, toy, toy, QUICK, seed=0, device="cpu")
    # Eq. 4 over the whole map, as printed, has its minimum at the map that is zero everywhere
    monkeypatch.setattr(
        reasons, "guidance_loss", lambda maps, targets, config: 100 * maps.sum((1, 2))
    )
    config = SHORT.model_copy(update={"epochs": 60, "clip": 100.0})
    result = tuning.fine_tune(tiny, toy, [CLICK] * len(toy), config, GuidanceConfig(), 0, "cpu")
    assert result.collapsed
    assert "attention died" in result.note or "one answer" in result.note
    assert result.restored_epoch < len(result.losses)


@pytest.mark.parametrize("what", ["pretrain", "fine_tune"])
def test_an_interruption_leaves_the_first_weights(
    tiny: Classifier, toy: ImageSet, what: str
) -> None:
    before = _weights(tiny)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    train = {
        "pretrain": lambda: training.pretrain(tiny, toy, toy, QUICK, 0, "cpu", stop),
        "fine_tune": lambda: tuning.fine_tune(
            tiny, toy, [CLICK] * len(toy), SHORT, GuidanceConfig(), 0, "cpu", stop
        ),
    }[what]
    with pytest.raises(KeyboardInterrupt):
        train()
    assert _same(before, _weights(tiny))
    assert not tiny.training


def test_somebody_may_look_at_the_model_after_every_epoch(tiny: Classifier, toy: ImageSet) -> None:
    seen: list[list[torch.Tensor]] = []

    def look(model: Classifier) -> None:
        assert not model.training
        seen.append(_weights(model))

    training.pretrain(tiny, toy, toy, QUICK, 0, "cpu", after_epoch=look)
    assert len(seen) == QUICK.epochs
    assert not _same(seen[0], seen[1])
    tuning.fine_tune(
        tiny, toy, [CLICK] * len(toy), SHORT, GuidanceConfig(), 0, "cpu", after_epoch=look
    )
    assert len(seen) == QUICK.epochs + SHORT.epochs
    assert _same(seen[-1], _weights(tiny))


def test_refuses_annotations_that_do_not_match(tiny: Classifier, toy: ImageSet) -> None:
    with pytest.raises(ValueError, match="2 annotations were given for 48 images"):
        tuning.fine_tune(tiny, toy, [CLICK] * 2, SHORT, GuidanceConfig(), 0, "cpu")
    with pytest.raises(ValueError, match="at least one image"):
        tuning.fine_tune(tiny, toy.subset([]), [], SHORT, GuidanceConfig(), 0, "cpu")


def test_every_image_is_met_once_and_none_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    batches = list(training.batches(33, 16, generator))
    assert [len(batch) for batch in batches] == [16, 17]
    assert sorted(torch.cat(batches).tolist()) == list(range(33))
