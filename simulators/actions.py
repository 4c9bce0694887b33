"""What a hand does, one press at a time.

A :class:`Move` is a press that a simulated hand intends; :func:`simulators.timing.perform` turns
moves into actions (:class:`study.protocol.events.Action`), what a browser logs with an annotation.
:class:`Canvas` keeps moves and marks in step: replaying the actions always gives the annotation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from study.annotation import Annotation, Region
from study.protocol.events import Action, ActionKind

Spot = tuple[float, float]
"""(x, y), image-relative."""
START: Spot = (0.5, 1.08)
"""Where the hand rests: on the button that confirmed the last image, below this one."""


@dataclass(frozen=True)
class Move:
    """An intended press.

    Attributes:
        kind: what the press does.
        at: where, image-relative; None for keys.
        width: width of the target in image sides, for Fitts' law.
        thought: how much mental preparation comes before it, in units of the keystroke-level M.
        z: how slowly it is done, a standard normal number.
        slot: of the item's stream that ``z`` is from; -1 where it is from no slot.
        of_map: whether the thought is about the attention map, so that familiarity shortens it.
        path: how far the button is held and dragged, in widths of what the hand must stay in (the
            index of difficulty of the steering law); 0: a press.
    """

    kind: ActionKind
    at: Spot | None = None
    width: float = 0.1
    thought: float = 0.0
    z: float = 0.0
    slot: int = -1
    path: float = 0.0
    of_map: bool = False


@dataclass
class Canvas:
    """Marks on one image and the moves that made them.

    A cancel clears everything; an undo takes the last mark back (a point, a region, a vertex).
    """

    moves: list[Move] = field(default_factory=list)
    marks: list[tuple[Move, Region | None]] = field(default_factory=list)

    def press(self, move: Move, region: Region | None = None) -> None:
        """Make a mark; a negative one brings its region."""
        self.moves.append(move)
        self.marks.append((move, region))

    @property
    def hand(self) -> Spot:
        """Where the pointer is."""
        for move in reversed(self.moves):
            if move.at is not None:
                return move.at
        return START

    def undo(self, z: float) -> None:
        """Notice a mistake and take the last mark back by a key."""
        self.marks.pop()
        self.moves.append(Move("undo", thought=0.5, z=z))

    def cancel(self, z: float, again: Callable[[int], float]) -> None:
        """Clear the image by a middle click where the hand is, then make the good marks again.

        Args:
            z: of the cancel.
            again: ``z`` of a mark that is made again, from the slot of the first time.
        """
        wrong, _ = self.marks.pop()
        kept, self.marks = self.marks, []
        self.moves.append(Move("cancel", at=wrong.at, thought=0.5, z=z))
        for move, region in kept:
            self.press(replace(move, thought=0.0, z=again(move.slot)), region)

    def first_vertex(self) -> Spot:
        """Where the polygon that is being drawn began; a press there closes it."""
        first: Spot | None = None
        for move, _ in self.marks:
            if move.kind == "close":
                first = None
            elif move.kind == "vertex" and first is None:
                first = move.at
        if first is None:
            raise ValueError("no polygon is being drawn")
        return first

    def annotation(self) -> Annotation:
        """What stands on the image now."""
        points: list[Spot] = []
        regions: list[Region] = []
        polygons: list[tuple[Spot, ...]] = []
        vertices: list[Spot] = []
        for move, region in self.marks:
            assert move.at is not None
            if move.kind == "positive":
                points.append(move.at)
            elif move.kind == "negative" and region is not None:
                regions.append(region)
            elif move.kind == "vertex":
                vertices.append(move.at)
            elif move.kind == "close":
                polygons.append(tuple(vertices))
                vertices = []
        return Annotation(
            positive_points=tuple(points),
            negative_regions=tuple(regions),
            polygons=tuple(polygons),
        )


def replay(actions: Sequence[Action]) -> tuple[list[Spot], list[Spot], list[list[Spot]]]:
    """Positive points, right-clicked points and closed polygons that the actions leave behind."""
    marks: list[tuple[ActionKind, Spot]] = []
    for action in actions:
        if action.kind == "undo":
            marks.pop()
        elif action.kind == "cancel":
            marks.clear()
        elif action.x is not None and action.y is not None:
            marks.append((action.kind, (action.x, action.y)))
    polygons: list[list[Spot]] = []
    vertices: list[Spot] = []
    for kind, spot in marks:
        if kind == "vertex":
            vertices.append(spot)
        elif kind == "close":
            polygons.append(vertices)
            vertices = []
    return (
        [spot for kind, spot in marks if kind == "positive"],
        [spot for kind, spot in marks if kind == "negative"],
        polygons,
    )
