"""Personal links and codes."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from apps.web.tokens import code, participant_of_code, read_secret, sign, verify

SECRET = b"a secret"


@given(st.text(min_size=1, max_size=40))
def test_a_token_says_who_it_is_of(name: str) -> None:
    assert verify(SECRET, sign(SECRET, name)) == name


@given(st.text(max_size=60))
def test_what_was_not_signed_is_nobody(token: str) -> None:
    assert verify(SECRET, token) is None


def test_a_signature_is_of_one_name_and_one_study() -> None:
    name, signature = sign(SECRET, "P01").rsplit(".", 1)
    other = sign(SECRET, "P02").rsplit(".", 1)[0]
    assert verify(SECRET, f"{other}.{signature}") is None
    assert verify(b"another secret", f"{name}.{signature}") is None


def test_a_code_is_found_however_it_is_typed() -> None:
    people = [f"P{number:02d}" for number in range(40)]
    printed = code(SECRET, "P07")
    for typed in (printed, printed.lower(), printed.replace("-", ""), f" {printed} "):
        assert participant_of_code(SECRET, typed, people) == "P07"
    assert participant_of_code(SECRET, "", people) is None
    assert len({code(SECRET, person) for person in people}) == len(people)


@given(st.text(max_size=30))
def test_whatever_is_typed_is_nobodys_code_or_somebodys(typed: str) -> None:
    """A letter beyond ASCII crashed the page."""
    assert participant_of_code(SECRET, typed, ["P01"]) in (None, "P01")


def test_a_code_with_umlauts_is_nobodys() -> None:
    assert participant_of_code(SECRET, "ÄÖÜß-1234", ["P01"]) is None
    assert participant_of_code(SECRET, "\ud800", ["P01"]) is None
    assert verify(SECRET, "\ud800.x") is None


def test_the_secret_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    first = read_secret(tmp_path)
    assert read_secret(tmp_path) == first
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0
