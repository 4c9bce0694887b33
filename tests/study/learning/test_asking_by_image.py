"""A dialogue's reasons: what annotations taught, what signs say of that, what is asked for."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_t

from study import asking
from study.annotation import Annotation
from study.asking import expecting
from study.asking.beforehand import Signs
from study.asking.gains import Judge, Others, Taught, _slopes, contributions
from study.config import ModelConfig, StudyConfig
from study.data.dataset import ImageSet
from study.learning import models, tuning
from study.learning.features import FeatureStore
from study.learning.objective import Objective
from study.learning.parts import learning_part
from study.seeds import rng

KINDS = ("click", "polygon", "verify")
CPU = torch.device("cpu")
CLICK = Annotation(positive_points=((0.25, 0.375),))
OUTLINE = Annotation(polygons=(((0.1, 0.2), (0.4, 0.2), (0.4, 0.5), (0.1, 0.5)),))


def _asked(gains: list[list[float]], seconds: list[list[float]]) -> list[int]:
    return asking.choose(np.array(gains), np.array(seconds)).tolist()


def test_each_image_is_asked_for_what_pays_on_it() -> None:
    seconds = [[2.0, 8.0]] * 4
    # an outline teaches twice as much as a click and takes four times as long, but on the last two
    assert _asked([[0.1, 0.2]] * 2 + [[0.1, 0.9]] * 2, seconds) == [0, 0, 1, 1]


def test_where_nothing_helps_the_cheapest_is_asked_for() -> None:
    assert _asked([[-0.1, 0.0]] * 3 + [[-1.0, 0.1]], [[2.0, 8.0]] * 4) == [0, 0, 0, 1]


def test_a_kind_that_no_image_is_asked_for_gets_the_one_that_loses_least() -> None:
    gains = [[0.5, 0.1, 0.0], [0.5, 0.4, 0.0], [0.5, 0.1, 0.0], [0.5, 0.1, 0.3]]
    assert _asked(gains, [[1.0] * 3] * 4) == [0, 1, 0, 2]
    assert _asked(gains[:2], [[1.0] * 3] * 2) == [0, 1]  # half of them keep their best
    assert _asked(gains[:1], [[1.0] * 3]) == [0]
    # not the only image of another kind, however little it would lose
    gains = [[0.5, 0.1, 0.0], [0.5, 0.1, 0.0], [0.5, 0.1, 0.0], [0.1, 0.5, 0.49]]
    assert _asked(gains, [[1.0] * 3] * 4) == [2, 0, 0, 1]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 12), st.integers(2, 4), st.integers(0, 2**32))
def test_half_of_a_batch_is_asked_for_its_best(count: int, kinds: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    gains, seconds = random.normal(size=(count, kinds)), random.uniform(1, 9, (count, kinds))
    found = asking.choose(gains, seconds)
    best = np.where((gains > 0).any(1), (gains / seconds).argmax(1), seconds.argmin(1))
    assert len(found) == count
    assert (found == best).sum() >= count - count // 2
    assert len(set(found.tolist())) >= min(kinds, 1 + count // 2, count)


def test_what_signs_say_is_averaged_over_how_much_they_may_say() -> None:
    """The evidence of each weight is that of a multivariate t distribution (the limit in df)."""
    random = np.random.default_rng(2)
    known, there = random.normal(size=(12, 3)), random.normal(size=(4, 3))
    values = known @ [1.0, -0.5, 0.0] + 0.3 * random.normal(size=12)
    names = ("a", "b", "c")
    found = expecting.expected(
        [dict(zip(names, row, strict=True)) for row in known],
        values,
        [dict(zip(names, row, strict=True)) for row in there],
    )
    rows = np.concatenate([known, there])
    rows = (rows - rows.mean(0)) / rows.std(0)
    x, z = rows[:12], rows[12:]
    evidence, means = [], []
    for signal in expecting.SIGNALS:
        covariance = np.eye(12) + signal * x @ x.T / 3
        tiny = 1e-6  # with noise variance ~ inverse gamma(tiny/2, tiny/2), nearly 1 / variance
        evidence.append(multivariate_t(shape=covariance, df=tiny).logpdf(values))
        ridge = 3 / signal if signal else np.inf
        slopes = np.linalg.solve(x.T @ x + ridge * np.eye(3), x.T @ values) if signal else 0 * x[0]
        means.append(z @ slopes)
    weights = np.exp(np.array(evidence) - max(evidence))
    assert found == pytest.approx(weights / weights.sum() @ np.array(means), rel=1e-4)


def test_signs_that_say_nothing_leave_all_images_alike() -> None:
    random = np.random.default_rng(0)
    rows = [{"a": float(a), "same": 1.0} for a in random.normal(size=60)]
    noise = random.normal(size=50)
    assert np.abs(expecting.expected(rows[:50], noise, rows[50:])).max() < 0.25
    telling = noise + 2 * np.array([row["a"] for row in rows[:50]])
    far = expecting.expected(rows[:50], telling, [{"a": -2.0, "same": 1.0}, {"a": 2.0}])
    assert far[0] < -2.5
    assert far[1] > 2.5
    # a sign that is missing is as usual
    assert expecting.expected(rows[:50], telling, [{"same": 1.0}])[0] == pytest.approx(0, abs=0.7)
    assert expecting.expected([], np.zeros(0), rows[:2]).tolist() == [0, 0]
    assert expecting.expected(rows[:1], np.zeros(1), rows[:2]).tolist() == [0, 0]
    assert expecting.expected([{"same": 1.0}] * 3, np.array([1.0, 0, -1]), [{"same": 1.0}]) == [0]


class _Constructed:
    """A world in which outlines pay on blurred images and answers on clear ones."""

    def __init__(self) -> None:
        self.random = rng(5, "constructed")
        self.given: dict[int, asking.Given] = {}
        self.gained: dict[int, float] = {}

    def truth(self, blur: float, kind: str) -> tuple[float, float]:
        """Gain and seconds of an annotation of an image; a click is worth the same everywhere."""
        gain = {"click": 0.10, "polygon": 0.04 + 0.5 * blur, "verify": 0.12 - 0.12 * blur}[kind]
        return gain, {"click": 4.0, "polygon": 8.0, "verify": 2.0}[kind]

    def taught(self, kinds: dict[str, dict[int, Any]]) -> dict[str, Taught]:
        if sum(map(bool, kinds.values())) < 2:
            return {}
        usual = {k: float(np.mean([self.gained[i] for i in d])) for k, d in kinds.items() if d}
        return {
            k: Taught(usual[k], {i: self.gained[i] - usual[k] for i in kinds[k]}) for k in usual
        }

    def batch(self, count: int = 8) -> list[Signs]:
        blurred = self.random.integers(0, 2, count).astype(float)
        return [
            {"spread": float(b + self.random.normal(0, 0.1)), "doubt": float(d), "blur": 0.0}
            for b, d in zip(blurred, self.random.uniform(size=count), strict=True)
        ]

    def give(self, signs: Signs, kind: str) -> tuple[float, float]:
        gain, seconds = self.truth(signs["spread"], kind)
        seconds *= float(np.exp(self.random.normal(0, 0.3)))
        number = len(self.given)
        self.gained[number] = gain + float(self.random.normal(0, 0.03))
        self.given[number] = asking.Given(kind, CLICK, seconds, signs)
        return gain, seconds


def _rate(fixed: str | None) -> float:
    """Gain for a second over twelve batches, of a fixed kind or of what is asked for."""
    world = _Constructed()
    gain, seconds = 0.0, 0.0
    for number in range(12):
        batch = world.batch()
        asked = [fixed] * len(batch)
        if fixed is None:
            asked = list(asking.ask(KINDS, world.given, batch, world, number).asked)  # type: ignore[arg-type]
        for signs, kind in zip(batch, asked, strict=True):
            more, took = world.give(signs, kind)
            gain, seconds = gain + more, seconds + took
    return gain / seconds


def test_it_learns_which_images_a_kind_pays_on() -> None:
    """Every fixed kind loses on half of the images; only a rule of the image gets both halves."""
    fixed = {kind: _rate(kind) for kind in KINDS}
    assert _rate(None) > 1.15 * max(fixed.values()), fixed


def test_the_same_names_ask_for_the_same() -> None:
    assert _rate(None) == _rate(None)


def _head(toy: ImageSet) -> tuple[Any, ImageSet]:
    whole = models.build(ModelConfig(name="small", width=16, blocks=2), 2, seed=3).eval()
    kept = FeatureStore(None, whole, "head", "cpu").attach(toy)
    return learning_part(whole, "head"), kept


def _config(**fine_tuning: Any) -> StudyConfig:
    return StudyConfig.model_validate(
        {"name": "s", "fine_tuning": {"train": "head", "epochs": 5, **fine_tuning},
         "pretraining": {"train": "head"}}
    )  # fmt: skip


WRONG = Annotation(positive_points=((0.8, 0.85),))


def test_what_agrees_with_the_other_kinds_teaches_more_than_what_does_not(toy: ImageSet) -> None:
    head, kept = _head(toy)
    config = _config()

    def objective(rows: list[int], drawn: list[Annotation]) -> Objective:
        chosen = kept.subset(rows)
        return Objective.of(head, chosen, drawn, config.fine_tuning, config.guidance, CPU, None)

    clicks = [CLICK, WRONG] * 3
    tuned = copy.deepcopy(head)
    tuning.fine_tune(
        tuned, kept.subset(range(6)), clicks, config.fine_tuning, config.guidance, 0, "cpu"
    )
    others = Others([objective([6, 7, 8], [OUTLINE] * 3)], head)
    own = objective(list(range(6)), clicks)
    found = contributions(own, others, head, tuned, 6)
    assert found.sum() == pytest.approx(others.drop(tuned), rel=1e-6)
    assert found[::2].min() > found[1::2].max()
    # and each is its own slope along the others' gradient, by differences
    direction = others.gradient(head)
    exact = _slopes(own, head, direction)
    near = []
    for sign in (1, -1):
        moved = copy.deepcopy(head)
        with torch.no_grad():
            for parameter, d in zip(moved.parameters(), direction, strict=True):
                parameter.add_(sign * 1e-4 * d)
        near.append(own.each(moved).detach())
    assert torch.allclose(exact, (near[0] - near[1]) / 2e-4, rtol=0.05, atol=0.05)


def test_what_says_nothing_taught_nothing(toy: ImageSet) -> None:
    head, kept = _head(toy)
    judge = Judge(head, kept, _config(), 1, CPU)
    clicks = dict.fromkeys(range(4), CLICK)
    outlines: dict[int, Annotation] = dict.fromkeys(range(4, 7), OUTLINE)
    full = judge.taught({"click": clicks, "polygon": outlines})["polygon"]
    half = judge.taught({"click": clicks, "polygon": outlines | {7: Annotation()}})["polygon"]
    assert half.gain == pytest.approx(full.gain * 3 / 4)
    assert half.gain + half.more[7] == pytest.approx(0.0)
    assert sum(half.more.values()) == pytest.approx(0.0)
    assert judge.taught({"click": clicks, "polygon": {7: Annotation()}}) == {}


def test_signs_of_what_the_classifier_makes_of_an_image(
    toy: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    from study.asking import beforehand as module
    from study.learning.labelling import LABELLINGS

    some = toy.subset([0, 1])
    maps = torch.zeros(2, 4, 4)
    maps[0, 1, 1], maps[0, 1, 2], maps[0, 3, 3] = 2.0, 1.0, 1.0
    logits = torch.tensor([[2.0, 0.0], [0.0, 0.0]])
    monkeypatch.setattr(module, "looked_at", lambda *_, **__: (logits, maps))
    model: Any = SimpleNamespace(labelling=LABELLINGS["one"])
    first, second = asking.signs(model, some, CPU)
    label = int(some.labels[0])
    assert first["certainty"] == pytest.approx([0.880797, 0.119203][label], abs=1e-5)
    assert first["spots"] == 2
    assert first["held"] == pytest.approx(0.75)
    assert first["region"] == pytest.approx(2 / 16)
    assert first["edge"] == pytest.approx(0.25)
    assert first["spread"] == pytest.approx(1.0397 / np.log(16), abs=1e-3)
    assert second["doubt"] == pytest.approx(1)
    assert "spread" not in second
    assert first[f"asked {some.classes[label]}"] == 1
