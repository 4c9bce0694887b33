"""From how many labels of each class on a strategy beats random."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.benchmark import label_figures
from analysis.benchmark.enough import beats_from, correlations, enough
from analysis.benchmark.tables import Benchmark
from analysis.errors import InputError


def _benchmark(classes: int, gaps: dict[str, list[list[float]]]) -> Benchmark:
    """Arms that are above random by these: rows are seeds, columns cycles 1, 2, ..."""
    rows = []
    for strategy, above in {"random": np.zeros_like(next(iter(gaps.values()))), **gaps}.items():
        for seed, line in enumerate(above):
            for cycle, gap in enumerate([0.0, *line]):
                rows.append(
                    {
                        "strategy": strategy,
                        "seed": seed,
                        "cycle": cycle,
                        "split": "test",
                        "labelled": float(classes * (1 + 2 * cycle)),
                        "accuracy": 0.3 + 0.1 * cycle + 0.01 * seed + gap,
                    }
                )
    names = pd.DataFrame({"class": [f"c{k}" for k in range(classes)]})
    info = {
        "buys": "labels",
        "baseline_name": "random",
        "primary": {"split": "test", "metric": "accuracy"},
    }
    return Benchmark(Path(f"of-{classes}"), info, pd.DataFrame(rows), names, {"classes": names})


# 3, 5 and 7 labels of each class: behind, ahead by chance, ahead
LATE = [[-0.1, 0.02, 0.1], [-0.1, -0.01, 0.11], [-0.1, 0.05, 0.12]]
EARLY = [[0.1, 0.11, 0.1], [0.12, 0.1, 0.11], [0.11, 0.1, 0.1]]
NEVER = [[0.1, 0.1, -0.1], [0.1, 0.1, -0.1], [0.1, 0.1, -0.1]]


def test_the_budget_is_the_first_from_which_on_the_mean_stays_above_random() -> None:
    table = enough([_benchmark(4, {"late": LATE, "early": EARLY, "never": NEVER})])
    found = table.set_index("strategy")
    assert found["beats_from"].to_dict() == {"early": 3.0, "late": 5.0, "never": np.inf}
    assert found["sure_from"].to_dict() == {"early": 3.0, "late": 7.0, "never": np.inf}
    # drawn again, one of three seeds that is behind at 5 labels may be all there is: 7 then
    assert found.loc["late", ["low", "high"]].tolist() == [5.0, 7.0]
    assert found.loc["early", ["low", "high"]].tolist() == [3.0, 3.0]
    assert found.loc["never", ["low", "high"]].tolist() == [np.inf, np.inf]
    assert (found["seeds"] == 3).all()
    assert (found[["first", "last"]] == [3.0, 7.0]).all(axis=None)


def test_more_classes_may_need_more_labels_of_each() -> None:
    several = [_benchmark(n, {"x": g}) for n, g in ((4, EARLY), (8, LATE), (2, EARLY))]
    table = enough(several)
    assert table["classes"].tolist() == [2, 4, 8]
    expected = np.corrcoef([2, 4, 8], [3, 3, 5])[0, 1]
    assert correlations(table)["r"].iloc[0] == pytest.approx(expected)
    assert np.isnan(correlations(enough(several[:2]))["r"].iloc[0])
    assert label_figures.enough(enough([*several, _benchmark(16, {"x": NEVER})])).axes


def test_one_seed_has_no_interval() -> None:
    table = enough([_benchmark(4, {"early": EARLY[:1]})])
    assert table["beats_from"].tolist() == [3.0]
    assert table[["low", "high"]].isna().all(axis=None)
    assert table["sure_from"].tolist() == [np.inf]


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InputError, match="of-4 and of-4 have 4 classes both"):
        enough([_benchmark(4, {"x": EARLY}), _benchmark(4, {"x": LATE})])
    guided = _benchmark(4, {"x": EARLY})
    guided.info["buys"] = "guidance"
    with pytest.raises(InputError, match="of-4: bought no labels"):
        enough([guided])


def test_ahead_at_the_end_alone_is_enough() -> None:
    budgets = np.array([1.0, 2.0, 3.0])
    assert beats_from(np.array([-1.0, 0.0, 1.0]), budgets) == 3.0
    assert beats_from(np.array([1.0, 1.0, 0.0]), budgets) == np.inf
