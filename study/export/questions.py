"""Every question that a study asks, in its own words."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from study.config import DemographicQuestion, Instrument, Question, StudyConfig
from study.protocol.questionnaire import instruments

DEMOGRAPHICS = "demographics"
"""The instrument that the demographic questions stand under."""
COLUMNS = (
    "instrument", "question", "text", "kind", "low", "high", "labels", "when", "interface",
    "sampling",
)  # fmt: skip


def questions(config: StudyConfig) -> pd.DataFrame:
    """One row for each question, in the order in which they are asked.

    Returns:
        ``instrument``, ``question`` (its key), ``text``, ``kind``; ``low`` and ``high`` (Int64,
        the ends of a Likert question or scale), ``labels`` (JSON list: the words on a scale, or
        the choices), ``when`` (start, task or end), and ``interface``, ``sampling`` and the
        factors that the file declares: the level to which the question is confined (empty: it is
        asked after every task).
    """
    rows = [_described(question) for question in config.demographics]
    for instrument in instruments(config):
        rows += [_asked(instrument, question) for question in instrument.questions]
    frame = pd.DataFrame(rows, columns=list(dict.fromkeys([*COLUMNS, *config.factor_names])))
    return frame.astype({"low": "Int64", "high": "Int64"})


def _described(question: DemographicQuestion) -> dict[str, Any]:
    return {
        "instrument": DEMOGRAPHICS,
        "question": question.key,
        "text": question.text,
        "kind": question.kind,
        "labels": _json(question.choices),
        "when": "start",
    }


def _asked(instrument: Instrument, question: Question) -> dict[str, Any]:
    numeric = question.kind in ("likert", "scale")
    return {
        "instrument": instrument.name,
        "question": question.key,
        "text": question.text,
        "kind": question.kind,
        "low": question.low if numeric else None,
        "high": question.high if numeric else None,
        "labels": _json(question.choices if question.kind == "choice" else question.labels),
        "when": question.when,
        **question.about,
    }


def _json(words: tuple[str, ...]) -> str | None:
    return json.dumps(words, ensure_ascii=False) if words else None
