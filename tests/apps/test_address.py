"""The addresses that links carry, and who can reach them."""

from __future__ import annotations

import runpy

import pytest

from apps.web import address, server
from apps.web.address import base_address, client_address, listens_beyond, qr_code


@pytest.fixture(autouse=True)
def lan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "lan_address", lambda: "192.0.2.20")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_links_of_a_server_on_loopback_open_on_this_computer(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They named the network's address, where nobody listened."""
    monkeypatch.setenv(address.HOST_VARIABLE, "127.0.0.1")
    assert base_address({"Host": f"{host}:8501"}) == f"http://{host}:8501"
    assert not listens_beyond()


def test_links_of_a_server_for_the_room_name_this_computer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(address.HOST_VARIABLE, "0.0.0.0")
    assert base_address({"Host": "localhost:8501"}) == "http://192.0.2.20:8501"
    assert base_address({"Host": "lab.example:8501"}) == "http://lab.example:8501"
    assert listens_beyond()


def test_links_behind_a_proxy_say_what_the_proxy_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(address.HOST_VARIABLE, "127.0.0.1")
    headers = {"Host": "127.0.0.1:8501", "X-Forwarded-Proto": "https",
               "X-Forwarded-Host": "study.example"}  # fmt: skip
    assert base_address(headers) == "https://study.example"


def test_a_qr_code_is_a_picture() -> None:
    assert qr_code("http://192.0.2.20:8501/?p=x").startswith(b"\x89PNG")


def test_wrong_guesses_are_counted_by_browser_also_behind_our_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9"}
    assert client_address("127.0.0.1", said) == "127.0.0.1"  # anybody may say so
    assert client_address(None, {}) == "this computer"
    monkeypatch.setenv("CLICKSTUDY_BEHIND_PROXY", "yes")
    assert client_address("127.0.0.1", said) == "203.0.113.9"


def test_links_behind_a_proxy_say_its_scheme_and_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKSTUDY_PATH", "/study")
    said = {"Host": "study.example.org", "X-Forwarded-Proto": "https"}
    assert base_address(said) == "https://study.example.org/study"


@pytest.mark.filterwarnings("ignore:.*found in sys.modules")
def test_pages_and_routes_of_the_web_process_have_one_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as ``python -m``, it made one for the routes: no ticket of a page was known there."""
    begun: list[str] = []
    monkeypatch.setattr(server, "main", lambda: begun.append("the module that pages import"))
    runpy.run_module("apps.web.server", run_name="__main__")
    assert begun
