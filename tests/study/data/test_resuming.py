"""Reading that is interrupted goes on where it stopped, and reads anew only what changed."""

import numpy as np
import pytest
from PIL import Image

from study.config import load
from study.data import pixels
from study.data.dataset import DataError
from study.data.loading import load_dataset

PER_CLASS = 60


@pytest.fixture
def study(tmp_path):
    for number, name in enumerate(("cat", "dog")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(PER_CLASS):
            noise = np.random.default_rng([number, i]).integers(0, 255, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / "photos" / name / f"{i}.png")
    (tmp_path / "study.toml").write_text(
        'name = "s"\n[dataset]\nkind = "folder"\nroot = "photos"\nsize = 32\n'
        "val_share = 0.05\ntest_share = 0.05\n"
    )
    return load(tmp_path / "study.toml")


@pytest.fixture
def reads(monkeypatch):
    """The files that are decoded."""
    files = []
    original = pixels.photograph

    def photograph(file, *rest):
        files.append(file)
        return original(file, *rest)

    monkeypatch.setattr(pixels, "photograph", photograph)
    return files


class Pulled(Exception):
    pass


def interrupted(study, folder, at=100):
    def plug(done, total):
        assert total == 2 * PER_CLASS
        if done == at:
            raise Pulled

    with pytest.raises(Pulled):
        load_dataset(study, folder, plug)


def test_reading_goes_on_where_it_stopped(study, tmp_path, reads):
    whole = load_dataset(study, tmp_path / "other")
    reads.clear()
    interrupted(study, tmp_path / "cache")
    reads.clear()
    seen = []
    found = load_dataset(study, tmp_path / "cache", lambda done, total: seen.append((done, total)))
    assert len(set(reads)) <= 2 * PER_CLASS - 99  # what was ahead of the journal comes again
    assert seen[-1] == (2 * PER_CLASS, 2 * PER_CLASS)
    assert found.fingerprint == whole.fingerprint
    assert found.notes == whole.notes
    reads.clear()
    assert load_dataset(study, tmp_path / "cache").fingerprint == whole.fingerprint
    assert not reads
    assert not list((tmp_path / "cache").glob("*.begun"))


def test_a_broken_photograph_costs_only_itself(study, tmp_path, reads):
    file = tmp_path / "photos" / "dog" / "7.png"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"7\.png is not a readable image"):
        load_dataset(study, tmp_path / "cache")
    file.write_bytes(content)
    reads.clear()
    load_dataset(study, tmp_path / "cache")
    assert file in reads
    assert len(set(reads)) < 2 * PER_CLASS


def test_other_settings_begin_anew_and_clear_what_was_begun(study, tmp_path, reads):
    interrupted(study, tmp_path / "cache")
    assert len(list((tmp_path / "cache").glob(".*.begun"))) == 1
    reads.clear()
    text = study.path.read_text()
    study.path.write_text(text.replace("size = 32", "size = 40"))
    load_dataset(load(study.path), tmp_path / "cache")
    assert len(set(reads)) == 2 * PER_CLASS
    assert not list((tmp_path / "cache").glob(".*.begun"))


def test_half_a_line_and_a_damaged_array_are_read_anew(study, tmp_path, reads):
    interrupted(study, tmp_path / "cache")
    (begun,) = (tmp_path / "cache").glob(".*.begun")
    journal = begun / "train" / "journal.jsonl"
    journal.write_text(journal.read_text().rstrip()[:-20])
    whole = load_dataset(study, tmp_path / "other")
    assert load_dataset(study, tmp_path / "cache").fingerprint == whole.fingerprint
    again = tmp_path / "again"
    interrupted(study, again)
    (begun,) = again.glob(".*.begun")
    (begun / "train" / "images.npy").write_bytes(b"")
    assert load_dataset(study, again).fingerprint == whole.fingerprint


def test_a_folder_that_cannot_be_written_is_refused(study, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        load_dataset(study, tmp_path / "file" / "cache")
