"""How a simulated person answers what the machine proposes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulators.actions import Move
from simulators.chance import Draws
from simulators.person import Person
from simulators.scene import Scene
from study.annotation import Annotation, Proposal, Region
from study.interfaces import interface
from study.interfaces.verify import right_answer
from study.learning.superpixels import propose

COMPARING = 0.5
"""Preparation before the answer, in units of M; with deciding and checking an image takes two to
four seconds (chosen; 1.6 s are reported for boxes by experts)."""


def draw(name: str) -> Callable[[Scene, Person, Draws], tuple[Annotation, list[Move]]]:
    """The hand of ``verify`` or of ``verify5``.

    The answer is the right one by the region and the mask, but for slips: then it is another one
    at random, which is corrected when it is noticed. Without attention, or without any in the map,
    there is no proposal, and nothing is said.
    """

    def hand(scene: Scene, person: Person, draws: Draws) -> tuple[Annotation, list[Move]]:
        rng = np.random.default_rng(draws.key)
        if scene.attention is None:
            return Annotation(), []
        proposed = propose(scene.attention, *scene.shape).astype(bool)
        if not proposed.any():
            return Annotation(), []
        answers = interface(name).answers
        answer = right_answer(proposed, scene.mask, answers)
        moves: list[Move] = []
        if rng.random() < person.slip_rate:
            others = [other for other in answers if other != answer]
            moves.append(Move("answer", thought=COMPARING, z=float(rng.normal()), of_map=True))
            if rng.random() >= person.notice_rate:
                answer = others[int(rng.integers(len(others)))]
                return _said(proposed, answer), moves
        moves.append(Move("answer", thought=COMPARING, z=float(rng.normal()), of_map=True))
        return _said(proposed, answer), moves

    return hand


def _said(proposed: np.ndarray, answer: str) -> Annotation:
    row, column = np.argwhere(proposed).mean(0)
    at = ((column + 0.5) / proposed.shape[1], (row + 0.5) / proposed.shape[0])
    region = Region.from_mask((float(at[0]), float(at[1])), proposed)
    return Annotation(proposals=(Proposal(region=region, answer=answer),))  # type: ignore[arg-type]
