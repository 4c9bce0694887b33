"""The first pages: what a participant agrees to, whether they may take part, and who they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from apps.web.desk import Desk, Seat
from apps.web.entry import choose_language
from apps.web.forms import Form, ask_demographics, out_of_range
from apps.web.recording import record
from study.config.questions import DemographicQuestion
from study.protocol.agreement import consented, receipt
from study.protocol.events import Consented, Described, Payload, Screened
from study.protocol.steps import Consent, Demographics, Screening

Answers = dict[str, str | float]


def consent(desk: Desk, seat: Seat, step: Consent) -> None:
    """What somebody agrees to, and what they may agree to as well."""
    say = seat.say
    choose_language(desk, say)
    st.title(say(desk.config.title) or say("Welcome"))
    text = say(step.text)
    st.markdown(text)
    agreed = st.checkbox(say("I have read this and I agree to take part."))
    if desk.config.consents:
        st.markdown(say("As you like; you can take part without:"))
    optional = {one.key: st.checkbox(say(one.text)) for one in desk.config.consents}
    if st.button(say("Continue"), type="primary", disabled=not agreed):
        read = {one.key: say(one.text) for one in desk.config.consents}
        record(seat, consented(desk.config, text, optional, say.code, read))


def offer_receipt(desk: Desk, seat: Seat) -> None:
    """What was agreed to, to keep."""
    events = desk.layout.study.store.events(seat.participant)
    given = next((event for event in events if isinstance(event.payload, Consented)), None)
    if given is not None:
        text = receipt(desk.config, given, seat.say)
        name = seat.say("Keep a copy of what you agreed to")
        st.download_button(name, text, "consent.txt", "text/plain")


def screening(desk: Desk, seat: Seat, step: Screening) -> None:
    """Whether somebody may take part."""
    st.title(seat.say("May you take part?"))

    def screened(given: Answers) -> Screened:
        right = all(one.accepts(given[one.key]) for one in step.questions)
        return Screened(answers=given, eligible=right)

    _ask(desk, seat, "screening", step.questions, screened, every=True)


def demographics(desk: Desk, seat: Seat, step: Demographics) -> None:
    """Who takes part; every question may be left out."""
    st.title(seat.say("About you"))
    st.markdown(seat.say("You may leave a question out."))
    _ask(desk, seat, "demographics", step.questions, lambda given: Described(answers=given))


def _ask(
    desk: Desk,
    seat: Seat,
    page: str,
    questions: Sequence[DemographicQuestion],
    said: Callable[[Answers], Payload],
    *,
    every: bool = False,
) -> None:
    """A page of questions about the participant, all of which may have to be answered."""
    say = seat.say
    form = Form(desk.board, seat.participant, page, say)
    answers = ask_demographics(form, questions)
    if st.button(say("Continue"), type="primary"):
        given = {key: value for key, value in answers.items() if value not in (None, "")}
        problem = out_of_range(questions, given, say)
        if not problem and every and len(given) < len(questions):
            problem = say("Please answer every question.")
        if problem:
            st.error(problem)
            return
        form.hand_in()
        record(seat, said(given))
    offer_receipt(desk, seat)
