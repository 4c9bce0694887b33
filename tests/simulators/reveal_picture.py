"""Draws docs/interfaces/reveal.png: ``python -m tests.simulators.reveal_picture``.

Twelve simulated people categorise drawn scenes of which little is shown, by the maps of four
other simulated people who painted, by a biased classifier's attention and by saliency.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from analysis.page import reveal_figures, style
from analysis.people import reveal
from simulators.annotator import Shape, annotate
from simulators.participant import Participant
from simulators.population import Population
from study.config import load
from study.directory import StudyDirectory
from study.export.tables import tables
from study.human import importance
from study.human.record import Record
from study.loop import TaskLoop
from study.protocol.session import enrol
from study.seeds import rng, seed
from tests import tiny

PLACE = Path(__file__).parents[2] / "docs" / "interfaces"
PEOPLE, PAINTERS = 12, 4
IMAGES = """
[dataset]
kind = "scenes"
scene = "beside"
size = 64
train = 300
val = 48
test = 16
balanced = 16
[model]
name = "small"
[pretraining]
epochs = 6
[fine_tuning]
epochs = 1
"""
STUDY = tiny.revealing(48, [0.01, 0.03, 0.1, 0.3], IMAGES, seed=7)


def main() -> None:
    """Paint, categorise and draw."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "study.toml").write_text(STUDY)
        file = load(folder / "study.toml")
        directory = StudyDirectory.create(folder / "run", file)
        loop = TaskLoop(file, directory, "cpu")
        loop.prepare()
        images = loop.dataset["val"].items
        masks = images.require_masks("the picture").numpy()
        painted = []
        for who in range(PAINTERS):
            person = Population().draw(rng("reveal", "painter", who))
            for image, mask in zip(images.names, masks, strict=True):
                key = seed("reveal", who, image)
                drawn, _ = annotate("paint", mask, None, person, Shape(50), key)
                painted.append(Record(image, drawn, participant=f"painter {who}"))
        importance.write(painted, folder / "maps.npz")
        study = directory.study()
        for number in range(PEOPLE):
            session = enrol(study, f"S{number:02d}", "simulated", at=0.0)
            person = Population().draw(rng("reveal", "person", number))
            Participant(session, loop, person, waiting=1.0).run()
        rows = tables(file.config, study.store.events())["reveals"]
        table = reveal.accuracy(rows.assign(correct=rows["correct"].astype(float)))
    print(table.round(3).to_string())
    with style.styled():
        figure = reveal_figures.accuracy(table, "SIMULATED")
        figure.savefig(PLACE / "reveal.png", dpi=200)
    assert np.isfinite(table["mean"]).all()


if __name__ == "__main__":
    main()
