"""The first pages: what a participant agrees to, whether they may take part, and who they are."""

from __future__ import annotations

import streamlit as st

from apps.web.desk import Desk, Seat
from apps.web.entry import choose_language
from apps.web.forms import Form, ask_demographics, out_of_range
from apps.web.recording import record
from study.protocol.agreement import consented, receipt
from study.protocol.events import Consented, Described, Screened
from study.protocol.steps import Consent, Demographics, Screening


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
    say = seat.say
    st.title(say("May you take part?"))
    form = Form(desk.board, seat.participant, "screening", say)
    answers = ask_demographics(form, step.questions)
    if st.button(say("Continue"), type="primary"):
        given = {key: value for key, value in answers.items() if value not in (None, "")}
        problem = out_of_range(step.questions, given, say)
        if problem or len(given) < len(step.questions):
            st.error(problem or say("Please answer every question."))
            return
        form.hand_in()
        right = all(one.accepts(given[one.key]) for one in step.questions)
        record(seat, Screened(answers=given, eligible=right))
    offer_receipt(desk, seat)


def demographics(desk: Desk, seat: Seat, step: Demographics) -> None:
    """Who takes part; every question may be left out."""
    say = seat.say
    st.title(say("About you"))
    st.markdown(say("You may leave a question out."))
    form = Form(desk.board, seat.participant, "demographics", say)
    answers = ask_demographics(form, step.questions)
    if st.button(say("Continue"), type="primary"):
        given = {key: value for key, value in answers.items() if value not in (None, "")}
        problem = out_of_range(step.questions, given, say)
        if problem:
            st.error(problem)
            return
        form.hand_in()
        record(seat, Described(answers=given))
    offer_receipt(desk, seat)
