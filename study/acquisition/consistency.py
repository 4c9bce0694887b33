"""Self-consistency: the images whose answer depends on how they are looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from study.acquisition.disagreement import jensen_shannon
from study.acquisition.pool import Pool
from study.acquisition.strategy import Ranking, exact


class SelfConsistency(Ranking):
    """Jensen-Shannon divergence of the classifier's answers to views of one image.

    Benenson's slides on human-in-the-loop annotation, "Self-consistency": focus where equivariance
    is not respected. The views are :data:`study.learning.views.VIEWS`; the measure is that of
    :func:`study.acquisition.disagreement.jensen_shannon`, views in place of members.
    """

    needs_views = True

    def scores(self, pool: Pool) -> NDArray[np.float64]:
        """float64 [U], in nats."""
        return jensen_shannon(exact(pool.view_probabilities)).cpu().numpy()
