"""The sequences of conditions, and how long a task is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from study.config.naming import known, one_of, schema
from study.config.section import NonNegative, Positive, Section, Share
from study.interfaces import DIALOGUE, OURS, interface

_GROUP = "clickstudy.interfaces"
NAMED = (*OURS, DIALOGUE.name)


def interface_names() -> tuple[str, ...]:
    """Every interface, by name; nothing is imported for it."""
    return known(NAMED, _GROUP)


InterfaceName = Annotated[
    str, AfterValidator(one_of("an interface", NAMED, _GROUP)), schema(NAMED, _GROUP)
]
"""Of an interface: ours, or an installed package's; or ``dialogue``."""
MOST_FOR_ALL = 6
"""Conditions of which every order can still be listed (720)."""


class SequencesConfig(Section):
    """The orders in which participants meet the conditions, and who gets which.

    ``assignment`` "blocks" is random: within every ``block`` x (number of sequences) participants
    each sequence comes ``block`` times, in an order that nobody knows before (permuted blocks,
    seeded by the study's seed). "least-filled" takes the first sequence with the fewest
    participants. Both count only who is active or completed.
    """

    plan: Literal["williams", "all", "listed"] = "williams"
    listed: tuple[tuple[str, ...], ...] = ()
    assignment: Literal["blocks", "least-filled"] = "blocks"
    block: Positive = 1

    @model_validator(mode="after")
    def _listed_goes_with_plan(self) -> SequencesConfig:
        if (self.plan == "listed") != bool(self.listed):
            raise ValueError("give sequences.listed exactly when sequences.plan = 'listed'")
        return self


class DialogueConfig(Section):
    """Among which interfaces the machine chooses where ``interface = "dialogue"``."""

    interfaces: tuple[InterfaceName, ...] = ("click", "polygon", "verify")

    @model_validator(mode="after")
    def _is_a_choice(self) -> DialogueConfig:
        if len(self.interfaces) < 2 or len(set(self.interfaces)) < len(self.interfaces):
            raise ValueError("a dialogue chooses among two interfaces or more, each listed once")
        if DIALOGUE.name in self.interfaces:
            raise ValueError("a dialogue cannot ask for a dialogue; take it out")
        return self

    def problems(self) -> Iterator[str]:
        """Why the machine cannot ask for one of them; packages are asked, so only where it does."""
        for name in self.interfaces:
            if interface(name).for_class:
                yield (
                    f"dialogue.interfaces: {name} is drawn once for a whole class, and a dialogue "
                    f"asks image by image; take it out"
                )


class RevealConfig(Section):
    """Rapid categorisation after all tasks (:mod:`study.reveal`); none where ``items`` is 0.

    Only the most important pixels of an image, a ``share`` of them, are shown for ``seconds``, by
    the maps of each of the ``sources``: the biased classifier's ``attention``, bottom-up
    ``saliency``, or ``people``, whose maps are in the file ``maps`` (COCO or Label Studio JSON,
    NPZ).
    """

    items: Annotated[int, Field(strict=True, ge=0)] = 0
    sources: tuple[Literal["people", "attention", "saliency"], ...] = ("attention", "saliency")
    shares: tuple[Annotated[float, Field(strict=True, gt=0, le=1)], ...] = (0.01, 0.03, 0.1, 0.3)
    seconds: Annotated[float, Field(strict=True, gt=0, le=10)] = 0.1
    maps: str = ""

    @model_validator(mode="after")
    def _has_its_maps(self) -> RevealConfig:
        for name, values in (("sources", self.sources), ("shares", self.shares)):
            if not values or len(set(values)) < len(values):
                raise ValueError(f"{name} needs one or more, each listed once")
        if ("people" in self.sources) != bool(self.maps):
            raise ValueError(
                "name people's maps as maps = \"file\" exactly when sources has 'people'"
            )
        return self


class TaskConfig(Section):
    """How long a task is and how it is cut into cycles and pages (sections 6.4, 3.4).

    ``clock`` says what the minutes count: time spent annotating (so that a slow machine does not
    shorten the task), or everything since the task began, as in the paper. With
    ``until_satisfied`` participants may end a task when they find the model's attention
    satisfactory (section 3.4), once it was fine-tuned.

    ``shared`` is the share of every batch that all participants get alike, whatever the strategy:
    images drawn by the study's seed, others in each condition. Agreement between people is measured
    on them.
    """

    minutes: Annotated[float, Field(strict=True, gt=0)] = 45.0
    clock: Literal["annotation", "total"] = "annotation"
    images: Positive | None = None
    cycles: Positive | None = None
    page: Positive = 64
    batch: Positive = 256
    until_satisfied: bool = False
    shared: Share = 0.0


class PracticeConfig(Section):
    """Items each participant must do correctly with an interface before its first task.

    An image stays until it is done rightly; after ``help_after`` failures on it the wanted
    outline stays in sight. ``regions`` asks for a right click on attention beside the object,
    where an interface has regions and the image has such attention.
    """

    items: Annotated[int, Field(strict=True, ge=0)] = 3
    polygon_iou: Share = 0.5
    help_after: Positive = 3
    regions: bool = True


class BreakConfig(Section):
    """The rest between tasks, in seconds, and the rests inside one, offered ``every_minutes`` of
    annotating (0: never). No clock counts a rest.
    """

    seconds: NonNegative = 300.0
    every_minutes: NonNegative = 0.0


class AttentionCheckConfig(Section):
    """Every how many images a marked target must be hit (0: never, as in the paper)."""

    every: Annotated[int, Field(strict=True, ge=0)] = 0
    radius: Annotated[float, Field(strict=True, gt=0.0, le=0.5)] = 0.08
