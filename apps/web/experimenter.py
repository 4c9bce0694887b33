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

from apps.web import _compat, overview, replay
from apps.web.desk import Desk, Seat
from apps.web.enrolment import create, show_links
from apps.web.guard import address_of, same
from apps.web.reporting import build_report, report_state
from apps.web.server import PASSWORD_VARIABLE
from study.export.folder import export
from study.export.tables import tables
from study.protocol.events import (
    Excluded,
    ItemAnnotated,
    Noted,
    PracticePassed,
    TaskEnded,
)
from study.protocol.session import ProtocolError
from study.protocol.steps import Practice

IDLE_MINUTES = 30
"""An experimenter who does nothing for so long has to give the password again."""


def page(desk: Desk) -> None:
    """The whole of ``/experimenter``."""
    _compat.frame()
    with st.container(key="wide"):
        if not _admitted(desk):
            return
        st.title(desk.config.title or desk.config.name)
        _machine(desk)
        names = ["Live", "Participants", "Replay", "Data quality", "Data and report"]
        for tab, body in zip(
            st.tabs(names), (_live, _participants, _replay, _quality, _data), strict=True
        ):
            with tab:
                body(desk)


def _admitted(desk: Desk) -> bool:
    """Whether the password was given lately."""
    if time.time() < st.session_state.get("admitted until", 0):
        st.session_state["admitted until"] = time.time() + IDLE_MINUTES * 60
        return True
    st.title("Experimenter")
    with st.form("password", border=False, width=420):
        given = st.text_input("Password", type="password", autocomplete="current-password")
        if st.form_submit_button("Open", type="primary"):
            password = os.environ.get(PASSWORD_VARIABLE, "")
            wait = desk.guard.try_(
                address_of(st.context.ip_address), "password", lambda: same(given, password)
            )
            if wait is None:
                st.session_state["admitted until"] = time.time() + IDLE_MINUTES * 60
                st.rerun()
            st.error(f"This is not the password.{_again(wait)}")
    return False


def _again(wait: float) -> str:
    return f" Try again in {math.ceil(wait)} s." if wait else ""


def _machine(desk: Desk) -> None:
    """What the experimenter has to know about the computer."""
    facts = desk.board.facts()
    if "prepared" not in facts:
        done = facts.get("preparing", ("0/0", 0.0))[0]
        what = "is starting" if done == "0/0" else f"trains the first model ({done} epochs)"
        st.info(f"The worker {what}. Participants can begin meanwhile.")
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

    for seat in _seats(desk):
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


# -- replay --------------------------------------------------------------------------------


def _replay(desk: Desk) -> None:
    who, which, place = st.columns([2, 1, 3])
    chosen = who.selectbox("Whose", desk.participants(), index=None, key="replay")
    if chosen is None:
        return
    items = [
        event.payload
        for event in desk.layout.study.store.events(chosen)
        if isinstance(event.payload, ItemAnnotated)
    ]
    if not items:
        st.info("Nothing is annotated yet.")
        return
    positions = sorted({item.position for item in items})
    position = which.segmented_control("Task", positions, default=positions[0])
    of_task = [item for item in items if item.position == position]
    if not of_task:
        return
    number = place.slider("Item", 1, len(of_task), 1) if len(of_task) > 1 else 1
    item = of_task[number - 1]
    stimuli = desk.layout.stimuli
    batch = stimuli.batch(chosen, item.position, item.cycle)
    left, right = st.columns(2)
    if batch is not None:
        index = batch.images.index(item.image)
        grid = batch.maps[index] if left.toggle("Attention", value=True) else None
        path = stimuli.image_path("train", item.image)
        if path is not None:
            left.image(replay.picture(path, grid, item.annotation, batch.frame(index)))
    right.write(
        f"**{item.image}**, round {item.cycle}, visit {item.visit}: {item.seconds:.2f} s, "
        f"{len(item.actions)} actions"
    )
    right.dataframe(pd.DataFrame([a.model_dump() for a in item.actions]), hide_index=True)


# -- data ----------------------------------------------------------------------------------


def _quality(desk: Desk) -> None:
    frames = tables(desk.config, *desk.layout.study.store.readable())
    for participant, reason in frames["set_aside"].itertuples(index=False):
        st.error(f"{participant} is set aside: {reason}")
    found = overview.quality(frames["items"], frames["participants"])
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
        f"Too fast: under {overview.TOO_FAST_SECONDS} s. Corrected: anything was drawn. Idle: away "
        f"from the page, or longer than {' or '.join(sorted(thresholds))} s without an action."
    )


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
