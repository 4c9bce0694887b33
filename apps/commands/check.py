"""``clickstudy check``: every mistake in a study file at once."""

from __future__ import annotations

from pathlib import Path

from apps.commands.console import console
from apps.commands.options import StudyFileArgument, one_sentence


def check(study: StudyFileArgument) -> None:
    """Report every mistake in a study file at once."""
    from study.acquisition import build
    from study.config import load
    from study.protocol.conditions import sequences

    file = load(study)
    config = file.config
    for condition in config.conditions:
        acquisition = config.for_condition(condition).acquisition
        build(acquisition.active, acquisition)
    check_plan(study)
    plan = sequences(config)
    console.print(f"[bold]{config.name}[/bold] is valid (sha256 {file.hash[:12]}).")
    console.print(
        f"{len(config.conditions)} conditions, {len(plan)} sequences: a balanced study has a "
        f"multiple of {len(plan)} participants."
    )
    for index, sequence in enumerate(plan):
        console.print(f"  sequence {index}: {', '.join(sequence)}")


def check_plan(study: Path) -> None:
    """Refuse a study file whose ``[analysis]`` table is not a plan."""
    with one_sentence():
        from analysis.plan import read

        read(study)
