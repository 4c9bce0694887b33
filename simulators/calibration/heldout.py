"""How well a fit says what it has not seen, beside simpler models: log scores on the other half.

Every other item of each person is held out, then the rest; scores are means over both. Two items of
one person differ by which half they are in and by nothing else.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulators.calibration import timing
from simulators.calibration.evidence import Evidence
from simulators.calibration.fit import LEAST_PRESSES, log_densities, place
from simulators.calibration.placement import POLICIES
from simulators.person import Person

PLACES = {
    "fitted mixture": None,
    "distance transform": "distance",
    "argmax of the distance transform": "farthest",
    "uniform": "anywhere",
}
"""Models of where a click falls: the policies that each has; all have fitted motor noise, slips and
wrong objects."""
TIMES = (
    "fitted model",
    "log-normal per person and interface, linear in log presses",
    "log-normal per person and interface",
    "log-normal per interface",
)
COLUMNS = ["model", "score", "se", "better_than_last", "better_se", "observations"]


def placement(evidence: Evidence) -> pd.DataFrame:
    """Mean log density of held-out first clicks, per area of the image, by model.

    ``better_than_last`` is the mean difference from the simplest model, with its standard error
    over people.
    """
    halves = [evidence.half(which) for which in (0, 1)]
    if min(len(half.presses()[0]) for half in halves) < LEAST_PRESSES // 2:
        return pd.DataFrame(columns=COLUMNS)
    scores: dict[str, list[NDArray[np.float64]]] = {name: [] for name in PLACES}
    people = []
    noise = Person().noise
    for seen, held in (halves, halves[::-1]):
        for name, policy in PLACES.items():
            only = None if policy is None else np.array([p == policy for p in POLICIES])
            scores[name].append(log_densities(held, place(seen, noise, only), noise))
        people.append(held.presses()[1])
    return _table({name: np.concatenate(each) for name, each in scores.items()}, people)


def times(evidence: Evidence) -> pd.DataFrame:
    """Mean log density of the logarithm of held-out items' seconds, by model.

    All know what was done (how often was pressed); the fitted one also knows distances, likeness
    and practice. Its items are sums of log-normal intervals, taken for log-normal with the same
    mean and variance (Fenton 1960). Items with pauses or unknown actions are left out.
    """
    scores: dict[str, list[NDArray[np.float64]]] = {name: [] for name in TIMES}
    people = []
    halves = [evidence.half(which) for which in (0, 1)]
    for seen, held in (halves, halves[::-1]):
        table, other = seen.table, held.table
        used = (other["whole"] & (other["pauses"] == 0)).to_numpy()
        train = table[table["whole"] & (table["pauses"] == 0)]
        test = other[used]
        scores["fitted model"].append(_fitted(seen, held)[used])
        for name, by in zip(TIMES[1:], ("presses", "person", "interface"), strict=True):
            scores[name].append(_regressed(train, test, by))
        people.append(test["person"].to_numpy())
    return _table({name: np.concatenate(each) for name, each in scores.items()}, people)


def _fitted(seen: Evidence, held: Evidence) -> NDArray[np.float64]:
    fitted = timing.fit(seen.intervals()[0])
    data, item = held.intervals()
    model = timing.Model(data, fitted.own, fitted.common, fitted.fixed)
    logs, _, _, sd = model.expected(fitted.people, fitted.shared)
    means = np.exp(logs)
    count = len(held.items)
    mean = np.bincount(item, means, count)
    variance = np.bincount(item, means**2 * np.expm1(sd**2), count)
    spread = np.log1p(variance / np.maximum(mean, 1e-9) ** 2)
    centre = np.log(np.maximum(mean, 1e-9)) - spread / 2.0
    return _normal(np.log(held.table["seconds"].to_numpy()), centre, np.sqrt(spread))


def _regressed(train: pd.DataFrame, test: pd.DataFrame, by: str) -> NDArray[np.float64]:
    """Log seconds by least squares on the interface, on people too, on presses too."""
    interfaces = sorted(train["interface"].unique())
    people = sorted(train["person"].unique())

    def design(rows: pd.DataFrame) -> NDArray[np.float64]:
        columns = []
        for interface in interfaces:
            mine = (rows["interface"] == interface).to_numpy(dtype=float)
            if by == "interface":
                columns.append(mine)
                continue
            columns += [mine * (rows["person"] == person).to_numpy() for person in people]
            if by == "presses":
                columns.append(mine * np.log1p(rows["presses"].to_numpy()))
        return np.stack(columns, 1)

    own, logs = design(train), np.log(train["seconds"].to_numpy())
    weights = np.linalg.lstsq(own, logs, rcond=None)[0]
    rest = logs - own @ weights
    sd = np.array(
        [rest[(train["interface"] == interface).to_numpy()].std(ddof=1) for interface in interfaces]
    )
    which = np.array([interfaces.index(interface) for interface in test["interface"]])
    return _normal(np.log(test["seconds"].to_numpy()), design(test) @ weights, sd[which])


def _normal(
    values: NDArray[np.float64], centre: NDArray[np.float64], sd: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.asarray(-np.log(sd * np.sqrt(2.0 * np.pi)) - (values - centre) ** 2 / (2.0 * sd**2))


def _table(scores: dict[str, NDArray[np.float64]], people: list[NDArray[np.int64]]) -> pd.DataFrame:
    who = np.concatenate(people)
    last = list(scores)[-1]
    rows = []
    for name, each in scores.items():
        mean, se = _clustered(each, who)
        better, better_se = _clustered(each - scores[last], who)
        rows.append([name, mean, se, better, better_se, len(each)])
    return pd.DataFrame(rows, columns=COLUMNS)


def _clustered(values: NDArray[np.float64], who: NDArray[np.int64]) -> tuple[float, float]:
    """The mean of values, and its standard error with people as clusters."""
    sums = np.bincount(who, values - values.mean())
    count = len(np.unique(who))
    return float(values.mean()), float(
        np.sqrt((sums**2).sum() * count / max(count - 1, 1)) / len(values)
    )
