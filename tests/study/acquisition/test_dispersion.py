"""Label dispersion, from a record of predictions."""

import numpy as np
import pytest
from pool_maker import MakePool

from study.acquisition import LabelDispersion, build
from study.acquisition.dispersion import dispersion
from study.config import AcquisitionConfig
from study.errors import UserError


def test_dispersion_is_scikit_activemls_variation_ratio() -> None:
    from skactiveml.pool import variation_ratios

    predictions = np.random.default_rng(0).integers(4, size=(11, 60))
    assert np.allclose(dispersion(predictions, 4), variation_ratios(predictions.T))


def test_dispersion_is_the_share_outside_the_modal_class() -> None:
    predictions = np.array([[0, 2, 1], [0, 1, 1], [0, 0, 2], [0, 2, 2]])
    assert dispersion(predictions, 3).tolist() == [0, 0.5, 0.5]


def test_predictions_belong_to_images_and_not_to_places_in_the_pool(make_pool: MakePool) -> None:
    predictions = np.zeros((4, 40), dtype=np.int64)
    predictions[:2, 31] = 1
    pool = make_pool(predictions=predictions).narrowed(np.array([5, 31, 8]))
    assert LabelDispersion().scores(pool).tolist() == [0, 0.5, 0]


def test_without_predictions_it_says_what_to_do(make_pool: MakePool) -> None:
    for nothing in (None, np.zeros((0, 40), dtype=np.int64)):
        with pytest.raises(UserError, match=r"leave out model\.checkpoint"):
            LabelDispersion().scores(make_pool(predictions=nothing))
    with pytest.raises(ValueError, match="predictions of 3 images were given for 40"):
        LabelDispersion().scores(make_pool(predictions=np.zeros((2, 3), dtype=np.int64)))


def test_callers_learn_who_needs_predictions_through_every_wrapper() -> None:
    for config in (AcquisitionConfig(), AcquisitionConfig(balance=True, subsample=5)):
        assert build(config.model_copy(update={"active": "label-dispersion"})).needs_predictions
        assert not build(config.model_copy(update={"active": "entropy"})).needs_predictions
