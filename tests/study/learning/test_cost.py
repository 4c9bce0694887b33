"""The cost of guidance."""

import torch

from study.config import ModelConfig
from study.learning import models
from study.learning.cost import step_cost


def test_measures_and_leaves_no_gradients() -> None:
    model = models.build(ModelConfig(name="small", width=4, blocks=2), 2, seed=0)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    cost = step_cost(model, torch.zeros(8, 3, 32, 32, dtype=torch.uint8), repeats=3)
    assert cost.plain > 0
    assert cost.ratio > 0
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
