"""Every experiment of the documents, scaled down, on files drawn as they are published."""

import tomllib

import pandas as pd
import pytest
from typer.testing import CliRunner
from upstream import draw_awa2, draw_celeba, draw_celebamask_hq, draw_coco

from apps.commands.cli import app
from simulators.replications import cost, running
from simulators.replications.published import EXPERIMENTS
from study.errors import UserError


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("datasets")
    draw_coco(folder / "coco", panoptic=True)
    draw_celeba(folder / "celeba")
    draw_awa2(folder / "awa2")
    return folder


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_each_runs_scaled_down_and_stands_beside_what_was_published(root, name, tmp_path):
    experiment = EXPERIMENTS[name]
    found = running.run(experiment, root, tmp_path, workers=1, device="cpu", small=True)
    assert len(found) == len(experiment.figures)
    assert found["here"].notna().all(), found[found["here"].isna()]
    assert (found["runs"] >= 1).all()


def test_the_command_writes_a_table_and_a_picture_and_resumes(root, tmp_path):
    words = ["replicate", "he2023-figure8-several", "--root", str(root), "--small",
             "--out", str(tmp_path), "--workers", "1", "--device", "cpu"]  # fmt: skip
    for _ in range(2):
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert "SIMULATED" in done.stdout
        assert "SCALED DOWN" in done.stdout
    table = pd.read_csv(tmp_path / "replication.csv")
    assert set(table["mode"]) == {"simulated"}
    assert table["scaled_down"].all()
    for picture in ("replication.png", "maps.png"):
        assert (tmp_path / picture).stat().st_size > 1000


@pytest.mark.parametrize("name", ["he2023-table1", "he2023-table3", "he2023-figure7-celeba"])
def test_the_paper_s_faces_are_the_aligned_ones_also_beside_celebamask_hq(name, tmp_path):
    draw_celeba(tmp_path)
    draw_celebamask_hq(tmp_path)
    written = tomllib.loads(running.file_of(EXPERIMENTS[name], "celeba", tmp_path, small=False))
    dataset = written["dataset"]
    assert (dataset["masks"], dataset["split"]) == ("landmarks", "he2023")
    poster = running.file_of(EXPERIMENTS["yang2019-wearing-lipstick"], "celeba", tmp_path, False)
    assert tomllib.loads(poster)["dataset"]["split"] == "official"


def test_what_is_missing_is_listed(tmp_path):
    with pytest.raises(UserError, match=r"train2017 is missing: unpack train2017\.zip"):
        running.run(EXPERIMENTS["he2023-table2"], tmp_path, tmp_path / "out")


def test_the_cost_is_counted_from_a_measured_speed():
    speed = cost.Speed(training=0.001, looking=0.0)
    table, figure = (cost.hours(EXPERIMENTS[f"he2023-{n}"], speed) for n in
                     ("table2", "figure7-coco"))  # fmt: skip
    assert figure == pytest.approx((3 * 150 * 4808 + 12 * 150 * 256 * 55) / 3.6e6)
    assert table == pytest.approx(figure)
    assert cost.hours(EXPERIMENTS["he2023-table1"], speed) == 0
    assert cost.probe("resnet18", size=32).training > 0
