"""clickstudy as its users get it: the built wheel, in an environment with what it declares.

PyTorch alone is several gigabytes, so nothing is downloaded a second time: what the wheel declares,
and what that declares in turn, is linked file by file from the environment that runs the tests.
What only the development extras bring is therefore not there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
ROOMS = ("study", "simulators", "analysis", "apps", "clickstudy")


def packaged_files() -> Iterator[Path]:
    """Every file of the rooms, relative to the repository."""
    for room in ROOMS:
        for path in (ROOT / room).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT)


def build_wheel(folder: Path) -> Path:
    """The wheel, built from a copy of the sources: nothing of an older build gets in."""
    source = folder / "source"
    for path in (*packaged_files(), *map(Path, ("pyproject.toml", "README.md", "LICENSE"))):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, source / path)
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder / "dist", source)
    (wheel,) = (folder / "dist").iterdir()
    return wheel


@dataclass(frozen=True)
class Installed:
    """An environment of its own with the wheel in it.

    Attributes:
        environment: the directory of the environment.
        distributions: names of what else is in it.
    """

    environment: Path
    distributions: frozenset[str]

    @classmethod
    def make(cls, wheel: Path, environment: Path, extra: str = "") -> Installed:
        """Install the wheel and link what it declares, by itself or with an extra."""
        venv.create(environment, symlinks=True)
        python = environment / "bin" / "python"
        _pip("--python", python, "install", "--no-deps", "--no-index", wheel)
        packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
        (metadata,) = packages.glob("clickstudy-*.dist-info")
        needed = _declared(PathDistribution(metadata), extra)
        for one in needed.values():
            _link(one, packages)
        return cls(environment, frozenset(needed))

    def start(
        self, arguments: Iterable[object], folder: Path, **variables: str
    ) -> subprocess.Popen[str]:
        """Start a program of the environment in ``folder``, as a user's shell would."""
        name, *others = map(str, arguments)
        return subprocess.Popen(
            [self.environment / "bin" / name, *others],
            cwd=folder,
            env=self._variables() | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: object, folder: Path) -> str:
        """What a program of the environment says; it has to succeed."""
        process = self.start(arguments, folder)
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0, said
        return said

    def _variables(self) -> dict[str, str]:
        """The environment's own: what names places of this one is left out."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "VIRTUAL_ENV", "PYTEST", "COV_"))
        }
        path = f"{self.environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return kept | {"PATH": path, "PYTHONNOUSERSITE": "1", "OMP_NUM_THREADS": "1"}


def _declared(one: Distribution, extra: str) -> dict[str, Distribution]:
    """What a distribution declares, with that of its extra, and what that declares, by name."""
    itself = canonicalize_name(one.name)
    found = {itself: one}  # one extra names others of it
    seen: set[tuple[str, str]] = set()
    left = [(one, ""), (one, extra)]
    while left:
        asking, extra = left.pop()
        for text in asking.requires or []:
            wanted = Requirement(text)
            if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
                continue
            name = canonicalize_name(wanted.name)
            if name not in found:
                found[name] = distribution(wanted.name)
            assert wanted.specifier.contains(found[name].version, prereleases=True), text
            for further in ("", *wanted.extras):
                if (name, further) not in seen:
                    seen.add((name, further))
                    left.append((found[name], further))
    del found[itself]
    return found


def _link(one: Distribution, packages: Path) -> None:
    """The files of a distribution, without its programs; what is compiled stays valid."""
    for file in one.files or []:
        if ".." in file.parts or file.is_absolute():
            continue
        source, target = Path(str(one.locate_file(file))), packages / file
        if target.exists() or not source.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except OSError:  # on another file system
            target.symlink_to(source)


def _pip(*arguments: object) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
