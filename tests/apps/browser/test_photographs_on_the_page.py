"""A photograph three times as wide as it is high, from its file to the log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.apps.browser.conftest import Participant, Served, write_study
from tests.apps.browser.test_canvas import begin, items

WIDE = (1500, 500)
SPOT = (0.8, 0.3)
"""Where the thing is, beside the middle square."""


def draw(root: Path) -> None:
    y, x = np.mgrid[0 : WIDE[1], 0 : WIDE[0]]
    for label, colour in (("boat", (200, 40, 40)), ("plane", (240, 230, 60))):
        (root / label).mkdir(parents=True)
        for number in range(12):
            picture = np.stack([40 + x // 12, 90 + y // 6, 120 + 0 * x], -1).astype(np.uint8)
            inside = (x - SPOT[0] * WIDE[0]) ** 2 + (y - SPOT[1] * WIDE[1]) ** 2 < (
                60 + number
            ) ** 2
            picture[inside] = colour
            exif = Image.Exif()
            exif[0x010F] = "a camera"
            exif[0x0112] = 6  # held upright: stored on its side
            stored = Image.fromarray(picture).transpose(Image.Transpose.ROTATE_90)
            stored.save(root / label / f"{number}.jpg", exif=exif, quality=90)


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Cropped: people see, and mark, what the network does not."""
    folder = tmp_path_factory.mktemp("wide")
    draw(folder / "photographs")
    path = write_study(folder, images=4, batch=4, page=4, every=0)
    text = path.read_text()
    scenes = text[text.index("[dataset]") : text.index("[model]")]
    text = text.replace(
        scenes,
        '[dataset]\nkind = "folder"\nroot = "photographs"\nsize = 64\nfit = "crop"\n'
        "[workspace]\nlongest_side = 1200\n",
    )
    path.write_text(text)
    served = Served(path, folder / "run")
    yield served
    served.stop()


def test_people_see_and_mark_the_photograph_itself(wide: Served, page: Page) -> None:
    sizes: list[tuple[int, int]] = []
    bodies: list[bytes] = []
    person: Participant = begin(wide, page, "P1", "polygon")
    base = person.link.split("/?p=")
    for query in ({}, {"small": "1"}):
        answer = page.request.get(
            f"{base[0]}/stimuli/image/1/1/0", params={"p": base[1], **query}, max_retries=3
        )
        bodies.append(answer.body())
        path = wide.out / "shown.jpg"
        path.write_bytes(bodies[-1])
        with Image.open(path) as shown:
            sizes.append(shown.size)
            assert not shown.getexif()
    assert sizes == [(1200, 400), (256, 85)]

    box = page.locator("canvas.top").bounding_box()
    assert box is not None
    side, high = box["width"], box["width"] / 3

    def at(x: float, y: float, button: str = "left") -> None:
        page.mouse.click(
            box["x"] + x * side,
            box["y"] + (side - high) / 2 + y * high,
            button=button,  # type: ignore[arg-type]
        )

    corners = [(0.7, 0.1), (0.9, 0.1), (0.9, 0.5), (0.7, 0.5)]
    for corner in corners:
        at(*corner)
    page.keyboard.press("Enter")
    if os.environ.get("SHOTS"):
        page.screenshot(path=f"{os.environ['SHOTS']}/wide-{wide.desk.config.dataset.fit}.png")  # type: ignore[union-attr]
    person.press("CONFIRM")
    (item,) = items(wide, "P1", 1)
    assert np.array(item.annotation.polygons[0]) == pytest.approx(np.array(corners), abs=4e-3)

    # enlarged four times about the thing, the same places are marked
    person.shown()
    page.mouse.move(box["x"] + SPOT[0] * side, box["y"] + (side - high) / 2 + SPOT[1] * high)
    for _ in range(6):
        page.mouse.wheel(0, -100)
        page.wait_for_timeout(50)
    if os.environ.get("SHOTS"):
        page.screenshot(path=f"{os.environ['SHOTS']}/wide-zoom.png")
    for dx, dy in ((-0.02, -0.06), (0.02, -0.06), (0.0, 0.06)):
        zoom = 1.25**6
        at(SPOT[0] + dx * zoom, SPOT[1] + dy * zoom)
    page.keyboard.press("Enter")
    person.press("CONFIRM")
    outline = items(wide, "P1", 2)[1].annotation.polygons[0]
    want = [(SPOT[0] + dx, SPOT[1] + dy) for dx, dy in ((-0.02, -0.06), (0.02, -0.06), (0.0, 0.06))]
    assert np.array(outline) == pytest.approx(np.array(want), abs=4e-3)
