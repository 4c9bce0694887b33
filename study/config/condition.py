"""A condition: levels of the factors, and what is set for it alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, TypeVar

from pydantic import ValidationError

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

S = TypeVar("S", bound=Section)
OVERRIDABLE = ("acquisition", "guidance", "fine_tuning", "workspace")
"""The tables that a condition may have of its own."""


class Condition(Section):
    """One cell of the design: an interface, a sampling, levels of further factors.

    ``acquisition``, ``guidance``, ``fine_tuning`` and ``workspace`` hold what is set for this
    condition alone; what they do not set is the study's. ``levels`` are those of the factors that
    the file declares, in its order: in the file each is a key of its own
    (``feedback = "image"``).
    """

    interface: InterfaceName
    sampling: SamplingName
    levels: tuple[tuple[str, Any], ...] = ()
    acquisition: AcquisitionConfig | None = None
    guidance: GuidanceConfig | None = None
    fine_tuning: FineTuningConfig | None = None
    workspace: WorkspaceConfig | None = None

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
    for interface in ("polygon", "click")
)


def crossing(factors: Factors) -> tuple[dict[str, Any], ...]:
    """Every combination of the factors' levels, as the file would list them."""
    levels = {**PAPER_FACTORS, **factors.listed}
    slow_to_fast = [*factors.own, "sampling", "interface"]
    return tuple(
        dict(zip(slow_to_fast, chosen, strict=True))
        for chosen in product(*(levels[name] for name in slow_to_fast))
    )


def merged(base: S, own: Section | None) -> S:
    """A table with what another of its kind sets, and nothing else, changed.

    What neither sets gets its default anew, because a default may hang on what is set.

    Raises:
        ValidationError: when the two do not go together.
    """
    return base if own is None or not own.said else _changed(base, own.said)


def workspace_of_factors(condition: Condition) -> dict[str, Any]:
    """What a condition's levels of built-in factors set in the workspace."""
    changes: dict[str, Any] = {}
    for name, level in condition.levels:
        changes |= EFFECTS.get(name, {}).get(level, {})
    return changes


def contradictions(condition: Condition) -> Iterator[str]:
    """Where a condition's own tables say again, and so perhaps otherwise, what its levels say."""
    acquisition, workspace = condition.acquisition, condition.workspace
    if condition.sampling != "active" and acquisition is not None and "active" in acquisition.said:
        yield (
            f"acquisition.active is what 'active' means, and this condition samples by "
            f"{condition.sampling!r}; take one of the two out"
        )
    own = {} if workspace is None else workspace.said
    for name, level in condition.levels:
        for setting in EFFECTS.get(name, {}).get(level, {}):
            if setting in own:
                yield f"workspace.{setting} is what the factor {name} sets; take one of the two out"


def _changed(base: S, changes: dict[str, Any]) -> S:
    return type(base).model_validate(_joined(base.said, changes))


def _joined(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Two tables as one, tables in tables key by key; what both set is as ``changes`` says."""
    both = {
        name: _joined(base[name], value)
        for name, value in changes.items()
        if isinstance(value, dict) and isinstance(base.get(name), dict)
    }
    return base | changes | both


def with_workspace(base: WorkspaceConfig, condition: Condition) -> WorkspaceConfig:
    """The workspace of a condition: the study's, the factors' effects, its own table."""
    effects = workspace_of_factors(condition)
    return merged(_changed(base, effects) if effects else base, condition.workspace)


def with_acquisition(base: AcquisitionConfig, condition: Condition) -> AcquisitionConfig:
    """How a condition samples; ``active`` of the result is its strategy, by name.

    The study's table says what ``active`` means. A strategy that a condition names is that
    strategy: random is uniform random, unless the condition's own table wraps it.
    """
    if condition.sampling != "active":
        base = AcquisitionConfig(active=condition.sampling)
    return merged(base, condition.acquisition)


def misfits(condition: Condition, tables: dict[str, Section]) -> Iterator[str]:
    """Where a condition's own table and the study's do not go together."""
    for name, base in tables.items():
        try:
            merged(base, getattr(condition, name))
        except ValidationError as error:
            for problem in error.errors():
                yield f"{name}: {problem.get('ctx', {}).get('error', problem['msg'])}"
