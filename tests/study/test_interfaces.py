"""Every registered interface goes through the same checks; a package may bring one of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from apps import canvas
from simulators.annotator import Shape, annotate
from simulators.person import Person
from study.annotation import Annotation, Box, Proposal, Region, Stroke
from study.config import load
from study.interfaces import OURS, Asked, interface, interfaces
from study.learning.targets import Targets
from study.practice import judge

SIDE = 32
REGION = Region.from_mask((0.1, 0.1), np.eye(4, dtype=bool))
OTHERS = (
    Annotation(positive_points=((0.5, 0.5),)),
    Annotation(negative_regions=(REGION,)),
    Annotation(polygons=(((0.1, 0.1), (0.5, 0.1), (0.3, 0.5)),)),
    Annotation(boxes=(Box(left=0.1, top=0.1, right=0.4, bottom=0.3),)),
    Annotation(proposals=(Proposal(region=REGION, answer="yes"),)),
    Annotation(strokes=(Stroke(points=((0.1, 0.1),), across=0.1, down=0.1),)),
)
PRESENT = {"points": "has_point", "outside": "has_negative", "inside": "has_inside"}


def disc(x: float = 0.55, y: float = 0.5, radius: float = 0.22) -> np.ndarray:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    inside = ((columns + 0.5) / SIDE - x) ** 2 + ((rows + 0.5) / SIDE - y) ** 2 < radius**2
    return np.asarray(inside)


def drawn_by_hand(name: str, mask: np.ndarray, number: int = 0) -> Annotation:
    sure = Person().model_copy(update={"slip_rate": 0.0, "miss_rate": 0.0, "diligence": 1.0})
    maps = np.zeros((1, 4, 4), np.float32)
    maps[0, 0, 0] = 1.0
    drawn, done = annotate(name, mask, maps, sure, Shape(), number)
    assert done.seconds > 0
    times = [action.t for action in done.actions]
    assert times == sorted(times)
    return drawn


def test_ours_come_first_and_in_their_order() -> None:
    assert tuple(interfaces())[: len(OURS)] == OURS


@pytest.mark.parametrize("name", list(interfaces()))
class TestEvery:
    def test_has_words_a_picture_and_a_tool(self, name: str) -> None:
        one = interface(name)
        words = one.words
        for text in (words.doing, words.intro, words.figure, words.prompt, words.practice):
            assert text.strip()
        assert words.steps
        assert words.legend
        assert len(words.touch) == 2
        assert b"<svg" in canvas.picture(one)
        assert b"export const tool" in canvas.modules()[f"interfaces/{name}.js"]
        assert one.regions == ("negative_regions" in one.marks)
        assert one.proposes == ("proposals" in one.marks) == bool(one.answers)

    def test_its_hand_yields_its_marks_and_they_are_its_guidance(self, name: str) -> None:
        one = interface(name)
        drawn = drawn_by_hand(name, disc())
        assert not drawn.empty
        assert set(drawn.kinds) <= set(one.marks)
        assert one.refusal(drawn) is None
        assert one.refusal(Annotation()) is None
        targets = Targets.from_annotations([drawn], 7, 7, 0.19)
        given = {guide for guide, field in PRESENT.items() if bool(getattr(targets, field).any())}
        assert given
        assert given <= set(one.guides)

    def test_it_refuses_what_it_does_not_yield(self, name: str) -> None:
        one = interface(name)
        for other in OTHERS:
            if set(other.kinds) <= set(one.marks):
                assert one.refusal(other) is None
            else:
                assert name in str(one.refusal(other))

    def test_practice_is_right_on_the_object_and_wrong_beside_it(self, name: str) -> None:
        for number in range(5):
            drawn = drawn_by_hand(name, disc(), number)
            assert judge(name, drawn, disc(), 0.5).correct
            wrong = judge(name, drawn, disc(0.12, 0.12, 0.2), 0.5, name="boat")
            assert not wrong.correct
            assert wrong.advice.endswith(".")
        nothing = judge(name, Annotation(), disc(), 0.5, name="boat")
        assert not nothing.correct
        assert "boat" in nothing.advice
        assert interface(name).judge(Annotation(), Asked(disc())).advice

    def test_it_survives_the_log(self, name: str) -> None:
        drawn = drawn_by_hand(name, disc())
        assert Annotation.model_validate(json.loads(drawn.model_dump_json())) == drawn

    def test_a_study_may_name_it(self, name: str, tmp_path: Path) -> None:
        path = tmp_path / "study.toml"
        path.write_text(
            f'name = "x"\n[dataset]\nkind = "scenes"\n[[conditions]]\ninterface = "{name}"\n'
            f'sampling = "random"\n[[conditions]]\ninterface = "{name}"\nsampling = "active"\n'
        )
        assert {c.interface for c in load(path).config.conditions} == {name}


PACKAGE = '''
from pathlib import Path
from study.interfaces import Interface, Verdict, Words
from study.acquisition.chance import Random


class Lasso(Interface):
    """Free-hand outlines."""

    name = "lasso"
    words = Words(
        doing="lassoing", intro="Throw it.", steps=("Throw.",), figure="A lasso.",
        prompt="Catch ", practice="lasso", legend=(("Drag", "throw"),), touch=("Throw", "Drop"),
    )
    marks = ("polygons",)
    guides = ("inside",)
    script = Path(__file__).with_name("lasso.js")
    picture = Path(__file__).with_name("lasso.svg")

    def judge(self, annotation, asked):
        return Verdict(bool(annotation.polygons))


class Last(Random):
    """By another name."""


def none(maps, targets):
    return maps.new_zeros(len(maps))
'''
ASKS = """
import json, sys
from pathlib import Path
from apps import canvas
from study.acquisition.registry import make
from study.config import load
from study.interfaces import interface, interfaces
from study.learning.guidance import form
config = load(Path(sys.argv[1])).config
print(json.dumps({
    "interfaces": list(interfaces()), "condition": config.conditions[0].name,
    "doing": interface("lasso").words.doing, "strategy": type(make("last")).__name__,
    "script": canvas.modules()["interfaces/lasso.js"].decode(),
    "form": form("polygon", config.guidance.polygon).__name__,
}))
"""
STUDY = """
name = "x"
[dataset]
kind = "scenes"
[guidance]
polygon = "nothing"
[acquisition]
active = "last"
[[conditions]]
interface = "lasso"
sampling = "last"
[[conditions]]
interface = "lasso"
sampling = "active"
"""


def installed(place: Path, points: str) -> dict[str, str]:
    """A package as an installer leaves it."""
    (place / "lab_lasso.py").write_text(PACKAGE)
    (place / "lasso.js").write_text("export const tool = {};")
    (place / "lasso.svg").write_text("<svg/>")
    info = place / "lab_lasso-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-lasso\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(points)
    (place / "study.toml").write_text(STUDY)
    return {"PYTHONPATH": f"{place}:{Path(__file__).parents[2]}", "OMP_NUM_THREADS": "1"}


def test_an_installed_package_brings_its_own(tmp_path: Path) -> None:
    environment = installed(
        tmp_path,
        "[clickstudy.interfaces]\nlasso = lab_lasso:Lasso\n"
        "[clickstudy.strategies]\nlast = lab_lasso:Last\n"
        "[clickstudy.guidance]\npolygon.nothing = lab_lasso:none\n",
    )
    done = subprocess.run(
        [sys.executable, "-c", ASKS, str(tmp_path / "study.toml")],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found == {
        "interfaces": [*OURS, "lasso"],
        "condition": "lasso-last",
        "doing": "lassoing",
        "strategy": "Last",
        "script": "export const tool = {};",
        "form": "none",
    }


def test_a_package_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    environment = installed(tmp_path, "[clickstudy.interfaces]\nlasso = lab_lasso:Missing\n")
    done = subprocess.run(
        [sys.executable, "-c", "from study.interfaces import interfaces; interfaces()"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "lab-lasso registers 'lasso' in clickstudy.interfaces" in done.stderr
