"""``clickstudy data``: drawn files in the upstream formats become studies that can begin."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner
from upstream import DRAWINGS, draw_celeba, draw_celebamask_hq

from apps.commands.data import app
from study.config import load
from study.data import recipes
from study.data.loading import load_dataset
from study.directory import StudyDirectory
from study.errors import UserError
from study.loop import TaskLoop


def run(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


EXPECTED = {
    "coco": (("airplane", "boat"), (16, 6, 4)),
    "celeba": (("Wearing_Lipstick", "no Wearing_Lipstick"), (12, 12, 12)),
    "celeba-cheekbones": (("High_Cheekbones", "no High_Cheekbones"), (12, 12, 12)),
    "celeba-chin": (("Double_Chin", "no Double_Chin"), (12, 12, 12)),
    "awa2": (("humpback whale", "horse"), None),
    "voc": (("boat", "horse"), None),
    "waterbirds": (("landbird", "waterbird"), (12, 12, 12)),
    "wilds": (("0", "1"), (12, 12, 12)),
    "cifar": (("airplane", "ship"), None),
}
DRAWN_AS = {"celeba-cheekbones": "celeba", "celeba-chin": "celeba", "wilds": "waterbirds"}


@pytest.fixture(autouse=True)
def _voc_of_what_is_drawn(monkeypatch):
    """The drawn VOC has boats and horses."""
    settings = recipes.RECIPES["voc"].settings
    drawn = replace(
        recipes.RECIPES["voc"],
        settings=lambda root: {**settings(root), "categories": ["boat", "horse"]},
    )
    monkeypatch.setitem(recipes.RECIPES, "voc", drawn)


@pytest.mark.parametrize("name", EXPECTED)
def test_prepare_writes_a_study_that_can_begin(tmp_path, name):
    classes, counts = EXPECTED[name]
    DRAWINGS[DRAWN_AS.get(name, name)](tmp_path / "root")
    printed = run("prepare", name, "--root", tmp_path / "root", "--out", tmp_path / "mine")
    assert "The classifier: resnet18" in printed
    assert (tmp_path / "mine" / "check" / "train.png").exists()
    file = load(tmp_path / "mine" / "study.toml")
    dataset = load_dataset(file, tmp_path / "mine" / "check" / "cache")
    assert dataset.classes == classes
    if counts is not None:
        assert tuple(len(dataset[split]) for split in ("train", "val", "test")) == counts
    masked = dataset["train"].masks is not None
    assert f"Next: clickstudy {'simulate' if masked else 'serve'}" in printed
    if name == "coco":
        assert "airplane, test: 2 images, 598 in Table 1 of He et al. (2023)" in printed
        assert dataset["without-water"].contexts.tolist().count(1) == 0
    if name == "celeba":
        assert "train: 12 images, 13,436 in Table 1" in printed
        assert set(dataset["without-heavy-makeup"].contexts.tolist()) == {0}
    if name == "cifar":
        assert len(dataset["test"]) == 4
        assert len(list((tmp_path / "root").rglob("*.png"))) == 24
    again = run("prepare", name, "--root", tmp_path / "root", "--out", tmp_path / "mine")
    assert "Wrote" not in again


def test_lips_are_outlined_where_celebamask_hq_is(tmp_path):
    draw_celeba(tmp_path / "root")
    draw_celebamask_hq(tmp_path / "root")
    printed = run("prepare", "celeba", "--root", tmp_path / "root", "--out", tmp_path / "mine")
    assert "Next: clickstudy simulate" in printed
    text = (tmp_path / "mine" / "study.toml").read_text()
    assert 'masks = "celebamask-hq"' in text


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_who_has_no_files_is_told_all_that_to_fetch(tmp_path, name):
    with pytest.raises(UserError) as caught:
        run("prepare", name, "--root", tmp_path, "--out", tmp_path / "mine")
    said = str(caught.value)
    for need in recipes.RECIPES[name].needs:
        assert f"{tmp_path / need.name} is missing: {need.fetch}" in said
    assert "http" in said
    assert "\n" not in said


def test_a_dataset_that_is_not_known(tmp_path):
    with pytest.raises(UserError, match="did you mean 'coco'"):
        run("prepare", "cocco", "--root", tmp_path)


def test_a_table_whose_columns_say_nothing(tmp_path):
    (tmp_path / "metadata.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match="has none of the columns img_filename"):
        run("prepare", "wilds", "--root", tmp_path, "--out", tmp_path / "mine")


def test_show_draws_attention_where_there_is_a_classifier(tiny_study, tmp_path):
    run("show", tiny_study, "--out", tmp_path / "sheets", "--images", 4)
    assert not list((tmp_path / "sheets").glob("*attention*"))
    file = load(tiny_study)
    directory = StudyDirectory.create(tmp_path / "run", file)
    TaskLoop(file, directory, "cpu").prepare()
    run("show", directory.path, "--out", tmp_path / "seen", "--images", 4)
    plain, red = (
        np.asarray(Image.open(tmp_path / "seen" / name)).astype(int)
        for name in ("test.png", "test-attention.png")
    )
    assert plain.shape == red.shape == (320, 320, 3)
    assert (red[..., 0] - plain[..., 0]).mean() > (red[..., 1] - plain[..., 1]).mean()


@pytest.fixture
def tiny_study(tmp_path: Path) -> Path:
    (tmp_path / "study.toml").write_text(
        'name = "tiny"\n[dataset]\nkind = "scenes"\nsize = 48\ntrain = 16\nval = 4\ntest = 8\n'
        'balanced = 8\n[model]\nname = "small"\nwidth = 16\nblocks = 2\n[pretraining]\nepochs = 1\n'
    )
    return tmp_path / "study.toml"
