"""Whether the parts of a study file go together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import TYPE_CHECKING

from study.config.condition import OVERRIDABLE, contradictions
from study.config.design import MOST_FOR_ALL
from study.config.factors import EFFECTS, PAPER_FACTORS
from study.config.questions import BUILT_IN_INSTRUMENTS
from study.config.spelling import nearest
from study.config.texts import untranslated
from study.interfaces import DIALOGUE

if TYPE_CHECKING:
    from study.config.data import DatasetConfig
    from study.config.learning import AcquisitionConfig, FineTuningConfig, GuidanceConfig
    from study.config.models import StudyConfig


def disagreements(config: StudyConfig, broken: set[str]) -> Iterator[str]:
    """Every sentence about parts that do not go together, but for those that are ``broken``."""
    for parts, check in CHECKS.items():
        if not broken.intersection(parts):
            yield from check(config)


def _conditions_have_levels(config: StudyConfig) -> Iterator[str]:
    listed = config.factors.listed
    for index, condition in enumerate(config.conditions):
        has = condition.factors
        for name, _ in condition.levels:
            if name not in listed:
                yield (
                    f"conditions[{index}] has a level of {name}, which [factors] does not declare"
                    f"{nearest(name, list(listed)) if listed else ''}"
                )
        for name, levels in listed.items():
            if name not in has:
                yield (
                    f"conditions[{index}] has no level of {name}; it must be one of "
                    f"{', '.join(levels)}"
                )
            elif has[name] not in levels:
                hint = nearest(str(has[name]), list(levels))
                yield (
                    f"conditions[{index}].{name} = {has[name]!r} is not a level that "
                    f"factors.{name} lists{hint}"
                )
    for name, levels in listed.items():
        used = {condition.factors.get(name) for condition in config.conditions}
        for level in levels:
            if level not in used:
                yield (
                    f"factors.{name} lists {level!r}, which no condition has: use it or take it out"
                )


def _questions_are_about_levels(config: StudyConfig) -> Iterator[str]:
    for i, instrument in enumerate(config.instruments):
        for j, question in enumerate(instrument.questions):
            for name, level in question.levels:
                levels = list(config.factors.own.get(name, ()))
                if level not in levels:
                    yield (
                        f"instruments[{i}].questions[{j}].{name} = {level!r} is not a level "
                        f"of {name}{nearest(str(level), levels)}"
                    )


def _conditions_are_distinct(config: StudyConfig) -> Iterator[str]:
    for (i, one), (j, other) in combinations(enumerate(config.conditions), 2):
        if one.factors == other.factors:
            yield (
                f"conditions[{i}] and conditions[{j}] are both {one.name}; list each condition "
                f"once, or tell them apart by a factor"
            )
        elif one.name == other.name:
            yield (
                f"conditions[{i}] and conditions[{j}] would both be called {one.name}; rename "
                f"a level"
            )


def _conditions_differ(config: StudyConfig) -> Iterator[str]:
    problems: list[str] = []
    effective: list[StudyConfig] = []
    for index, condition in enumerate(config.conditions):
        problems += [f"conditions[{index}].{problem}" for problem in contradictions(condition)]
        try:
            effective.append(config.for_condition(condition))
        except ValueError as error:
            problems.append(f"conditions[{index}].{error}")
    yield from problems
    if problems or any(_conditions_have_levels(config)):
        return
    for (i, one), (j, other) in combinations(enumerate(config.conditions), 2):
        apart = [n for n, level in one.factors.items() if other.factors.get(n) != level]
        same = all(getattr(effective[i], n) == getattr(effective[j], n) for n in OVERRIDABLE)
        if apart and same and not set(apart) & {*PAPER_FACTORS, *EFFECTS}:
            yield (
                f"conditions[{i}] and conditions[{j}] differ in nothing but the name of "
                f"{' and '.join(apart)}; give one of them a table of what it changes, such as "
                f"[conditions.guidance]"
            )


def _feedback_has_a_head(config: StudyConfig) -> Iterator[str]:
    for index, condition in enumerate(config.conditions):
        try:
            here = config.for_condition(condition)
        except ValueError:
            continue  # told by _conditions_differ
        asked = {
            "workspace.feedback = 'image'": here.workspace.feedback == "image",
            "workspace.preview = true": here.workspace.preview,
        }
        train = here.fine_tuning.train
        for setting in (setting for setting, wanted in asked.items() if wanted):
            if train != "head":
                yield (
                    f"conditions[{index}] ({condition.name}): {setting} needs fine_tuning.train = "
                    f"'head', because a whole network does not learn between two images"
                )


def clashes(
    dataset: DatasetConfig,
    guidance: GuidanceConfig,
    fine_tuning: FineTuningConfig,
    acquisition: AcquisitionConfig,
) -> Iterator[str]:
    """What cannot be done together, of the tables that hold in a condition or for an arm."""
    if guidance.method == "rrr" and guidance.w_g > 0 and fine_tuning.train == "head":
        yield (
            "guidance.method = 'rrr' penalises input gradients, and those of a head behind pooling "
            "are the same in every cell: use 'rrr-cam', or fine_tuning.train = 'block' or 'all'"
        )
    if dataset.labels == "several":
        strategies = (acquisition.active, *acquisition.combine)
        if "svm-margin" in strategies:
            yield (
                "acquisition: svm-margin is the boundary between classes, and images with "
                "dataset.labels = 'several' have none: use entropy or margin"
            )
        if fine_tuning.data == "balanced":
            yield (
                "fine_tuning.data = 'balanced' draws as many images of every group, and no draw is "
                "balanced for several features at once: use fine_tuning.weights = 'group'"
            )


def _learning_fits(config: StudyConfig) -> Iterator[str]:
    for index, condition in enumerate(config.conditions):
        try:
            here = config.for_condition(condition)
        except ValueError:
            continue  # told by _conditions_differ
        for problem in clashes(here.dataset, here.guidance, here.fine_tuning, here.acquisition):
            yield f"conditions[{index}] ({condition.name}): {problem}"
        if condition.interface == DIALOGUE.name:
            yield from config.dialogue.problems()
        if condition.interface == DIALOGUE.name and here.fine_tuning.train != "head":
            yield (
                f"conditions[{index}] ({condition.name}): a dialogue tries what each kind of "
                f"annotation teaches, which only heads do quickly: set fine_tuning.train = 'head'"
            )
        learns = here.workspace.feedback == "image" or here.workspace.preview
        if learns and here.fine_tuning.data == "balanced":
            yield (
                f"conditions[{index}] ({condition.name}): fine_tuning.data = 'balanced' learns "
                f"nothing from annotations, so there is no feedback to show: set "
                f"workspace.feedback = 'round' and preview = false"
            )


def _sequences_fit(config: StudyConfig) -> Iterator[str]:
    names = [condition.name for condition in config.conditions]
    if config.sequences.plan == "all" and len(names) > MOST_FOR_ALL:
        yield (
            f"sequences.plan = 'all' of {len(names)} conditions is more orders than any study "
            f"has participants; use 'williams'"
        )
    for index, sequence in enumerate(config.sequences.listed):
        for name in sequence:
            if name not in names:
                hint = nearest(name, names)
                yield f"sequences.listed[{index}] = {name!r} is not a condition{hint}"
        if set(sequence) == set(names) and len(sequence) != len(names):
            yield f"sequences.listed[{index}] repeats a condition"
        if not set(names) <= set(sequence):
            missing = ", ".join(sorted(set(names) - set(sequence)))
            yield f"sequences.listed[{index}] leaves out {missing}"


def _questionnaires_exist(config: StudyConfig) -> Iterator[str]:
    for name, count in Counter(config.questionnaires).items():
        if count > 1:
            yield f"questionnaires: {name} is listed {count} times; list it once"
    known = [*BUILT_IN_INSTRUMENTS, *(instrument.name for instrument in config.instruments)]
    for index, name in enumerate(config.questionnaires):
        if name not in known:
            yield (f"questionnaires[{index}] = {name!r} is not an instrument{nearest(name, known)}")


def _keys_are_distinct(config: StudyConfig) -> Iterator[str]:
    lists = {
        "instruments": [instrument.name for instrument in config.instruments],
        "demographics": [question.key for question in config.demographics],
        "screening": [question.key for question in config.screening],
        "consents": [consent.key for consent in config.consents],
    }
    for index, instrument in enumerate(config.instruments):
        lists[f"instruments[{index}].questions"] = [q.key for q in instrument.questions]
    for where, names in lists.items():
        for name, count in Counter(names).items():
            if count > 1:
                yield f"{where}: {name} is there {count} times; give each its own name"


def _pages_fit(config: StudyConfig) -> Iterator[str]:
    if config.task.page > config.task.batch:
        yield (
            f"task.page = {config.task.page} is larger than task.batch = {config.task.batch}; "
            f"a page is a part of a batch"
        )


CHECKS: Mapping[tuple[str, ...], Callable[[StudyConfig], Iterator[str]]] = {
    ("conditions", "factors"): _conditions_have_levels,
    ("conditions", "factors", "instruments"): _questions_are_about_levels,
    ("conditions",): _conditions_are_distinct,
    ("conditions", "factors", *OVERRIDABLE): _conditions_differ,
    ("conditions", "factors", "workspace", "fine_tuning"): _feedback_has_a_head,
    ("conditions", "dataset", *OVERRIDABLE): _learning_fits,
    ("conditions", "sequences"): _sequences_fit,
    ("questionnaires", "instruments"): _questionnaires_exist,
    ("instruments", "demographics", "screening", "consents"): _keys_are_distinct,
    ("task",): _pages_fit,
    (
        "languages",
        "texts",
        "title",
        "consent",
        "consents",
        "screening",
        "demographics",
        "instruments",
    ): untranslated,
}
"""What to check, by the parts that it reads."""
