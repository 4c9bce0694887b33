"""The study file: the paper's defaults, and every mistake told at once."""

from __future__ import annotations

import hashlib
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from study.config import StudyConfig, StudyFileError, load, parse
from study.config.data import DATASETS
from study.interfaces import OURS


def problems(text: str) -> list[str]:
    """What is wrong with a study file, without the file's name."""
    with pytest.raises(StudyFileError) as error:
        parse(tomllib.loads(text))
    assert str(error.value) == "\n".join(error.value.problems)
    assert all(line.startswith("study.toml: ") for line in error.value.problems)
    return [line.removeprefix("study.toml: ") for line in error.value.problems]


def at(config: StudyConfig, path: str) -> Any:
    value: Any = config
    for part in path.split("."):
        value = getattr(value, part)
    return value


PAPER = {
    "task.minutes": 45.0,
    "task.images": None,
    "task.page": 64,
    "task.batch": 256,
    "model.name": "resnet18",
    "pretraining.learning_rate": 0.1,
    "pretraining.weight_decay": 0.0005,
    "pretraining.batch": 128,
    "pretraining.epochs": 150,
    "fine_tuning.learning_rate": 0.01,
    "fine_tuning.weight_decay": 0.0005,
    "fine_tuning.batch": 128,
    "fine_tuning.epochs": 150,
    "guidance.w_g": 0.75,
    "guidance.w_c": 0.25,
    "acquisition.active": "attention",
    "sequences.plan": "williams",
    "questionnaires": ("paper",),
    "attention_checks.every": 0,
    "workspace.show_attention": OURS,
}


@pytest.mark.parametrize(("path", "value"), PAPER.items())
def test_the_default_is_the_papers(path: str, value: object) -> None:
    assert at(parse({"name": "a"}), path) == value


def test_the_default_conditions_are_the_papers_two_by_two() -> None:
    names = {condition.name for condition in parse({"name": "a"}).conditions}
    assert names == {"polygon-random", "click-random", "polygon-active", "click-active"}


def test_the_default_guidance_is_the_collapse_safe_form_not_the_papers() -> None:
    guidance = parse({"name": "a"}).guidance
    assert (guidance.positive, guidance.polygon) == ("disc+point", "log-energy")
    assert (guidance.normalise, guidance.floor) == (True, 0.01)


def test_the_default_demographics_ask_what_the_paper_reports() -> None:
    assert [q.key for q in parse({"name": "a"}).demographics] == ["age", "gender", "experience"]


MISTAKES = """
name = "Bad Name"
titel = "x"
seed = "a"
dataset = 5
questionnaires = ["papr", "sus", "sus"]
[task]
page = 600
minutes = -1
clock = "wall"
images = 1.5
[[conditions]]
interface = "clik"
sampling = "entrpy"
[[conditions]]
interface = "click"
[breaks]
seconds = nan
"""


def test_every_mistake_is_told_at_once_by_path_with_the_nearest_name() -> None:
    assert sorted(problems(MISTAKES)) == sorted(
        [
            "name = 'Bad Name' may have only lower-case letters, digits, - and _, and begin with "
            "a letter or digit",
            "titel is not a setting; did you mean 'title'?",
            "seed = 'a' must be a whole number",
            "dataset = 5 must be a table",
            "conditions[0].interface = 'clik' is not an interface; did you mean 'click'?",
            "conditions[0].sampling = 'entrpy' is not a strategy; did you mean 'entropy'?",
            "conditions[1].sampling is missing",
            "task.minutes = -1 must be more than 0.0",
            "task.clock = 'wall' is not known; it must be one of annotation, total",
            "task.images = 1.5 must be a whole number",
            "breaks.seconds = nan must be a finite number",
            "questionnaires: sus is listed 2 times; list it once",
            "questionnaires[0] = 'papr' is not an instrument; did you mean 'paper'?",
        ]
    )


ONE_MISTAKE = {
    "too small": (
        '[dataset]\nkind = "scenes"\nsize = 12',
        "dataset.size = 12 must be at least 32",
    ),
    "too large": (
        '[dataset]\nkind = "scenes"\nsize = 1000',
        "dataset.size = 1000 must be at most 512",
    ),
    "not below": (
        '[dataset]\nkind = "folder"\nroot = "x"\ntest_share = 0.5',
        "dataset.test_share = 0.5 must be less than 0.5",
    ),
    "zero": ("[task]\nbatch = 0", "task.batch = 0 must be more than 0"),
    "infinite": ("[task]\nminutes = inf", "task.minutes = inf must be a finite number"),
    "unknown in a table": (
        "[task]\nminuts = 3",
        "task.minuts is not a setting; did you mean 'minutes'?",
    ),
    "unknown in a dataset": (
        '[dataset]\nkind = "coco"\nroot = "x"\ncategories = ["boat"]\ncategorys = 3',
        "dataset.categorys is not a setting; did you mean 'categories'?",
    ),
    "unknown in a member": (
        '[[conditions]]\ninterface = "click"\nsampling = "active"\nsamplings = 1',
        "conditions[0].samplings is not a setting; did you mean 'sampling'?",
    ),
    "unknown dataset": (
        '[dataset]\nkind = "coc"',
        "dataset.kind = 'coc' is not known; did you mean 'coco'?",
    ),
    "no kind": (
        "[dataset]\nsize = 64",
        "dataset.kind is missing; it must be one of " + ", ".join(DATASETS),
    ),
    "no member": ("conditions = []", "conditions must not be empty"),
    "a value for a list": (
        'questionnaires = "paper"',
        "questionnaires = 'paper' must be a list [...]",
    ),
    "a value for a table": ("task = 3", "task = 3 must be a table"),
    "a number for text": ("consent = 3", "consent = 3 must be text in quotes"),
    "text for a switch": (
        '[guidance]\nnormalise = "perhaps"',
        "guidance.normalise = 'perhaps' must be true or false",
    ),
    "a switch for a number": ("seed = true", "seed = True must be a whole number"),
    "a page larger than a batch": (
        "[task]\npage = 300",
        "task.page = 300 is larger than task.batch = 256; a page is a part of a batch",
    ),
    "a condition twice": (
        '[[conditions]]\ninterface = "click"\nsampling = "active"\n' * 2,
        "conditions[0] and conditions[1] are both click-active; list each condition once, or tell "
        "them apart by a factor",
    ),
    "a list without its plan": (
        '[sequences]\nlisted = [["click-active"]]',
        "sequences: give sequences.listed exactly when sequences.plan = 'listed'",
    ),
    "too many orders": (
        '[sequences]\nplan = "all"\n'
        + "".join(
            f'[[conditions]]\ninterface = "{interface}"\nsampling = "{sampling}"\n'
            for interface in ("click", "polygon")
            for sampling in ("random", "active", "entropy", "k-center")
        ),
        "sequences.plan = 'all' of 8 conditions is more orders than any study has participants; "
        "use 'williams'",
    ),
    "a choice without choices": (
        '[[demographics]]\nkey = "hand"\ntext = "Which hand?"',
        "demographics[0]: question hand is a choice and needs at least two choices",
    ),
    "a demographic question twice": (
        '[[demographics]]\nkey = "a"\ntext = "?"\nkind = "text"\n' * 2,
        "demographics: a is there 2 times; give each its own name",
    ),
    "a scale upside down": (
        '[[instruments]]\nname = "own"\ntitle = "t"\n'
        '[[instruments.questions]]\nkey = "a"\ntext = "?"\nlow = 5\nhigh = 2',
        "instruments[0].questions[0]: question a: low must be below high",
    ),
}


@pytest.mark.parametrize(("text", "line"), ONE_MISTAKE.values(), ids=ONE_MISTAKE.keys())
def test_one_mistake_is_one_human_line(text: str, line: str) -> None:
    assert problems(f'name = "a"\n{text}') == [line]


def test_listed_sequences_name_conditions_and_every_condition_once() -> None:
    told = problems(
        """
        name = "a"
        conditions = [{ interface = "click", sampling = "active" },
                      { interface = "click", sampling = "random" }]
        [sequences]
        plan = "listed"
        listed = [["click-activ", "click-random"],
                  ["click-random", "click-active", "click-random"]]
        """
    )
    assert told == [
        "sequences.listed[0] = 'click-activ' is not a condition; did you mean 'click-active'?",
        "sequences.listed[0] leaves out click-active",
        "sequences.listed[1] repeats a condition",
    ]


def test_what_hangs_on_a_broken_part_is_not_told_but_the_rest_is() -> None:
    told = problems(
        """
        name = "a"
        conditions = [{ interface = "clik", sampling = "active" }]
        [sequences]
        plan = "listed"
        listed = [["click-active"]]
        [task]
        page = 300
        """
    )
    assert told == [
        "conditions[0].interface = 'clik' is not an interface; did you mean 'click'?",
        "task.page = 300 is larger than task.batch = 256; a page is a part of a batch",
    ]


def test_ones_own_instrument_may_be_asked() -> None:
    config = parse(
        tomllib.loads(
            """
            name = "a"
            questionnaires = ["paper", "own"]
            [[instruments]]
            name = "own"
            title = "Mine"
            questions = [{ key = "tired", text = "I am tired." }]
            """
        )
    )
    assert config.instruments[0].questions[0].high == 5


def test_an_empty_file_lacks_only_its_name() -> None:
    assert problems("") == ["name is missing"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match=r"x\.toml: cannot be read \(No such file"):
        load(tmp_path / "x.toml")


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match=r"cannot be read \(Is a directory\)"):
        load(tmp_path)


@pytest.mark.parametrize("raw", [b"name = ", b"\xff\xfe", b"name: a"])
def test_what_is_not_toml(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "study.toml").write_bytes(raw)
    with pytest.raises(StudyFileError, match=r"study\.toml: not valid TOML"):
        load(tmp_path / "study.toml")


def test_the_hash_is_sha256_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes('name = "a"\r\ntitle = "Bootß"\r\n'.encode())
    file = load(path)
    assert file.hash == hashlib.sha256(path.read_bytes()).hexdigest()
    assert file.hash == subprocess.check_output(["sha256sum", path], text=True).split()[0]
    path.write_bytes(path.read_bytes() + b"\n")
    assert load(path).hash != file.hash


def test_paths_in_the_file_are_relative_to_it(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('name = "a"\n')
    file = load(path)
    assert file.resolve(Path("data/x")) == tmp_path.resolve() / "data" / "x"
    assert file.resolve(Path("/data/x")) == Path("/data/x")


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    file = tmp_path / "study.toml"
    file.write_bytes(b'\xef\xbb\xbfname = "x"\n')
    assert load(file).config.name == "x"
