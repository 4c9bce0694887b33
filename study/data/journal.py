"""What was read of each photograph, written down as it is read, so that reading goes on after an
interruption where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from study.data import inventory
from study.data.pixels import Size

EVERY = 64
"""Lines between two writes: as much as an interruption may cost."""


@dataclass(frozen=True)
class Seen:
    """What is to be said of one photograph.

    Attributes:
        digest: SHA-256 of its pixels.
        doubtful_turn: whether outlines and turned photograph may not go together.
        numbers: class numbers of its masks.
        empty: of every outline, whether it shows nothing.
        size: (width, height) in pixels, upright.
    """

    digest: bytes
    doubtful_turn: bool
    numbers: tuple[int, ...]
    empty: tuple[bool, ...]
    size: Size


class Journal:
    """The rows of one split that are done; without a file it remembers nothing."""

    def __init__(self, file: Path | None, begin_anew: bool = False) -> None:
        self.file = file
        self.done: dict[int, tuple[str, Seen]] = {}
        self._stream: IO[str] | None = None
        self._waiting = 0
        if file is None:
            return
        if begin_anew:
            file.unlink(missing_ok=True)
        elif file.is_file():
            for line in file.read_text(encoding="utf-8").splitlines():
                try:
                    row, trace, seen = _read(line)
                except (ValueError, KeyError, TypeError):
                    continue  # the line that was being written
                self.done[row] = (trace, seen)
        self._stream = file.open("a", encoding="utf-8")
        self._stream.write("\n")  # half a line may stand at the end

    def known(self, row: int, files: Sequence[Path]) -> Seen | None:
        """What is written of a row, unless the photograph or a mask has changed since."""
        if row not in self.done:
            return None
        trace, seen = self.done[row]
        return seen if trace == inventory.key(inventory.traces(files)) else None

    def add(self, row: int, files: Sequence[Path], seen: Seen) -> None:
        """Write down that a row, of these files, is done; its pixels must be in their array."""
        if self._stream is None or row in self.done:
            return
        facts: dict[str, Any] = {
            "row": row,
            "trace": inventory.key(inventory.traces(files)),
            "digest": seen.digest.hex(),
            "turn": seen.doubtful_turn,
            "numbers": seen.numbers,
            "empty": seen.empty,
            "size": seen.size,
        }
        self._stream.write(json.dumps(facts) + "\n")
        self._waiting += 1
        if self._waiting >= EVERY:
            self._stream.flush()
            self._waiting = 0

    def close(self) -> None:
        """Write what waits."""
        if self._stream is not None:
            self._stream.close()


def _read(line: str) -> tuple[int, str, Seen]:
    said = json.loads(line)
    width, height = said["size"]
    seen = Seen(
        digest=bytes.fromhex(said["digest"]),
        doubtful_turn=bool(said["turn"]),
        numbers=tuple(said["numbers"]),
        empty=tuple(said["empty"]),
        size=(width, height),
    )
    return int(said["row"]), said["trace"], seen
