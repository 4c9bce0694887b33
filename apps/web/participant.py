"""The participant's pages: one function for each step that is a form.

Practice, annotation, attention checks and waiting are not here: they live in the workspace
component, which talks to the routes and tells this script only when another page is due.
"""

from __future__ import annotations

import base64
import html
import time
from typing import Any

import streamlit as st

from apps import canvas
from apps.web import _compat
from apps.web.address import prefix
from apps.web.comparison import before_and_after
from apps.web.desk import Desk, Seat
from apps.web.entry import entry, go_on, take_up_language
from apps.web.forms import Form, answered, ask, missing
from apps.web.recording import record
from apps.web.state import page_of, words_of, workspace_of
from apps.web.welcome import consent, demographics, offer_receipt, screening
from study.config import StudyConfig
from study.interfaces import interface
from study.protocol.events import Debriefed, Instructed, Rested, TaskStarted
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


def page(desk: Desk) -> None:
    """The participant's page for whoever's link this is."""
    _compat.frame()
    seat = desk.admit(st.query_params.get("p"))
    if seat is None:
        entry(desk)
        return
    take_up_language(desk, seat)
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
        "base": prefix(),
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
            "interfaces": {
                name: words_of(interface(name), seat.say) for name in _used(desk.config)
            },
        },
        "language": {"code": seat.say.code, "words": seat.say.of("apps/canvas/")},
    }


def _onward(desk: Desk, seat: Seat, step: Step) -> str | None:
    """Where somebody is sent for whom the study is over."""
    if not isinstance(step, Done):
        return None
    ending = desk.config.recruitment.ending(step.status)
    return ending.address(seat.session.progress.recruited)


def _instructions(desk: Desk, seat: Seat, step: Instructions) -> None:
    how, say = interface(step.interface), seat.say
    st.title(say("How it works: {doing}", doing=say(how.words.doing)))
    about = say(
        "A computer programme has learned to recognise images, but it often looks at the wrong "
        "part of them."
    )
    st.markdown(say.together(about, say(how.words.intro)))
    figure = base64.b64encode(canvas.picture(how, say)).decode()
    st.html(
        f'<img width="560" alt="{html.escape(say(how.words.figure))}" '
        f'src="data:image/svg+xml;base64,{figure}">'
    )
    both = [
        say("**Undo** and **Redo** (Ctrl+Z, Ctrl+Shift+Z) go back and forth one step at a time."),
        say("**CONFIRM** when an image is done, or press **Nothing to correct here**."),
        say(
            "When all images are done, press **FINE-TUNE**: the computer learns from what you drew."
        ),
    ]
    if step.interface in desk.config.practice_workspace.show_attention:
        both.insert(
            0,
            say("The colours show what the computer looks at now: yellow most, blue a little.")
            if desk.config.workspace.colours == "cividis"
            else say("The colours show what the computer looks at now: red most, blue a little."),
        )
    st.markdown("\n".join(f"- {text}" for text in (*map(say, how.words.steps), *both)))
    items = desk.config.practice.items
    label = (
        say.plural("Practise on an image", "Practise on {number} images", items)
        if items
        else say("Continue")
    )
    if st.button(label, type="primary"):
        record(seat, Instructed(interface=step.interface))


def _start(desk: Desk, seat: Seat, step: StartTask) -> None:
    task, say = desk.config.task, seat.say
    doing = say(interface(step.condition.interface).words.doing)
    st.title(
        say("Task {number} of {all}: {doing}", number=step.position, all=step.tasks, doing=doing)
    )
    limits = {"doing": doing, "minutes": task.minutes, "images": task.images}
    here = desk.config.for_condition(step.condition).workspace
    said = (
        say(
            "In this task you correct the computer by **{doing}**, for up to {minutes} minutes.",
            **limits,
        )
        if task.images is None
        else say(
            "In this task you correct the computer by **{doing}**, for up to {minutes} minutes or "
            "{images} images.",
            **limits,
        ),
        say(
            "After every image it learns from your correction, and the next image shows what it "
            "then looks at. You get the images in rounds of {batch}.",
            batch=task.batch,
        )
        if here.feedback == "image"
        else say(
            "After every {batch} images it learns from your corrections, and then shows you the "
            "next ones.",
            batch=task.batch,
        ),
    )
    how = say(
        "Do the images in any order. Your time per image is measured, so please work steadily, and "
        "rest between the rounds."
    )
    st.markdown(f"{' '.join(said)}\n\n{how}")
    if st.button(say("START"), type="primary"):
        record(seat, TaskStarted(position=step.position))


def _questionnaire(desk: Desk, seat: Seat, step: Questionnaire) -> None:
    say = seat.say
    titles = {"results": say("The results"), "end": say("Last questions")}
    about = say("Questions about task {number}", number=step.position or 0)
    st.title(titles.get(step.when, about))
    if step.when == "results":
        st.markdown(
            say(
                "Below is what the computer looked at **before** and **after** it learned from you."
            )
        )
        named = any(question.sampling for _, question in step.questions)
        for task in seat.session.progress.tasks:
            picked = (
                say("random sampling")
                if task.condition.sampling == "random"
                else say("active learning")
            )
            before_and_after(desk, seat, task.position, f", {picked}" if named else "")
    form = Form(desk.board, seat.participant, page_of(step), say)
    answers: dict[str, str | float | None] = {}
    shown = ""
    for instrument, question in step.questions:
        if instrument.title != shown and step.when == "task":
            shown = instrument.title
            st.header(say(shown))
        answers[f"{instrument.name}/{question.key}"] = ask(form, instrument, question)
    asked = [(f"{i.name}/{q.key}", q.kind) for i, q in step.questions]
    left = missing(asked, answers)
    if form.marked and left:
        st.error(say("Please answer every question: {number} left.", number=len(left)))
    if st.button(say("Continue"), type="primary"):
        if left:
            form.mark(left)
        else:
            form.hand_in()
            record(seat, *answered(step.position, step.questions, answers))


def _break(desk: Desk, seat: Seat, step: Break) -> None:
    say = seat.say
    st.title(say("Time for a break"))
    st.markdown(
        say(
            "You have finished task {number}. Look away from the screen for a while.",
            number=step.position,
        )
    )
    _countdown(seat, step)


@st.fragment(run_every=1.0)
def _countdown(seat: Seat, step: Break) -> None:
    begun = seat.session.progress.last_at
    left = step.seconds - (time.time() - begun)
    minutes, seconds = divmod(max(int(left + 0.999), 0), 60)
    st.markdown(f"### {minutes}:{seconds:02d}")
    st.progress(min(max(1 - left / step.seconds, 0.0), 1.0))
    if st.button(seat.say("Continue"), type="primary", disabled=left > 0):
        seat.record(Rested(position=step.position, seconds=time.time() - begun))
        st.rerun(scope="app")


def _debriefing(desk: Desk, seat: Seat, step: Debriefing) -> None:
    say = seat.say
    st.title(say("What this was about"))
    st.markdown(
        say(
            "The computer had learned from images in which a thing and its surroundings almost "
            "always go together, so it looked at the surroundings. You told it where to look "
            "instead. Below is what it looked at **before** and **after** it learned from you."
        )
    )
    for task in seat.session.progress.tasks:
        before_and_after(desk, seat, task.position)
    if st.button(say("Finish"), type="primary"):
        record(seat, Debriefed())


def _done(desk: Desk, seat: Seat, step: Done) -> None:
    say = seat.say
    endings = {
        "completed": (say("Thank you!"), say("The study is complete. You may close this tab.")),
        "withdrawn": (
            say("You have left the study"),
            say("Thank you for your time. You may close this tab."),
        ),
        "ineligible": (
            say("Thank you"),
            say("This study looks for other people. You may close this tab."),
        ),
        "erased": (
            say("Your data are erased"),
            say("Nothing of what you did is left. You may close this tab."),
        ),
        "excluded": (
            say("The study has ended"),
            say("Thank you for your time. Please see the experimenter."),
        ),
    }
    title, text = endings[step.status]
    st.title(title)
    st.markdown(text)
    ending = desk.config.recruitment.ending(step.status)
    go_on(ending, seat.session.progress.recruited, say)
    if step.status == "withdrawn":
        _offer_erasing(seat)
    offer_receipt(desk, seat)


def _offer_erasing(seat: Seat) -> None:
    """Whoever has left may have what they did erased, now or when they open the link again."""
    say = seat.say
    st.markdown(say("What you did so far is still in the study. You may have it erased."))
    sure = st.checkbox(say("I want it erased. This cannot be undone."))
    if st.button(say("Erase what I did"), disabled=not sure):
        seat.erase()
        st.rerun()


FORMS: dict[type[Step], Any] = {
    Consent: consent,
    Screening: screening,
    Demographics: demographics,
    Instructions: _instructions,
    StartTask: _start,
    Questionnaire: _questionnaire,
    Break: _break,
    Debriefing: _debriefing,
    Done: _done,
}
