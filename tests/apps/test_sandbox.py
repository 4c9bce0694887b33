"""The sandbox: rounds by hand, at once, and nothing left of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from apps.web.sandbox import Panel, Sandbox, config_of, panel_of, strategies
from apps.web.sandbox_routes import app_of
from study.annotation import Annotation
from study.config import load
from study.errors import UserError

STUDY = """
name = "teaching"
questionnaires = ["nasa-tlx"]
[dataset]
kind = "scenes"
size = 32
train = 40
val = 8
test = 12
balanced = 12
[model]
name = "small"
width = 4
[pretraining]
epochs = 1
[task]
images = 4
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sandbox") / "study.toml"
    path.write_text(STUDY)
    return path


@pytest.fixture(scope="module")
def sandbox(study: Path) -> Sandbox:
    return Sandbox(load(study), study.parent / "kept", "cpu")


@pytest.fixture
def client(sandbox: Sandbox) -> TestClient:
    found = TestClient(app_of(sandbox, "token"))
    found.params = {"p": "token"}
    return found


def begun(client: TestClient, sandbox: Sandbox, **chosen: Any) -> dict[str, Any]:
    client.post("/sandbox/start", json={"panel": {"candidates": 3, **chosen}})
    sandbox.wait()
    state: dict[str, Any] = client.get("/api/state").json()["state"]
    assert state["problem"] == ""
    return state


def confirm(client: TestClient, batch: dict[str, Any], index: int) -> dict[str, Any]:
    message = {
        "id": f"message-{batch['position']}-{batch['cycle']}-{index}", "at": 1e9, "seconds": 1.0,
        "type": "annotated", "position": batch["position"], "cycle": batch["cycle"],
        "image": batch["images"][index], "actions": [], "learnt": None,
        "annotation": Annotation(positive_points=((0.5, 0.5),)).model_dump(mode="json"),
    }  # fmt: skip
    answer: dict[str, Any] = client.post("/api/events", json={"messages": [message]}).json()
    assert list(answer["results"].values()) == [None]
    return answer


def test_a_round_is_chosen_corrected_and_learned_from(client: TestClient, sandbox: Sandbox) -> None:
    state = begun(client, sandbox)
    assert (state["step"], state["batch"]["size"]) == ("Annotate", 3)
    assert [row["round"] for row in state["rounds"]] == [0]
    batch = client.get("/api/batch").json()
    place = f"{batch['position']}/1/0"
    for layer in ("image", "overlay", "regions"):
        assert client.get(f"/stimuli/{layer}/{place}").status_code == 200
    client.post("/api/fine-tune", json={})
    assert client.get("/api/state").json()["state"]["step"] == "Annotate"  # not before all are done
    for index in (0, 1, 2, 2):
        confirm(client, batch, index)
    assert client.get("/api/state").json()["state"]["step"] == "FineTune"
    client.post("/api/fine-tune", json={})
    sandbox.wait()
    state = client.get("/api/state").json()["state"]
    assert (state["step"], state["batch"]["cycle"], state["task"]["tuned"]) == ("Annotate", 2, 1)
    assert [row["images"] for row in state["rounds"]] == [0, 3]
    following = client.get("/api/batch").json()
    assert not set(following["images"]) & set(batch["images"])
    gallery = client.get("/api/gallery").json()
    assert len(gallery["labels"]) == 8  # every validation image
    assert client.get(f"/stimuli/view/{batch['position']}/1/7").status_code == 200
    assert client.get("/stimuli/gallery/7").status_code == 200


def test_stop_forgets_and_nothing_of_it_is_on_the_disk(
    client: TestClient, sandbox: Sandbox, study: Path
) -> None:
    begun(client, sandbox)
    confirm(client, client.get("/api/batch").json(), 0)
    client.post("/sandbox/stop", json={})
    state = client.get("/api/state").json()["state"]
    assert (state["page"], state["step"]) == ("panel", "Panel")
    assert "task" not in state
    names = [path.name for path in study.parent.rglob("*")]
    assert not [name for name in names if "events" in name or "sqlite" in name or "models" in name]


@pytest.mark.parametrize("interface", ["click", "polygon", "box", "paint"])
def test_the_panel_chooses(client: TestClient, sandbox: Sandbox, interface: str) -> None:
    state = begun(client, sandbox, interface=interface, strategy="margin", w_g=0.0, candidates=2)
    assert (state["task"]["interface"], state["batch"]["size"]) == (interface, 2)
    assert sandbox.run is not None
    assert sandbox.run.config.acquisition.active == "margin"
    assert sandbox.run.config.guidance.w_g == 0.0


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"candidates": 0}, "candidates"),
        ({"strategy": "entrpy"}, "strategy: there is no 'entrpy' here"),
        ({"w_g": "much"}, "w_g"),
        ({"temperature": 1}, "temperature"),
    ],
)
def test_what_cannot_be_chosen_is_a_sentence(
    client: TestClient, said: dict[str, Any], sentence: str
) -> None:
    answer = client.post("/sandbox/start", json={"panel": said})
    assert answer.status_code == 400
    assert sentence in answer.json()["problem"]


def test_a_head_learns_whatever_the_file_says(study: Path) -> None:
    config = config_of(load(study), Panel(dataset="background", anchor=0.2))
    assert (config.fine_tuning.train, config.fine_tuning.anchor) == ("head", 0.2)
    assert config.dataset.scene == "background"  # type: ignore[union-attr]


def test_no_strategy_of_the_sandbox_looks_back_over_a_training() -> None:
    assert {"random", "entropy", "attention"} <= set(strategies())
    assert "label-dispersion" not in strategies()
    with pytest.raises(UserError):
        panel_of({"strategy": "label-dispersion"})


def test_the_page_says_what_it_is_and_lets_no_stranger_in(client: TestClient) -> None:
    page = client.get("/")
    assert "Nothing that is done here is recorded" in page.text
    assert "{{" not in page.text
    assert client.get("/", params={"p": "other"}).status_code == 403
    assert client.post("/sandbox/start", params={"p": "x"}, json={}).status_code == 403


def test_what_takes_long_is_named_and_timed(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features of the first model were computed without a word."""
    file = tmp_path / "study.toml"
    file.write_text(study.read_text().replace("epochs = 1", 'epochs = 3\ntrain = "head"'))
    sandbox = Sandbox(load(file), tmp_path / "kept", "cpu")
    told: list[tuple[str, float | None]] = []
    progress = sandbox._progress

    def heard(what: str, done: int, total: int) -> None:
        progress(what, done, total)
        state = sandbox.state()
        told.append((state["preparing"], state["job"]["seconds_left"]))

    monkeypatch.setattr(sandbox, "_progress", heard)
    sandbox.start(Panel(candidates=2))
    sandbox.wait()
    assert sandbox.problem == ""
    texts = [text for text, _ in told]
    # all splits are one count: 40 + 8 + 12 + 12 images, at most 32 at a time
    assert texts[:5] == [f"features {done}/72" for done in (32, 40, 48, 60, 72)]
    assert "train 3/3" in texts
    # as soon as something is done, the rest is estimated; another phase begins anew
    assert [left is None for _, left in told[:3]] == [True, False, False]
    assert told[4][1] == 0
    first_of_training = texts.index(next(text for text in texts if text.startswith("train")))
    assert told[first_of_training][1] is None
