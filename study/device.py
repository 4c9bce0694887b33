"""The device to compute on, and its threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from study.errors import UserError

if TYPE_CHECKING:
    import torch


def pick_device(name: str = "auto") -> torch.device:
    """``auto`` takes a GPU where there is one; a name must be of a device that works.

    Raises:
        UserError: when the named device does not exist on this machine.
    """
    import torch

    if name != "auto":
        try:
            device = torch.device(name)
            torch.zeros(1, device=device)
        except (RuntimeError, AssertionError) as error:
            raise UserError(
                f"device {name!r} cannot be used ({str(error).splitlines()[0]}): choose auto or cpu"
            ) from error
        return device
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def side_by_side(
    compute: Callable[[torch.Tensor], torch.Tensor], parts: Sequence[torch.Tensor]
) -> list[torch.Tensor]:
    """``compute`` of every part, in their order, on as many threads as torch has.

    Each part is computed by one thread, so that the result has the same bits with any number of
    them; where torch itself divides a convolution among threads it has not. What torch keeps for
    each thread, such as ``no_grad``, is for ``compute`` to ask for.
    """
    import torch

    threads = torch.get_num_threads()
    if threads == 1:
        return [compute(part) for part in parts]
    count = min(threads, len(parts))
    try:
        with ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(compute, parts))
    finally:
        torch.set_num_threads(threads)
