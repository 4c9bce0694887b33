"""The Streamlit script: which page a browser asked for."""

from __future__ import annotations

import streamlit as st

from apps.web.experimenter import page as experimenter_page
from apps.web.participant import page as participant_page
from apps.web.server import current_desk


def participant() -> None:
    """``/``: a participant's study."""
    participant_page(current_desk())


def experimenter() -> None:
    """``/experimenter``: the lab's side."""
    experimenter_page(current_desk())


desk = current_desk()
st.set_page_config(page_title=desk.config.title or desk.config.name, layout="wide")
st.navigation(
    [
        st.Page(participant, title="Study", default=True),
        st.Page(experimenter, title="Experimenter", url_path="experimenter"),
    ],
    position="hidden",
).run()
