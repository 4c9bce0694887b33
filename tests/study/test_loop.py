"""The task loop: what the machine does between a participant's steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from study.acquisition import Pool
from study.annotation import Annotation
from study.config import StudyFile, load
from study.directory import StudyDirectory
from study.errors import UserError
from study.export.tables import tables
from study.learning import tuning
from study.loop import TaskLoop
from study.protocol.events import (
    BatchSelected,
    Consented,
    Described,
    Evaluated,
    FineTuned,
    FineTuningFailed,
    Instructed,
    ItemAnnotated,
    Practised,
    TaskStarted,
)
from study.protocol.session import Session, enrol
from study.protocol.steps import (
    Annotate,
    Consent,
    Debriefing,
    Demographics,
    Evaluate,
    FineTune,
    Instructions,
    Practice,
    Select,
    StartTask,
    Step,
)

POINT = Annotation(positive_points=((0.5, 0.5),))
TRIANGLE = Annotation(polygons=(((0.2, 0.2), (0.8, 0.3), (0.5, 0.9)),))


@pytest.fixture
def directory(tiny_file: StudyFile, tmp_path: Path) -> StudyDirectory:
    return StudyDirectory.create(tmp_path / "run", tiny_file)


@pytest.fixture
def loop(tiny_file: StudyFile, directory: StudyDirectory) -> TaskLoop:
    torch.set_num_threads(1)
    loop = TaskLoop(tiny_file, directory, "cpu")
    loop.prepare()
    return loop


@pytest.fixture
def session(directory: StudyDirectory) -> Session:
    return enrol(directory.study(), "P01", "pilot", at=0.0)


def do_until(session: Session, loop: TaskLoop, kind: type[Step], cycle: int = 1) -> Step:
    """Do every step before the first of ``kind`` (in ``cycle``, where it has one)."""
    for number in range(200):
        step = session.step()
        if isinstance(step, kind) and getattr(step, "cycle", cycle) == cycle:
            return step
        at = float(number)
        match step:
            case Consent():
                session.record(Consented(), at)
            case Demographics():
                session.record(Described(answers={}), at)
            case Instructions():
                session.record(Instructed(interface=step.interface), at)
            case Practice():
                payload = Practised(
                    interface=step.interface,
                    attempt=step.attempt,
                    image="x",
                    annotation=POINT if step.interface == "click" else TRIANGLE,
                    correct=True,
                    seconds=1,
                )
                session.record(payload, at)
            case StartTask():
                session.record(TaskStarted(position=step.position), at)
            case Annotate():
                image = step.remaining[0]
                item = ItemAnnotated(
                    position=step.position,
                    cycle=step.cycle,
                    page=step.page_of(image),
                    image=image,
                    annotation=POINT if step.condition.interface == "click" else TRIANGLE,
                    seconds=2,
                )
                session.record(item, at)
            case _ if step.machine:
                session.record(loop.perform(session, step), at)
            case _:
                raise AssertionError(f"unexpected {step}")
    raise AssertionError(f"never reached {kind.__name__}")


def test_the_baseline_is_measured_once_and_copied_into_every_task(
    loop: TaskLoop, session: Session
) -> None:
    do_until(session, loop, StartTask)
    baseline = [e.payload for e in session.study.store.events() if isinstance(e.payload, Evaluated)]
    assert baseline[0].cycle == 0
    assert set(baseline[0].metrics) == {"test", "balanced"}
    assert 0 <= (baseline[0].metrics["test"]["accuracy"] or 0) <= 1


def test_a_batch_never_repeats_an_image_of_the_task(loop: TaskLoop, session: Session) -> None:
    do_until(session, loop, Annotate, cycle=2)
    batches = [
        e.payload.images
        for e in session.study.store.events()
        if isinstance(e.payload, BatchSelected)
    ]
    assert [len(batch) for batch in batches] == [4, 2]
    names = [name for batch in batches for name in batch]
    assert len(set(names)) == len(names)
    assert set(names) <= set(loop.pool.names)


def test_a_batch_says_what_its_images_are(loop: TaskLoop, session: Session) -> None:
    step = do_until(session, loop, Select)
    assert isinstance(step, Select)
    batch = loop.select(session.progress, step)
    pool = loop.pool
    assert pool.contexts is not None
    for name, label, context in zip(batch.images, batch.classes, batch.contexts, strict=True):
        index = pool.positions[name]
        assert label == pool.classes[int(pool.labels[index])]
        assert context == pool.context_names[int(pool.contexts[index])]


WRAPPED = """
[acquisition]
active = "entropy"
combine = ["margin"]
balance = true
subsample = 12
"""


def test_random_picks_what_uniform_chance_picks_whatever_active_is_wrapped_in(
    tmp_path: Path, tiny_file: StudyFile
) -> None:
    batches = []
    for name, more in (("plain", ""), ("wrapped", WRAPPED)):
        path = tmp_path / f"{name}.toml"
        path.write_text(tiny_file.path.read_text() + more)
        file = load(path)
        directory = StudyDirectory.create(tmp_path / name, file)
        loop = TaskLoop(file, directory, "cpu")
        loop.prepare()
        session = enrol(directory.study(), "P01", "pilot", at=0.0)
        step = do_until(session, loop, Select)
        assert isinstance(step, Select)
        assert step.condition.sampling == "random"
        batches.append(loop.select(session.progress, step))
    assert batches[0].images == batches[1].images
    assert {batch.strategy for batch in batches} == {"random"}


def test_guidance_of_one_condition_trains_its_tasks_alone(
    tmp_path: Path, tiny_file: StudyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        "questionnaires = []\n"
        + tiny_file.path.read_text()
        + '[factors]\nsteering = ["none", "paper"]\n'
        + '[[conditions]]\ninterface = "click"\nsampling = "random"\nsteering = "none"\n'
        + "[conditions.guidance]\nw_g = 0.0\n[conditions.fine_tuning]\nepochs = 1\n"
        + '[[conditions]]\ninterface = "click"\nsampling = "random"\nsteering = "paper"\n'
    )
    file = load(path)
    directory = StudyDirectory.create(tmp_path / "own", file)
    loop = TaskLoop(file, directory, "cpu")
    loop.prepare()
    session = enrol(directory.study(), "P01", "pilot", at=0.0)
    seen: list[tuple[float, int]] = []
    real = tuning.fine_tune

    def spy(model, images, annotations, fine_tuning, guidance, *rest, **more):  # type: ignore[no-untyped-def]
        seen.append((guidance.w_g, fine_tuning.epochs))
        return real(model, images, annotations, fine_tuning, guidance, *rest, **more)

    monkeypatch.setattr(tuning, "fine_tune", spy)
    do_until(session, loop, Debriefing)
    expected = {"click-random-none": [(0.0, 1)] * 2, "click-random-paper": [(0.75, 2)] * 2}
    assert seen == [
        what for task in session.progress.tasks for what in expected[task.condition.name]
    ]


def test_selection_depends_on_names_and_not_on_the_process(
    tiny_file: StudyFile, loop: TaskLoop, session: Session, directory: StudyDirectory
) -> None:
    step = do_until(session, loop, Annotate)
    assert isinstance(step, Annotate)
    fresh = TaskLoop(tiny_file, directory, "cpu")
    other = enrol(
        StudyDirectory.create(directory.path.parent / "again", tiny_file).study(),
        "P01",
        "pilot",
        at=0.0,
    )
    again = do_until(other, fresh, Annotate)
    assert isinstance(again, Annotate)
    assert again.images == step.images


def test_a_lost_model_is_rebuilt_from_the_log(
    tiny_file: StudyFile, loop: TaskLoop, session: Session, directory: StudyDirectory
) -> None:
    do_until(session, loop, Annotate, cycle=2)
    path = directory.model("P01", 1, 1)
    before = loop.model(session.progress, 1, 1).state_dict()
    path.unlink()
    after = TaskLoop(tiny_file, directory, "cpu").model(session.progress, 1, 1).state_dict()
    assert path.exists()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_failed_fine_tuning_is_logged_and_the_last_good_model_goes_on(
    loop: TaskLoop, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = do_until(session, loop, FineTune)
    good = loop.model(session.progress, 1, 0).state_dict()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA out of memory\nand a long tail")

    monkeypatch.setattr(tuning, "fine_tune", fail)
    payload = loop.perform(session, step)
    assert payload == FineTuningFailed(position=1, cycle=1, reason="CUDA out of memory")
    session.record(payload, 9.0)
    monkeypatch.undo()
    do_until(session, loop, Annotate, cycle=2)
    now = loop.model(session.progress, 1, 1).state_dict()
    assert all(torch.equal(good[name], now[name]) for name in good)


def test_fine_tuning_says_what_it_did(loop: TaskLoop, session: Session) -> None:
    step = do_until(session, loop, FineTune)
    seen: list[tuple[int, int]] = []
    payload = loop.perform(session, step, lambda done, total: seen.append((done, total)))
    assert isinstance(payload, FineTuned)
    assert payload.images == 4
    assert payload.epochs == 2
    assert payload.waiting_seconds >= payload.seconds > 0
    assert seen[-1] == (2, 2)


@pytest.fixture
def looking_back(tiny_file: StudyFile) -> StudyFile:
    """A study whose strategy needs the predictions of every epoch."""
    path = tiny_file.path.with_name("looking-back.toml")
    condition = '\n[[conditions]]\ninterface = "click"\nsampling = "label-dispersion"\n'
    path.write_text(tiny_file.path.read_text() + condition)
    return load(path)


def test_predictions_are_kept_for_a_strategy_that_looks_back(
    looking_back: StudyFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    views: list[Pool] = []
    monkeypatch.setattr(
        "study.cycle.Pool", lambda *a, **b: views.append(Pool(*a, **b)) or views[-1]
    )
    directory = StudyDirectory.create(tmp_path / "back", looking_back)
    loop = TaskLoop(looking_back, directory, "cpu")
    loop.prepare()
    session = enrol(directory.study(), "P01", "pilot", at=0.0)
    do_until(session, loop, Annotate, cycle=2)
    of_pretraining = loop.learner(session.progress, 1, 0).predictions
    of_task = loop.learner(session.progress, 1, 1).predictions
    assert of_pretraining is not None
    assert of_task is not None
    assert of_pretraining.shape == (1, len(loop.pool))
    assert of_task.shape == (2, len(loop.pool))
    assert np.array_equal(views[0].predictions, of_pretraining)
    assert np.array_equal(views[1].predictions, of_task)
    assert views[0].seed != views[1].seed


def test_lost_predictions_are_rebuilt_from_the_log(looking_back: StudyFile, tmp_path: Path) -> None:
    directory = StudyDirectory.create(tmp_path / "back", looking_back)
    loop = TaskLoop(looking_back, directory, "cpu")
    loop.prepare()
    session = enrol(directory.study(), "P01", "pilot", at=0.0)
    step = do_until(session, loop, Select, cycle=2)
    before = loop.learner(session.progress, 1, 1).predictions
    picked = loop.perform(session, step)
    directory.model("P01", 1, 1).unlink()
    fresh = TaskLoop(looking_back, directory, "cpu")
    again = fresh.perform(session, step)
    after = fresh.learner(session.progress, 1, 1).predictions
    assert before is not None
    assert after is not None
    assert np.array_equal(after, before)
    assert isinstance(picked, BatchSelected)
    assert isinstance(again, BatchSelected)
    assert again.images == picked.images


def test_a_checkpoint_without_predictions_is_refused_at_the_first_selection(
    looking_back: StudyFile, loop: TaskLoop, directory: StudyDirectory, tmp_path: Path
) -> None:
    path = looking_back.path.with_name("given.toml")
    model = f'[model]\ncheckpoint = "{directory.pretrained}"'
    path.write_text(looking_back.path.read_text().replace("[model]", model))
    file = load(path)
    given = StudyDirectory.create(tmp_path / "given", file)
    theirs = TaskLoop(file, given, "cpu")
    theirs.prepare()
    session = enrol(given.study(), "P01", "pilot", at=0.0)
    with pytest.raises(UserError, match=r"leave out model\.checkpoint"):
        do_until(session, theirs, Annotate)


def test_nothing_is_kept_for_other_strategies(
    loop: TaskLoop, session: Session, directory: StudyDirectory
) -> None:
    do_until(session, loop, Annotate, cycle=2)
    assert not directory.predictions.exists()
    assert loop.learner(session.progress, 1, 1).predictions is None


def test_attention_maps_come_one_for_each_image(loop: TaskLoop, session: Session) -> None:
    step = do_until(session, loop, Annotate)
    assert isinstance(step, Annotate)
    maps = loop.attention(session.progress, 1, 1, step.images)
    assert maps.dtype == np.float32
    assert len(maps) == len(step.images)
    assert (maps >= 0).all()


def test_practice_is_correct_when_it_meets_the_object(loop: TaskLoop) -> None:
    image = loop.practice_image("P01", "click", 1)
    split = loop.dataset["val"]
    assert split.masks is not None
    mask = split.masks[split.positions[image]].numpy()
    rows, columns = np.nonzero(mask)
    height, width = mask.shape
    inside = (float((columns[0] + 0.5) / width), float((rows[0] + 0.5) / height))
    empty = np.argwhere(~mask)[0]
    outside = (float((empty[1] + 0.5) / width), float((empty[0] + 0.5) / height))
    good = Annotation(positive_points=(inside,))
    bad = Annotation(positive_points=(inside, outside))
    assert loop.practice_correct("click", image, good)
    assert not loop.practice_correct("click", image, bad)
    assert not loop.practice_correct("click", image, Annotation())
    box = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    assert not loop.practice_correct("polygon", image, Annotation(polygons=(box,)))


def test_shared_images_are_everybodys_and_others_in_each_condition(
    tiny_file: StudyFile, tmp_path: Path
) -> None:
    text = tiny_file.path.read_text().replace("[task]", "[task]\nshared = 0.5", 1)
    path = tmp_path / "shared.toml"
    path.write_text(text)
    file = load(path)
    config = file.config
    directory = StudyDirectory.create(tmp_path / "shared", file)
    loop = TaskLoop(file, directory, "cpu")
    loop.prepare()
    found: dict[str, list[BatchSelected]] = {}
    for name in ("P01", "P02"):
        session = enrol(directory.study(), name, "pilot", at=0.0)
        do_until(session, loop, Annotate, cycle=2)
        found[name] = [
            e.payload
            for e in session.study.store.events(name)
            if isinstance(e.payload, BatchSelected)
        ]
    conditions = [c.name for c in config.conditions]
    lists = {
        name: loop._shared(condition, [], 8)
        for name, condition in zip(conditions, config.conditions, strict=True)
    }
    flat = [index for own in lists.values() for index in own]
    assert len(set(flat)) == len(flat)
    for name, batches in found.items():
        session = Session(directory.study(), name)
        own = [loop.pool.names[i] for i in lists[session.progress.task(1).condition.name]]
        shared = [image for batch in batches for image in batch.shared]
        assert [len(batch.shared) for batch in batches] == [2, 1]
        assert set(shared) == set(own[:3])
        for batch in batches:
            assert set(batch.shared) <= set(batch.images)
    rows = tables(config, *directory.study().store.readable())["items"]
    assert rows["shared"].sum() >= 2


def test_quality_is_logged_with_each_fine_tuning(loop: TaskLoop, session: Session) -> None:
    do_until(session, loop, Evaluate, cycle=1)
    (tuned,) = [e.payload for e in session.study.store.events() if isinstance(e.payload, FineTuned)]
    assert len(tuned.quality) == 4
    for one in tuned.quality:
        assert one.image in loop.pool.names
        assert one.objects >= 1
        assert one.on_object is not None
        assert 0 <= one.on_object <= 1
    items = tables(loop.config, *session.study.store.readable())["items"]
    assert items["on_object"].notna().all()
    assert items["map_similarity"].between(0, 1).sum() >= 1
