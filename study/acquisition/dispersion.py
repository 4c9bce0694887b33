"""Label dispersion: the images whose predicted class changed most while the network trained."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from study.acquisition.pool import Pool
from study.acquisition.strategy import Ranking
from study.errors import UserError


class LabelDispersion(Ranking):
    """The share of epochs in which an image was not taken for its most frequent class.

    Zolfaghari Bengar's thesis (section 3.3.1, Eq. 3.1-3.2; Zolfaghari Bengar et al. 2021, "When
    Deep Learners Change Their Mind"). It needs what the last training predicted for every image of
    the pool after each epoch; :class:`study.learning.predictions.Recorder` keeps it.
    """

    needs_predictions = True

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], 0 to 1 - 1 / K.

        Raises:
            UserError: when nobody kept the predictions.
        """
        predictions = pool.predictions
        if predictions is None or not len(predictions):
            raise UserError(
                "label-dispersion needs the classifier's predictions after every epoch of its "
                "training and none were kept: leave out model.checkpoint, so that the study "
                "pretrains its own classifier, or choose another strategy"
            )
        if predictions.shape[1] != len(pool.images):
            raise ValueError(
                f"predictions of {predictions.shape[1]} images were given for {len(pool.images)}"
            )
        return dispersion(predictions[:, pool.unlabelled], pool.options)


def dispersion(predictions: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """1 - f / T [U] (Eq. 3.1) of predicted classes [T, U], f the count of the modal one (3.2)."""
    epochs, images = predictions.shape
    cells = predictions + classes * np.arange(images)
    counts = np.bincount(cells.ravel(), minlength=classes * images).reshape(images, classes)
    return 1 - counts.max(1) / epochs
