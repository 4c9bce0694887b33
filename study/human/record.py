"""Records: who drew what on which image. They come from a study's log, or from a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from study.annotation import Annotation
from study.config import StudyConfig
from study.data.dataset import ImageSet
from study.protocol.events import ItemAnnotated
from study.protocol.store import EventStore
from study.protocol.timeline import replay


@dataclass(frozen=True)
class Record:
    """One person's annotation of one image, the last where there are several.

    Attributes:
        image: its name in the dataset.
        annotation: what was drawn, in [0, 1] along the photograph's width and height.
        label: the class that was asked for; empty where nobody says.
        participant: who.
        interface: with which.
        position: the participant's task; 0 where there are no tasks.
        size: (width, height) of the photograph in pixels.
        seconds: that it took, all visits together; None where nobody says.
    """

    image: str
    annotation: Annotation
    label: str = ""
    participant: str = ""
    interface: str = ""
    position: int = 0
    size: tuple[int, int] = (1, 1)
    seconds: float | None = None


def of_study(
    config: StudyConfig, store: EventStore, pool: ImageSet, mode: str | None = None
) -> Iterator[Record]:
    """The records of a study, participant by participant, in the order of the tasks.

    Args:
        config: the study file.
        store: the log.
        pool: the items that were annotated (``split.items``).
        mode: only of participants of this mode; None: of all, which nobody should mix.
    """
    for participant in store.participants():
        events = store.events(participant)
        progress = replay(config, participant, events)
        if mode is not None and progress.mode != mode:
            continue
        items = [event.payload for event in events if isinstance(event.payload, ItemAnnotated)]
        for task in progress.tasks:
            seconds: dict[str, float] = {}
            for item in items:
                if item.position == task.position:
                    seconds[item.image] = seconds.get(item.image, 0.0) + item.seconds
            for image, drawn in task.annotations().items():
                index = pool.positions.get(image)
                yield Record(
                    image=image,
                    annotation=drawn,
                    label="" if index is None else pool.classes[int(pool.asked[index])],
                    participant=participant,
                    interface=task.interface(image),
                    position=task.position,
                    size=(1, 1) if index is None else size_of(pool, index),
                    seconds=seconds.get(image),
                )


def size_of(pool: ImageSet, index: int) -> tuple[int, int]:
    """(width, height) of an image in pixels: the photograph's, or where there is none its own."""
    if pool.shapes is None:
        height, width = pool.size
        return width, height
    width, height = pool.shapes[index].tolist()
    return int(width), int(height)


def by_image(records: Iterable[Record]) -> Mapping[str, list[Record]]:
    """Records of each image, in their order."""
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record.image, []).append(record)
    return found
