"""The experimenter's *Replay*: what somebody did on an image, moment by moment or as a film."""

from __future__ import annotations

import base64
import io

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from apps.web import replay
from apps.web.desk import Desk
from apps.web.rebuilding import moments
from apps.web.stimuli import unpack_regions
from study.protocol.events import ItemAnnotated


def tab(desk: Desk) -> None:
    """Whose item, which one, and how to look at it."""
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
    _play(desk, chosen, item, of_task[: number - 1])


def _play(desk: Desk, participant: str, item: ItemAnnotated, earlier: list[ItemAnnotated]) -> None:
    """One item, moment by moment or as a film."""
    stimuli = desk.layout.stimuli
    batch = stimuli.batch(participant, item.position, item.cycle)
    left, right = st.columns(2)
    path = stimuli.image_path("train", item.image)
    right.write(
        f"**{item.image}**, round {item.cycle}, visit {item.visit}: {item.seconds:.2f} s, "
        f"{len(item.actions)} actions"
    )
    if batch is None or path is None:
        right.info("The image is not in the cache any more: it is written when the study is served")
        return
    index = batch.images.index(item.image)
    before = [each.annotation for each in earlier if each.image == item.image]
    regions = stimuli.regions_path(participant, item.position, item.cycle, index)
    labels = unpack_regions(regions.read_bytes()) if regions.exists() else None
    found, sure = moments(item.actions, item.annotation, before[-1] if before else None, labels)
    how = left.segmented_control("Show", ["Moments", "Film"], default="Moments")
    grid = batch.maps[index] if left.toggle("Attention", value=True) else None
    base = replay.ground(path, grid, batch.frame(index))
    if how == "Film":
        speed = left.radio("Speed", [1, 2, 4], horizontal=True, format_func=lambda x: f"{x}x")
        _show(left, replay.film(base, found, float(speed or 1)), "webp")
    else:
        last = len(found) - 1
        at = left.slider("Moment", 0, last, last) if last else 0
        moment = found[at]
        buffer = io.BytesIO()
        replay.picture(base, moment.drawing, moment.at).save(buffer, "PNG")
        _show(left, buffer.getvalue(), "png")
        left.caption(f"{moment.t:.2f} s: {moment.kind}")
    if not sure:
        right.caption(
            "A stroke or box that was taken back left no path, so some moments are the nearest "
            "that the log allows; the last one is what was confirmed."
        )
    if item.actions:
        right.dataframe(pd.DataFrame([a.model_dump() for a in item.actions]), hide_index=True)


def _show(place: DeltaGenerator, picture: bytes, kind: str) -> None:
    """A picture with words for those who cannot see it, which ``st.image`` has no place for."""
    data = base64.b64encode(picture).decode()
    place.html(f'<img alt="What was done on the image" src="data:image/{kind};base64,{data}">')
