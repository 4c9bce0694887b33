"""A dialogue: the machine asks, image by image, for the kind of annotation that pays most.

It is no interface with a tool of its own but a choice among those of ``dialogue.interfaces``
(:mod:`study.asking` chooses); people practise each of these.
"""

from __future__ import annotations

from typing import ClassVar, get_args

from study.annotation import Annotation, AnswerName, MarkName
from study.interfaces.interface import Asked, Guides, Interface, Verdict, Words


class Dialogue(Interface):
    """Whatever the machine asks for."""

    name = "dialogue"
    words = Words(
        doing="doing what the computer asks for",
        intro="The computer asks, image by image, for the kind of correction that helps it most.",
        steps=("What is to be done stands above each image.",),
        figure="",
        prompt="",
        practice="",
        legend=(),
        touch=("", ""),
    )
    marks: ClassVar[tuple[MarkName, ...]] = get_args(MarkName)
    guides: ClassVar[tuple[Guides, ...]] = get_args(Guides)
    answers: ClassVar[tuple[AnswerName, ...]] = get_args(AnswerName)
    reshapes = True

    def judge(self, annotation: Annotation, asked: Asked) -> Verdict:
        """Nobody practises it: each of its interfaces is practised."""
        raise NotImplementedError("a dialogue is practised by its interfaces")
