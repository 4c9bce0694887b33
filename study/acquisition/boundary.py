"""A linear support vector machine on the classifier's features: the images near its boundary."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from study.acquisition.pool import Pool
from study.acquisition.strategy import Ranking


class SVMMargin(Ranking):
    """Minus the distance to the decision boundary of an SVM (Tong & Koller 2001, "simple margin").

    The machine is fitted to the last block's averaged features of the annotated images and their
    labels: what the features alone say after so many annotations, whatever the network's last layer
    says. Until two classes are annotated there is no boundary and chance decides.

    Args:
        regularisation: C, the weight of the training errors against the margin.
    """

    def __init__(self, regularisation: float = 1.0) -> None:
        super().__init__()
        if regularisation <= 0:
            raise ValueError(f"regularisation = {regularisation} must be more than 0")
        self.regularisation = regularisation

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], at most 0."""
        from sklearn.svm import LinearSVC  # half a second that no other strategy needs

        labels = pool.images.asked.numpy()[pool.labelled]
        if len(np.unique(labels)) < 2:
            return np.zeros(len(pool))
        # the primal problem has no random start
        machine = LinearSVC(C=self.regularisation, dual=False)
        machine.fit(pool.labelled_features.double().cpu().numpy(), labels)
        return -margin(machine.decision_function(pool.features.double().cpu().numpy()))


def margin(decisions: NDArray[np.float64]) -> NDArray[np.float64]:
    """How clear each decision is, [U], not negative.

    Two classes: the absolute decision [U], which is the distance to the boundary times a constant.
    More: the difference of the two largest of [U, K], one machine for each class against the rest.
    """
    if decisions.ndim == 1:
        return np.abs(decisions)
    two = np.partition(decisions, -2, axis=1)
    return two[:, -1] - two[:, -2]
