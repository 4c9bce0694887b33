"""The command line in a process of its own: its exit code and what it prints."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from forked import context

from apps.commands.cli import main


def clickstudy(
    *arguments: object, timeout: float = 300, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command; what it prints goes through the file descriptors, so that nothing is lost."""
    words = ["clickstudy", *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder) / name for name in ("out", "err")]
        process = context.Process(target=_run, args=(words, said, os.environ | environment))
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            raise TimeoutError(f"{' '.join(words)} took more than {timeout} s")
        out, err = (path.read_text() for path in said)
    return subprocess.CompletedProcess(words, process.exitcode, out, err)


def _run(words: list[str], said: list[Path], environment: dict[str, str]) -> None:
    for stream, path in enumerate(said, start=1):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY), stream)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = words
    try:
        main()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
