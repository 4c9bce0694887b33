"""What a page of a participant says to the log."""

from __future__ import annotations

import logging

import streamlit as st

from apps.web.desk import Seat
from study.protocol.events import Payload
from study.protocol.session import ProtocolError

log = logging.getLogger(__name__)


def record(seat: Seat, *payloads: Payload) -> None:
    """Log and go on; what another tab has said already is not an error to show."""
    try:
        seat.record(*payloads)
    except ProtocolError as error:
        log.warning("not recorded: %s", error)
        st.warning(seat.say("This was not recorded: the study went on meanwhile. Reload the page."))
        return
    st.rerun()
