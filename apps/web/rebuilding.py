"""What stood on the canvas after each action of an item, rebuilt from the log.

The log has what was done, when and where, and what was drawn in the end. A few actions do not say
all: which corner was dragged (only where to), whether Escape dropped the open outline or everything
went, from where a box or a stroke was pulled. Those are found by trying: of what they may have
meant, that is taken which leads to what was drawn in the end. The rules are those of
``apps/canvas/interfaces`` and ``apps/canvas/history.js``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from study.annotation import Annotation, Box, Point, Proposal, Region, Stroke
from study.protocol.events import Action

Labels = NDArray[np.uint16]
TRIES = 20_000
"""States that are looked at before what an action meant is guessed."""
MOST = 2000
"""Actions that are rebuilt; of more, only the end is shown."""
LEAST = 0.001
"""A box is at least so wide and high."""


@dataclass(frozen=True)
class Drawing:
    """What is drawn at one moment.

    ``grow`` and ``shrink`` are clicks on a shown region; ``open``: presses that finish nothing yet.
    """

    points: tuple[Point, ...] = ()
    regions: tuple[Region, ...] = ()
    polygons: tuple[tuple[Point, ...], ...] = ()
    boxes: tuple[Box, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    grow: tuple[Point, ...] = ()
    shrink: tuple[Point, ...] = ()
    open: tuple[Point, ...] = ()

    @classmethod
    def of(cls, annotation: Annotation) -> Drawing:
        """An annotation as a drawing."""
        return cls(
            annotation.positive_points, annotation.negative_regions, annotation.polygons,
            annotation.boxes, annotation.strokes, annotation.proposals,
            tuple(point for one in annotation.proposals for point in one.grow),
            tuple(point for one in annotation.proposals for point in one.shrink),
        )  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """What stood there after an action, until the next one.

    Attributes:
        t: seconds after the image was painted.
        kind: of the action; ``"shown"`` before the first one.
        drawing: what is drawn.
        at: where the action was, if anywhere.
    """

    t: float
    kind: str
    drawing: Drawing
    at: Point | None = None


@dataclass(frozen=True)
class _Way:
    """Every state that a drawing had, and which one it has now."""

    states: tuple[Drawing, ...]
    now: int = 0

    @property
    def drawing(self) -> Drawing:
        return self.states[self.now]

    def then(self, drawing: Drawing) -> _Way:
        return _Way((*self.states[: self.now + 1], drawing), self.now + 1)

    def step(self, by: int) -> _Way:
        return replace(self, now=min(max(self.now + by, 0), len(self.states) - 1))


class _Search:
    """Depth first over what the actions may have meant."""

    def __init__(self, actions: Sequence[Action], final: Drawing, labels: Labels | None) -> None:
        self.actions = actions
        self.final = final
        self.labels = labels
        self.kept = {corner for polygon in final.polygons for corner in polygon}
        self.best: list[Drawing] = []

    def run(self, begin: Drawing) -> bool:
        """Whether the actions can lead to what was drawn in the end; ``best`` is then the way.

        Else it is the way that was tried first.
        """
        ways = [_Way((begin,))]
        branches: list[Iterator[_Way]] = []
        for _ in range(TRIES):
            if len(ways) <= len(self.actions):
                branches.append(self._meant(ways[-1], self.actions[len(ways) - 1]))
            else:
                # an outline that was open at the end is not logged
                found = replace(ways[-1].drawing, open=()) == self.final
                if found or not self.best:
                    self.best = [way.drawing for way in ways[1:]]
                if found:
                    return True
                ways.pop()
            while branches:
                following = next(branches[-1], None)
                if following is not None:
                    ways.append(following)
                    break
                branches.pop()
                ways.pop()
            if not branches:
                break
        return False

    def _meant(self, way: _Way, action: Action) -> Iterator[_Way]:
        match action.kind:
            case "undo" | "redo":
                yield way.step(-1 if action.kind == "undo" else 1)
            case "blur" | "focus":
                yield way
            case _:
                for drawing in self._drawn(way.drawing, action):
                    yield way.then(drawing)

    def _drawn(self, d: Drawing, action: Action) -> Iterator[Drawing]:
        at = None if action.x is None or action.y is None else (action.x, action.y)
        match action.kind:
            case "positive" if at:
                yield replace(d, points=(*d.points, at))
            case "negative" if at:
                region = self._region(at)
                yield d if region is None else replace(d, regions=(*d.regions, region))
            case "grow" if at:
                yield replace(d, grow=(*d.grow, at))
            case "shrink" if at:
                yield replace(d, shrink=(*d.shrink, at))
            case "vertex" if at:
                yield replace(d, open=(*d.open, at))
            case "close" if len(d.open) >= 3:
                yield replace(d, polygons=(*d.polygons, d.open), open=())
            case "cancel":
                if d.open and replace(d, open=()) != Drawing():
                    yield replace(d, open=())
                yield Drawing()
            case "move" if at:
                for polygon, vertex in self._corners(d, at):
                    yield _replaced(d, polygon, vertex, at)
                yield d
            case "delete" if at:
                yield from self._without(d, at)
                yield d
            case "box" if at:
                if len(d.open) == 3:
                    yield replace(d, boxes=(*d.boxes, _around((*d.open, at))), open=())
                pulled = [box for box in self.final.boxes if box.points[-1:] == (at,)]
                for box in pulled:
                    yield replace(d, boxes=(*d.boxes, box), open=())
                if not pulled:  # taken back later: from where it was pulled is not known
                    yield d
            case "stroke" | "erase":
                erase = action.kind == "erase"
                ends = [s for s in self.final.strokes if s.erase == erase and s not in d.strokes]
                for stroke in sorted(ends, key=lambda s: _far(s.points[-1], at)):
                    yield replace(d, strokes=(*d.strokes, stroke))
                yield d
            case "answer":
                for proposal in self.final.proposals:
                    yield replace(d, proposals=(proposal,))
                yield d
            case _:
                yield d

    def _region(self, at: Point) -> Region | None:
        for region in self.final.regions:
            if region.point == at:
                return region
        if self.labels is None:
            return None
        height, width = self.labels.shape
        row, column = min(int(at[1] * height), height - 1), min(int(at[0] * width), width - 1)
        return Region.from_mask(at, self.labels == self.labels[row, column])

    def _without(self, d: Drawing, at: Point) -> Iterator[Drawing]:
        for region in d.regions:
            row, column = int(at[1] * region.height), int(at[0] * region.width)
            if region.mask()[min(row, region.height - 1), min(column, region.width - 1)]:
                yield replace(d, regions=tuple(each for each in d.regions if each != region))
        holding = [b for b in d.boxes if b.left <= at[0] <= b.right and b.top <= at[1] <= b.bottom]
        for box in sorted(holding, key=lambda b: (b.right - b.left) * (b.bottom - b.top)):
            yield replace(d, boxes=tuple(each for each in d.boxes if each != box))
        for polygon, vertex in self._corners(d, at):
            yield _replaced(d, polygon, vertex, None)

    def _corners(self, d: Drawing, at: Point) -> list[tuple[int, int]]:
        """Every corner as (polygon, vertex), polygon -1 the open one.

        Those that nobody sees in the end come first: they went somewhere. Then the nearest.
        """
        outlines = [(-1, d.open), *enumerate(d.polygons)]
        found = [
            (corner in self.kept, _far(corner, at), number, vertex)
            for number, corners in outlines
            for vertex, corner in enumerate(corners)
        ]
        return [(number, vertex) for *_, number, vertex in sorted(found)]


def _far(point: Point, at: Point | None) -> float:
    return 0.0 if at is None else float(np.hypot(point[0] - at[0], point[1] - at[1]))


def _replaced(d: Drawing, polygon: int, vertex: int, by: Point | None) -> Drawing:
    def changed(corners: tuple[Point, ...]) -> tuple[Point, ...]:
        return (*corners[:vertex], *(() if by is None else (by,)), *corners[vertex + 1 :])

    if polygon < 0:
        return replace(d, open=changed(d.open))
    outlines = tuple(changed(p) if n == polygon else p for n, p in enumerate(d.polygons))
    return replace(d, polygons=tuple(p for p in outlines if len(p) >= 3))


def _around(points: tuple[Point, ...]) -> Box:
    left = min(*(x for x, _ in points), 1 - LEAST)
    top = min(*(y for _, y in points), 1 - LEAST)
    right = max(*(x for x, _ in points), left + LEAST)
    bottom = max(*(y for _, y in points), top + LEAST)
    return Box(left=left, top=top, right=right, bottom=bottom, points=points)


def moments(
    actions: Sequence[Action],
    final: Annotation,
    before: Annotation | None = None,
    labels: Labels | None = None,
) -> tuple[list[Moment], bool]:
    """What stood on the canvas, action by action.

    Args:
        actions: of the item, in their order.
        final: what was confirmed.
        before: what an earlier visit to the image left there.
        labels: the image's regions, for those that were taken back; int [H, W].

    Returns:
        The moments, the first of them before any action; and whether they lead to what was
        confirmed. Where they do not (a stroke that was undone left no path), they are the nearest
        that was found, and the last moment is what was confirmed.
    """
    begin, end = Drawing.of(before or Annotation()), Drawing.of(final)
    if len(actions) > MOST:
        return [Moment(0.0, "shown", begin), Moment(actions[-1].t, "the end", end)], False
    search = _Search(actions, end, labels)
    sure = search.run(begin)
    found = [Moment(0.0, "shown", begin)]
    for action, drawing in zip(actions, search.best, strict=True):
        at = None if action.x is None or action.y is None else (action.x, action.y)
        found.append(Moment(action.t, action.kind, drawing, at))
    if not sure:
        found[-1] = replace(found[-1], drawing=end)
    return found, sure
