"""L-BFGS against an independent optimum."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.nn import functional

from study.learning.fitting import Spanned, fit


def _problem() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(120, 5, generator=generator)
    y = (x[:, 0] - 0.5 * x[:, 1] + torch.randn(120, generator=generator) > 0).long()
    return x, y


def test_the_optimum_is_that_of_logistic_regression() -> None:
    x, y = _problem()
    layer = nn.Linear(5, 2)

    def loss() -> torch.Tensor:
        entropy = functional.cross_entropy(layer(x), y)
        value = entropy + 0.05 / 2 * layer.weight.square().sum()
        value.backward()
        return value.detach()

    fit(list(layer.parameters()), loss, 500)
    # two classes with opposite weights w / 2 and -w / 2: half the penalty on the difference w
    reference = LogisticRegression(C=1 / (0.05 / 2 * len(y)), tol=1e-10, max_iter=10_000)
    reference.fit(x.numpy(), y.numpy())
    found = (layer.weight[1] - layer.weight[0]).detach().numpy()
    assert found == pytest.approx(reference.coef_[0], abs=2e-3)


def test_whoever_looks_on_sees_every_iteration_and_can_end_it() -> None:
    layer = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(10.0)
    seen: list[float] = []

    def loss() -> torch.Tensor:
        value = ((layer.weight - 3) ** 4).sum()
        value.backward()
        return value.detach()

    def after() -> bool:
        seen.append(layer.weight.item())
        return len(seen) == 3

    fit(list(layer.parameters()), loss, 50, after)
    assert len(seen) == 3
    assert layer.weight.item() == seen[-1]
    assert abs(seen[-1] - 3) < abs(seen[0] - 3)


def test_no_gradient_is_left_and_what_has_none_stays() -> None:
    used, unused = nn.Parameter(torch.ones(3)), nn.Parameter(torch.full((2,), 7.0))

    def loss() -> torch.Tensor:
        value = used.square().sum()
        value.backward()
        return value.detach()

    fit([used, unused], loss, 20)
    assert np.allclose(used.detach().numpy(), 0, atol=1e-3)
    assert unused.tolist() == [7.0, 7.0]
    assert used.grad is None


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_a_layer_in_the_span_of_its_inputs_takes_the_same_way(start: float) -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(12, 60, 1, 1, generator=generator)
    y = torch.arange(12) % 3
    first = start * torch.randn(3, 60, generator=generator)

    def way(of: bool) -> tuple[nn.Linear, list[torch.Tensor]]:
        layer = nn.Linear(60, 3)
        with torch.no_grad():
            layer.weight.copy_(first)
            layer.bias.zero_()
        spanned = Spanned.of(layer, x) if of else None
        learns, given = (layer, x.flatten(1)) if spanned is None else (spanned, spanned.inputs)
        seen: list[torch.Tensor] = []

        def loss() -> torch.Tensor:
            entropy = functional.cross_entropy(learns(given), y)
            value = entropy + 0.05 / 2 * learns.weight.square().sum()
            value.backward()
            return value.detach()

        def after() -> bool:
            if spanned is not None:
                spanned.write()
            seen.append(layer(x.flatten(1)).detach())
            return False

        fit(list(learns.parameters()), loss, 500, after)
        return layer, seen

    (plain, plainly), (layer, seen) = way(False), way(True)
    assert abs(len(plainly) - len(seen)) <= 1  # the last step is decided by rounding
    for one, other in zip(plainly, seen, strict=False):
        torch.testing.assert_close(one, other, atol=2e-3, rtol=0)
    torch.testing.assert_close(layer.weight, plain.weight, atol=2e-3, rtol=0)


def test_there_is_nothing_to_save_with_many_images_or_whole_maps() -> None:
    layer = nn.Linear(60, 3)
    assert Spanned.of(layer, torch.randn(28, 60, 1, 1)) is None
    assert Spanned.of(layer, torch.randn(12, 60, 3, 3)) is None
    assert Spanned.of(None, torch.randn(12, 60, 1, 1)) is None
    assert Spanned.of(layer, torch.randn(27, 60, 1, 1)) is not None
