"""The experimenter's pages: who is where, what to do about it, and the data."""

from __future__ import annotations

import io
import math
import os
import tempfile
import time
import zipfile
from pathlib import Path

import pandas as pd
import streamlit as st

from apps.web import _compat, overview, replay_tab
from apps.web.address import client_address
from apps.web.admission import COOKIE, IDLE_MINUTES, PASSWORD_VARIABLE
from apps.web.desk import Desk, Seat
from apps.web.enrolment import create, show_links
from apps.web.guard import same
from apps.web.reporting import build_report, report_state
from study.export.flags import TOO_FAST_SECONDS, quality
from study.export.folder import export
from study.export.tables import tables
from study.protocol.events import (
    Excluded,
    Noted,
    PracticePassed,
    TaskEnded,
)
from study.protocol.session import ProtocolError
from study.protocol.steps import Practice

KEPT_SECONDS = 60.0
"""How often the cookie of whoever works on the pages is made new."""


def page(desk: Desk) -> None:
    """The whole of ``/experimenter``."""
    _compat.frame()
    with st.container(key="wide"):
        if not _admitted(desk):
            return
        title, lock = st.columns([8, 1], vertical_alignment="center")
        title.title(desk.config.title or desk.config.name)
        lock.button("Lock", on_click=_lock, help="This page asks for the password again.")
        _machine(desk)
        names = ["Live", "Participants", "Replay", "Data quality", "Data and report"]
        for tab, body in zip(
            st.tabs(names), (_live, _participants, replay_tab.tab, _quality, _data), strict=True
        ):
            with tab:
                body(desk)


def _admitted(desk: Desk) -> bool:
    """Whether the password was given lately, here or before the page was loaded again."""
    state = st.session_state
    now = time.time()
    cookie = None if state.get("locked") else st.context.cookies.get(COOKIE)
    if now < state.get("admitted until", 0) or desk.admission.admits(cookie):
        if now > state.get("kept", 0) + KEPT_SECONDS:
            state["kept"], state["ticket"] = now, desk.admission.ticket()
        state["admitted until"] = now + IDLE_MINUTES * 60
        _compat.admission(state["ticket"], leave=False)
        return True
    _compat.admission("", leave=bool(state.get("locked")))
    st.title("Experimenter")
    with st.form("password", border=False, width=420):
        given = st.text_input("Password", type="password", autocomplete="current-password")
        if st.form_submit_button("Open", type="primary"):
            password = os.environ.get(PASSWORD_VARIABLE, "")
            wait = desk.guard.try_(
                client_address(st.context.ip_address, dict(st.context.headers.items())),
                "password",
                lambda: same(given, password),
            )
            if wait is None:
                state["admitted until"] = now + IDLE_MINUTES * 60
                state.pop("locked", None)
                st.rerun()
            st.error(f"This is not the password.{_again(wait)}")
    return False


def _lock() -> None:
    """Nobody who comes to this computer after the experimenter sees the pages."""
    for name in ("admitted until", "kept", "ticket"):
        st.session_state.pop(name, None)
    st.session_state["locked"] = True


def _again(wait: float) -> str:
    return f" Try again in {math.ceil(wait)} s." if wait else ""


@st.fragment(run_every=5.0)
def _machine(desk: Desk) -> None:
    """What the experimenter has to know now: of the computer, and of who is silent."""
    facts = desk.board.facts()
    if "prepared" not in facts:
        what, done = facts.get("preparing", ("train 0/0", 0.0))[0].split()
        doing = {"train": "trains the first model", "features": "computes the images' features"}
        words = "is starting" if done == "0/0" else f"{doing[what]} ({done.replace('/', ' of ')})"
        st.info(f"The worker {words}. Participants can begin meanwhile.")
    workers = {name: at for name, (_, at) in facts.items() if name.startswith("worker ")}
    if not any(time.time() - at < 15 for at in workers.values()):
        st.error("No worker is running: participants wait after each round.")
    for job in desk.jobs.all():
        if job.stuck(time.time()):
            minutes = (time.time() - (job.moved or 0)) / 60
            st.warning(
                f"{job.participant}: {job.step.split('/')[0]} has not moved for {minutes:.0f} min. "
                "If it stays so, stop the study and start it again: the job is done anew."
            )
        if job.state == "failed":
            left, right = st.columns([5, 1])
            left.error(f"{job.participant}: {job.problem}")
            if right.button("Try again", key=f"retry-{job.participant}"):
                desk.jobs.retry(job.participant)
                st.rerun()

    now, seen = time.time(), desk.board.last_seen()
    for seat in _seats(desk):
        last, paused = seen.get(seat.participant), seat.paused_at() is not None
        alarm = overview.alarm(seat.session.progress, seat.session.step(), last, paused, now)
        if alarm is not None:
            st.warning(alarm)
        for failed in seat.failed_fine_tunings():
            st.warning(
                f"{seat.participant}: fine-tuning of task {failed.position}, round {failed.cycle} "
                f"failed ({failed.reason}); the task went on with the last good model."
            )


def _seats(desk: Desk) -> list[Seat]:
    found = (desk.seat(name) for name in desk.participants())
    return [seat for seat in found if seat is not None]


# -- live ----------------------------------------------------------------------------------


@st.fragment(run_every=3.0)
def _live(desk: Desk) -> None:
    now, seen = time.time(), desk.board.last_seen()
    jobs = {job.participant: job for job in desk.jobs.all()}
    rows = []
    for seat in _seats(desk):
        progress, step = seat.session.progress, seat.session.step()
        failed = seat.failed_checks()
        rows.append(
            overview.live_row(
                desk.config, progress, step, jobs.get(seat.participant),
                seen.get(seat.participant), seat.paused_at() is not None, failed, now,
            )
        )  # fmt: skip
    if not rows:
        st.info("Nobody is enrolled yet: create participants in the next tab.")
        return
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        # everybody of a room at once
        height=overview.table_height(len(rows)),
        column_config={
            "progress": st.column_config.ProgressColumn(format="%d%%", max_value=100),
            "minutes left": st.column_config.NumberColumn(format="%.1f"),
            "seconds per image": st.column_config.NumberColumn(format="%.1f"),
        },
    )


# -- participants --------------------------------------------------------------------------


def _participants(desk: Desk) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        create(desk)
    with right:
        _act(desk)
    show_links(desk)


def _act(desk: Desk) -> None:
    st.subheader("One participant")
    seats = {seat.participant: seat for seat in _seats(desk)}
    chosen = st.selectbox("Participant", list(seats), index=None)
    if chosen is None:
        return
    seat = seats[chosen]
    st.write(overview.where(desk.config, seat.session.progress, seat.session.step()))
    field = f"reason-{chosen}-{st.session_state.get('notes', 0)}"
    reason = st.text_input("Reason or note", key=field)
    step = seat.session.step()
    position = getattr(seat.session.step(), "position", None)
    buttons = st.columns(4)
    try:
        if seat.paused_at() is None:
            if buttons[0].button("Pause"):
                seat.pause()
                seat.record(Noted(text=f"paused {reason}".strip()))
                st.rerun()
        elif buttons[0].button("Resume"):
            seat.resume()
            seat.record(Noted(text=f"resumed {reason}".strip()))
            st.rerun()
        if buttons[1].button("+ 5 minutes", disabled=position is None):
            seat.extend(int(position or 0), 300.0, reason)
            st.rerun()
        if buttons[2].button("End task", disabled=position is None or not reason):
            seat.record(TaskEnded(position=int(position or 0), reason=reason))
            st.rerun()
        if buttons[3].button("Add note", disabled=not reason):
            seat.record(Noted(text=reason))
            # an empty box for the next one
            st.session_state["notes"] = st.session_state.get("notes", 0) + 1
            st.rerun()
        if isinstance(step, Practice):
            st.caption(f"Practises {step.interface}: failed {step.failures} times on this image.")
            if st.button(f"Let {chosen} pass this practice", disabled=not reason):
                seat.record(PracticePassed(interface=step.interface, reason=reason))
                st.rerun()
        sure = st.checkbox(
            f"I want to exclude {chosen}: this cannot be undone", key=f"sure-{field}"
        )
        if st.button(f"Exclude {chosen} from the analysis", disabled=not (reason and sure)):
            seat.record(Excluded(reason=reason))
            st.rerun()
    except ProtocolError as error:
        st.error(f"Not done: {error}.")
    if not reason:
        st.caption("Ending a task and excluding a participant need a reason.")
    for event in desk.layout.study.store.events(chosen):
        if isinstance(event.payload, Noted | Excluded):
            when = time.strftime("%d %b %H:%M", time.localtime(event.at))
            text = getattr(event.payload, "text", "") or getattr(event.payload, "reason", "")
            st.caption(f"{when}: {event.payload.type}: {text}")


# -- data ----------------------------------------------------------------------------------


def _quality(desk: Desk) -> None:
    frames = tables(desk.config, *desk.layout.study.store.readable())
    for participant, reason in frames["set_aside"].itertuples(index=False):
        st.error(f"{participant} is set aside: {reason}")
    gone = overview.left(frames["participants"])
    if not gone.empty:
        st.subheader("Withdrawn or excluded")
        st.dataframe(gone, hide_index=True, height=overview.table_height(len(gone)))
        st.subheader("Everybody's tasks")
    found = quality(frames["items"], frames["participants"])
    if found.empty:
        st.info("Nothing is annotated yet.")
        return
    config = desk.config
    here = [config.for_condition(condition).workspace for condition in config.conditions]
    thresholds = {f"{workspace.idle_seconds:g}" for workspace in here}
    percent = st.column_config.NumberColumn(format="percent")
    st.dataframe(
        found,
        hide_index=True,
        column_config=dict.fromkeys(("too fast", "corrected", "idle"), percent)
        | {"median seconds": st.column_config.NumberColumn(format="%.2f")},
    )
    st.caption(
        f"Too fast: under {TOO_FAST_SECONDS} s. Corrected: anything was drawn. Idle: away "
        f"from the page, or longer than {' or '.join(sorted(thresholds))} s without an action."
    )
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Pace")
        x, y = ("minutes", "minutes since the first image"), ("images", "images done")
        spec = overview.chart("line", x, y, "participant", "images done over minutes")
        st.vega_lite_chart(overview.pace(frames["items"]), spec)
    with right:
        st.subheader("Seconds per image")
        x, y = ("participant", "participant"), ("median seconds", "median seconds of a task")
        spec = overview.chart("bar", x, y, "interface", "median seconds per image")
        st.vega_lite_chart(found, spec)


def _data(desk: Desk) -> None:
    modes = sorted({seat.session.progress.mode for seat in _seats(desk)})
    if not modes:
        st.info("Nobody is enrolled yet.")
        return
    mode = st.radio("Mode", modes, horizontal=True)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Tables")
        st.write("CSV and Parquet, with a data dictionary, a manifest and the study file.")
        st.download_button(
            "Download the tables",
            data=lambda: _zipped(desk, mode),
            file_name=f"{desk.config.name}-{mode}.zip",
            mime="application/zip",
        )
    with right:
        st.subheader("Report")
        _report(desk, mode)


def _zipped(desk: Desk, mode: str) -> bytes:
    buffer = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        export(desk.layout.directory.path, Path(folder), mode)
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(Path(folder).iterdir()):
                archive.write(path, path.name)
    return buffer.getvalue()


@st.fragment(run_every=2.0)
def _report(desk: Desk, mode: str) -> None:
    out = desk.layout.directory.path / f"report-{mode}"
    state, text = report_state(out)
    if st.button("Build the report", type="primary", disabled=state == "running"):
        build_report(desk.layout.directory.path, out, mode)
        st.rerun(scope="fragment")
    if state == "running":
        st.write("The report is being built…")
    elif state == "failed":
        st.error("The report could not be built.")
        st.code(text[-1500:], wrap_lines=True)
    elif state == "done":
        st.download_button("Download the report", data=text.encode(), file_name="report.html")
