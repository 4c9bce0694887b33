"""Who gave the experimenter's password stays admitted, also when the page is loaded again.

Streamlit forgets a session with its page, and cannot set a cookie. So a page that was given the
password gets a ticket, good once and for a minute, with which its browser asks a route of ours for
the cookie. The cookie is signed with the study's secret and the password: it outlives a restart of
the server, but not another password, nor ``IDLE_MINUTES`` without a look at the page.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
import time
from collections.abc import Callable

from itsdangerous import BadData, TimestampSigner

PASSWORD_VARIABLE = "CLICKSTUDY_PASSWORD"
COOKIE = "clickstudy_experimenter"
IDLE_MINUTES = 30
"""An experimenter who does nothing for so long has to give the password again."""
TICKET_SECONDS = 60.0


class Admission:
    """Tickets and cookies of one web process.

    Args:
        secret: the study directory's.
        clock: seconds, for the tickets.
    """

    def __init__(self, secret: bytes, clock: Callable[[], float] = time.monotonic) -> None:
        self._secret = secret
        self._clock = clock
        self._lock = threading.Lock()
        self._tickets: dict[str, float] = {}

    def ticket(self) -> str:
        """A new ticket, for a page that is admitted."""
        made = secrets.token_urlsafe(24)
        with self._lock:
            self._forget()
            self._tickets[made] = self._clock() + TICKET_SECONDS
        return made

    def redeem(self, ticket: object) -> str | None:
        """The cookie for a ticket, once; None when there is no such ticket any more."""
        with self._lock:
            self._forget()
            known = isinstance(ticket, str) and self._tickets.pop(ticket, None) is not None
        signer = self._signer()
        return signer.sign("experimenter").decode() if known and signer is not None else None

    def admits(self, cookie: str | None) -> bool:
        """Whether a cookie is of this study and password, and not too old."""
        signer = self._signer()
        if signer is None or not cookie:
            return False
        try:
            signer.unsign(cookie, max_age=IDLE_MINUTES * 60)
        except (BadData, UnicodeError):
            return False
        return True

    def _forget(self) -> None:
        now = self._clock()
        self._tickets = {ticket: end for ticket, end in self._tickets.items() if end > now}

    def _signer(self) -> TimestampSigner | None:
        password = os.environ.get(PASSWORD_VARIABLE, "")
        if not password:
            return None
        return TimestampSigner(
            self._secret + b"\0" + password.encode(),
            salt="clickstudy experimenter",
            digest_method=hashlib.sha256,
        )
