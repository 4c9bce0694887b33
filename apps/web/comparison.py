"""What a participant's corrections did: attention before and after, and the right answers."""

from __future__ import annotations

import html

import streamlit as st

from apps.web.address import prefix
from apps.web.desk import Desk, Seat
from apps.web.routes import accuracies, latest_view
from apps.web.stimuli import shares
from study.interfaces import interface


def before_and_after(desk: Desk, seat: Seat, position: int, more: str = "") -> None:
    """What a task's classifier looked at before and after it learnt, and its right answers."""
    say = seat.say
    doing = say(interface(seat.session.progress.task(position).condition.interface).words.doing)
    stimuli, cycle = desk.layout.stimuli, latest_view(seat, position)
    validation, before = stimuli.validation(), stimuli.view(stimuli.view_path(None))
    if validation is None or before is None or not cycle:
        return
    right = [
        say(
            "on {kind}: {before} before, {after} after",
            kind=kind,
            before=say.percent(first),
            after=say.percent(last),
        )
        for kind, (first, last) in accuracies(seat, position).items()
    ]
    heading = say("Task {number}, by {doing}", number=position, doing=doing)
    st.header(f"{heading}{more}")
    st.markdown(say("Right answers {counts}.", counts="; ".join(right)))
    token = desk.token(seat.participant)
    # those that changed most say most
    after = stimuli.view(stimuli.view_path(seat.participant, position, cycle))
    assert after is not None
    change = abs(shares(after.maps) - shares(before.maps)).sum((1, 2))
    labels = [html.escape(say(validation.labels[index])) for index in validation.gallery]
    picture, looked = say("the image"), say("where the computer looked")
    cells = "".join(
        f'<figure><div><img alt="{labels[i]}, {name}: {picture}" '
        f'src="{prefix()}/stimuli/gallery/{i}?p={token}">'
        f'<img class="layer" alt="{labels[i]}, {name}: {looked}" '
        f'src="{prefix()}/stimuli/view/{position}/{side}/{i}?p={token}"></div>'
        f"<figcaption>{name}</figcaption></figure>"
        for i in change.argsort()[::-1][:4]
        for side, name in ((0, say("before")), (cycle, say("after")))
    )
    st.html(f"{_FIGURES}<div class='pairs'>{cells}</div>")


_FIGURES = """<style>
.pairs { display: flex; flex-wrap: wrap; gap: 4px; }
.pairs figure { margin: 0; width: 140px; } .pairs figure:nth-child(even) { margin-right: 16px; }
.pairs div { position: relative; width: 140px; height: 140px; }
.pairs img { position: absolute; inset: 0; width: 100%; height: 100%; }
.pairs .layer { opacity: .6; } .pairs figcaption { font-size: 12px; color: #4a5561; }
</style>"""
