"""What the tests of strategies look at."""

import pytest
import torch
from pool_maker import MakePool, make


@pytest.fixture
def make_pool() -> MakePool:
    """Makes a pool of noise with an untrained network; see :func:`pool_maker.make`."""
    return make


@pytest.fixture
def opinions() -> torch.Tensor:
    """Probabilities of 7 members, float64 [7, 50, 4], that disagree more and less."""
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(7, 50, 4, generator=generator, dtype=torch.float64)
    return (logits * torch.linspace(0.1, 6, 50, dtype=torch.float64)[:, None]).softmax(2)
