"""What a participant agreed to: the text, its version and hash, and a receipt to keep."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

from study.config import StudyConfig
from study.languages import ENGLISH, Speech
from study.protocol.events import Consented, Event


def consent_hash(text: str, optional: dict[str, str]) -> str:
    """SHA-256 of what was read: the consent text and the optional consents, as one JSON text."""
    said = json.dumps([text, optional], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def consented(
    config: StudyConfig,
    text: str,
    agreed: dict[str, bool],
    language: str = "en",
    read: dict[str, str] | None = None,
) -> Consented:
    """The event of somebody who agreed to ``text`` as they read it.

    ``agreed`` says by key which optional consents were given; one that is not named was not.
    ``read`` holds their texts as they were read, where that was not as the study file has them.
    """
    optional = {one.key: one.text for one in config.consents} | (read or {})
    return Consented(
        text_version=config.consent_version,
        hash=consent_hash(text, optional),
        text=text,
        language=language,
        optional={key: bool(agreed.get(key)) for key in optional},
    )


def receipt(config: StudyConfig, event: Event, say: Speech = ENGLISH) -> str:
    """What a participant may keep of the agreement, as plain text."""
    given = event.payload
    assert isinstance(given, Consented)
    facts = {
        say("participant"): event.participant,
        say("agreed"): f"{say.moment(event.at)} ({_iso(event.at)})",
        say("version"): given.text_version or "-",
        "SHA-256": given.hash or "-",
        say("study file"): event.study_hash,
    }
    lines = [
        say(config.title or config.name),
        "",
        (given.text or say(config.consent)).strip(),
        "",
        *(
            f"[{'x' if given.optional.get(one.key) else ' '}] {say(one.text)}"
            for one in config.consents
        ),
        "",
        *(f"{name}: {fact}" for name, fact in facts.items()),
    ]
    return "\n".join(lines) + "\n"


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
