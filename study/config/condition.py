"""A condition: levels of the factors, and what is set for it alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import ConfigDict, ValidationError, create_model

from study.config.design import InterfaceName
from study.config.factors import EFFECTS, PAPER_FACTORS, Factors
from study.config.learning import (
    AcquisitionConfig,
    FineTuningConfig,
    GuidanceConfig,
    SamplingName,
)
from study.config.section import Section
from study.config.workspace import WorkspaceConfig
from study.interfaces import interface as interface_of

S = TypeVar("S", bound=Section)
OVERRIDABLE = ("acquisition", "guidance", "fine_tuning", "workspace")
"""The tables that a condition may have of its own."""


@cache
def own(kind: type[Section]) -> type[Section]:
    """A table like ``kind`` of which only what is set counts.

    Each setting is checked by itself; whether they go together shows when the study's are added.
    """
    fields: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        inner: Any = field.annotation
        nested = isinstance(inner, type) and issubclass(inner, Section)
        fields[name] = (own(inner), None) if nested else (inner, field)
    return create_model(kind.__name__, __base__=Section, __module__=__name__, **fields)


if TYPE_CHECKING:
    Own = Annotated[S, "what is set of it"]
else:

    class Own:
        """``Own[GuidanceConfig]`` is the type of such a table (:func:`own`)."""

        def __class_getitem__(cls, kind: type[Section]) -> type[Section]:
            return own(kind)


class Condition(Section):
    """One cell of the design: an interface, a sampling, levels of further factors.

    ``acquisition``, ``guidance``, ``fine_tuning`` and ``workspace`` hold what is set for this
    condition alone; what they do not set is the study's. ``levels`` are those of the factors that
    the file declares, in its order: in the file each is a key of its own
    (``feedback = "image"``).
    """

    # a level of a factor of the study's own is named beside these
    model_config = ConfigDict(json_schema_extra={"additionalProperties": True})

    interface: InterfaceName
    sampling: SamplingName
    levels: tuple[tuple[str, Any], ...] = ()
    acquisition: Own[AcquisitionConfig] | None = None
    guidance: Own[GuidanceConfig] | None = None
    fine_tuning: Own[FineTuningConfig] | None = None
    workspace: Own[WorkspaceConfig] | None = None

    @property
    def factors(self) -> dict[str, str]:
        """The level of every factor, ``interface`` and ``sampling`` first."""
        return {"interface": self.interface, "sampling": self.sampling, **dict(self.levels)}

    @property
    def name(self) -> str:
        """The levels joined, for example ``click-active`` or ``click-active-image``."""
        return "-".join(map(str, self.factors.values()))


PAPER_CONDITIONS = tuple(
    Condition(interface=interface, sampling=sampling)
    for sampling in ("random", "active")
    for interface in PAPER_FACTORS["interface"]
)


def crossing(factors: Factors) -> tuple[dict[str, Any], ...]:
    """Every combination of the factors' levels, as the file would list them."""
    levels = {**PAPER_FACTORS, **factors.listed}
    slow_to_fast = [*factors.own, "sampling", "interface"]
    return tuple(
        dict(zip(slow_to_fast, chosen, strict=True))
        for chosen in product(*(levels[name] for name in slow_to_fast))
    )


def merged(base: S, changes: Mapping[str, Any]) -> S:
    """A table with some settings changed, tables in it key by key.

    What neither sets gets its default anew, because a default may hang on what is set.

    Raises:
        ValidationError: when they do not go together.
    """
    if not changes:
        return base
    values = base.said
    for name, value in changes.items():
        inner = getattr(base, name)
        values[name] = merged(inner, value) if isinstance(inner, Section) else value
    return type(base).model_validate(values)


def workspace_of_factors(condition: Condition) -> dict[str, Any]:
    """What a condition's levels of built-in factors set in the workspace."""
    changes: dict[str, Any] = {}
    for name, level in condition.levels:
        changes |= EFFECTS.get(name, {}).get(level, {})
    return changes


def guided(name: str, guidance: GuidanceConfig) -> GuidanceConfig:
    """Guidance as an interface of that name takes it: its own forms where none are said."""
    own = interface_of(name).forms
    if guidance.method != "forms":
        return guidance
    return merged(guidance, {k: v for k, v in own.items() if k not in guidance.model_fields_set})


def contradictions(condition: Condition) -> Iterator[str]:
    """Where a condition's own tables say again, and so perhaps otherwise, what its levels say."""
    if condition.sampling != "active" and "active" in said(condition.acquisition):
        yield (
            f"acquisition.active is what 'active' means, and this condition samples by "
            f"{condition.sampling!r}; take one of the two out"
        )
    for name, level in condition.levels:
        for setting in EFFECTS.get(name, {}).get(level, {}):
            if setting in said(condition.workspace):
                yield f"workspace.{setting} is what the factor {name} sets; take one of the two out"


def tables_of(condition: Condition, study: Mapping[str, Any]) -> dict[str, Any]:
    """The tables that hold in a condition.

    The study's table ``acquisition`` says what ``active`` means. A strategy that a condition names
    is that strategy: random is uniform random, unless the condition's own table wraps it. In the
    result, ``acquisition.active`` is the strategy, by name.

    Args:
        condition: levels, and tables of its own.
        study: the study's tables, by the names of :data:`OVERRIDABLE`.

    Raises:
        ValueError: when a table of its own and the study's do not go together, by its name.
    """
    base = dict(study)
    if condition.sampling != "active":
        base["acquisition"] = AcquisitionConfig(active=condition.sampling)
    found: dict[str, Any] = {}
    for name in OVERRIDABLE:
        changes = said(getattr(condition, name))
        if name == "workspace":
            changes = workspace_of_factors(condition) | changes
        try:
            found[name] = merged(base[name], changes)
        except ValidationError as error:
            reasons = [
                str(each.get("ctx", {}).get("error", each["msg"])) for each in error.errors()
            ]
            raise ValueError(f"{name}: {'; '.join(reasons)}") from error
    found["guidance"] = guided(condition.interface, found["guidance"])
    return found


def said(section: Section | None) -> dict[str, Any]:
    """What a table sets, if there is one."""
    return {} if section is None else section.said
