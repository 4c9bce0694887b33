"""Writing files so that an interruption never leaves half of one."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path


def make_private(path: Path) -> None:
    """Make a folder that only its owner may look into; one that is there keeps its mode."""
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)


def append_privately(path: Path, line: str, most: int) -> None:
    """Add a line to a file of the owner's, unless that makes it longer than ``most`` bytes."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8", errors="backslashreplace") as file:
        if os.fstat(file.fileno()).st_size + len(line) < most:
            file.write(line + "\n")


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` in one step: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp is private by design; a study directory is shared with the lab's group
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def file_digest(path: Path) -> str | None:
    """SHA-256 of a file's bytes, hexadecimal; None where there is no such file."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
