"""Every sentence that participants read comes from the catalogues, and these are complete."""

from __future__ import annotations

import ast
import json
import re
import time
from pathlib import Path
from string import Formatter

import pytest
from streamlit.testing.v1 import AppTest

from apps import canvas
from apps.web.desk import Desk
from apps.web.wording import wording
from study.config import StudyFileError, load, parse
from study.directory import StudyDirectory
from study.interfaces.interface import Interface
from study.interfaces.registry import BUILT_IN
from study.languages import LANGUAGES, Speech, catalogue
from study.protocol.agreement import receipt
from study.protocol.events import (
    Answered,
    BatchSelected,
    Consented,
    Described,
    Instructed,
    Payload,
    Screened,
    TaskStarted,
    Withdrawn,
)
from study.protocol.session import enrol
from study.protocol.steps import Break, Debriefing, Done, Questionnaire

STUDY = """
name = "wording"
title = "A study of words"
languages = ["en", "ja", "de"]
consents = [{key = "share", text = "You may share it."}]
screening = [{key = "age", text = "Age?", kind = "number", least = 18}]
questionnaires = ["paper", "nasa-tlx"]
conditions = [
    {interface = "click", sampling = "random"}, {interface = "click", sampling = "entropy"},
]
[task]
minutes = 0.01
[practice]
items = 0
[recruitment]
completed = {code = "4711", redirect = "https://app.example/4711"}
[texts.ja]
title = "言葉の研究"
"You may share it." = "共有してかまいません。"
"Age?" = "年齢は？"
[texts.de]
title = "Eine Studie der Wörter"
"You may share it." = "Sie dürfen es teilen."
"Age?" = "Alter?"
"""
FOREIGN = [code for code in LANGUAGES if code != "en"]


def parts(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("language", FOREIGN)
def test_every_sentence_has_a_translation_with_the_same_gaps(language: str) -> None:
    """After a change of what is said: ``python -m apps.web.wording``, and fill what is empty."""
    said, found = wording(), {m.id: m for m in catalogue(language) if m.id}
    assert [id for id in said if id not in found] == []
    assert [id for id in found if id not in said] == []
    for id, message in found.items():
        assert not message.fuzzy
        several = isinstance(id, tuple)
        for text in message.string if several else (message.string,):
            assert text, f"{language}.po: {id!r} has no translation"
            # "an image" needs no number
            allowed = [parts(one) for one in id] if several else [parts(id)]
            assert parts(text) in allowed, id


def test_numbers_shares_and_dates_are_written_as_the_language_writes_them() -> None:
    german = Speech("de")
    assert german("{time} left", time=1234.5).endswith("1.234,5")
    assert german.percent(0.5) == "50\u00a0%"
    assert "1970年1月1日" in Speech("ja").moment(0.0)


def test_a_text_of_the_file_without_a_translation_is_a_mistake() -> None:
    with pytest.raises(StudyFileError, match=r"texts.ja has no translation of 'Mine'"):
        parse({"name": "a", "languages": ["en", "ja"], "title": "Mine"})
    with pytest.raises(StudyFileError, match=r"texts.de is of a language that languages does not"):
        parse({"name": "a", "texts": {"de": {"title": "x"}}})
    parse({"name": "a", "languages": ["de", "en"]})  # what is built in needs none


# -- nothing bypasses it -------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    (tmp_path / "study.toml").write_text(STUDY)
    directory = StudyDirectory.create(tmp_path / "run", load(tmp_path / "study.toml"))
    directory.baseline.write_text(json.dumps({"test": {"accuracy": 0.5}}))
    monkeypatch.setenv("CLICKSTUDY_DIRECTORY", str(directory.path))
    desk = Desk(directory.path)
    enrol(desk.layout.study, "P01", "pilot", time.time())
    return desk


def participant() -> None:
    from apps.web.participant import page
    from apps.web.server import current_desk

    page(current_desk())


def shown(app: AppTest) -> list[str]:
    """Every text on the page."""
    assert not app.exception
    kinds = ("title", "header", "markdown", "caption", "error", "warning", "info")
    texts = [one.value for kind in kinds for one in getattr(app, kind)]
    for kind in ("button", "checkbox", "number_input", "text_input", "text_area"):
        texts += [one.label for one in getattr(app, kind)]
    for kind in ("radio", "select_slider"):
        texts += [text for one in getattr(app, kind) for text in (one.label, *one.options)]
    texts += [one.proto.label for one in app.get("link_button") + app.get("download_button")]
    return [text for text in texts if "<style>" not in text]


def bypassing(text: str) -> str:
    """The letters of a text that no catalogue wrapped."""
    while text != (text := re.sub(r"⟦[^⟦⟧]*⟧", "", text)):
        pass
    return re.sub(r"[^A-Za-z]", "", text.replace(":red", "").replace("entropy", ""))


def answers(step: Questionnaire) -> list[Payload]:
    return [
        Answered(
            instrument=i.name,
            question=q.key,
            answer={"choice": (*q.choices, "")[0], "text": "x"}.get(q.kind, float(q.low)),
            position=step.position,
        )
        for i, q in step.questions
    ]


def test_no_sentence_on_a_page_bypasses_the_catalogue(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, plural = Speech.__call__, Speech.plural
    monkeypatch.setattr(Speech, "__call__", lambda s, *a, **k: f"⟦{call(s, *a, **k)}⟧")
    monkeypatch.setattr(Speech, "plural", lambda s, *a, **k: f"⟦{plural(s, *a, **k)}⟧")
    seat = desk.seat("P01")
    assert seat is not None
    over = {"strategy": "random", "images": (), "seconds": 0.0, "cycle": 1}
    way: list[Payload] = [
        Consented(), Screened(answers={"age": 20.0}, eligible=True), Described(answers={}),
        Instructed(interface="click"),
    ]  # fmt: skip
    pages = 0

    def look() -> None:
        nonlocal pages
        app = AppTest.from_function(participant, default_timeout=30)
        app.query_params["p"] = desk.token("P01")
        texts = shown(app.run())
        assert texts
        assert [text for text in texts if bypassing(text)] == []
        pages += 1

    for payload in way:
        look()
        seat.record(payload)
    while not isinstance(step := seat.step(), Debriefing | Done):
        position = getattr(step, "position", None)
        if isinstance(step, Questionnaire) or position == 1:
            look()
        if isinstance(step, Questionnaire):
            seat.record(*answers(step))
        elif isinstance(step, Break):
            from study.protocol.events import Rested

            seat.record(Rested(position=step.position, seconds=0.0))
        elif position is not None:
            seat.record(TaskStarted(position=position))
            seat.record(BatchSelected(position=position, **over))  # type: ignore[arg-type]
    look()
    seat.record(Withdrawn())
    look()
    entry = AppTest.from_function(participant, default_timeout=30).run()
    assert [text for text in shown(entry) if bypassing(text)] == []
    assert pages >= 10


WIDGETS = {
    "title", "header", "subheader", "markdown", "write", "caption", "text", "error", "warning",
    "info", "success", "button", "form_submit_button", "link_button", "download_button", "checkbox",
    "radio", "text_input", "text_area", "number_input", "slider", "select_slider", "selectbox",
}  # fmt: skip


@pytest.mark.parametrize("module", ["entry", "forms", "participant"])
def test_no_widget_of_a_participants_page_is_given_a_sentence_of_its_own(module: str) -> None:
    """Also on pages that no test opens."""
    tree = ast.parse(Path(f"apps/web/{module}.py").read_text(encoding="utf-8"))
    loose = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        of = getattr(getattr(call.func, "value", None), "id", "")
        if of != "log" and getattr(call.func, "attr", "") in WIDGETS and call.args:
            first = call.args[0]
            texts = first.values if isinstance(first, ast.JoinedStr) else [first]
            literal = [t.value for t in texts if isinstance(t, ast.Constant)]
            loose += [text for text in literal if bypassing(str(text))]
    assert loose == []


@pytest.mark.parametrize("one", BUILT_IN)
def test_captions_of_pictures_are_said_in_the_language(one: type[Interface]) -> None:
    drawn = canvas.picture(one(), lambda text: f"⟦{text}⟧").decode()
    captions = re.findall(r"<text[^>]*>([^<]*)", drawn)
    assert captions
    assert [text for text in captions if bypassing(text)] == []


STRING = re.compile(r"""([\w.$]*)(\(?)("(?:[^"\\\n]|\\.)*"|`[^`]*`)""")
PROSE = re.compile(r"[A-Za-z]{2,}[,.]? [a-z]{2,}|[A-Z][a-z]+ ?[…:.]")
ASIDE = ("Error", "console.warn", "matchMedia", "querySelector", "querySelectorAll", "closest", "$")
"""What is called with words that nobody reads."""
LOGGED = {'"left by the participant"', '"nothing is open"'}


def test_no_sentence_in_a_script_bypasses_the_catalogue() -> None:
    loose = []
    for name, text in canvas.modules().items():
        if name.startswith(("vendor/", "sandbox")):
            continue
        code = re.sub(r"/\*.*?\*/|(?<![:\w\"])//[^\n]*", "", text.decode(), flags=re.DOTALL)
        for caller, _, literal in STRING.findall(code):
            prose = re.sub(r"\$\{[^}]*\}", "", literal)
            aside = caller.endswith(ASIDE) or caller in ("t", "N") or literal in LOGGED
            if PROSE.search(prose) and not aside:
                loose.append(f"{name}: {literal}")
    assert loose == []


# -- a participant's language --------------------------------------------------------------


def test_the_consent_settles_the_language_and_is_kept_as_it_was_read(desk: Desk) -> None:
    app = AppTest.from_function(participant, default_timeout=30)
    app.query_params["p"] = desk.token("P01")
    app.query_params["lang"] = "ja"
    app.run()
    assert app.title[0].value == "言葉の研究"
    for box in app.checkbox:
        box.check()
    app.run()
    app.button[0].click().run()
    (event,) = (
        e
        for e in desk.layout.study.store.events("P01")
        if isinstance(given := e.payload, Consented)
    )
    given = event.payload
    assert isinstance(given, Consented)
    assert (given.language, given.text[:3], given.optional) == ("ja", "写真を", {"share": True})
    seat = desk.seat("P01")
    assert seat is not None
    assert seat.say.code == "ja"
    assert seat.state()["place"]["stages"][0] == "ようこそ"
    kept = receipt(desk.config, event, seat.say)
    assert "[x] 共有してかまいません。" in kept
    assert "参加者: P01" in kept


def test_a_choice_is_logged_as_the_file_has_it(desk: Desk) -> None:
    seat = desk.seat("P01")
    assert seat is not None
    seat.record(Consented(language="de"), Screened(answers={"age": 20.0}, eligible=True))
    app = AppTest.from_function(participant, default_timeout=30)
    app.query_params["p"] = desk.token("P01")
    app.run()
    app.radio[0].set_value("female").run()
    assert app.radio[0].options[0] == "weiblich"
    app.button[0].click().run()
    (described,) = (
        e.payload for e in desk.layout.study.store.events("P01") if isinstance(e.payload, Described)
    )
    assert described.answers == {"gender": "female"}
