"""Every sentence that participants read, found where it is said, and the catalogues kept of them.

``python -m apps.web.wording`` writes the catalogues (``study/languages/*.po``) anew: what is no
longer said leaves them, and what is new stands in them without a translation, for a test to find.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import write_po

from apps import canvas
from apps.web.forms import UNSET
from study.config.models import CONSENT
from study.config.questions import PAPER_DEMOGRAPHICS
from study.interfaces.dialogue import Dialogue
from study.interfaces.interface import Interface
from study.interfaces.registry import BUILT_IN
from study.interfaces.verify import SAYS
from study.languages import LANGUAGES, SOURCE, catalogue
from study.protocol.questionnaire import BUILT_IN as INSTRUMENTS

Id = str | tuple[str, str]
PAGES = (
    *(
        f"apps/web/{name}.py"
        for name in (
            "comparison",
            "desk",
            "entry",
            "forms",
            "participant",
            "recording",
            "routes",
            "state",
            "welcome",
        )
    ),
    "study/protocol/agreement.py",
)
"""Modules that speak to participants themselves, with ``say``."""
INTERFACES: tuple[type[Interface], ...] = (*BUILT_IN, Dialogue)
JUDGING = ("Verdict", "outlined")
SCENES = ("airplane", "boat")
"""The classes of drawn scenes: studies of photographs name their own."""
ATTRIBUTES = ("aria-label", "title", "aria-roledescription", "alt")


def wording() -> dict[Id, str]:
    """Every sentence (of a plural: both) by the file that says it; the first of several."""
    found: dict[Id, str] = {}
    for place, sentences in _said():
        for sentence in sentences:
            if any(character.isalpha() for character in "".join(sentence)):
                found.setdefault(sentence, place)
    return found


def _said() -> Iterator[tuple[str, Iterator[Id]]]:
    # what the canvas says itself comes first: it is handed these
    yield "apps/canvas/workspace.html", _in_html(canvas.source("workspace.html"))
    for name, text in canvas.modules().items():
        if not name.startswith(("vendor/", "sandbox")):
            yield f"apps/canvas/{name}", _extracted("javascript", text, {"t": None, "N": None})
    yield "apps/web/forms.py", iter((UNSET,))
    answers = (answer for one in INTERFACES for answer in one.answers)
    yield "apps/canvas/answers", answers
    for path in PAGES:
        package, _, name = path.rpartition("/")
        text = files(package.replace("/", ".")).joinpath(name).read_bytes()
        yield path, _extracted("python", text, {"say": None, "plural": (1, 2)})
    for one in INTERFACES:
        path = f"study/interfaces/{one.__module__.rpartition('.')[2]}.py"
        yield path, _words(one)
        if one is not Dialogue:  # it has no picture: each of its interfaces has
            yield f"apps/canvas/interfaces/{one.name}.svg", iter(canvas.captions(one()))
        text = files("study.interfaces").joinpath(path.rpartition("/")[2]).read_bytes()
        yield path, _judgements(text)
    for package, name in (("study.interfaces", "judging.py"), ("study", "practice.py")):
        text = files(package).joinpath(name).read_bytes()
        yield f"{package.replace('.', '/')}/{name}", _judgements(text)
    yield "study/interfaces/verify.py", iter(SAYS.values())
    yield "study/data/scenes.py", iter(SCENES)
    yield "study/config/models.py", iter((CONSENT,))
    yield "study/config/questions.py", _questions()
    yield "study/protocol/questionnaire.py", _instruments()


def _extracted(kind: str, text: bytes, keywords: dict[str, tuple[int, ...] | None]) -> Iterator[Id]:
    for _, message, *_ in extract(kind, io.BytesIO(text), keywords=keywords):
        yield message  # type: ignore[misc]


def _words(one: type[Interface]) -> Iterator[str]:
    words = one.words
    yield from (words.doing, words.intro, *words.steps, words.figure, words.prompt)
    yield from (words.practice, words.beside, *words.touch)
    for pair in words.legend:
        yield from pair


def _judgements(text: bytes) -> Iterator[str]:
    """The sentences that verdicts are made with."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in JUDGING:
            for part in (part for argument in node.args for part in ast.walk(argument)):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value if " " in part.value else ""


def _questions() -> Iterator[str]:
    for question in PAPER_DEMOGRAPHICS:
        yield from (question.text, *question.choices)


def _instruments() -> Iterator[str]:
    for instrument in INSTRUMENTS.values():
        yield instrument.title
        for question in instrument.questions:
            yield from (question.text, *question.labels, *question.choices)


def _in_html(text: str) -> Iterator[str]:
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value for name, value in attrs if name in ATTRIBUTES and value)

        def handle_data(self, data: str) -> None:
            if any(character.isalpha() for character in data):
                found.append(data.strip())

    Reader().feed(text)
    return iter(found)


def main() -> None:
    """Write the catalogues anew, keeping their translations."""
    folder = Path(str(files("study.languages")))
    said = wording()
    for language in LANGUAGES:
        if language == SOURCE:
            continue
        path = folder / f"{language}.po"
        old = catalogue(language) if path.exists() else Catalog(locale=language)
        new = Catalog(locale=language, project="clickstudy", fuzzy=False)
        new.creation_date = new.revision_date = old.creation_date
        for sentence, place in said.items():
            known = old.get(sentence[0] if isinstance(sentence, tuple) else sentence)
            new.add(
                sentence,
                known.string if known else None,
                locations=[(place, 0)],
                # what babel would take for %-formatting is ours, with braces
                flags=(),
            )
        with path.open("wb") as file:
            write_po(file, new, width=100, include_lineno=False, ignore_obsolete=True)


if __name__ == "__main__":
    main()
