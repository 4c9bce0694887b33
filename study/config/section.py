"""What every table of a study file is made of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

# strict: neither true nor "12" is a number
Whole = Annotated[int, Field(strict=True)]
Positive = Annotated[int, Field(strict=True, gt=0)]
Share = Annotated[float, Field(strict=True, ge=0.0, le=1.0)]
NonNegative = Annotated[float, Field(strict=True, ge=0.0)]


class Section(BaseModel):
    """A table of the study file: unknown keys are mistakes, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @property
    def said(self) -> dict[str, Any]:
        """What was set, tables in tables included, and not what is so by default."""
        values = {name: getattr(self, name) for name in sorted(self.model_fields_set)}
        return {
            name: value.said if isinstance(value, Section) else value
            for name, value in values.items()
        }
