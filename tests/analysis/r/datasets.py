"""Make the frozen datasets that R and clickstudy both analyse.

Run from the repository root: python tests/analysis/r/datasets.py, then
Rscript tests/analysis/r/reference.R, which writes tests/analysis/data/reference.json.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

OUT = Path(__file__).parent.parent / "data"
CONDITIONS = [
    ("polygon", "random"),
    ("click", "random"),
    ("polygon", "active"),
    ("click", "active"),
]
WILLIAMS = [(0, 1, 3, 2), (1, 2, 0, 3), (2, 3, 1, 0), (3, 0, 2, 1)]


def tasks(values: np.ndarray, cells: list[tuple[str, str]], metric: str) -> pd.DataFrame:
    rows = []
    for i, line in enumerate(values):
        order = WILLIAMS[i % 4] if len(cells) == 4 else np.roll(np.arange(len(cells)), i)
        for j, (interface, sampling) in enumerate(cells):
            rows.append(
                {
                    "participant": f"P{i + 1:02d}",
                    "mode": "simulated",
                    "position": list(order).index(j) + 1,
                    "interface": interface,
                    "sampling": sampling,
                    metric: line[j],
                }
            )
    return pd.DataFrame(rows)


def main() -> None:
    rng = np.random.default_rng(20230)
    person = rng.normal(size=(16, 1))
    strong = np.array([8.7, 6.7, 7.3, 5.3]) + 0.8 * person + 0.7 * rng.normal(size=(16, 4))
    null = 7 + person + rng.normal(size=(16, 4))
    ties = np.round(
        0.8
        + 0.02 * rng.normal(size=(13, 1))
        + np.array([0, 0.01, 0.02, 0.03])
        + 0.02 * rng.normal(size=(13, 4)),
        2,
    )
    spread = np.array([0.3, 0.5, 1.5, 3.0])  # far from spherical
    uneven = (
        10
        + np.array([0, 0.4, 0.8, 1.2])
        + rng.normal(size=(24, 1)) * spread
        + (rng.normal(size=(24, 4)) * spread[::-1] * 0.3)
    )
    frames = {
        "strong": tasks(strong, CONDITIONS, "seconds_per_image"),
        "null": tasks(null, CONDITIONS, "seconds_per_image"),
        "ties": tasks(ties, CONDITIONS, "accuracy_after"),
        "uneven": tasks(uneven, CONDITIONS, "seconds_per_image"),
    }
    six = [(i, s) for s in ("random", "active", "entropy") for i in ("polygon", "click")]
    frames["two_by_three"] = tasks(
        6 + rng.normal(size=(15, 1)) + np.array([2, 0, 1.5, -0.5, 1, 0]) + rng.normal(size=(15, 6)),
        six,
        "seconds_per_image",
    )
    three = [("click", s) for s in ("random", "active", "entropy")]
    frames["one_factor"] = tasks(
        6 + rng.normal(size=(11, 1)) + np.array([0.8, 0, 0.3]) + rng.normal(size=(11, 3)),
        three,
        "seconds_per_image",
    ).drop(columns="interface")
    for name, frame in frames.items():
        frame.to_csv(OUT / f"{name}.csv", index=False, float_format="%.6f")

    rows = []
    for i in range(14):
        b = rng.normal(size=4) * [0.25, 0.12, 0.10, 0.10]
        for f, s in CONDITIONS:
            x, z = (0.5 if f == "polygon" else -0.5), (0.5 if s == "random" else -0.5)
            for trial in range(40):
                image = int(rng.integers(0, 120))
                y = 1.8 + 0.27 * x + 0.2 * z + b @ [1, x, z, x * z] + 0.3 * np.sin(7 * image)
                y += 0.3 * rng.normal()
                if rng.random() < 0.15:  # trials that went missing
                    continue
                rows.append(
                    (
                        f"P{i + 1:02d}",
                        "simulated",
                        f,
                        s,
                        f"im{image:03d}",
                        trial + 1,
                        float(np.exp(y)),
                    )
                )
    pd.DataFrame(
        rows, columns=["participant", "mode", "interface", "sampling", "image", "trial", "seconds"]
    ).to_csv(OUT / "trials.csv", index=False, float_format="%.4f")
    rows = []
    for question, effect, n in (("strong", 1.8, 20), ("null", 0.0, 20), ("skewed", 0.8, 16)):
        cuts = [-2, -0.6, 0.8, 2.2] if question != "skewed" else [-4, -3, -2, 0.5]
        for i in range(n):
            u = 1.1 * rng.normal()
            for f, s in CONDITIONS:
                x, z = (0.5 if f == "polygon" else -0.5), (0.5 if s == "random" else -0.5)
                answer = 1 + int(
                    np.searchsorted(cuts, u + effect * (x - 0.5 * z + 0.4 * x * z) + rng.logistic())
                )
                rows.append((f"P{i + 1:02d}", "simulated", f, s, "own", question, answer))
    pd.DataFrame(
        rows,
        columns=[
            "participant",
            "mode",
            "interface",
            "sampling",
            "instrument",
            "question",
            "answer",
        ],
    ).to_csv(OUT / "answers.csv", index=False)
    sus = np.clip(
        np.round(
            3
            + np.array([1, -1] * 5) * (0.7 + 0.6 * rng.normal(size=(18, 1)))
            + 0.7 * rng.normal(size=(18, 10))
        ),
        1,
        5,
    ).astype(int)
    pd.DataFrame(sus, columns=[f"S{i}" for i in range(1, 11)]).to_csv(OUT / "sus.csv", index=False)


def groups() -> pd.DataFrame:
    """Two unequal groups, three within factors (2 x 3 x 2), a covariate."""
    rng = np.random.default_rng(1010)
    rows = []
    for who in range(11):
        expert = who % 3 == 0
        slow, tool_slope, pick_slope = rng.normal(size=3) * [0.5, 0.3, 0.3]
        for i, tool in enumerate("ab"):
            for j, pick in enumerate("rst"):
                for load in ("low", "top"):
                    effect = (0.4 + tool_slope - 0.3 * expert) * i + (0.2 + pick_slope) * j
                    noise = 0.4 * (1 + j) * rng.normal()
                    rows.append(
                        {
                            "who": f"w{who:02d}",
                            "group": "expert" if expert else "novice",
                            "tool": tool,
                            "pick": pick,
                            "load": load,
                            "practice": round(float(rng.normal()), 3),
                            "y": round(float(2 + slow + effect + noise), 6),
                        }
                    )
    return pd.DataFrame(rows)


def between() -> pd.DataFrame:
    """Six unequal groups (2 x 3) of unequal spread: one measure, one answer of 1 to 5."""
    rng = np.random.default_rng(2042)
    rows = []
    sizes = {"random": (9, 7), "active": (8, 6), "margin": (7, 10)}
    for pick, counts in sizes.items():
        for tool, count in zip(("polygon", "click"), counts, strict=True):
            for _ in range(count):
                high = 1.2 * (tool == "polygon") + 0.7 * (pick == "random")
                y = 5 + high + rng.normal() * (1.8 if tool == "polygon" else 0.7)
                answer = 1 + int(np.searchsorted([-1.5, 0, 1, 2.4], high + rng.logistic()))
                rows.append((f"w{len(rows):02d}", tool, pick, round(float(y), 6), answer))
    return pd.DataFrame(rows, columns=["who", "tool", "pick", "y", "answer"])


def between_trials() -> pd.DataFrame:
    """Log seconds of 14 people in two groups over the same 24 images."""
    rng = np.random.default_rng(2043)
    images, rows = 0.25 * rng.normal(size=24), []
    for who in range(14):
        tool, own = ("polygon", "click")[who % 2], 0.3 * rng.normal()
        for image in range(24):
            if rng.random() < 0.9:
                y = 1.6 + 0.3 * (tool == "polygon") + own + images[image] + 0.3 * rng.normal()
                rows.append((f"w{who:02d}", tool, f"im{image:02d}", round(float(y), 6)))
    return pd.DataFrame(rows, columns=["who", "tool", "image", "y"])


if __name__ == "__main__":
    main()
    between().to_csv(OUT / "between.csv", index=False)
    between_trials().to_csv(OUT / "between_trials.csv", index=False)
