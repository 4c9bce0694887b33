"""What a study file says to participants, and whether it says it in every language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from study.config.models import StudyConfig

NAMED = ("title", "consent")
"""Texts that ``[texts.ja]`` may name instead of repeating them."""


def own_texts(config: StudyConfig) -> Iterator[str]:
    """Every text of the study file that participants read, but for names of classes."""
    yield config.title
    yield config.consent
    for one in config.consents:
        yield one.text
    for asked in (*config.screening, *config.demographics):
        yield asked.text
        yield from asked.choices
    for instrument in config.instruments:
        yield instrument.title
        for question in instrument.questions:
            yield question.text
            yield from question.labels
            yield from question.choices


def translated(config: StudyConfig, language: str) -> dict[str, str]:
    """The study file's own texts in a language, by what they are in the file."""
    said = dict(config.texts.get(language, {}))
    for name in NAMED:
        if name in said:
            said[getattr(config, name)] = said.pop(name)
    return said


def untranslated(config: StudyConfig) -> Iterator[str]:
    """A sentence for each text that a language of the study lacks."""
    from study.languages import catalogue

    for language in config.texts:
        if language not in config.languages:
            yield f"texts.{language} is of a language that languages does not list"
    for language in config.languages[1:]:
        known = translated(config, language)
        for text in dict.fromkeys(own_texts(config)):
            # what is built in is said in every language
            if text and text not in known and text not in catalogue("ja"):
                short = text if len(text) <= 60 else f"{text[:57]}..."
                yield f"texts.{language} has no translation of {short!r}"
