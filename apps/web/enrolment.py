"""How the experimenter gets participants into the study: one by one, from a list, by one link."""

from __future__ import annotations

import time

import pandas as pd
import streamlit as st

from apps.web.address import base_address, listens_beyond, qr_code
from apps.web.desk import Desk
from apps.web.links import links, open_link
from study.errors import UserError
from study.protocol.events import Mode
from study.protocol.recruiting import door, enrol_list, new_names, read_list, set_door
from study.protocol.session import enrol

MODES: tuple[Mode, ...] = ("pilot", "live")


def create(desk: Desk) -> None:
    """Create participants, by number or from a list."""
    st.subheader("Create participants")
    with st.form("create", border=False):
        mode = st.radio(
            "Mode",
            MODES,
            horizontal=True,
            help="A pilot's data are never mixed with the real study's.",
        )
        prefix = st.text_input("Name", value="P", help="Followed by a number.")
        count = st.number_input("How many", 1, 64, 1)
        listed = st.file_uploader(
            "Or a list (CSV)",
            type="csv",
            help="Its column participant names them; other columns are kept with them. A longer "
            "version of the same list adds who is new.",
        )
        if st.form_submit_button("Create", type="primary"):
            try:
                if listed is not None:
                    text = listed.getvalue().decode("utf-8", errors="replace")
                    new = enrol_list(desk.layout.study, read_list(text), mode, time.time())
                    st.toast(f"{len(new)} new participants.")
                else:
                    for name in new_names(desk.participants(), prefix, int(count)):
                        enrol(desk.layout.study, name, mode, time.time())
            except UserError as error:
                st.error(str(error))
            else:
                st.rerun()


def show_links(desk: Desk) -> None:
    """The links to hand out, and the one for everybody."""
    st.subheader("Links")
    headers = dict(st.context.headers.items())
    if not listens_beyond():
        st.info(
            "These links work on this computer only. To let others join, stop the study and start "
            "it again with `--host 0.0.0.0`."
        )
    base = st.text_input(
        "Address that the participants' computers can reach", value=base_address(headers)
    ).rstrip("/")
    _open_enrolment(desk, base)
    frame = links(desk, base)
    if not frame.empty:
        st.dataframe(frame, hide_index=True, column_config={"link": st.column_config.LinkColumn()})
        st.download_button("Links as CSV, to print", frame.to_csv(index=False), "links.csv")
        _hand_over(frame)


def _open_enrolment(desk: Desk, base: str) -> None:
    """One link for everybody, with its door and its cap."""
    with st.expander("One link for everybody"):
        mode = st.radio("Who comes by it takes part as", MODES, horizontal=True, key="door")
        now = door(desk.layout.study, mode)
        st.code(open_link(desk, base, mode), language=None, wrap_lines=True)
        of = "" if now.cap is None else f" of {now.cap}"
        state = "full" if now.full else "open"
        st.write(f"{now.taken}{of} places are taken. It is {state if now.open else 'closed'}.")
        with st.form(f"door {mode}", border=False):
            opened = st.toggle("Open", value=now.open)
            cap = st.number_input(
                "Places",
                1,
                value=now.cap,
                step=1,
                placeholder="as many as come",
                help="Who withdraws, is excluded or not eligible frees a place.",
            )
            if st.form_submit_button("Set"):
                set_door(desk.layout.study, mode, opened, None if cap is None else int(cap))
                st.rerun()


def _hand_over(frame: pd.DataFrame) -> None:
    """One participant's link as a QR code, and to open here."""
    chosen = st.selectbox("Hand over", frame["participant"], index=None, key="hand over")
    if chosen is None:
        return
    link = str(frame.set_index("participant").loc[chosen, "link"])
    code_, open_ = st.columns([1, 3])
    code_.image(qr_code(link), width=160)
    open_.link_button(f"Open as {chosen}", link)
    open_.caption(f"Scan it with the participant's tablet, or open the study here as {chosen}.")
