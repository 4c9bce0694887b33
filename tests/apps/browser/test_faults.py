"""Nothing is lost: each fault is really made, and the log is counted afterwards."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, Playwright

from apps.web.desk import Seat
from study.protocol.events import FineTuned, FineTuningFailed, ItemAnnotated
from tests.apps.browser.conftest import CHROMIUM, Participant, Served
from tests.apps.browser.person import FLAGS, VIEWPORT
from tests.apps.browser.served import done_but

OFFLINE_SECONDS = float(os.environ.get("CLICKSTUDY_TEST_OFFLINE", "3"))


def items(seat: Seat) -> list[ItemAnnotated]:
    events = seat.desk.layout.study.store.events(seat.participant)
    return [e.payload for e in events if isinstance(e.payload, ItemAnnotated)]


def begin(served: Served, page: Page, name: str) -> tuple[Participant, Seat]:
    seat = served.at_work(name)
    person = Participant(page, served, name)
    person.open()
    person.shown(timeout=60)
    return person, seat


def confirm_one(person: Participant, x: float = 0.5) -> str:
    """Click and confirm, without waiting for anybody; returns the item's key."""
    key = person.shown(timeout=60)
    person.at(x, 0.5)
    person.press("CONFIRM")
    person.page.wait_for_function(
        "key => document.querySelector('[data-testid=stMain]') && "
        "[...document.querySelectorAll('*')].some(e => e.shadowRoot && "
        "e.shadowRoot.querySelector('.cs') && "
        "e.shadowRoot.querySelector('.cs').dataset.shown !== key)",
        arg=key,
    )
    return key


def once_each(person: Participant, seat: Seat, keys: list[str]) -> None:
    """Every confirmed item is in the log once, as confirmed, and nothing else is."""
    end = time.monotonic() + 60
    while len(items(seat)) < len(keys) and time.monotonic() < end:
        time.sleep(0.1)
    batch = seat.desk.layout.stimuli.batch(seat.participant, 1, 1)
    assert batch is not None
    found = Counter(item.image for item in items(seat))
    assert found == Counter(batch.images[int(key.split("/")[2])] for key in keys)
    assert all(len(item.annotation.positive_points) == 1 for item in items(seat))
    assert person.errors == []


def test_a_reload_brings_back_the_open_image_with_what_was_drawn(long: Served, page: Page) -> None:
    person, seat = begin(long, page, "reload")
    keys = [confirm_one(person)]
    key = person.shown()
    person.at(0.3, 0.3)
    page.wait_for_timeout(400)
    page.reload()
    assert person.shown() == key
    person.press("CONFIRM")
    keys.append(key)
    keys.append(confirm_one(person))
    once_each(person, seat, keys)
    again = items(seat)[1]
    assert again.annotation.positive_points[0][0] < 0.35
    assert again.seconds > 0.4


def test_offline_work_is_delivered_when_the_network_returns(long: Served, page: Page) -> None:
    person, seat = begin(long, page, "offline")
    keys = [confirm_one(person)]
    page.wait_for_timeout(500)
    page.context.set_offline(True)
    keys += [confirm_one(person) for _ in range(2)]
    assert len(items(seat)) == 1
    page.get_by_text("2 saved here").wait_for()
    page.wait_for_timeout(OFFLINE_SECONDS * 1000)
    page.context.set_offline(False)
    once_each(person, seat, keys)
    keys.append(confirm_one(person))
    once_each(person, seat, keys)


def test_offline_work_survives_a_reload(long: Served, page: Page) -> None:
    person, seat = begin(long, page, "offline-reload")
    page.wait_for_timeout(500)
    page.context.set_offline(True)
    keys = [confirm_one(person)]
    page.evaluate("window.stop()")
    page.context.set_offline(False)
    page.reload()
    keys.append(confirm_one(person))
    once_each(person, seat, keys)


def test_a_killed_server_loses_and_doubles_nothing(long: Served, page: Page) -> None:
    person, seat = begin(long, page, "server")
    keys = []
    for _ in range(3):
        key = person.shown(timeout=60)
        person.at(0.5, 0.5)
        long.kill("apps.web.server")
        person.press("CONFIRM")
        keys.append(key)
        long.wait()
    keys.append(confirm_one(person))
    once_each(person, seat, keys)


def test_everything_killed_and_started_again(long: Served, page: Page) -> None:
    person, seat = begin(long, page, "everything")
    keys = [confirm_one(person)]
    long.kill_everything()
    keys.append(confirm_one(person))
    long.start()
    keys.append(confirm_one(person))
    once_each(person, seat, keys)


def test_a_crashed_browser_comes_back_to_the_same_image(
    long: Served, playwright: Playwright, tmp_path: Path
) -> None:
    seat = long.at_work("crash")
    profile = str(tmp_path / "profile")

    def open_browser() -> tuple[BrowserContext, Participant]:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=str(CHROMIUM), args=FLAGS, viewport=VIEWPORT
        )
        person = Participant(context.new_page(), long, "crash")
        person.open()
        return context, person

    _, person = open_browser()
    keys = [confirm_one(person), confirm_one(person)]
    key = person.shown()
    once_each(person, seat, keys)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and profile in _command(entry):
            os.kill(int(entry.name), signal.SIGKILL)
    Path(profile, "SingletonLock").unlink(missing_ok=True)
    context, person = open_browser()
    assert person.shown(timeout=60) == key
    keys.append(confirm_one(person))
    once_each(person, seat, keys)
    context.close()


def _command(entry: Path) -> str:
    try:
        return (entry / "cmdline").read_text()
    except OSError:
        return ""


def test_one_tab_at_a_time(long: Served, page: Page) -> None:
    person, seat = begin(long, page, "tabs")
    keys = [confirm_one(person)]
    other = Participant(page.context.new_page(), long, "tabs")
    other.open()
    other.page.get_by_text("open in another tab").wait_for()
    assert other.page.locator(".cs[data-shown]").count() == 0
    keys.append(confirm_one(person))
    other.page.get_by_role("button", name="Continue in this tab").click()
    keys.append(confirm_one(other))
    page.get_by_text("open in another tab").wait_for()
    once_each(other, seat, keys)


def test_a_killed_worker_does_its_job_again(long: Served, page: Page) -> None:
    seat = long.at_work("worker")
    done_but(seat, 1)
    person = Participant(page, long, "worker")
    person.open()
    confirm_one(person)
    page.locator('[data-do="next"]:not([disabled])', has_text="FINE-TUNE").wait_for()
    long.kill("apps.web.worker")
    person.press("FINE-TUNE")
    time.sleep(1)
    with suppress(LookupError):  # it may not have been started again yet
        long.kill("apps.web.worker")
    person.wait_for(lambda state: state["page"] == "questionnaire/1", timeout=90)
    # torchvision brings torch's compiler: every process waited seconds for it
    mapped = Path(f"/proc/{long.child('apps.web.worker')}/maps").read_text()
    assert "torch" in mapped
    assert "torchvision" not in mapped
    log = [event.payload for event in long.desk.layout.study.store.events("worker")]
    assert sum(isinstance(payload, FineTuned) for payload in log) == 1
    assert not any(isinstance(payload, FineTuningFailed) for payload in log)
