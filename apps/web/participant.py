"""The participant's pages: one function for each step that is a form.

Practice, annotation, attention checks and waiting are not here: they live in the workspace
component, which talks to the routes and tells this script only when another page is due.
"""

from __future__ import annotations

import base64
import html
import math
import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from apps import canvas
from apps.web import _compat
from apps.web.desk import Desk, Seat
from apps.web.forms import Form, answered, ask, ask_demographics, missing
from apps.web.guard import address_of
from apps.web.routes import accuracies, latest_view
from apps.web.state import page_of, words_of, workspace_of
from apps.web.stimuli import shares
from study.config import Ending, StudyConfig
from study.interfaces import interface
from study.protocol.agreement import consented, receipt
from study.protocol.events import (
    Consented,
    Debriefed,
    Described,
    Instructed,
    Mode,
    Payload,
    Rested,
    Screened,
    TaskStarted,
)
from study.protocol.questionnaire import problem_with_demographics
from study.protocol.recruiting import join
from study.protocol.session import ProtocolError
from study.protocol.steps import (
    Break,
    Consent,
    Debriefing,
    Demographics,
    Done,
    Instructions,
    Questionnaire,
    Screening,
    StartTask,
    Step,
)

PICKED = {"random": "random sampling", "active": "active learning"}
BOTH = (
    "The colours show what the computer looks at now: {most} most, blue a little.",
    "**Undo** and **Redo** (Ctrl+Z, Ctrl+Shift+Z) go back and forth one step at a time.",
    "**CONFIRM** when an image is done, or press **Nothing to correct here**.",
    "When all images are done, press **FINE-TUNE**: the computer learns from what you drew.",
)


def page(desk: Desk) -> None:
    """The participant's page for whoever's link this is."""
    _compat.frame()
    seat = desk.admit(st.query_params.get("p"))
    if seat is None:
        _entry(desk)
        return
    step = seat.step()
    _compat.workspace(_data(desk, seat, step), on_advance=lambda: None)
    form = FORMS.get(type(step))
    if form is not None:
        with st.container(key="wide" if isinstance(step, Debriefing) else "form"):
            form(desk, seat, step)


def _used(config: StudyConfig) -> list[str]:
    """The study's interfaces."""
    return list(dict.fromkeys(n for each in config.conditions for n in config.interfaces_of(each)))


def _data(desk: Desk, seat: Seat, step: Step) -> dict[str, Any]:
    workspace = workspace_of(desk.config, seat.session.progress, step)
    return {
        "token": desk.token(seat.participant),
        "base": "",
        "page": page_of(step),
        "reveal": st.session_state.get("reveal"),
        "onward": _onward(desk, seat, step),
        "config": {
            "show_attention": list(workspace.show_attention),
            "opacity": workspace.opacity,
            "environment": True,
            "smallest_window": list(workspace.smallest_window),
            "test_mode": workspace.test_mode,
            "feedback": workspace.feedback,
            "preview": workspace.preview,
            "hotkeys": workspace.hotkeys.model_dump(),
            "interfaces": {name: words_of(interface(name)) for name in _used(desk.config)},
        },
    }


def _onward(desk: Desk, seat: Seat, step: Step) -> str | None:
    """Where somebody is sent for whom the study is over."""
    if not isinstance(step, Done):
        return None
    ending = desk.config.recruitment.ending(step.status)
    return ending.address(seat.session.progress.recruited)


def _record(seat: Seat, *payloads: Payload) -> None:
    """Log and go on; what another tab has said already is not an error to show."""
    try:
        seat.record(*payloads)
    except ProtocolError as error:
        st.warning(f"This was not recorded: {error}.")
        return
    st.rerun()


def _entry(desk: Desk) -> None:
    mode = desk.invited(st.query_params.get("join", ""))
    with st.container(key="form"):
        st.title(desk.config.title or desk.config.name)
        if mode is not None:
            _open_entry(desk, mode)
            return
        if st.query_params.get("p"):
            st.warning("This link is not complete or not of this study. Type your code instead.")
        st.markdown(
            "This study asks people to correct what a computer looks at in images. The "
            "experimenter gives every participant a code of eight letters and digits."
        )
        with st.form("entry", border=False):
            typed = st.text_input("Your code", placeholder="ABCD-2345")
            if st.form_submit_button("Begin", type="primary"):
                address = address_of(st.context.ip_address)
                wait = desk.guard.try_(
                    address, "code", lambda: desk.admit_by_code(typed) is not None
                )
                token = desk.admit_by_code(typed) if wait is None else None
                if token is None:
                    again = f" Try again in {math.ceil(wait)} s." if wait else ""
                    st.error(f"Nobody has this code. Check it with the experimenter.{again}")
                else:
                    st.query_params["p"] = token
                    st.rerun()


REFUSED = {
    "closed": "Nobody can join the study now.",
    "full": "All places of the study are taken. Thank you for your interest.",
    "incomplete": "This link is not complete. Please use it as you got it.",
}


def _open_entry(desk: Desk, mode: Mode) -> None:
    """Open enrolment: a place is taken when it is asked for, not by whatever previews the link."""
    st.markdown("This study asks people to correct what a computer looks at in images.")
    if st.button("Begin", type="primary"):
        given = {name: st.query_params[name] for name in st.query_params}
        found = join(desk.layout.study, mode, given, time.time())
        if found.participant is not None:
            st.query_params.from_dict({"p": desk.token(found.participant)})
            st.rerun()
        st.warning(REFUSED[found.problem])
        if found.problem == "full":
            _go_on(desk.config.recruitment.full, given)


def _go_on(ending: Ending, parameters: Mapping[str, str]) -> None:
    """The code to copy, and the way back to where somebody came from."""
    if ending.code:
        st.markdown("Your code:")
        st.code(ending.code, language=None)
    address = ending.address(parameters)
    if address is not None:
        st.markdown("You are taken on from here in a moment, or when you press:")
        st.link_button("Go on", address, type="primary")


def _consent(desk: Desk, seat: Seat, step: Consent) -> None:
    st.title(desk.config.title or "Welcome")
    st.markdown(step.text)
    agreed = st.checkbox("I have read this and I agree to take part.")
    if desk.config.consents:
        st.markdown("As you like; you can take part without:")
    optional = {one.key: st.checkbox(one.text) for one in desk.config.consents}
    if st.button("Continue", type="primary", disabled=not agreed):
        _record(seat, consented(desk.config, step.text, optional))


def _receipt(desk: Desk, seat: Seat) -> None:
    """What was agreed to, to keep."""
    log = desk.layout.study.store.events(seat.participant)
    given = next((event for event in log if isinstance(event.payload, Consented)), None)
    if given is not None:
        text = receipt(desk.config, given)
        st.download_button("Keep a copy of what you agreed to", text, "consent.txt", "text/plain")


def _screening(desk: Desk, seat: Seat, step: Screening) -> None:
    st.title("May you take part?")
    form = Form(desk.board, seat.participant, "screening")
    answers = ask_demographics(form, step.questions)
    if st.button("Continue", type="primary"):
        given = {key: value for key, value in answers.items() if value not in (None, "")}
        problem = problem_with_demographics(step.questions, given)
        if problem or len(given) < len(step.questions):
            st.error(f"Please check your answers: {problem or 'every question needs one'}.")
            return
        form.hand_in()
        right = all(one.accepts(given[one.key]) for one in step.questions)
        _record(seat, Screened(answers=given, eligible=right))
    _receipt(desk, seat)


def _demographics(desk: Desk, seat: Seat, step: Demographics) -> None:
    st.title("About you")
    st.markdown("You may leave a question out.")
    form = Form(desk.board, seat.participant, "demographics")
    answers = ask_demographics(form, step.questions)
    if st.button("Continue", type="primary"):
        given = {key: value for key, value in answers.items() if value not in (None, "")}
        problem = problem_with_demographics(step.questions, given)
        if problem:
            st.error(f"Please check your answers: {problem}.")
            return
        form.hand_in()
        _record(seat, Described(answers=given))
    _receipt(desk, seat)


def _instructions(desk: Desk, seat: Seat, step: Instructions) -> None:
    how = interface(step.interface)
    shows = step.interface in desk.config.practice_workspace.show_attention
    st.title(f"How it works: {how.words.doing}")
    st.markdown(
        "A computer programme has learned to recognise images, but it often looks at the wrong "
        f"part of them. {how.words.intro}"
    )
    figure = base64.b64encode(canvas.picture(how)).decode()
    st.html(
        f'<img width="560" alt="{html.escape(how.words.figure)}" '
        f'src="data:image/svg+xml;base64,{figure}">'
    )
    most = "yellow" if desk.config.workspace.colours == "cividis" else "red"
    both = [text.format(most=most) for text in (BOTH if shows else BOTH[1:])]
    st.markdown("\n".join(f"- {text}" for text in (*how.words.steps, *both)))
    items = desk.config.practice.items
    images = "an image" if items == 1 else f"{items} images"
    label = f"Practise on {images}" if items else "Continue"
    if st.button(label, type="primary"):
        _record(seat, Instructed(interface=step.interface))


def _start(desk: Desk, seat: Seat, step: StartTask) -> None:
    task = desk.config.task
    doing = interface(step.condition.interface).words.doing
    st.title(f"Task {step.position} of {step.tasks}: {doing}")
    limit = f"up to {task.minutes:g} minutes" + (
        f" or {task.images} images" if task.images is not None else ""
    )
    here = desk.config.for_condition(step.condition).workspace
    learning = (
        "After every image it learns from your correction, and the next image shows what it then "
        f"looks at. You get the images in rounds of {task.batch}."
        if here.feedback == "image"
        else f"After every {task.batch} images it learns from your corrections, and then shows you "
        "the next ones."
    )
    st.markdown(
        f"In this task you correct the computer by **{doing}**, for "
        f"{limit}. {learning}\n\nDo the images in any order. Your time per image is measured, so "
        "please work steadily, and rest between the rounds."
    )
    if st.button("START", type="primary"):
        _record(seat, TaskStarted(position=step.position))


def _questionnaire(desk: Desk, seat: Seat, step: Questionnaire) -> None:
    titles = {"results": "The results", "end": "Last questions"}
    st.title(titles.get(step.when, f"Questions about task {step.position}"))
    if step.when == "results":
        st.markdown(
            "Below is what the computer looked at **before** and **after** it learned from you."
        )
        named = any(question.sampling for _, question in step.questions)
        for task in seat.session.progress.tasks:
            picked = PICKED["random" if task.condition.sampling == "random" else "active"]
            _before_and_after(desk, seat, task.position, f", {picked}" if named else "")
    form = Form(desk.board, seat.participant, page_of(step))
    answers: dict[str, str | float | None] = {}
    shown = ""
    for instrument, question in step.questions:
        if instrument.title != shown and step.when == "task":
            shown = instrument.title
            st.header(shown)
        answers[f"{instrument.name}/{question.key}"] = ask(form, instrument, question)
    asked = [(f"{i.name}/{q.key}", q.kind) for i, q in step.questions]
    left = missing(asked, answers)
    if form.marked and left:
        st.error(f"Please answer every question: {len(left)} left.")
    if st.button("Continue", type="primary"):
        if left:
            form.mark(left)
        else:
            form.hand_in()
            _record(seat, *answered(step.position, step.questions, answers))


def _break(desk: Desk, seat: Seat, step: Break) -> None:
    st.title("Time for a break")
    st.markdown(f"You have finished task {step.position}. Look away from the screen for a while.")
    _countdown(seat, step)


@st.fragment(run_every=1.0)
def _countdown(seat: Seat, step: Break) -> None:
    begun = seat.session.progress.last_at
    left = step.seconds - (time.time() - begun)
    minutes, seconds = divmod(max(int(left + 0.999), 0), 60)
    st.markdown(f"### {minutes}:{seconds:02d}")
    st.progress(min(max(1 - left / step.seconds, 0.0), 1.0))
    if st.button("Continue", type="primary", disabled=left > 0):
        seat.record(Rested(position=step.position, seconds=time.time() - begun))
        st.rerun(scope="app")


def _debriefing(desk: Desk, seat: Seat, step: Debriefing) -> None:
    st.title("What this was about")
    st.markdown(
        "The computer had learned from images in which a thing and its surroundings almost always "
        "go together, so it looked at the surroundings. You told it where to look instead. "
        "Below is what it looked at **before** and **after** it learned from you."
    )
    for task in seat.session.progress.tasks:
        _before_and_after(desk, seat, task.position)
    if st.button("Finish", type="primary"):
        _record(seat, Debriefed())


def _before_and_after(desk: Desk, seat: Seat, position: int, more: str = "") -> None:
    doing = interface(seat.session.progress.task(position).condition.interface).words.doing
    stimuli, cycle = desk.layout.stimuli, latest_view(seat, position)
    validation, before = stimuli.validation(), stimuli.view(stimuli.view_path(None))
    if validation is None or before is None or not cycle:
        return
    right = [
        f"on {kind}: {_percent(first)} before, {_percent(last)} after"
        for kind, (first, last) in accuracies(seat, position).items()
    ]
    st.header(f"Task {position}, by {doing}{more}")
    st.markdown(f"Right answers {'; '.join(right)}.")
    token = desk.token(seat.participant)
    # those that changed most say most
    after = stimuli.view(stimuli.view_path(seat.participant, position, cycle))
    assert after is not None
    change = abs(shares(after.maps) - shares(before.maps)).sum((1, 2))
    labels = [html.escape(validation.labels[index]) for index in validation.gallery]
    cells = "".join(
        f'<figure><div><img alt="{labels[i]}, {name}: the image" '
        f'src="/stimuli/gallery/{i}?p={token}">'
        f'<img class="layer" alt="{labels[i]}, {name}: where the computer looked" '
        f'src="/stimuli/view/{position}/{side}/{i}?p={token}"></div>'
        f"<figcaption>{name}</figcaption></figure>"
        for i in change.argsort()[::-1][:4]
        for side, name in ((0, "before"), (cycle, "after"))
    )
    st.html(f"{_FIGURES}<div class='pairs'>{cells}</div>")


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


_FIGURES = """<style>
.pairs { display: flex; flex-wrap: wrap; gap: 4px; }
.pairs figure { margin: 0; width: 140px; } .pairs figure:nth-child(even) { margin-right: 16px; }
.pairs div { position: relative; width: 140px; height: 140px; }
.pairs img { position: absolute; inset: 0; width: 100%; height: 100%; }
.pairs .layer { opacity: .6; } .pairs figcaption { font-size: 12px; color: #4a5561; }
</style>"""

_ENDINGS = {
    "completed": ("Thank you!", "The study is complete. You may close this tab."),
    "withdrawn": ("You have left the study", "Thank you for your time. You may close this tab."),
    "ineligible": ("Thank you", "This study looks for other people. You may close this tab."),
    "erased": ("Your data are erased", "Nothing of what you did is left. You may close this tab."),
    "excluded": ("The study has ended", "Thank you for your time. Please see the experimenter."),
}


def _done(desk: Desk, seat: Seat, step: Done) -> None:
    title, text = _ENDINGS[step.status]
    st.title(title)
    st.markdown(text)
    ending = desk.config.recruitment.ending(step.status)
    _go_on(ending, seat.session.progress.recruited)
    if step.status == "withdrawn":
        _offer_erasing(seat)
    _receipt(desk, seat)


def _offer_erasing(seat: Seat) -> None:
    """Whoever has left may have what they did erased, now or when they open the link again."""
    st.markdown("What you did so far is still in the study. You may have it erased.")
    sure = st.checkbox("I want it erased. This cannot be undone.")
    if st.button("Erase what I did", disabled=not sure):
        seat.erase()
        st.rerun()


FORMS: dict[type[Step], Any] = {
    Consent: _consent,
    Screening: _screening,
    Demographics: _demographics,
    Instructions: _instructions,
    StartTask: _start,
    Questionnaire: _questionnaire,
    Break: _break,
    Debriefing: _debriefing,
    Done: _done,
}
