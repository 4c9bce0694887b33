"""Benchmark directories with a known truth, from reading to the page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.benchmark import Benchmark, read, sentences, summary, tree, write
from analysis.benchmark import analyse as tables_of
from analysis.benchmark.comparisons import Tables
from analysis.benchmark.ranking import rank
from analysis.errors import InputError
from tests.analysis.benchmark import synthetic

EFFECTS = {"random": 0.0, "entropy": 0.05, "diversity": 0.0, "harmful": -0.05}
KEY = "balanced:accuracy"
# The smallest PNG: one transparent pixel.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002"
    "000001e221bc330000000049454e44ae426082"
)


def analyse(data: Benchmark) -> dict[str, Any]:
    """What results.json says of a benchmark."""
    return tree(data, tables_of(data))


def results_of(out: Path) -> dict[str, Any]:
    """The results.json of a report."""
    text = (out / "results.json").read_text()
    return dict(json.loads(text, parse_constant=lambda c: pytest.fail(c)))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], Tables]:
    folder = tmp_path_factory.mktemp("benchmark")
    cycles, picks = synthetic.frames(EFFECTS, seeds=4, cycles=3)
    cycles.loc[(cycles["trial"] == "003c0001") & (cycles["cycle"] == 2), "collapsed"] = True
    synthetic.write(folder, cycles, picks)
    out = folder / "report"
    tables = write(folder, out, [(PIXEL, "Before & after guidance.")])
    return out, results_of(out), tables


def test_the_true_differences_are_found(made: tuple[Path, dict[str, Any], Tables]) -> None:
    for interface in ("click", "polygon"):
        lines = made[1]["final"][interface]["images"][KEY]["strategies"]
        for strategy, effect in EFFECTS.items():
            if strategy == "random":
                continue
            found = lines[strategy]["difference"]
            assert found["estimate"] == pytest.approx(effect, abs=0.012)
            assert found["n"] == 4
        assert lines["entropy"]["difference"]["ci95"][0] > 0
        assert lines["harmful"]["difference"]["ci95"][1] < 0
    text = " ".join(summary(made[2]))
    assert "1 is better than random beyond the 95% interval (entropy" in text
    assert "1 worse (harmful" in text


def test_area_is_about_half_of_a_linear_gain(made: tuple[Path, dict[str, Any], Tables]) -> None:
    line = made[1]["area"]["click"]["images"][KEY]["strategies"]["entropy"]
    assert line["difference"]["estimate"] == pytest.approx(0.025, abs=0.008)


def test_budgets_are_what_every_trial_spent(made: tuple[Path, dict[str, Any], Tables]) -> None:
    budgets = made[1]["budgets"]
    images = 3 * synthetic.BATCH
    assert budgets["click"] == {"images": images, "seconds": images * 3.0}
    assert budgets["polygon"]["seconds"] == pytest.approx(images * 9.0)
    curve = made[1]["curves"]["click"]["images"][KEY]
    assert curve["x"] == [0, 32, 64, 96]
    mean = curve["strategies"]["random"]["mean"]
    assert mean[-1] == pytest.approx(
        made[1]["final"]["click"]["images"][KEY]["strategies"]["random"]["mean"]
    )


def test_clicks_win_at_equal_seconds_and_tie_at_equal_images(
    made: tuple[Path, dict[str, Any], Tables],
) -> None:
    found = {
        line["axis"]: line for line in made[1]["interfaces_compared"] if line["measure"] == KEY
    }
    images, seconds = found["images"]["over_seeds"], found["seconds"]["over_seeds"]
    assert (found["images"]["a"], found["images"]["b"]) == ("click", "polygon")
    assert abs(images["estimate"]) < 0.01
    # In the time of 96 clicked images 32 are outlined: a third of the gain of .2 instead of all.
    assert seconds["estimate"] == pytest.approx(0.2 * 2 / 3, abs=0.01)
    assert seconds["n"] == 4
    assert found["seconds"]["over_blocks"]["n"] == 16


def test_target_ranks_and_picks(made: tuple[Path, dict[str, Any], Tables]) -> None:
    line = made[1]["target"]["interfaces"]["click"]["random"]["images"]
    assert (line["reached"], line["n"]) == (4, 4)
    assert line["median"] == pytest.approx(synthetic.BATCH * 1.5, abs=12)
    ranked = made[1]["ranking"]["images"]
    assert ranked["strategies"][0] == "entropy"
    assert ranked["strategies"][-1] == "harmful"
    assert ranked["n_blocks"] == 8
    overlap = made[1]["picks"]["click"]["overlap"]
    assert 0 <= overlap["cycle_1"]["matrix"][0][1] < 0.2
    assert overlap["end"]["matrix"][0][0] == 1
    choices = made[1]["picks"]["click"]["choices"]
    assert choices["entropy"]["class_imbalance"]["mean"] == pytest.approx(0.12)
    assert choices["entropy"]["gap"]["mean"] is None


def test_cost_and_collapse(made: tuple[Path, dict[str, Any], Tables]) -> None:
    line = made[1]["cost"]["click"]["entropy"]
    assert line["selection"] == pytest.approx(0.3)
    assert line["total"] == pytest.approx(0.3 + 0.5 + 0.2 + 2.0 + 0.7)
    assert line["per_trial"] == pytest.approx(4 * line["total"])  # split rows repeat, cycles do not
    assert made[1]["collapsed"] == [
        {"strategy": "harmful", "interface": "click", "seed": 1, "cycles": [2]}
    ]


def test_comparisons_are_counted(made: tuple[Path, dict[str, Any], Tables]) -> None:
    # 2 interfaces x 2 axes x 4 measures x (final, area) families of 3 strategies.
    assert made[1]["comparisons"] == {"count": 96, "families": 32}
    text = " ".join(summary(made[2]))
    assert "96 differences from random" in text
    assert "Fine-tuning collapsed in some cycle of 1 of 32 runs" in text


def test_everything_is_marked_simulated(made: tuple[Path, dict[str, Any], Tables]) -> None:
    page = (made[0] / "report.html").read_text()
    captions = re.findall(r"<caption>(.*?)</caption>", page, re.S)
    captions += re.findall(r"<figcaption>(.*?)</figcaption>", page, re.S)
    captions += re.findall(r"<h2>(.*?)</h2>", page, re.S)
    assert len(captions) > 60
    assert all("SIMULATED" in caption for caption in captions)
    assert "What this shows and what it does not" in page
    assert "ab" * 32 in page
    assert "seeds 0, 1, 2, 3" in page
    for path in (made[0] / "tables").glob("*.csv"):
        assert (pd.read_csv(path)["mode"] == "simulated").all()
    assert len(list((made[0] / "tables").glob("*.csv"))) == 19


def test_the_page_needs_nothing_else(made: tuple[Path, dict[str, Any], Tables]) -> None:
    page = (made[0] / "report.html").read_text()
    outside = re.findall(r'(?:src|href)="(?!#|data:)[^"]+"', page)
    assert not outside
    assert page.count("<svg") == len(list((made[0] / "figures").glob("*.svg")))
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert "data:image/png;base64," in page
    assert "Before &amp; after guidance." in page
    assert made[1]["schema"] == 1


def test_a_missing_seed_leaves_its_pair_and_is_named(tmp_path: Path) -> None:
    cycles, picks = synthetic.frames({"random": 0, "entropy": 0.05}, seeds=4, cycles=2)
    gone = (cycles["strategy"] == "entropy") & (cycles["seed"] == 2)
    gone &= cycles["interface"] == "click"
    data = read(synthetic.write(tmp_path, cycles[~gone], picks, trials=16))
    assert any("click: entropy lacks seed 2" in w for w in data.warnings)
    assert any("15 of 16 planned runs" in w for w in data.warnings)
    results = analyse(data)
    line = results["final"]["click"]["images"][KEY]["strategies"]["entropy"]
    assert line["missing"] == [2]
    assert line["difference"]["n"] == 3
    wide = cycles[(cycles["split"] == "balanced") & (cycles["cycle"] == 2) & ~gone]
    wide = wide[wide["interface"] == "click"].pivot_table(
        index="seed", columns="strategy", values="accuracy"
    )
    expected = (wide["entropy"] - wide["random"]).dropna()
    assert line["difference"]["estimate"] == pytest.approx(expected.mean())
    assert results["final"]["polygon"]["images"][KEY]["strategies"]["entropy"]["missing"] == []


def test_failed_trials_are_left_out_and_named(tmp_path: Path) -> None:
    cycles, picks = synthetic.frames({"random": 0, "entropy": 0.05}, seeds=3, cycles=3)
    stopped = (cycles["trial"] == "001c0000") & (cycles["cycle"] > 1)
    failed = [{"strategy": "entropy", "interface": "click", "seed": 0, "problem": "out of memory"}]
    data = read(synthetic.write(tmp_path, cycles[~stopped], picks, failed=failed))
    assert "001c0000" not in set(data.cycles["trial"]) | set(data.picks["trial"])
    assert any("1 of 12 runs failed" in w for w in data.warnings)
    assert analyse(data)["budgets"]["click"]["images"] == 96


def test_a_short_trial_cuts_the_budget_and_is_named(tmp_path: Path) -> None:
    cycles, picks = synthetic.frames({"random": 0, "entropy": 0.05}, seeds=3, cycles=3)
    short = (cycles["trial"] == "001c0000") & (cycles["cycle"] > 1)
    data = read(synthetic.write(tmp_path, cycles[~short], picks))
    assert any("entropy, click, seed 0 spent 32 images" in w for w in data.warnings)
    assert analyse(data)["budgets"]["click"]["images"] == 32


def test_one_seed_makes_a_report_without_intervals(tmp_path: Path) -> None:
    cycles, picks = synthetic.frames(
        {"random": 0, "entropy": 0.05}, seeds=1, cycles=2, interfaces=("click",)
    )
    folder = synthetic.write(
        tmp_path, cycles, picks, target={"split": "test", "metric": "accuracy", "value": None}
    )
    tables = write(folder, tmp_path / "report")
    results = results_of(tmp_path / "report")
    line = results["final"]["click"]["images"][KEY]["strategies"]["entropy"]
    assert line["ci95"] is None
    assert line["difference"]["ci95"] is None
    assert results["target"] is None
    assert results["interfaces_compared"] == []
    assert "note" in results["ranking"]["images"]
    assert "no interval" in " ".join(summary(tables))
    page = (tmp_path / "report" / "report.html").read_text()
    assert "sets no target" in page


def test_no_picks_no_baseline_and_missing_numbers(tmp_path: Path) -> None:
    cycles, _ = synthetic.frames({"entropy": 0.05, "bald": 0.0}, seeds=2, cycles=2)
    cycles = cycles.drop(columns=["attention_inside"])
    cycles.loc[cycles["interface"] == "polygon", "conflicting_accuracy"] = np.nan
    cycles = cycles[cycles["split"] == "balanced"]
    write(synthetic.write(tmp_path, cycles), tmp_path / "report")
    results = results_of(tmp_path / "report")
    assert any("the baseline random has no run" in w for w in results["warnings"])
    assert any("picks.csv has no rows" in w for w in results["warnings"])
    assert [m["key"] for m in results["measures"]] == [KEY, "balanced:conflicting_accuracy"]
    lines = results["final"]["polygon"]["images"]["balanced:conflicting_accuracy"]["strategies"]
    assert lines["bald"]["mean"] is None
    assert results["comparisons"]["count"] == 0


def test_pairs_are_ranked_only_where_friedman_tells_ranks_apart() -> None:
    def sentence(blocks: pd.DataFrame) -> str:
        test, ranks, _ = rank(blocks)
        row = test.assign(axis="images").iloc[0].to_dict()
        return sentences.ranking(row, ranks, "random")

    rng = np.random.default_rng(0)
    blocks = pd.DataFrame(rng.random((4, 3)), columns=["random", "a", "b"])
    assert "no pair of them is compared" in sentence(blocks)
    text = sentence(blocks / 10 + np.array([0, 1, -1]))
    assert "random has the mean rank 2.0" in text
    assert "no pair of them" in sentence(pd.DataFrame(1.0, range(3), ["random", "a"]))


def test_groups_of_images_and_attention_are_shown_side_by_side(tmp_path: Path) -> None:
    cycles, _ = synthetic.frames({"random": 0, "entropy": 0.05}, seeds=21, cycles=2)
    cycles["aligned_accuracy"] = np.minimum(1, cycles["accuracy"] + 0.1)
    tables = write(synthetic.write(tmp_path, cycles), tmp_path / "report")
    assert tables["measures"]["metric"].tolist() == [
        "accuracy",
        "aligned_accuracy",
        "conflicting_accuracy",
        "attention_inside",
        "accuracy",
    ]
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count("Accuracy by group of images, and attention, at") == 4
    assert "21 seeds, 0 to 20" in page
    assert (tmp_path / "report" / "figures" / "together-click-images.png").exists()


def test_further_test_sets_stand_beside_the_groups(tmp_path: Path) -> None:
    cycles, _ = synthetic.frames({"random": 0, "entropy": 0.05}, seeds=3, cycles=2)
    further = cycles[cycles["split"] == "test"].assign(split="without-water")
    further["accuracy"] -= 0.1
    folder = synthetic.write(tmp_path, pd.concat([cycles, further], ignore_index=True))
    tables = write(folder, tmp_path / "report")
    key = "without-water:accuracy"
    assert tables["measures"]["key"].tolist()[-1] == key
    for name in ("final", "values", "curves", "area"):
        assert key in set(tables[name]["measure"]), name
    results = results_of(tmp_path / "report")
    assert key in results["final"]["click"]["images"]
    page = (tmp_path / "report" / "report.html").read_text()
    assert "Accuracy, without-water split" in page


def test_what_arms_set_is_shown_and_their_own_classifiers_have_no_common_start(
    tmp_path: Path,
) -> None:
    cycles, _ = synthetic.frames({"random": 0, "random, head": 0.05}, seeds=3, cycles=2)
    other = cycles["strategy"] == "random, head"
    cycles.loc[other, "accuracy"] = np.minimum(1, cycles.loc[other, "accuracy"] + 0.05)
    arms = {"random": {"train": "all"}, "random, head": {"train": "head", "model": "pretrained"}}
    tables = write(synthetic.write(tmp_path, cycles, arms=arms), tmp_path / "report")
    assert tables["arms"]["train"].tolist() == ["all", "head"]
    start = tables["final"][tables["final"]["strategy"] == "pretrained"]
    assert start.loc[start["measure"] == KEY, "mean"].isna().all()
    own = tables["final"][(tables["final"]["measure"] == KEY)].set_index("strategy")
    assert own.loc["random, head", "gain"].to_numpy() == pytest.approx(0.25, abs=0.02)
    assert "What each arm sets" in (tmp_path / "report" / "report.html").read_text()


def test_a_target_that_half_the_trials_miss_has_no_median(tmp_path: Path) -> None:
    cycles, _ = synthetic.frames({"random": 0, "entropy": 0.15}, seeds=2, cycles=2, noise=0)
    target = {"split": "balanced", "metric": "accuracy", "value": 0.9}
    found = analyse(read(synthetic.write(tmp_path, cycles, target=target)))["target"]
    line = found["interfaces"]["click"]["random"]["images"]
    assert (line["reached"], line["n"], line["median"]) == (0, 2, None)
    assert found["interfaces"]["click"]["entropy"]["images"]["reached"] == 2


def test_mistakes_are_one_sentence(tmp_path: Path) -> None:
    cycles, picks = synthetic.frames({"random": 0}, seeds=2, cycles=2)

    def refuse(match: str, c: pd.DataFrame = cycles, p: pd.DataFrame = picks, **info: Any) -> None:
        with pytest.raises(InputError, match=match):
            read(synthetic.write(tmp_path, c, p, **info))

    refuse(
        "cycles.csv: the columns seconds, picked_l1 are",
        cycles.drop(columns=["seconds", "picked_l1"]),
    )
    refuse("has cycle 0 twice", pd.concat([cycles, cycles[:1]]))
    refuse("is a duplicate", cycles.assign(trial=cycles["trial"].replace("000c0000", "000c0001")))
    refuse("must be cumulative", cycles.assign(seconds=-cycles["cycle"] + 10))
    refuse("is not a number", cycles.assign(accuracy="high"))
    refuse("is not a share", cycles.assign(accuracy=70.0))
    refuse("is not a whole number", cycles.assign(cycle=0.5))
    refuse("neither True nor False", cycles.assign(collapsed="perhaps"))
    refuse("image scene-.* twice", cycles, picks.assign(image="scene-1"))
    refuse("no run has annotated", cycles.assign(images=0))
    refuse("primary.split = 'fair'", primary={"split": "fair", "metric": "accuracy"})
    refuse("primary.metric = 'f1'", primary={"split": "test", "metric": "f1"})
    refuse("primary must have", primary={"split": "test"})
    with pytest.raises(InputError, match=r"no benchmark\.json"):
        read(tmp_path / "absent")
    folder = synthetic.write(tmp_path, cycles, picks)
    with pytest.raises(InputError, match="neither PNG, JPEG nor SVG"):
        write(folder, tmp_path / "r", [(b"GIF89a", "x")])
    with pytest.raises(InputError, match="cannot be read"):
        write(folder, tmp_path / "r", [(tmp_path / "absent.png", "x")])
    (folder / "picks.csv").unlink()
    with pytest.raises(InputError, match=r"no picks\.csv"):
        read(folder)


def test_the_mean_of_a_seeds_draws_is_what_is_compared(tmp_path: Path) -> None:
    cycles, picks = synthetic.frames({"random": 0.0, "entropy": 0.05})
    measured = ["accuracy", "seconds"]
    rng = np.random.default_rng(5)
    others = []
    for draw in (1, 2):
        again = cycles[cycles["strategy"] == "random"].assign(draw=draw)
        again["trial"] = again["trial"] + f"-{draw}"
        started = again["cycle"] > 0
        again.loc[started, "accuracy"] += 0.02 * rng.standard_normal(started.sum())
        again.loc[started, "seconds"] += draw
        others.append(again)
    drawn = pd.concat([cycles.assign(draw=0), *others], ignore_index=True)
    told = tables_of(read(synthetic.write(tmp_path / "drawn", drawn, picks)))
    # the same by hand: each seed's random run is the mean of its three
    key = ["strategy", "interface", "seed", "cycle", "split"]
    by_hand = drawn.drop(columns="draw").drop_duplicates(key).set_index(key)
    by_hand[measured] = drawn.groupby(key)[measured].mean()
    plain = synthetic.write(tmp_path / "plain", by_hand.reset_index(), picks)
    expected = tables_of(read(plain))
    for name in ("final", "area", "curves", "values", "interfaces", "ranks"):
        pd.testing.assert_frame_equal(told[name], expected[name])
    assert told["final"]["n"].max() == 4  # seeds, not draws


def test_a_draw_that_failed_leaves_its_seed_the_others(tmp_path: Path) -> None:
    cycles, picks = synthetic.frames({"random": 0.0, "entropy": 0.05})
    again = cycles[cycles["strategy"] == "random"].assign(draw=1)
    again["trial"] = again["trial"] + "-1"
    lost = again["seed"].ne(0) | again["interface"].ne("click")
    drawn = pd.concat([cycles.assign(draw=0), again[lost]], ignore_index=True)
    failed = [{"strategy": "random", "interface": "click", "seed": 0, "draw": 1, "problem": "x"}]
    data = read(synthetic.write(tmp_path, drawn, picks, failed=failed))
    assert data.cycles["trial"].nunique() == cycles["trial"].nunique()
    assert any(w.startswith("1 of ") and "random, click, seed 0" in w for w in data.warnings)
