"""Who simulated people are drawn from: a centre and a spread for every parameter, with doubts.

The default population is what the fields of :class:`~simulators.person.Person` declare.
A TOML file may say another one, for instance of people that were measured; study and benchmark
files name it as ``people``. A parameter that the file does not name keeps its declared law.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulators.person import AIMS, Person
from study.config import nearest
from study.errors import UserError
from study.files import write_atomically

Scale = Callable[[float], float]


class Law(BaseModel):
    """One parameter over a population.

    Attributes:
        centre: of the people, as the parameter's spread defines it.
        spread: how far they are from it, in the unit of the parameter's spread.
        centre_se, spread_se: what is not known of the two: standard errors, on the scale on which
            the parameter spreads (:func:`scale_of`) and of the spread's logarithm.
        low, high: 95% interval of the centre.
        spread_low, spread_high: of the spread.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    centre: float = Field(allow_inf_nan=False)
    spread: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    centre_se: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    spread_se: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    low: float | None = None
    high: float | None = None
    spread_low: float | None = None
    spread_high: float | None = None


@dataclass(frozen=True)
class Population:
    """Laws by parameter, and what they were fitted to.

    Attributes:
        laws: those that differ from what :class:`Person` declares.
        about: of the fit: what, how many people, when; empty for the declared population.
        together: how what is not known of the centres hangs together, by pairs of parameters:
            correlations on the scales of :func:`scale_of`. Pairs that are not named have none.
    """

    laws: Mapping[str, Law] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    together: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path | str) -> Population:
        """The population of a file.

        Raises:
            UserError: when the file is missing, is no TOML, or names what no person has.
        """
        path = Path(path)
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise UserError(
                f"{path} cannot be read ({error.strerror}): `people` names a file of tables like "
                f"[parameters.speed] with a centre and a spread"
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UserError(f"{path} is not TOML ({error}): mend that line") from error
        return cls.of(values, path.name)

    @classmethod
    def of(cls, values: Mapping[str, Any], name: str = "people") -> Population:
        """The population of a file's tables ``about`` and ``parameters``; see :meth:`read`."""
        unknown = sorted(set(values) - set(TABLES))
        if unknown:
            raise UserError(
                f"{name}: {unknown[0]!r} is no table of a population{nearest(unknown[0], TABLES)}"
            )
        laws = {}
        for parameter, law in values.get("parameters", {}).items():
            if parameter not in Person.model_fields:
                raise UserError(
                    f"{name}: {parameter!r} is not a parameter of a simulated person"
                    f"{nearest(parameter, list(Person.model_fields))}"
                )
            try:
                laws[parameter] = Law.model_validate(law)
                Person.model_validate({parameter: laws[parameter].centre})
            except ValidationError as error:
                problem = error.errors()[0]
                where = ".".join(str(part) for part in problem["loc"])
                raise UserError(
                    f"{name}: parameters.{parameter}: {where} {problem['msg']}; a law has a "
                    f"centre and a spread"
                ) from error
        together = values.get("together", {})
        _check_correlations(together, laws, name)
        return cls(laws, dict(values.get("about", {})), together)

    def write(self, path: Path) -> None:
        """As TOML, which :meth:`read` reads back."""
        write_atomically(path, tomli_w.dumps(self.dump()).encode())

    def dump(self) -> dict[str, Any]:
        """As plain values."""
        laws = {name: law.model_dump(exclude_none=True) for name, law in self.laws.items()}
        found = {"about": dict(self.about), "parameters": laws}
        return found | ({"together": self.together} if self.together else {})

    def law(self, name: str) -> Law:
        """Of one parameter: the file's, or the declared one."""
        if name in self.laws:
            return self.laws[name]
        spread = Person.spreads().get(name)
        return Law(
            centre=Person.model_fields[name].default, spread=spread.amount if spread else 0.0
        )

    def draw(self, rng: np.random.Generator, fixed: Mapping[str, float] | None = None) -> Person:
        """One person; ``fixed`` parameters are everybody's, and change no draw of another."""
        values = {}
        for name, spread in Person.spreads().items():
            law = self.law(name)
            z = float(rng.normal())
            values[name] = replace(spread, amount=law.spread).value(law.centre, z)
        same = {name: law.centre for name, law in self.laws.items() if name not in values}
        return Person.model_validate(same | values | dict(fixed or {}))

    def doubted(self, rng: np.random.Generator) -> Population:
        """Another population that the data do not exclude: centres and spreads, drawn anew."""
        z = rng.normal(size=(len(self.laws), 2))
        names = list(self.laws)
        by = np.linalg.cholesky(self._correlation(names)) @ z[:, 0]
        laws = {}
        for number, (name, law) in enumerate(self.laws.items()):
            to, back = scale_of(name)
            centre = back(to(law.centre) + law.centre_se * float(by[number]))
            amount = law.spread * math.exp(law.spread_se * float(z[number, 1]))
            laws[name] = law.model_copy(update={"centre": centre, "spread": amount})
        shares = [f"aim_{name}" for name in AIMS if f"aim_{name}" in laws]
        total = sum(laws[name].centre for name in shares)
        for name in shares if total > 1.0 else ():
            share = laws[name].centre / total
            laws[name] = laws[name].model_copy(update={"centre": share})
        return replace(self, laws=laws)

    def _correlation(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Of what is not known of the centres of these parameters."""
        found = np.eye(len(names))
        for one, others in self.together.items():
            for other, value in others.items():
                i, j = names.index(one), names.index(other)
                found[i, j] = found[j, i] = value
        return found


def scale_of(name: str) -> tuple[Scale, Scale]:
    """To and from the scale on which a parameter's centre is estimated: log, logit or as it is."""
    metadata = Person.model_fields[name].metadata
    least = [m.ge for m in metadata if hasattr(m, "ge")] + [
        m.gt for m in metadata if hasattr(m, "gt")
    ]
    most = [m.le for m in metadata if hasattr(m, "le")]
    if most:
        return _logit, _expit
    if least:
        return lambda value: math.log(max(value, TINY)), math.exp
    return float, float


TINY = 1e-6
TABLES = ["about", "parameters", "together"]


def _check_correlations(together: Any, laws: Mapping[str, Law], name: str) -> None:
    """Raise for correlations of what has no law, or that nothing can have."""
    try:
        pairs = [
            (one, two, float(v)) for one, others in together.items() for two, v in others.items()
        ]
    except (AttributeError, TypeError, ValueError) as error:
        raise UserError(
            f"{name}: together has tables of correlations, such as [together.speed] with "
            f"decision = -0.6"
        ) from error
    for one, two, value in pairs:
        unknown = [each for each in (one, two) if each not in laws]
        if unknown or one == two or not -1.0 < value < 1.0:
            raise UserError(
                f"{name}: together.{one}.{two} = {value}: a correlation between two of the "
                f"parameters above lies between -1 and 1"
            )
    correlation = Population(laws, together=together)._correlation(list(laws))
    if np.linalg.eigvalsh(correlation).min() <= 0.0:
        raise UserError(
            f"{name}: no parameters can hang together as [together] says: its correlations "
            f"contradict one another"
        )


def _logit(share: float) -> float:
    share = min(max(share, TINY), 1.0 - TINY)
    return math.log(share / (1.0 - share))


def _expit(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value))
