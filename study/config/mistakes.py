"""Every mistake of a study file in a sentence with its path."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from study.config.data import DATASETS
from study.config.models import StudyConfig
from study.config.spelling import nearest
from study.errors import UserError


class StudyFileError(UserError):
    """A study file with problems: one line each, every one of them at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


_LIMITS = {
    "greater_than": ("gt", "must be more than"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be less than"),
    "less_than_equal": ("le", "must be at most"),
}
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "string": "text in quotes",
    "bool": "true or false",
    "tuple": "a list [...]",
    "path": "a path in quotes",
    "model": "a table",
    "dict": "a table",
}
_PATTERNS = {
    "name": "lower-case letters, digits, - and _, and begin with a letter or digit",
    "key": "letters, digits and _, and begin with a letter (in demographics, lower case)",
}


def explain(
    error: ValidationError,
    model: type[BaseModel] = StudyConfig,
    factors: Collection[str] = (),
) -> Iterator[str]:
    """Every problem in a sentence with its path.

    ``model`` is what was being read; ``factors`` names what conditions and questions may have
    beside their settings.
    """
    problems = error.errors()
    for problem in problems:
        location, given = problem["loc"], problem["input"]
        where, context = _path(location), problem.get("ctx", {})
        kind = problem["type"]
        match kind:
            case "extra_forbidden":
                known = [name for name in _siblings(location, model) if name != "levels"]
                if {"conditions", "questions"} & set(location):
                    known += factors
                yield _unknown(where, str(location[-1]), given, known)
            case "literal_error" | "union_tag_invalid":
                allowed = [name.strip("' ") for name in _allowed(context)]
                if kind == "union_tag_invalid":
                    where, given = f"{where}.kind", given["kind"]
                yield f"{where} = {given!r} is not known{nearest(str(given), allowed)}"
            case "union_tag_not_found":
                yield f"{where}.kind is missing; it must be one of {', '.join(DATASETS)}"
            case "missing":
                yield f"{where} is missing"
            case "value_error":
                for line in str(context["error"]).splitlines():
                    # a name that nothing has is its own value
                    link = " = " if line.startswith(f"{given!r} is not ") else ": "
                    yield f"{where}{link}{line}" if location else line
            case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
                bound, words = _LIMITS[kind]
                yield f"{where} = {given!r} {words} {context[bound]}"
            case "string_pattern_mismatch":
                yield f"{where} = {given!r} may have only {_PATTERNS[str(location[-1])]}"
            case "too_short":
                # bad members are not counted as members: they have a line of their own
                if not any(_is_inside(other["loc"], location) for other in problems):
                    yield f"{where} must not be empty"
            case _ if kind.partition("_")[0] in _KINDS:
                yield f"{where} = {given!r} must be {_KINDS[kind.partition('_')[0]]}"
            case _:
                message = problem["msg"][0].lower() + problem["msg"][1:]
                yield f"{where} = {given!r}: {message}"


def _unknown(where: str, name: str, given: Any, known: list[str]) -> str:
    """A key that nothing has; in a condition, text may have been meant as a factor's level."""
    is_level = where.startswith("conditions[") and where.count(".") == 1 and isinstance(given, str)
    if is_level and not difflib.get_close_matches(name, known, n=1):
        return (
            f"{where} = {given!r}: {name} is neither a setting nor a factor; declare it, for "
            f"example [factors] {name} = [{given!r}, ...]"
        )
    return f"{where} is not a setting{nearest(name, known)}"


def _is_inside(location: tuple[int | str, ...], other: tuple[int | str, ...]) -> bool:
    return len(location) > len(other) and location[: len(other)] == other


def _allowed(context: dict[str, Any]) -> list[str]:
    text = str(context.get("expected") or context.get("expected_tags"))
    return text.replace(" or ", ", ").split(", ")


def _path(location: tuple[int | str, ...]) -> str:
    """('conditions', 2, 'sampling') -> conditions[2].sampling, without pydantic's union tags."""
    text = ""
    for index, part in enumerate(location):
        if index == 1 and location[0] == "dataset" and part in DATASETS:
            continue
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _siblings(location: tuple[int | str, ...], model: Any) -> list[str]:
    """The settings that exist beside an unknown one."""
    for part in location[:-1]:
        if isinstance(part, int) or part in DATASETS:
            if isinstance(part, str):
                model = DATASETS[part]
            continue
        model = _model_of(model.model_fields[part].annotation)
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_of(annotation: Any) -> Any:
    """The section class inside an annotation such as ``tuple[Condition, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for m in map(_model_of, get_args(annotation)) if m is not None), None)
