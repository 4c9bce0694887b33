"""Load test: many scripted participants at once, with fine-tuning going on (not part of CI).

    python -m tests.apps.browser.load --participants 16 --minutes 5
    python -m tests.apps.browser.load --participants 8 --minutes 5 --feedback image

With ``--feedback image`` the head of a pretrained network learns after every CONFIRM, and the time
is that to the next image with the newest attention: only images are counted that were shown with
what the model had learnt from all that was confirmed before.

Each participant is a page of its own that clicks, confirms and presses FINE-TUNE as fast as a
quick person would. Afterwards the log is compared, item by item, with what the pages confirmed.
Prints the time from pressing CONFIRM to the next image on the screen, as the page measured it (the
first ones of each page apart: whatever is loaded when it is first used is in them), and how busy
the machine was.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from playwright.async_api import Browser, async_playwright

from apps.web.worker import Worker
from study.config import load
from study.directory import StudyDirectory
from study.protocol.events import FineTuned, ItemAnnotated
from tests.apps.browser.conftest import CHROMIUM, Served, write_study
from tests.apps.browser.person import FLAGS, VIEWPORT

LIVE = (
    ('name = "small"\nwidth = 4\n', 'name = "efficientnet-lite0"\nweights = "imagenet"\n'),
    ("[pretraining]\nepochs = 1\n", '[pretraining]\ntrain = "head"\n'),
    (
        "[fine_tuning]\nepochs = 60\n",
        '[fine_tuning]\ntrain = "head"\n[workspace]\nfeedback = "image"\n',
    ),
    ("train = 60\n", "train = 250\n"),
    ("images = 400\nbatch = 16\npage = 16\n", "images = 200\nbatch = 64\npage = 64\n"),
)
"""What makes the study one on a pretrained network whose head learns after each image."""
FIRST = 2
"""Images of each page whose times are told apart."""
DELIVERED = 60.0
"""Seconds in which a page has to have delivered everything after its last confirmation."""

PERSON = """
async ([milliseconds, seed, delivered]) => {
  const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
  const root = () => [...document.querySelectorAll("*")].find(
    e => e.shadowRoot?.querySelector(".cs"))?.shadowRoot;
  let state = seed;
  const random = () => (state = (state * 16807) % 2147483647) / 2147483647;
  const done = [], stale = [];
  let confirmed = 0;
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    await pause(30);
    const cs = root()?.querySelector(".cs");
    if (!cs) continue;
    const tune = cs.querySelector('[data-do="next"]:not([disabled])');
    if (cs.dataset.view === "work" && !cs.dataset.shown && tune && !tune.disabled) {
      tune.click();
      await pause(300);
      continue;
    }
    if (!cs.dataset.shown) continue;
    // the confirmations that the model knew whose attention is shown
    if (cs.dataset.learnt && Number(cs.dataset.learnt) !== confirmed) stale.push(cs.dataset.shown);
    await pause(700 + 1800 * random());
    const key = cs.dataset.shown;
    if (!key) continue;
    const canvas = cs.querySelector("canvas.top");
    const box = canvas.getBoundingClientRect();
    for (const button of [0, 2]) {
      canvas.dispatchEvent(new PointerEvent("pointerdown", {
        button, bubbles: true, clientX: box.left + box.width * (0.2 + 0.6 * random()),
        clientY: box.top + box.height * (0.2 + 0.6 * random())}));
      await pause(100);
    }
    if (cs.dataset.shown !== key) continue;
    cs.querySelector('[data-do="confirm"]').click();
    if (!cs.dataset.shown) { done.push(key); confirmed += 1; }
  }
  // what is kept here until the server has it
  const names = (await indexedDB.databases()).map(each => each.name);
  const waiting = await Promise.all(names.filter(name => name.startsWith("clickstudy")).map(
    name => new Promise((resolve, reject) => {
      const opening = indexedDB.open(name);
      opening.onerror = () => reject(opening.error);
      opening.onsuccess = () => resolve(opening.result);
    })));
  const outbox = IDBKeyRange.bound("outbox/", "outbox0");
  const left = async () => {
    const counts = await Promise.all(waiting.map(database => new Promise((resolve, reject) => {
      const asked = database.transaction("kept").objectStore("kept").count(outbox);
      asked.onerror = () => reject(asked.error);
      asked.onsuccess = () => resolve(asked.result);
    })));
    return counts.reduce((a, b) => a + b, 0);
  };
  const patience = performance.now() + delivered;
  while (await left()) {
    if (performance.now() > patience) throw new Error(`${await left()} messages are not delivered`);
    await pause(100);
  }
  waiting.forEach(database => database.close());
  const nexts = performance.getEntriesByName("clickstudy:next").map(e => e.duration);
  return [done, stale.length, nexts];
}
"""


async def person(
    browser: Browser, served: Served, name: str, seconds: float, seed: int
) -> tuple[list[str], int, list[float]]:
    """One participant in a context of their own.

    Returns the keys they confirmed, how many images came with another than the newest attention,
    and the latencies.
    """
    # nobody sits down in the same second, and one Chromium opens pages one after the other
    await asyncio.sleep(seed)
    context = await browser.new_context(viewport=VIEWPORT)
    page = await context.new_page()
    await page.goto(served.link(name), timeout=120_000)
    await page.locator("canvas.base").wait_for(state="attached", timeout=120_000)
    given = [seconds * 1000, seed, DELIVERED * 1000]
    done, stale, latencies = await page.evaluate(PERSON, given)
    await context.close()
    return done, stale, latencies


async def crowd(served: Served, names: list[str], seconds: float) -> dict[str, object]:
    """All participants at once."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        results = await asyncio.gather(
            *(person(browser, served, n, seconds, i + 1) for i, n in enumerate(names))
        )
        await browser.close()
    first = [duration for found in results for duration in found[2][:FIRST]]
    others = [duration for found in results for duration in found[2][FIRST:]]
    lost = doubled = tuned = 0
    for name, (done, _, _) in zip(names, results, strict=True):
        events = [e.payload for e in served.desk.layout.study.store.events(name)]
        tuned += sum(isinstance(payload, FineTuned) for payload in events)
        logged = Counter(
            (p.position, p.cycle, p.image) for p in events if isinstance(p, ItemAnnotated)
        )
        wanted = Counter(image_of(served, name, key) for key in done)
        lost += sum((wanted - logged).values())
        doubled += sum((logged - wanted).values())
    return {
        "participants": len(names),
        "items": int(sum(len(found[0]) for found in results)),
        "lost": lost,
        "doubled": doubled,
        "fine-tunings": tuned,
        "not with the newest attention": sum(found[1] for found in results),
        f"the first {FIRST} images of each page painted, ms": quantiles(first),
        "every other next image painted, ms": quantiles(others),
    }


def quantiles(durations: list[float]) -> dict[str, int]:
    """The median, what 95 and 99 of 100 stay below, and the longest."""
    if not durations:
        return {}
    return {f"p{q}": round(float(np.percentile(durations, q))) for q in (50, 95, 99, 100)}


def processors() -> tuple[int, int]:
    """Ticks that the cores were idle, and in all, since the machine started (Linux)."""
    ticks = [int(each) for each in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def machine_since(before: tuple[int, int]) -> dict[str, float]:
    """How busy the machine was: its cores, the share of their time that nobody used, the queue."""
    idle, whole = (now - then for now, then in zip(processors(), before, strict=True))
    return {
        "cores": os.cpu_count() or 1,
        "idle": round(idle / whole, 2),
        "load, 1 min": round(os.getloadavg()[0], 1),
    }


def image_of(served: Served, name: str, key: str) -> tuple[int, int, str]:
    """What an item's key means in the log."""
    position, cycle, index = (int(part) for part in key.split("/"))
    batch = served.desk.layout.stimuli.batch(name, position, cycle)
    assert batch is not None
    return position, cycle, batch.images[index]


def main() -> None:
    """Prepare, serve, and let the crowd in."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--participants", type=int, default=16)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--feedback", choices=("round", "image"), default="round")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        study = write_study(Path(name), images=400, batch=16, page=16, every=0, epochs=60)
        if arguments.feedback == "image":
            text = study.read_text()
            for old, new in LIVE:
                assert old in text
                text = text.replace(old, new)
            study.write_text(text)
        out = Path(name) / "run"
        StudyDirectory.create(out, load(study))
        Worker(out, "cpu").prepare()
        served = Served(study, out)
        try:
            names = [f"P{number:02d}" for number in range(1, arguments.participants + 1)]
            for participant in names:
                served.at_work(participant)
            begun, busy = time.monotonic(), processors()
            found = asyncio.run(crowd(served, names, arguments.minutes * 60))
            found["minutes"] = round((time.monotonic() - begun) / 60, 1)
            found["machine"] = machine_since(busy)
            print(json.dumps(found, indent=2))
        finally:
            served.stop()


if __name__ == "__main__":
    main()
