"""What many threads compute has the bits of what one computes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from study.config import ModelConfig
from study.device import side_by_side
from study.learning import models


@pytest.fixture
def threads() -> Iterator[None]:
    """Leaves torch as many threads as it had."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("many", [1, 3])
def test_parts_keep_their_order_and_torch_its_threads(many: int) -> None:
    torch.set_num_threads(many)
    met: set[int] = set()

    def compute(part: torch.Tensor) -> torch.Tensor:
        met.add(torch.get_num_threads())
        return part + 1

    parts = list(torch.arange(7).split(1))
    assert torch.cat(side_by_side(compute, parts)).tolist() == list(range(1, 8))
    side_by_side(compute, parts[:1])
    assert met == {1}  # whoever shares the work does it alone, and so does who has all of it
    assert torch.get_num_threads() == many


@pytest.mark.usefixtures("threads")
def test_a_frozen_trunk_gives_the_same_bits_with_any_number_of_threads() -> None:
    torch.set_num_threads(1)
    model = models.build(ModelConfig(name="small", width=16), 2, 0)
    trunk = model.frozen_stem("head")
    images = torch.randint(
        0, 256, (27, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    alone, few = trunk(images), trunk(images[:5])
    torch.set_num_threads(3)
    assert torch.equal(trunk(images), alone)
    assert torch.equal(trunk(images[:5]), few)  # one part: no other thread, and no other bits
    assert len(trunk(images[:0])) == 0
