"""The record of what a classifier takes every image for."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from study.config import PretrainingConfig
from study.data.dataset import ImageSet
from study.learning import predictions, training
from study.learning.models import Classifier
from study.learning.parts import learning_part
from study.learning.predictions import Recorder

BRIEF = PretrainingConfig(learning_rate=0.05, batch=8, epochs=3)


def test_every_epoch_is_recorded_for_every_image(tiny: Classifier, toy: ImageSet) -> None:
    recorder = Recorder(toy, batch=7)
    assert recorder.predictions.shape == (0, 48)
    training.pretrain(tiny, toy, toy, BRIEF, seed=0, device="cpu", after_epoch=recorder)
    found = recorder.predictions
    assert found.dtype == np.int64
    assert found.shape == (3, 48)
    recorder(tiny.train())
    assert tiny.training
    assert recorder.predictions[-1].tolist() == tiny.eval()(toy.images).argmax(1).tolist()


def test_recording_does_not_change_the_training(tiny: Classifier, toy: ImageSet) -> None:
    first = {key: value.clone() for key, value in tiny.state_dict().items()}
    results = []
    for recorder in (None, Recorder(toy)):
        tiny.load_state_dict(first)
        training.pretrain(tiny, toy, toy, BRIEF, 0, "cpu", after_epoch=recorder)
        results.append({key: value.clone() for key, value in tiny.state_dict().items()})
    assert all(torch.equal(results[0][key], results[1][key]) for key in first)


def test_a_head_is_asked_of_means_that_are_read_once(tiny: Classifier, toy: ImageSet) -> None:
    with torch.no_grad():
        features = tiny.features(toy.images)
    head = learning_part(tiny, "head")
    recorder = Recorder(replace(toy, features=features))
    met: list[torch.Size] = []
    head.register_forward_pre_hook(lambda _, given: met.append(given[0].shape[1:]))
    recorder(head)
    features.zero_()
    recorder(head)
    assert met == [(features.shape[1], 1, 1)] * 2
    assert recorder.predictions.tolist() == [tiny(toy.images).argmax(1).tolist()] * 2


@pytest.mark.parametrize(("classes", "size"), [(2, 1), (300, 2)])
def test_a_byte_or_two_are_kept_for_each(classes: int, size: int) -> None:
    found = np.random.default_rng(0).integers(classes, size=(50, 100))
    found[0, 0] = classes - 1
    kept = predictions.packed(found)
    assert kept.nbytes == 5000 * size
    again = predictions.unpacked(kept)
    assert again.dtype == np.int64
    assert np.array_equal(again, found)
