"""The files that a dataset is made of, and what is in them: its inventory.

To know which photographs and masks there are, half a gigabyte of annotations may have to be parsed;
to know what is in them, each has to be read. Both are done once. What was found lies in the user's
cache folder (or in ``CLICKSTUDY_CACHE``) and holds as long as the files' sizes and times of change
stay the same; whoever deletes it loses time and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Container, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_cache_path

from study.files import file_digest, write_atomically

CACHE = "CLICKSTUDY_CACHE"
"""Environment variable with the folder that inventories are kept in."""
KEPT_SECONDS = 90 * 24 * 3600
"""Older inventories are made again."""
Trace = tuple[int, int]
"""Size in bytes and time of change in nanoseconds: another one, another file."""
log = logging.getLogger(__name__)


def trace(file: Path) -> Trace | None:
    """How a file or folder is to be known again; None where there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def traces(files: Iterable[Path]) -> list[tuple[str, Trace | None]]:
    """The paths with their traces."""
    return [(str(file), trace(file)) for file in files]


def key(*parts: object) -> str:
    """A short hash of everything that something depends on."""
    text = json.dumps([str(part) for part in parts])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass
class Inventory:
    """What one dataset is made of.

    Attributes:
        name: of its file in the cache folder.
        annotations: the files that list the others, or might (those of a class folder).
        pictures: photographs and masks.
        contents: by path the trace that a file had and the SHA-256 of what was in it then.
    """

    name: str
    annotations: tuple[Path, ...]
    pictures: tuple[Path, ...] = ()
    contents: dict[str, tuple[Trace, str]] = field(default_factory=dict)

    def present(self) -> dict[str, Trace]:
        """The files that are there, with their traces."""
        files = traces((*self.annotations, *self.pictures))
        return {path: known for path, known in files if known is not None}

    def digest(self, root: Path) -> str:
        """SHA-256 of paths, relative to ``root``, and contents of the files that are there.

        It is the same wherever and whenever they were copied.
        """
        found = self.present()
        unread = [path for path in found if self._known(path, found[path]) is None]
        with ThreadPoolExecutor() as pool:
            read = pool.map(file_digest, map(Path, unread))
            for path, content in zip(unread, read, strict=True):
                if content is not None:
                    _READ[path, found[path]] = content
        if unread:
            self.contents = {
                path: (known, content)
                for path, known in found.items()
                if (content := self._known(path, known)) is not None
            }
            self.save()
        whole = hashlib.sha256()
        for path, known in found.items():
            name = Path(os.path.relpath(path, root)).as_posix()
            whole.update(f"{name}:{self._known(path, known)}\n".encode())
        return whole.hexdigest()

    def _known(self, path: str, found: Trace) -> str | None:
        if (path, found) not in _READ and path in self.contents:
            before, content = self.contents[path]
            if before == found:
                _READ[path, found] = content
        return _READ.get((path, found))

    def save(self) -> None:
        """Keep it for other processes; where that is impossible they make it again."""
        said = {
            "annotations": list(map(str, self.annotations)),
            "pictures": list(map(str, self.pictures)),
            "contents": self.contents,
        }
        try:
            write_atomically(_place(self.name), json.dumps(said).encode())
            for other in _folder().glob("*.json"):
                if other.stat().st_mtime < time.time() - KEPT_SECONDS:
                    other.unlink(missing_ok=True)
        except OSError as error:
            log.info("inventories are not kept: %s (%s)", _folder(), error.strerror)


def of(name: str, sources: Sequence[Path], listed: Callable[[], Iterable[Path]]) -> Inventory:
    """The inventory of a dataset, from memory, from the cache folder, or made now.

    Args:
        name: a key of all that decides which files are listed.
        sources: what lists the pictures.
        listed: reads the sources and says which pictures there are.
    """
    if name not in _MADE:
        made = _kept(name)
        if made is None:
            pictures = dict.fromkeys(listed())
            made = Inventory(name, only_files(sources, pictures), tuple(pictures))
            made.save()
        _MADE[name] = made
    return _MADE[name]


def only_files(sources: Iterable[Path], pictures: Container[Path] = ()) -> tuple[Path, ...]:
    """Without folders, which are watched for what they hold, and without pictures."""
    return tuple(file for file in sources if file not in pictures and not file.is_dir())


def _kept(name: str) -> Inventory | None:
    try:
        said = json.loads(_place(name).read_bytes())
        contents = {
            path: ((size, changed), content)
            for path, ((size, changed), content) in said["contents"].items()
        }
        annotations, pictures = (
            tuple(map(Path, said[kind])) for kind in ("annotations", "pictures")
        )
        return Inventory(name, annotations, pictures, contents)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _folder() -> Path:
    given = os.environ.get(CACHE)
    return Path(given) if given else user_cache_path("clickstudy") / "inventories"


def _place(name: str) -> Path:
    return _folder() / f"{name}.json"


_MADE: dict[str, Inventory] = {}
_READ: dict[tuple[str, Trace], str] = {}
"""Contents by path and trace: the seeds of a benchmark have the same photographs."""
