"""What a way to correct is: one object that says all that the rest of the house has to know of it.

Its words, what it yields and refuses, how practice with it is judged, which guidance it gives. Its
canvas tool is the script of the same name in ``apps/canvas/interfaces``, or the file that it brings
(:attr:`Interface.script`); its simulated hand registers by the same name in ``simulators.hands``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from study.annotation import Annotation, AnswerName, MarkName

Guides = Literal["points", "outside", "inside"]
"""Attention should be near points, outside of regions, or inside of regions."""


@dataclass(frozen=True)
class Words:
    """What people read.

    Attributes:
        doing: what one does, as in "by clicking".
        intro: the instructions' first sentence.
        steps: how it is done, in Markdown.
        figure: what the picture of it shows, for those who do not see it.
        prompt: above an image, before the name of what is asked for.
        practice: what is to be done to each thing in practice, as in "outline the boat".
        beside: what practice asks for beside that, where there is attention beside the object.
        legend: hand movements and what they do.
        touch: what the two meanings of a touch are called: the first button's, the other one's.
    """

    doing: str
    intro: str
    steps: tuple[str, ...]
    figure: str
    prompt: str
    practice: str
    legend: tuple[tuple[str, str], ...]
    touch: tuple[str, str]
    beside: str = ""


@dataclass(frozen=True)
class Asked:
    """What a practice item asks for.

    Attributes:
        mask: bool [H, W], the object.
        name: what it is called.
        iou: the smallest overlap of an outline with it that counts.
        beside: whether attention beside the object has to be marked too.
    """

    mask: NDArray[np.bool_]
    name: str = "object"
    iou: float = 0.5
    beside: bool = False


@dataclass(frozen=True)
class Verdict:
    """How a practice item was done, and one sentence where it was not right.

    The sentence is a template, so that it can be said in any language; ``advice`` is it in English.
    """

    correct: bool
    template: str = ""
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def advice(self) -> str:
        """The sentence in English."""
        return self.template.format(**self.values)


class Interface(ABC):
    """A way to correct a classifier's attention.

    Attributes:
        name: as study files, the log and tables have it; lower-case letters, digits and _.
        words: what people read.
        marks: the parts of an annotation that it yields; anything else is refused.
        guides: what attention is asked to do by them.
        regions: whether superpixels of the attention map can be marked.
        proposes: whether the machine proposes the region that it looks at most.
        answers: what may be said of the proposal; a single one is what confirming says.
        reshapes: whether clicks grow and shrink the proposal first.
        seconds: that an image takes people about, for machines that weigh what to ask for before
            they know anybody's own time.
        for_class: whether an annotation holds for all images of its class, of which one is asked
            for then.
        forms: guidance that it takes where the study file names none, by ``positive``,
            ``negative`` and ``polygon``.
        script: its canvas tool (ES module); None: the one of its name that comes with ours.
        picture: how it is done, an SVG; None: the one of its name that comes with ours.
    """

    name: ClassVar[str]
    words: ClassVar[Words]
    marks: ClassVar[tuple[MarkName, ...]]
    guides: ClassVar[tuple[Guides, ...]]
    regions: ClassVar[bool] = False
    proposes: ClassVar[bool] = False
    answers: ClassVar[tuple[AnswerName, ...]] = ()
    reshapes: ClassVar[bool] = False
    seconds: ClassVar[float] = 8.0
    for_class: ClassVar[bool] = False
    forms: ClassVar[Mapping[str, str]] = {}
    script: ClassVar[Traversable | None] = None
    picture: ClassVar[Traversable | None] = None

    def refusal(self, annotation: Annotation) -> str | None:
        """Why an annotation cannot have been made with it; None where it can."""
        others = [name for name in annotation.kinds if name not in self.marks]
        if others:
            return f"{self.name} yields {_listed(self.marks)}, not {_listed(others)}"
        for proposal in annotation.proposals:
            if proposal.answer not in self.answers:
                return f"{self.name} has no answer {proposal.answer!r}"
            if not self.reshapes and (proposal.grow or proposal.shrink):
                return f"{self.name} leaves a proposal as it is"
        return None

    @abstractmethod
    def judge(self, annotation: Annotation, asked: Asked) -> Verdict:
        """Whether a practice item was done as asked, and what was wrong."""


def _listed(names: Sequence[str]) -> str:
    return " and ".join(name.replace("_", " ") for name in names)
