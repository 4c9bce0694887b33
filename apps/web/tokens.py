"""Personal links and codes: who a browser is, signed, without an account.

A link carries the participant's name and a signature; a code is eight letters to type. Both follow
from the study directory's secret, so they can be printed again at any time.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from itsdangerous import BadData, URLSafeSerializer

CODE_LENGTH = 8


def read_secret(directory: Path) -> bytes:
    """The study directory's secret; made once, readable by its owner only."""
    path = directory / "secret"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_hex(32).encode())
    return path.read_bytes()


PERSONAL, EVERYBODY = "clickstudy link", "clickstudy invitation"
"""What a token is for: one is no other."""


def _signer(secret: bytes, purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt=purpose, signer_kwargs={"digest_method": hashlib.sha256})


def sign(secret: bytes, participant: str) -> str:
    """The token of a participant, safe in a URL."""
    return str(_signer(secret, PERSONAL).dumps(participant))


def invite(secret: bytes, mode: str) -> str:
    """The token of open enrolment in a mode, the same for everybody."""
    return str(_signer(secret, EVERYBODY).dumps(mode))


def verify(secret: bytes, token: str, purpose: str = PERSONAL) -> str | None:
    """The participant whose token this is; None when the signature is wrong.

    Of an invitation (``purpose`` ``EVERYBODY``) it is the mode.
    """
    try:
        said = _signer(secret, purpose).loads(token)
    # a lone surrogate cannot be signed for
    except (BadData, UnicodeError):
        return None
    return said if isinstance(said, str) else None


def code(secret: bytes, participant: str) -> str:
    """A code to type, such as ``K7QM-2RTX``: letters and digits that cannot be confused."""
    digest = hmac.new(secret, f"code:{participant}".encode(), hashlib.sha256).digest()
    alphabet = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
    text = "".join(alphabet[byte % len(alphabet)] for byte in digest[:CODE_LENGTH])
    return f"{text[:4]}-{text[4:]}"


def participant_of_code(secret: bytes, typed: str, participants: Iterable[str]) -> str | None:
    """The participant whose code was typed, in any case, with or without the hyphen."""
    wanted = "".join(character for character in typed.upper() if character.isalnum())
    for participant in participants:
        printed = code(secret, participant).replace("-", "")
        # bytes: compare_digest takes no letters beyond ASCII in a str
        if hmac.compare_digest(printed.encode(), wanted.encode(errors="replace")):
            return participant
    return None
