"""A benchmark small enough to run in seconds."""

import pytest
import tiny

from simulators.benchmark import config, sweep

BENCH = """
name = "tiny"
seeds = [0, 1]
interfaces = ["click"]
strategies = ["random", "entropy", "label-dispersion"]

[budget]
batch = 6
cycles = 2
""" + tiny.learning(pretraining=2)


@pytest.fixture
def bench(tmp_path):
    """A function that reads the tiny benchmark file, with lines exchanged or added."""

    def make(exchanged=(), added=""):
        text = BENCH + added
        for old, new in exchanged:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "bench.toml"
        path.write_text(text)
        return config.load(path)

    return make


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """The tiny benchmark, run in this process: its file and its directory."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "bench.toml").write_text(BENCH)
    file = config.load(folder / "bench.toml")
    assert sweep.run(file, folder / "run", workers=1, device="cpu", progress=False) == []
    return file, folder / "run"
