"""How a browser gets to its seat: by a personal link, by a code, by the link for everybody."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import streamlit as st

from apps.web.address import client_address
from apps.web.desk import Desk, Seat
from study.config import Ending
from study.languages import NAMES, Speech, best
from study.protocol.events import Mode
from study.protocol.recruiting import join


def chosen_language(desk: Desk) -> str:
    """The language that this page is set to: by the link, by its reader, or by the browser."""
    offered = desk.config.languages
    asked = st.session_state.get("language") or st.query_params.get("lang", "")
    return asked if asked in offered else best(st.context.locale, offered)


def choose_language(desk: Desk, say: Speech) -> None:
    """Let the reader choose a language, where there are several."""
    offered = desk.config.languages
    if len(offered) > 1:
        # in every language, or who needs it cannot read it
        st.segmented_control(
            " · ".join(_language_in(Speech(code)) for code in offered),
            offered,
            default=say.code,
            format_func=lambda code: NAMES[code],
            key="language",
        )


def _language_in(say: Speech) -> str:
    return say("Language")


def entry(desk: Desk) -> None:
    """The page of whoever has no seat yet."""
    say = desk.speech(chosen_language(desk))
    mode = desk.invited(st.query_params.get("join", ""))
    with st.container(key="form"):
        choose_language(desk, say)
        st.title(say(desk.config.title or desk.config.name))
        if mode is not None:
            _open_entry(desk, mode, say)
        else:
            _code_entry(desk, say)


def _code_entry(desk: Desk, say: Speech) -> None:
    if st.query_params.get("p"):
        st.warning(say("This link is not complete or not of this study. Type your code instead."))
    st.markdown(
        say(
            "This study asks people to correct what a computer looks at in images. The "
            "experimenter gives every participant a code of eight letters and digits."
        )
    )
    with st.form("entry", border=False):
        typed = st.text_input(say("Your code"), placeholder="ABCD-2345")
        if st.form_submit_button(say("Begin"), type="primary"):
            address = client_address(st.context.ip_address, dict(st.context.headers.items()))
            wait = desk.guard.try_(address, "code", lambda: desk.admit_by_code(typed) is not None)
            token = desk.admit_by_code(typed) if wait is None else None
            if token is None:
                said = [say("Nobody has this code. Check it with the experimenter.")]
                if wait:
                    said.append(say("Try again in {seconds} s.", seconds=math.ceil(wait)))
                st.error(" ".join(said))
            else:
                st.query_params["p"] = token
                st.rerun()


def _open_entry(desk: Desk, mode: Mode, say: Speech) -> None:
    """Open enrolment: a place is taken when it is asked for, not by whatever previews the link."""
    st.markdown(say("This study asks people to correct what a computer looks at in images."))
    if st.button(say("Begin"), type="primary"):
        given = {name: st.query_params[name] for name in st.query_params}
        found = join(desk.layout.study, mode, given, time.time())
        if found.participant is not None:
            st.query_params.from_dict({"p": desk.token(found.participant)})
            st.rerun()
        refused = {
            "closed": say("Nobody can join the study now."),
            "full": say("All places of the study are taken. Thank you for your interest."),
            "incomplete": say("This link is not complete. Please use it as you got it."),
        }
        st.warning(refused[found.problem])
        if found.problem == "full":
            go_on(desk.config.recruitment.full, given, say)


def go_on(ending: Ending, parameters: Mapping[str, str], say: Speech) -> None:
    """The code to copy, and the way back to where somebody came from."""
    if ending.code:
        st.markdown(say("Your code:"))
        st.code(ending.code, language=None)
    address = ending.address(parameters)
    if address is not None:
        st.markdown(say("You are taken on from here in a moment, or when you press:"))
        st.link_button(say("Go on"), address, type="primary")


def take_up_language(desk: Desk, seat: Seat) -> None:
    """Until the consent settles it, a seat speaks what its page is set to."""
    if not seat.session.progress.language:
        seat.chosen = chosen_language(desk)
