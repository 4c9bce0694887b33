"""The report as a person meets it: files, marks, sentences, commands."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from analysis import paper, people, registration
from analysis.errors import InputError
from analysis.page import report
from apps.commands.plan import plan
from apps.commands.power import power
from apps.commands.report import report as report_command
from tests.analysis.helpers import (
    analysed,
    example,
    full_study,
    study_of,
    tasks,
    undocumented,
    write,
)

app = typer.Typer()
app.command("report")(report_command)
app.command()(power)
app.command()(plan)
runner = CliRunner()


def reveals(people: list[str]) -> pd.DataFrame:
    """Answers of a rapid categorisation: by people's maps one in ten is wrong, else four."""
    rows = [
        {"participant": who, "mode": "simulated", "source": source, "share": share,
         "correct": str((trial + place) % 10 >= wrong)}
        for place, who in enumerate(people)
        for source, wrong in (("people", 1), ("saliency", 4))
        for share in (0.01, 0.1)
        for trial in range(10)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("study")
    tables = full_study()
    tables["items"] = tables["items"].drop(index=[3, 4])  # two trials went missing
    tables["reveals"] = reveals(list(tables["participants"]["participant"]))
    write(folder, **tables)
    (folder / "study.toml").write_text(
        "[analysis]\nplanned_participants = 16\nequivalence_margins = {accuracy_after = 0.01}\n"
    )
    (folder / "manifest.json").write_text(
        json.dumps({"study": "guidance", "study_hash": "ab" * 32})
    )
    out = folder / "report"
    report.write(folder, out, bayes=True, aligned=True)
    return out, json.loads((out / "results.json").read_text(encoding="utf-8"))


def test_a_rapid_categorisation_has_its_section(made: tuple[Path, dict[str, Any]]) -> None:
    out, found = made
    rows = {(row["map"], row["shown"]): row for row in found["reveals"]}
    assert len(rows) == 4
    assert rows["people", 0.01]["mean"] == pytest.approx(0.9)
    assert rows["saliency", 0.1]["mean"] == pytest.approx(0.6)
    assert rows["people", 0.1]["trials"] == 10 * rows["people", 0.1]["n"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Rapid categorisation" in page
    assert (out / "figures" / "reveals.svg").exists()


def test_results_have_the_documented_keys(made: tuple[Path, dict[str, Any]]) -> None:
    text = (made[0] / "results.json").read_text()
    found = json.loads(text, parse_constant=lambda c: pytest.fail(f"{c} is not JSON"))
    assert found == made[1]
    assert undocumented(found) == set()
    for name in ("seconds_per_image", "log_seconds_per_image", "accuracy_after"):
        metric = found["metrics"][name]
        for effect in ("interface", "sampling", "interaction"):
            assert {"F", "df1", "df2", "p", "np2", "np2_ci90", "ng2"} <= set(
                metric["anova_2x2"][effect]
            )
        assert {
            "F",
            "df1",
            "df2",
            "p",
            "p_gg",
            "epsilon_gg",
            "epsilon_hf",
            "mauchly_w",
            "mauchly_p",
            "np2",
            "ng2",
        } <= set(metric["anova_one_way"])
        assert len(metric["pairwise"]) == 6
        assert {
            "a",
            "b",
            "difference",
            "ci95",
            "t",
            "df",
            "p",
            "p_holm",
            "dz",
            "dz_ci95",
            "dav",
            "wilcoxon_p",
        } <= set(metric["pairwise"][0])
        assert {"chi2", "df", "p", "w"} <= set(metric["friedman"])
    for question in ("Q7", "difficulty", "reasonable_maps"):
        for effect in ("interface", "sampling", "interaction"):
            assert {"estimate", "se", "p", "odds_ratio", "ci95"} <= set(
                found["answers"][question]["clmm"][effect]
            )
    assert found["answers"]["Q1"]["clmm"]["interface"] is None  # asked after click tasks only
    assert 0 < found["answers"]["Q1"]["clmm"]["sampling"]["p_primary"] <= 1
    assert "seconds_per_image" in json.dumps(found["metrics"])


def test_estimates_are_differences_of_means(made: tuple[Path, dict[str, Any]]) -> None:
    metric = made[1]["metrics"]["accuracy_after"]
    means = {c: d["mean"] for c, d in metric["conditions"].items()}
    polygon = (means["polygon-random"] + means["polygon-active"]) / 2
    click = (means["click-random"] + means["click-active"]) / 2
    assert metric["estimates"]["interface"]["contrast"] == "polygon - click"
    assert metric["estimates"]["interface"]["estimate"] == pytest.approx(polygon - click)


def test_everything_simulated_is_marked(made: tuple[Path, dict[str, Any]]) -> None:
    page = (made[0] / "report.html").read_text()
    captions = re.findall(r"<caption>(.*?)</caption>", page, re.S)
    captions += re.findall(r"<figcaption>(.*?)</figcaption>", page, re.S)
    assert len(captions) > 30
    assert all("SIMULATED" in caption for caption in captions)
    assert "SIMULATED DATA: no person produced these numbers." in page
    # In the files too, because a figure leaves its page.
    assert all('id="text' in p.read_text() for p in (made[0] / "figures").glob("*.svg"))


def test_of_a_pilot_is_not_said_that_nobody_was_there(tmp_path: Path) -> None:
    values = np.arange(16.0).reshape(4, 4)
    pilot = study_of(tmp_path, tasks=tasks(values).assign(mode="pilot"))
    assert pilot.label == "PILOT"
    assert pilot.warning == "PILOT DATA: people tried the study out; these are not its results."
    live = study_of(tmp_path / "live", tasks=tasks(values).assign(mode="live"))
    assert (live.label, live.warning) == (None, None)


def test_the_page_needs_nothing_else(made: tuple[Path, dict[str, Any]]) -> None:
    page = (made[0] / "report.html").read_text()
    assert not re.findall(r'(?:src|href)="(?!#)[^"]+"', re.sub(r'xlink:href="#', 'href="#', page))
    assert page.count("<svg") == len(list((made[0] / "figures").glob("*.svg")))
    assert len(list((made[0] / "figures").glob("*.png"))) == page.count("<svg")
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert "&lt;0&gt; &amp; easy" in page  # a comment cannot inject markup


def test_missing_trials_do_not_change_what_is_primary(made: tuple[Path, dict[str, Any]]) -> None:
    """The plan says it before the data."""
    metric = made[1]["metrics"]["log_seconds_per_image"]
    assert made[1]["trials"]["missing"] == [
        {"participant": "P01", "condition": "polygon-random", "missing": 2}
    ]
    assert metric["primary_analysis"] == "anova"
    mixed, anova = metric["mixed"]["effects"], metric["estimates"]
    assert mixed["interface"]["estimate"] == pytest.approx(anova["interface"]["estimate"], abs=0.02)
    assert "mixed model" in (made[0] / "report.html").read_text()


def test_departures_from_the_plan_are_stated(made: tuple[Path, dict[str, Any]]) -> None:
    text = " ".join(made[1]["departures"])
    assert "16 participants were planned and 8 are analysed" in text
    assert "exploratory: seconds_per_image" in text
    assert "no date" in text
    assert made[1]["metrics"]["accuracy_after"]["equivalence"][0]["margin"] == 0.01


def test_scales_preference_and_comments(made: tuple[Path, dict[str, Any]]) -> None:
    found = made[1]
    assert 0 < found["scales"]["sus"]["alpha"]["alpha"] < 1
    assert found["scales"]["nasa-tlx"]["tests"]["anova_2x2"]["interface"]["F"] > 0
    assert found["preferences"]["Q8"]["n"] == 8
    assert len(found["comments"]["Q9"]) == 8
    assert "caveat" not in found["answers"]["Q7"]["aligned_ranks"]
    assert "Tsandilas" in found["aligned_ranks_caveat"]


def test_a_balanced_study_keeps_the_anova_primary(tmp_path: Path) -> None:
    """RM ANOVA on mean log time and the maximal mixed model agree when nothing is missing."""
    frames = full_study(12)
    found = analysed(write(tmp_path, tasks=frames["tasks"], items=frames["items"]))
    metric = found["metrics"]["log_seconds_per_image"]
    assert metric["primary_analysis"] == "anova"
    for effect in ("interface", "sampling", "interaction"):
        mixed = metric["mixed"]["effects"][effect]
        assert mixed["estimate"] == pytest.approx(metric["estimates"][effect]["estimate"], abs=0.01)
        assert mixed["p"] == pytest.approx(metric["anova_2x2"][effect]["p"], abs=0.05)


def test_parquet_is_as_good_as_csv(tmp_path: Path) -> None:
    frame = tasks(example())
    csv = analysed(write(tmp_path / "csv", tasks=frame))
    (tmp_path / "parquet").mkdir()
    frame.to_parquet(tmp_path / "parquet" / "tasks.parquet")
    parquet = analysed(tmp_path / "parquet")
    assert csv["metrics"] == parquet["metrics"]


def test_the_paper_rebuilt_has_the_papers_means(tmp_path: Path) -> None:
    paper.write(tmp_path / "paper")
    result = runner.invoke(app, ["report", str(tmp_path / "paper"), "--out", str(tmp_path / "r")])
    assert result.exit_code == 0, result.output
    assert "SIMULATED" in result.output
    found = json.loads((tmp_path / "r" / "results.json").read_text())
    for i, condition in enumerate(paper.CONDITIONS):
        line = found["metrics"]["seconds_per_image"]["conditions"][condition]
        assert line["mean"] == pytest.approx(paper.SECONDS_MEAN[i])
        assert line["sd"] == pytest.approx(paper.SECONDS_SD[i])
    assert found["preferences"]["Q8"]["p"] == pytest.approx(0.0768127)


def test_a_mistake_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    result = runner.invoke(app, ["report", str(tmp_path / "absent"), "--out", str(tmp_path / "r")])
    assert result.exit_code == 2
    assert "there is no such folder" in result.stderr
    assert "Traceback" not in result.output
    result = runner.invoke(
        app, ["plan", str(tmp_path), "--out", str(tmp_path / "p"), "--margin", "accuracy"]
    )
    assert result.exit_code == 2
    assert "accuracy_after=0.01" in result.stderr
    (tmp_path / "file").write_text("")
    write(tmp_path / "ok", tasks=tasks(example()))
    result = runner.invoke(app, ["report", str(tmp_path / "ok"), "--out", str(tmp_path / "file")])
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_a_plan_is_written_once_and_read_back(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(
        '[analysis]\nhypotheses = ["Clicks are \\"faster\\"."]\ntrial_seconds_max = 60.0\n'
    )
    arguments = [
        "plan",
        str(tmp_path / "study.toml"),
        "--out",
        str(tmp_path),
        "--participants",
        "20",
        "--margin",
        "accuracy_after=0.02",
    ]
    assert runner.invoke(app, arguments).exit_code == 0
    written = tomllib.loads((tmp_path / "plan.toml").read_text())["analysis"]
    assert written["hypotheses"] == ['Clicks are "faster".']
    assert written["planned_participants"] == 20
    assert written["equivalence_margins"] == {"accuracy_after": 0.02}
    assert written["participants_at_writing"] == 0
    text = (tmp_path / "plan.md").read_text()
    assert "No participant had been recorded" in text
    assert "±0.02" in text
    again = runner.invoke(app, arguments)
    assert again.exit_code == 2
    assert "not overwritten" in again.stderr
    # The report of a study that followed says nothing about the plan's date or size.
    frame = tasks(example(20), "accuracy_after", seconds_per_image=5.0)
    frame["accuracy_after"] /= 20
    found = analysed(write(tmp_path, tasks=frame))
    assert found["plan"]["source"] == "plan.toml"
    assert not any("planned and" in d or "no date" in d for d in found["departures"])


def test_a_plan_after_the_data_says_so(tmp_path: Path) -> None:
    write(tmp_path, tasks=tasks(example()))
    plan = registration.compose(tmp_path, participants=16, margins={}, primary=None)
    assert plan.participants_at_writing == 8
    assert "8 participants had already been recorded" in registration.document(plan, "x")


def test_power_from_the_paper_and_from_a_pilot(tmp_path: Path) -> None:
    result = runner.invoke(app, ["power", "--studies", "200", "--out", str(tmp_path / "p")])
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "p" / "power.json").read_text())
    assert found["sensitivity"]["dz_80"] == pytest.approx(0.749, abs=1e-3)
    assert found["lab_hours"] == 60
    assert (tmp_path / "p" / "power.svg").exists()
    write(tmp_path / "pilot", tasks=tasks(example()))
    result = runner.invoke(app, ["power", "--studies", "200", "--pilot", str(tmp_path / "pilot")])
    assert result.exit_code == 0, result.output
    assert "optimistic" in result.output
    write(tmp_path / "tiny", tasks=tasks(example(2)))
    assert runner.invoke(app, ["power", "--pilot", str(tmp_path / "tiny")]).exit_code == 2


def test_pdf_without_weasyprint_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(InputError, match=r"clickstudy\[pdf\]"):
        report.write_pdf("<p>", tmp_path / "x.pdf")


def test_every_feature_has_a_table_and_its_accuracy_is_a_measure(tmp_path: Path) -> None:
    values = example()
    frame = tasks(np.clip(values / values.max(), 0.1, 0.9), "accuracy_after", accuracy_before=0.5)
    for name, less in (("double_chin", 0.05), ("boat", 0.01)):
        frame[f"accuracy_of_{name}_after"] = frame["accuracy_after"] - less
        frame[f"accuracy_of_{name}_before"] = 0.4
        frame[f"attention_inside_of_{name}_after"] = 0.25
    found = analysed(write(tmp_path / "in", tasks=frame))
    assert {"accuracy_of_double_chin_after", "accuracy_of_boat_after"} <= set(found["metrics"])
    assert "attention_inside_of_boat_after" not in found["metrics"]
    out = tmp_path / "out"
    report.write(tmp_path / "in", out)
    table = pd.read_csv(out / "tables" / "features.csv")
    assert table["feature"].unique().tolist() == ["double chin", "boat"]
    means = frame.groupby(["interface", "sampling"])["accuracy_of_boat_after"].mean()
    after = table[(table["feature"] == "boat") & (table["when"] == "after")]
    assert sorted(after["accuracy"]) == pytest.approx(sorted(means))
    assert (after["attention_inside"] == 0.25).all()
    assert (table.loc[table["when"] == "before", "accuracy"] == 0.4).all()
    assert "Each feature by itself" in (out / "report.html").read_text()


def test_test_sets_of_the_study_are_measures_like_the_groups(tmp_path: Path) -> None:
    values = example()
    frame = tasks(np.clip(values / values.max(), 0.1, 0.9), "accuracy_after", accuracy_before=0.5)
    frame["accuracy_on_without_heavy_makeup_after"] = frame["accuracy_after"] - 0.05
    frame["accuracy_on_without_heavy_makeup_before"] = 0.4
    study = study_of(tmp_path / "in", tasks=frame)
    assert "accuracy_on_without_heavy_makeup_after" in study.metrics
    page = report.render(study, people.analyse(study), {})
    assert "Accuracy on “without heavy makeup”" in page
    frame.loc[0, "accuracy_on_without_heavy_makeup_after"] = -1
    excluded = study_of(tmp_path / "wrong", tasks=frame).excluded
    assert "is not a share" in next(iter(excluded.values()))
