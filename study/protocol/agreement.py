"""What a participant agreed to: the text, its version and hash, and a receipt to keep."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

from study.config import StudyConfig
from study.protocol.events import Consented, Event


def consent_hash(text: str, optional: dict[str, str]) -> str:
    """SHA-256 of what was read: the consent text and the optional consents, as one JSON text."""
    said = json.dumps([text, optional], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def consented(
    config: StudyConfig, text: str, agreed: dict[str, bool], language: str = "en"
) -> Consented:
    """The event of somebody who agreed to ``text`` as they read it.

    ``agreed`` says by key which optional consents were given; one that is not named was not.
    """
    optional = {one.key: one.text for one in config.consents}
    return Consented(
        text_version=config.consent_version,
        hash=consent_hash(text, optional),
        text=text,
        language=language,
        optional={key: bool(agreed.get(key)) for key in optional},
    )


def receipt(config: StudyConfig, event: Event) -> str:
    """What a participant may keep of the agreement, as plain text."""
    given = event.payload
    assert isinstance(given, Consented)
    moment = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="seconds")
    lines = [
        config.title or config.name,
        "",
        (given.text or config.consent).strip(),
        "",
        *(f"[{'x' if given.optional.get(one.key) else ' '}] {one.text}" for one in config.consents),
        "",
        f"participant: {event.participant}",
        f"agreed:      {moment}",
        f"version:     {given.text_version or '-'}",
        f"SHA-256:     {given.hash or '-'}",
        f"study file:  {event.study_hash}",
    ]
    return "\n".join(lines) + "\n"
