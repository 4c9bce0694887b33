"""A small study, prepared once, served to many tests, and a participant who knows its masks."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright
from scipy import ndimage
from skimage import measure

from apps.web.stimuli import unpack_regions
from simulators.hands.correct import worst
from study.config import load
from study.directory import StudyDirectory
from study.interfaces import interface
from study.interfaces.growing import regrown
from study.interfaces.judging import SMALLEST_OBJECT, overlap
from study.interfaces.verify import right_answer
from study.protocol.steps import Practice
from tests.apps.browser.person import VIEWPORT, Person, Spot, launch, patient
from tests.apps.browser.served import CHROMIUM, EVERY, PASSWORD, Served, write_study

__all__ = ["CHROMIUM", "PASSWORD", "Participant", "Served", "write_study"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            # frames are timed: not while tests of clusters start a dozen processes beside it
            item.add_marker(pytest.mark.xdist_group("many processes"))
            if not CHROMIUM.exists():
                item.add_marker(pytest.mark.skip(reason="/usr/bin/chromium is not installed"))


class Participant(Person):
    """A scripted person who knows the masks, and so does practice rightly."""

    def __init__(
        self, page: Page, served: Served, name: str, shot: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(page, served.link(name), shot)
        self.seat = served.desk.seat(name)
        self.stimuli = served.desk.layout.stimuli

    def object_of(self, practice: dict[str, Any]) -> tuple[float, float, list[list[Spot]]]:
        assert self.seat is not None
        step = self.seat.session.step()
        assert isinstance(step, Practice)
        mask = self.stimuli.practice_mask(self.seat.practice_item(step))
        assert mask is not None
        height, width = mask.shape
        parts = sorted(
            measure.regionprops(measure.label(mask, connectivity=2)), key=lambda part: -part.area
        )
        outlines: list[list[Spot]] = []
        for part in parts:
            if part.area < SMALLEST_OBJECT * mask.size and outlines:
                continue
            top, bottom = part.bbox[0] / height, part.bbox[2] / height
            left, right = part.bbox[1] / width, part.bbox[3] / width
            outlines.append([(left, top), (right, top), (right, bottom), (left, bottom)])
        row, column = parts[0].coords[len(parts[0].coords) // 2]
        return (column + 0.5) / width, (row + 0.5) / height, outlines

    def answer_of(self, practice: dict[str, Any]) -> int:
        assert self.seat is not None
        step = self.seat.session.step()
        assert isinstance(step, Practice)
        index = self.seat.practice_item(step)
        mask = self.stimuli.practice_mask(index)
        assert mask is not None
        shown = unpack_regions(self.stimuli.practice_regions_path(index, True).read_bytes())
        answers = interface(step.interface).answers
        return answers.index(right_answer(shown == 1, mask, answers))

    def corrections_of(self, practice: dict[str, Any]) -> list[tuple[str, tuple[float, float]]]:
        assert self.seat is not None
        step = self.seat.session.step()
        assert isinstance(step, Practice)
        index = self.seat.practice_item(step)
        mask = self.stimuli.practice_mask(index)
        assert mask is not None
        shown = unpack_regions(self.stimuli.practice_regions_path(index, True).read_bytes()) == 1
        validation = self.stimuli.validation()
        assert validation is not None
        path = self.stimuli.image_path("val", validation.names[index])
        assert path is not None
        colours = np.asarray(Image.open(path).convert("RGB").resize(mask.shape[::-1]))
        clicks: list[tuple[str, tuple[float, float]]] = []
        region = shown
        while overlap(region, mask) < 0.5 and len(clicks) < 8:
            missing, fault = worst(region, mask)
            depth = ndimage.distance_transform_edt(np.pad(fault, 1))[1:-1, 1:-1]
            row, column = np.unravel_index(int(depth.argmax()), mask.shape)
            spot = (float(column + 0.5) / mask.shape[1], float(row + 0.5) / mask.shape[0])
            clicks.append(("left" if missing else "right", spot))
            grow, shrink = (
                [spot for button, spot in clicks if button == which] for which in ("left", "right")
            )
            region = regrown(shown, grow, shrink, colours)
        return clicks

    def region_of(self, key: str) -> tuple[float, float] | None:
        """A pixel of the largest region that is not what no colour lies on."""
        parts = key.split("/")
        mask = None
        if parts[0] == "practice":
            assert self.seat is not None
            step = self.seat.session.step()
            assert isinstance(step, Practice)
            index = self.seat.practice_item(step)
            path, mask = (
                self.stimuli.practice_regions_path(index),
                self.stimuli.practice_mask(index),
            )
        else:
            assert self.seat is not None
            position, cycle, index = map(int, parts)
            path = self.stimuli.regions_path(self.seat.participant, position, cycle, index)
        regions = unpack_regions(path.read_bytes())
        sizes = np.bincount(regions.ravel())
        sizes[sizes > regions.size / 2] = 0
        for label in sizes.argsort()[::-1]:
            region = regions == label
            if not sizes[label] or (
                mask is not None and (region & mask).sum() > 0.4 * region.sum()
            ):
                continue
            rows, columns = np.nonzero(region)
            middle = len(rows) // 2
            height, width = regions.shape
            return float((columns[middle] + 0.5) / width), float((rows[middle] + 0.5) / height)
        return None


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study directory's cache and biased model: made once, copied by every served study."""
    from apps.web.worker import Worker

    folder = tmp_path_factory.mktemp("prepared")
    file = load(write_study(folder))
    StudyDirectory.create(folder / "run", file)
    Worker(folder / "run", "cpu").prepare()
    return folder / "run"


@pytest.fixture(scope="session")
def serve(
    prepared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Served]]:
    """Serve a study that differs from the prepared one in its protocol only.

    Three processes that import what they need take longer than most tests: those that can do with
    :func:`long` or :func:`short` share it, each with participants of its own.
    """
    running: list[Served] = []

    def begin(**values: Any) -> Served:
        folder = tmp_path_factory.mktemp("served")
        out = folder / "run"
        shutil.copytree(
            prepared, out, ignore=shutil.ignore_patterns("study.toml", "events.sqlite*", "serving")
        )
        running.append(Served(write_study(folder, **values), out))
        return running[-1]

    yield begin
    for served in running:
        served.stop()


@pytest.fixture(scope="session")
def long(serve: Callable[..., Served]) -> Served:
    """Every interface and a dialogue, one round of 24 images, no checks; then two for a moment."""
    return serve(
        interfaces=EVERY, samplings=["random"], images=24, batch=24, page=12, every=0, reveal=2,
    )  # fmt: skip


@pytest.fixture(scope="session")
def short(serve: Callable[..., Served]) -> Served:
    """The paper's four conditions, a round of three images and one of one, checks after two."""
    return serve(every=2)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    found = launch(playwright)
    yield found
    found.close()


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One profile for all tests: what Streamlit's page consists of is fetched and compiled once."""
    found = patient(browser.new_context(viewport=VIEWPORT))
    yield found
    found.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    yield context.new_page()
    context.set_offline(False)
    for opened in context.pages:
        opened.close()
