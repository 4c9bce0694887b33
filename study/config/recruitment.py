"""How people come to the study, and where they are sent when it is over for them."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import AfterValidator, Field, model_validator

from study.config.section import Positive, Section

OURS = ("p", "join", "lang")
"""What our own links carry."""


def _not_ours(name: str) -> str:
    if name in OURS:
        raise ValueError(f"{name!r} is a parameter of our own links; call it something else")
    return name


Parameter = Annotated[
    str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$"), AfterValidator(_not_ours)
]


class Ending(Section):
    """What the last page says: a ``code`` to copy, and the address to go on to.

    ``redirect`` may name ``{code}`` and every parameter of the link, such as ``{PROLIFIC_PID}``.
    """

    code: str = ""
    redirect: str = ""

    @model_validator(mode="after")
    def _is_an_address(self) -> Ending:
        if self.redirect and not self.redirect.startswith(("https://", "http://")):
            raise ValueError(f"redirect {self.redirect!r} is not an address: begin with https://")
        return self

    @property
    def names(self) -> set[str]:
        """The names in ``redirect``; raises ``ValueError`` where its braces do not pair."""
        return {name for _, name, _, _ in string.Formatter().parse(self.redirect) if name}

    def address(self, parameters: Mapping[str, str]) -> str | None:
        """Where to go on to; None without an address or without what it names."""
        values = {name: quote(value, safe="") for name, value in parameters.items()}
        values["code"] = quote(self.code, safe="")
        if not self.redirect or self.names - set(values):
            return None
        return self.redirect.format(**values)


class RecruitmentConfig(Section):
    """Open enrolment by one link, and the parameters that a recruiting service adds to it.

    Args:
        open: whether the link is open when the study begins; experimenters open and close it.
        cap: how many may be active or have completed at once, of a mode; who withdraws, is
            excluded, not eligible or erased frees a place. Experimenters can change it.
        parameters: what is kept of the link, such as Prolific's ``PROLIFIC_PID``.
        identity: the parameter that tells people apart: it must be there, and whoever comes again
            with it goes on where they were.
        completed, ineligible, withdrawn, full: the last page of whoever is so.
    """

    open: bool = False
    cap: Positive | None = None
    parameters: tuple[Parameter, ...] = ()
    identity: str = ""
    completed: Ending = Ending()
    ineligible: Ending = Ending()
    withdrawn: Ending = Ending()
    full: Ending = Ending()

    @model_validator(mode="after")
    def _names_are_kept(self) -> RecruitmentConfig:
        if self.identity and self.identity not in self.parameters:
            raise ValueError(
                f"identity {self.identity!r} is not among parameters, so it would not be kept"
            )
        for kind in ENDINGS:
            try:
                unknown = getattr(self, kind).names - {*self.parameters, "code"}
            except ValueError as error:
                raise ValueError(f"{kind}.redirect cannot be read ({error})") from None
            if unknown:
                raise ValueError(
                    f"{kind}.redirect names {{{min(unknown)}}}, which is not among parameters"
                )
        return self

    def ending(self, status: str) -> Ending:
        """What the last page of a status says; whose data are erased has withdrawn."""
        kind = "withdrawn" if status == "erased" else status
        found: Ending = getattr(self, kind) if kind in ENDINGS else Ending()
        return found


ENDINGS: tuple[Literal["completed", "ineligible", "withdrawn", "full"], ...] = (
    "completed",
    "ineligible",
    "withdrawn",
    "full",
)
