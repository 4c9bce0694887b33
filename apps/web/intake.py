"""What a request may say: how long, how deep, and which fields; everything else is a 4xx."""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.requests import ClientDisconnect, Request

MOST_BYTES = 4_000_000
"""An outbox of twenty items with long outlines is a tenth of that."""
NAME = re.compile(r"[0-9a-zA-Z-]{0,64}")


class BadRequest(Exception):
    """A request that cannot be answered; the message is one sentence for whoever sent it."""

    def __init__(self, problem: str, status: int = 400) -> None:
        super().__init__(problem)
        self.status = status


async def body_of(request: Request, most: int = MOST_BYTES) -> dict[str, Any]:
    """The JSON object in a request's body.

    Raises:
        BadRequest: when it is longer than ``most`` bytes (413), or no JSON object, or one whose
            ``tab`` or ``page`` is not a browser's.
    """
    parts, length = [], 0
    try:
        async for part in request.stream():
            length += len(part)
            if length > most:
                raise BadRequest(f"a message has at most {most} bytes", 413)
            parts.append(part)
        said = json.loads(b"".join(parts))
    except (ValueError, RecursionError, ClientDisconnect):
        raise BadRequest("the body is not a JSON object") from None
    if not isinstance(said, dict):
        raise BadRequest("the body is not a JSON object")
    for key in ("tab", "page"):
        value = said.get(key, "")
        if not isinstance(value, str) or not NAME.fullmatch(value):
            raise BadRequest(f"{key} has at most 64 letters, digits and hyphens")
    return said


def number_of(request: Request, name: str, least: int = 0, most: int = 1_000_000) -> int:
    """A whole number in the query.

    Raises:
        BadRequest: when it is missing, no whole number or out of bounds.
    """
    text = request.query_params.get(name, "")
    # not int(): it accepts spaces, underscores and the digits of every script
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise BadRequest(f"{name} must be a whole number from {least} to {most}")
    return int(text)
