"""Linear support vector machines as a head: one class against the rest (thesis, section 5.4)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from study.learning.models import Classifier, ModelError


def fit_machines(model: Classifier, inputs: Tensor, labels: Tensor, regularisation: float) -> None:
    """Put the machines' weights into a head of pooling and one linear layer, in place.

    scikit-learn's ``LinearSVC`` (squared hinge, the primal problem, which has no random start) on
    the averaged features. The largest decision is the class; softmax of decisions is no
    calibrated probability, but has their order. A class that no image has gets what a machine
    without a positive example is at its optimum: -1 everywhere.

    Args:
        model: the part behind a frozen trunk.
        inputs: features, float [N, C, h, w].
        labels: int64 [N].
        regularisation: C, the weight of the training errors against the margin.

    Raises:
        ModelError: the head is not one linear layer, or images may show several features.
    """
    from sklearn.svm import LinearSVC  # half a second that no other head needs

    if model.linear is None or labels.ndim != 1:
        raise ModelError(
            f"head = 'svm' needs a head of pooling and one linear layer and images of one class, "
            f"and {model.config.name} has another: set head = 'softmax'"
        )
    features = inputs.float().mean((2, 3)).double().cpu().numpy()
    known, numbers = np.unique(labels.cpu().numpy(), return_inverse=True)
    weights = np.zeros((model.classes, features.shape[1]))
    offsets = np.full(model.classes, -1.0)
    if len(known) == 1:
        offsets[known] = 1.0
    else:
        machine = LinearSVC(C=regularisation, dual=False).fit(features, numbers)
        # of two classes there is one machine, that of the second
        two = len(known) == 2
        weights[known] = np.concatenate([-machine.coef_, machine.coef_]) if two else machine.coef_
        own = machine.intercept_
        offsets[known] = np.concatenate([-own, own]) if two else own
    layer = model.linear
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weights))
        layer.bias.copy_(torch.from_numpy(offsets))
