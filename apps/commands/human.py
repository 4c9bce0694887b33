"""``clickstudy annotations``: what people drew, how far they agree, and learning from it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apps.commands.console import console
from apps.commands.options import DeviceOption, Mode, OutOption, StudyArgument

if TYPE_CHECKING:
    from study.human.record import Record
    from study.loop import TaskLoop

app = typer.Typer(no_args_is_help=True, help="What people drew: export it, compare people.")
ModeOption = Annotated[Mode, typer.Option(help="Participants of which mode; they are not mixed.")]


class Format(StrEnum):
    """Of a file of annotations."""

    coco = "coco"
    label_studio = "label-studio"
    npz = "npz"


@app.command()
def export(
    study: StudyArgument,
    out: OutOption,
    format: Annotated[
        Format,
        typer.Option(help="coco and label-studio are JSON; npz has an importance map of each."),
    ] = Format.coco,
    mode: ModeOption = Mode.live,
) -> None:
    """Write every annotation of a study to one file."""
    from study.human import coco, importance, label_studio

    records = _records(_loop(study, "cpu"), mode)
    match format:
        case Format.coco:
            written = coco.write(records, out)
        case Format.label_studio:
            written = label_studio.write(records, out)
        case Format.npz:
            written = importance.write(records, out)
    things = "maps" if format is Format.npz else "marks"
    console.print(f"Wrote {out}: {len(records)} annotations, {written} {things}.")


@app.command()
def agreement(
    study: StudyArgument,
    out: OutOption,
    mode: ModeOption = Mode.live,
    interface: Annotated[str | None, typer.Option(help="Only annotations made with it.")] = None,
    other: Annotated[
        Path | None,
        typer.Option("--with", help="A file of COCO, Label Studio or NPZ maps: more people."),
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Write how far people agree, image by image, and how near the biased classifier is to them."""
    from study.human import files
    from study.human.agreement import agreement as measured
    from study.learning.attention import attention_maps

    loop = _loop(study, device)
    records = [record for record in _records(loop, mode) if interface in (None, record.interface)]
    if other is not None:
        records += files.known(files.read(other), loop.pool, other)
    model, data = loop.before()
    pool = data["train"].items
    names = sorted({record.image for record in records} & set(pool.positions))
    chosen = pool.subset([pool.positions[name] for name in names])
    seen = attention_maps(model, chosen, device=loop.device).cpu().numpy()
    # over the photograph, as the people's maps are
    models = {
        name: chosen.frame(i).over_photograph(grid, (56, 56), 0.0)
        for i, (name, grid) in enumerate(zip(names, seen, strict=True))
    }
    table = measured(records, models)
    out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(out, index=False)
    console.print(f"Wrote {out}: {len(table)} images that two people or more annotated.")
    for name, value in table.drop(columns=["image"]).mean(numeric_only=True).items():
        console.print(f"  {name:<12} {value:.3f}")
    if table.empty:
        console.print("Set task.shared = 0.2 in the study file: people then get some images alike.")


@app.command()
def train(
    study: StudyArgument,
    file: Annotated[Path, typer.Argument(help="COCO or Label Studio JSON, or NPZ maps.")],
    out: OutOption,
    held_out: Annotated[
        list[str] | None,
        typer.Option(help="A person to hold the model against; again for another."),
    ] = None,
    condition: Annotated[
        str | None, typer.Option(help="Whose fine-tuning and guidance; by default the first one's.")
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Guide the biased classifier by a file's annotations; hold it against people held out."""
    import functools

    from study.cycle import Needs
    from study.errors import UserError
    from study.human import files, guiding
    from study.seeds import seed

    loop = _loop(study, device)
    names = [one.name for one in loop.config.conditions]
    if condition is not None and condition not in names:
        raise UserError(f"{condition!r} is not a condition: the study has {', '.join(names)}")
    here = loop.config.for_condition(loop.config.conditions[names.index(condition or names[0])])
    records = files.read(file)
    matched = files.known(records, loop.pool, file)
    people = {record.participant for record in matched}
    for name in held_out or []:
        if name not in people:
            raise UserError(f"{file} has no {name!r}: its people are {', '.join(sorted(people))}")
    learnt, held = guiding.split(matched, held_out or [], loop.config.seed)
    if not learnt:
        raise UserError(f"all people of {file} are held out: leave one to learn from")
    table = guiding.guided(
        loop.start.learner(here, Needs()),
        loop.start.data(here),
        learnt,
        held,
        here,
        functools.partial(seed, loop.config.seed, "human maps"),
        loop.device,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(out, index=False)
    console.print(
        f"Wrote {out}: {len(learnt)} annotations learnt from, {len(held)} held out, "
        f"{len(records) - len(matched)} of images that the study does not have."
    )
    console.print(table.dropna(axis="columns", how="all").T.to_string(), markup=False)


def _loop(study: Path, device: str) -> TaskLoop:
    from study.directory import StudyDirectory
    from study.loop import TaskLoop

    directory = StudyDirectory.open(study)
    return TaskLoop(directory.file(), directory, device)


def _records(loop: TaskLoop, mode: Mode) -> list[Record]:
    from study.errors import UserError
    from study.human.record import of_study

    store = loop.directory.study(loop.file).store
    found = list(of_study(loop.config, store, loop.pool, mode.value))
    if not found:
        raise UserError(
            f"{loop.directory.path} has no annotations by participants of mode {mode.value}: "
            f"choose another --mode"
        )
    return found
