"""Factors of the design: names, levels, and what a level of a built-in factor sets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ConfigDict, Field, model_validator

from study.config.design import interface_names
from study.config.learning import strategy_names
from study.config.section import Section
from study.config.spelling import nearest

PAPER_FACTORS: Mapping[str, tuple[str, ...]] = {
    "interface": ("polygon", "click"),
    "sampling": ("random", "active"),
}
"""The factors that every design has, and the paper's levels of them."""
EFFECTS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "feedback": {"round": {"feedback": "round"}, "image": {"feedback": "image"}},
    "overlay": {
        "on": {"show_attention": interface_names()},
        "off": {"show_attention": ()},
    },
    "preview": {"on": {"preview": True}, "off": {"preview": False}},
}
"""What each level of a built-in factor sets in ``workspace``. Any other factor is a label."""
KNOWN: Mapping[str, tuple[str, ...]] = {
    "interface": interface_names(),
    "sampling": ("active", *strategy_names()),
    **{name: tuple(levels) for name, levels in EFFECTS.items()},
}
"""The levels that a factor may have, where that is not the study's to say."""
NAME = re.compile(r"[a-z][a-z0-9_]*")
LEVEL = re.compile(r"[a-z0-9][a-z0-9_.]*")
TAKEN = frozenset([
    "acquisition", "guidance", "fine_tuning", "workspace", "levels", "name", "factors",
    "condition", "conditions", "participant", "mode", "sequence", "position", "order", "status",
    "cycle", "cycles", "page", "image", "images", "trial", "visits", "class", "context", "label",
    "strategy", "epochs", "loss", "collapsed", "failed", "note", "notes", "seconds", "version",
    "id", "type", "number", "at", "payload", "recorded_at", "study_hash", "instrument",
    "question", "answer", "text", "kind", "low", "high", "step", "labels", "choices", "key",
    "when", "split", "metric", "run", "arm", "seed", "undos", "updates", "learnt", "rests",
    "satisfied", "polygons", "vertices", "boxes", "strokes", "simulated",
    "on_object", "objects", "objects_hit", "outline_iou", "coverage", "regions_on_object",
    "map_similarity", "shared", "asked", "accuracy", "barycentre_distance", "count", "dead_maps",
    "erased_images", "erased_tasks", "feature", "pointing_game", "sensitivity", "specificity",
    "language", "correct", "share", "source",
    "browser", "environments", "pixel_ratio", "pointer", "quality_flags", "recruited_via",
    "refresh_rate", "screen_height", "screen_width", "system", "time_zone", "window_height",
    "window_width",
])  # fmt: skip
"""Names that something else in the study file or in the tables has."""
TAKEN_PREFIXES = (
    "count_",
    "demographic_",
    "consent_",
    "seconds_",
    "attention_",
    "practice_",
    "tasks_",
    "excluded_",
    "test_",
    "balanced_",
    "val_",
    "train_",
)
TAKEN_SUFFIXES = (
    "_accuracy",
    "_seconds",
    "seconds_per_image",
    "_before",
    "_after",
    "_at",
    "_points",
    "_regions",
)


class Factors(Section):
    """Factors and their levels, in the order in which they make a condition's name.

    ``interface`` and ``sampling`` are always there, with the paper's levels where they are not
    listed; ``feedback``, ``overlay`` and ``preview`` set what the workspace does (:data:`EFFECTS`);
    every other factor is a label for what the conditions' own tables change.
    """

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)
    __pydantic_extra__: dict[str, tuple[str, ...]] = Field(init=False)

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Factors:
        problems = [
            problem
            for name, levels in self.listed.items()
            for problem in (*_problems_of_name(name), *_problems_of_levels(name, levels))
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def listed(self) -> dict[str, tuple[str, ...]]:
        """Levels by factor, as the file lists them."""
        return dict(self.__pydantic_extra__)

    @property
    def own(self) -> dict[str, tuple[str, ...]]:
        """Those beside ``interface`` and ``sampling``."""
        return {name: levels for name, levels in self.listed.items() if name not in PAPER_FACTORS}


def _problems_of_name(name: str) -> Iterator[str]:
    if not NAME.fullmatch(name):
        yield f"{name!r} may have only lower-case letters, digits and _, and begin with a letter"
    elif name in TAKEN or name.startswith(TAKEN_PREFIXES) or name.endswith(TAKEN_SUFFIXES):
        yield f"{name!r} means something else already; call the factor, say, {name}_factor"


def _problems_of_levels(name: str, levels: tuple[str, ...]) -> Iterator[str]:
    for level, count in Counter(levels).items():
        if count > 1:
            yield f"{name} lists {level!r} {count} times; list each level once"
        known = KNOWN.get(name)
        if known is not None and level not in known:
            yield f"{name} has no level {level!r}{nearest(level, list(known))}"
        elif known is None and not LEVEL.fullmatch(level):
            # a hyphen joins levels to a condition's name, a space the names to an order
            yield f"{name}: {level!r} may have only lower-case letters, digits, _ and ."
    if len(levels) < (1 if name in PAPER_FACTORS else 2):
        yield f"{name} needs two levels or more; what is the same everywhere is no factor"


def with_levels(member: Any, names: list[str]) -> Any:
    """A condition or question of the file with its factors' levels in one place.

    ``feedback = "image"`` becomes a pair of ``levels``, in the order of ``names``.
    """
    if not isinstance(member, dict):
        return member
    levels = tuple((name, member[name]) for name in names if name in member)
    rest = {key: value for key, value in member.items() if key not in names}
    return {**rest, "levels": levels} if levels else rest
