"""The wheel as README installs it (extra all), used from a folder with files of the user's own."""

from __future__ import annotations

import itertools
import signal
import socket
import subprocess
import time
import tomllib
import urllib.request
import zipfile
from collections.abc import Callable

import pytest
import tiny
from installed import ROOT, packaged_files
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from study.acquisition.registry import STRATEGIES

pytestmark = pytest.mark.xdist_group("many processes")

TINY = tiny.learning()
BENCH = (
    """
name = "all"
seeds = [0]
interfaces = ["click"]
strategies = "all"

[budget]
batch = 4
cycles = 1
"""
    + TINY
)


def test_the_wheel_holds_every_file_of_the_rooms(wheel) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    assert {path.as_posix() for path in packaged_files()} - packed == set()


def test_what_only_other_extras_bring_is_not_there(installed, folder) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = itertools.chain.from_iterable(extras["optional-dependencies"].values())
    names = {canonicalize_name(Requirement(text).name) for text in wanted}
    assert {
        "scikit-activeml",
        "hypothesis",
        "ray",
        "distributed",
    } <= names - installed.distributions
    code = (
        "from importlib.util import find_spec\n"
        "names = 'skactiveml', 'hypothesis', 'ray', 'distributed', 'pytest', 'streamlit', 'torch'\n"
        "print([name for name in names if find_spec(name)])"
    )
    assert installed.run("python", "-P", "-c", code, folder=folder) == "['streamlit', 'torch']\n"


def test_doctor_init_and_check(installed, folder) -> None:
    said = installed.run("clickstudy", "doctor", folder=folder)
    assert "scikit-learn" in said  # all that is declared is looked for
    installed.run("clickstudy", "init", ".", folder=folder)
    assert "is valid" in installed.run("clickstudy", "check", "study.toml", folder=folder)


def test_every_name_of_the_face_is_there(installed, folder) -> None:
    code = "import clickstudy as cs; print(all(callable(getattr(cs, name)) for name in dir(cs)))"
    assert installed.run("python", "-P", "-c", code, folder=folder) == "True\n"


def test_every_strategy_runs(installed, folder) -> None:
    (folder / "bench.toml").write_text(BENCH)
    command = ["benchmark", "bench.toml", "--out", "run", "--device", "cpu"]
    installed.run("clickstudy", *command, "--workers", 2, folder=folder)
    names = (folder / "run" / "cycles.csv").read_text()
    assert [name for name in STRATEGIES if f"{name}," not in names] == []


PAGE = """
import asyncio, sys
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

async def look(url):
    async with websockets.connect(url, subprotocols=["streamlit"]) as socket:
        asked = BackMsg()
        asked.rerun_script.query_string = ""
        await socket.send(asked.SerializeToString())
        shown = []
        while True:
            said = ForwardMsg.FromString(await socket.recv())
            if said.WhichOneof("type") == "delta":
                shown.append(said.delta.new_element.WhichOneof("type"))
            elif said.WhichOneof("type") == "script_finished":
                return shown

print(asyncio.run(look(sys.argv[1])))
"""


def test_a_study_is_served(installed, folder) -> None:
    (folder / "study.toml").write_text(
        f'name = "tiny"\n[task]\nimages = 4\nbatch = 4\npage = 4\n{TINY}'
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["clickstudy", "serve", "study.toml", "--out", "run", "--port", port]
    served = installed.start(command, folder, CLICKSTUDY_PASSWORD="long enough")
    try:
        _until(lambda: _answers(f"http://127.0.0.1:{port}/_stcore/health"), served)
        _until((folder / "run" / "pretrained.json").exists, served)  # the worker's
        shown = installed.run(
            "python", "-P", "-c", PAGE, f"ws://127.0.0.1:{port}/_stcore/stream", folder=folder
        )
    finally:
        served.send_signal(signal.SIGINT)
        said, _ = served.communicate(timeout=30)
    assert "text_input" in shown, shown
    assert "exception" not in shown, said
    assert "starting it again" not in said


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except OSError:
        return False
    return True


def _until(holds: Callable[[], bool], served: subprocess.Popen[str]) -> None:
    """Wait, for as long as the server runs."""
    end = time.monotonic() + 120
    while not holds():
        assert served.poll() is None, served.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.2)
