"""Every sentence that participants read, in their language, from gettext catalogues.

The English sentence is the key. The catalogues are the ``.po`` files beside this one; they are read
as they are, so that nothing has to be compiled and nothing can be stale. What a study file says
itself it translates itself (``[texts.ja]``).
"""

from __future__ import annotations

import functools
import gettext
import io
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

SOURCE = "en"
LANGUAGES = (SOURCE, "ja", "de")
NAMES = {"en": "English", "ja": "日本語", "de": "Deutsch"}
"""What each language calls itself."""


@functools.cache
def catalogue(code: str) -> Catalog:
    """The catalogue of a language as it is written; raises ``FileNotFoundError`` for another."""
    text = files("study.languages").joinpath(f"{code}.po").read_bytes()
    return read_po(io.BytesIO(text), locale=code)


@functools.cache
def _translations(code: str) -> gettext.NullTranslations:
    if code == SOURCE:
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(code))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


class Speech:
    """One language: ``say("Task {number}", number=1)`` is the sentence in it.

    Args:
        code: of the language, such as ``ja``.
        own: a study file's own texts in it, by what they are in the file.
    """

    def __init__(self, code: str = SOURCE, own: Mapping[str, str] | None = None) -> None:
        self.code = code
        self.own = own or {}
        self._translations = _translations(code)

    def __call__(self, text: str, /, **values: object) -> str:
        """A sentence; numbers among the values are written as the language writes them.

        >>> Speech("de")("Task {number}", number=3)
        'Aufgabe 3'
        """
        if not text:  # gettext's own header
            return ""
        found = self.own.get(text) or self._translations.gettext(text)
        return found.format(**self._written(values)) if values else found

    def plural(self, one: str, many: str, number: int, **values: object) -> str:
        """A sentence with a ``{number}`` of things."""
        found = self._translations.ngettext(one, many, number)
        return found.format(**self._written({"number": number, **values}))

    def together(self, *sentences: str) -> str:
        """Sentences that follow each other; Japanese has no space between them.

        >>> Speech("ja").together("はい。", "いいえ。")
        'はい。いいえ。'
        """
        return ("" if self.code == "ja" else " ").join(sentences)

    def _written(self, values: Mapping[str, object]) -> dict[str, Any]:
        return {
            name: self.number(value)
            if isinstance(value, int | float) and not isinstance(value, bool)
            else value
            for name, value in values.items()
        }

    def number(self, value: float) -> str:
        """A number, with up to three decimals.

        >>> Speech("de").number(2.5)
        '2,5'
        """
        return str(format_decimal(value, locale=self.code))

    def percent(self, share: float | None) -> str:
        """A share in whole per cent; a dash where there is none."""
        return "–" if share is None else str(format_percent(share, locale=self.code))

    def moment(self, at: float, zone: str = "UTC") -> str:
        """A time in seconds since 1970, with its zone."""
        there = datetime.fromtimestamp(at, ZoneInfo(zone))
        return str(format_datetime(there, "long", tzinfo=ZoneInfo(zone), locale=self.code))

    def of(self, place: str) -> dict[str, str]:
        """Every sentence of the files under ``place`` in this language, by the English one."""
        if self.code == SOURCE:
            return {}
        return {
            str(message.id): str(message.string)
            for message in catalogue(self.code)
            if message.id and any(name.startswith(place) for name, _ in message.locations)
        }


ENGLISH = Speech()


def best(wanted: str | None, offered: tuple[str, ...]) -> str:
    """Of the languages offered, the one that a browser's ``de-AT`` asks for; else the first.

    >>> best("de-AT", ("en", "ja", "de")), best("fr", ("ja", "en")), best(None, ("en",))
    ('de', 'ja', 'en')
    """
    try:
        asked = Locale.parse(wanted or "", sep="-").language
    except (ValueError, UnknownLocaleError, TypeError):
        return offered[0]
    return asked if asked in offered else offered[0]
