"""The device to compute on."""

from __future__ import annotations

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
