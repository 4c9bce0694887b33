"""Where a run stands between two cycles, and how that is kept on disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from study.annotation import Annotation
from study.learning.learner import Learner
from study.learning.models import Classifier


@dataclass
class State:
    """Where a run stands after a cycle; with the run itself, all that the next cycle needs.

    Attributes:
        learner: the run's classifier and its committee.
        annotations: by index into the pool, in the order in which they were made.
        cycle, actions, seconds: spent so far.
        spent: whether a budget has ended.
        rows, picks: the tables so far.
        aside: indices into the pool whose labels are the classifier's own guesses until it is
            trained again; they are not bought meanwhile.
        more: further tables by name, of benchmarks that buy labels.
    """

    learner: Learner
    annotations: dict[int, Annotation] = field(default_factory=dict)
    cycle: int = 0
    actions: int = 0
    seconds: float = 0.0
    spent: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)
    picks: list[dict[str, Any]] = field(default_factory=list)
    aside: list[int] = field(default_factory=list)
    more: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def bought(self) -> int:
        """Images that were paid for."""
        return len(self.annotations)

    def pack(self) -> dict[str, Any]:
        """Plain values and tensors, for ``torch.save``."""
        return vars(self) | {
            "learner": self.learner.pack(),
            "annotations": [(i, a.model_dump_json()) for i, a in self.annotations.items()],
        }

    @classmethod
    def unpack(cls, packed: dict[str, Any], like: Classifier) -> State:
        """The state that :meth:`pack` packed; its classifiers are built ``like`` this one."""
        return cls(
            **packed
            | {
                "learner": Learner.unpack(packed["learner"], like),
                "annotations": {
                    i: Annotation.model_validate_json(a) for i, a in packed["annotations"]
                },
            }
        )
