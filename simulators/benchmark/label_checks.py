"""What does not go together where labels are bought, and what is of such benchmarks alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import ValidationError

from simulators.benchmark.arm import Arm
from study.acquisition.registry import make
from study.config.condition import merged, said
from study.interfaces import DIALOGUE

if TYPE_CHECKING:
    from simulators.benchmark.config import BenchConfig


def mistakes(config: BenchConfig) -> Iterator[str]:
    """Every sentence about settings of a benchmark that do not go with what it buys."""
    if not config.task.labels:
        yield from _guidance_alone(config)
        return
    buys = config.task.buys
    if config.dataset.labels == "several":
        yield (
            f"task.buys = {buys!r} buys the one class of an image, and with dataset.labels = "
            f"'several' an image has many: set dataset.labels = 'one'"
        )
    if "pretraining" in config.model_fields_set and config.pretraining.objective == "labels":
        yield (
            f"pretraining.objective = 'labels' shows the classifier every label of the pool, and "
            f"task.buys = {buys!r} sells them: set it to 'none' or 'simsiam', and [training] to "
            f"how the bought labels are learnt"
        )
    if buys == "labels":
        for table in ("guidance", "fine_tuning", "annotator", "interfaces"):
            if table in config.model_fields_set:
                yield f"{table} is of guidance, and task.buys = 'labels': leave it out"
    for index, arm in enumerate(config.strategies):
        for problem in _of_arm(config, arm):
            yield f"strategies[{index}] ({arm.name}): {problem}"


def _guidance_alone(config: BenchConfig) -> Iterator[str]:
    if config.task.model_fields_set - {"buys"}:
        yield (
            "task.buys = 'guidance' buys no label, so that the rest of [task] says nothing: set it "
            "to 'labels' or 'both', or leave the rest out"
        )
    for table in ("training", "self_training"):
        told = any(getattr(arm, table) is not None for arm in config.strategies)
        if table in config.model_fields_set or told:
            yield f"{table} is of bought labels: set task.buys = 'labels', or leave it out"
    if isinstance(config.budget.batch, str) and config.budget.batch.endswith("s"):
        yield _seconds("task.buys = 'guidance' has no price of an image")


def _seconds(why: str) -> str:
    return f"budget.batch is in seconds, and {why}: give it in images or as a share of the pool"


def _of_arm(config: BenchConfig, arm: Arm) -> Iterator[str]:
    task, buys = config.task, config.task.buys
    for name in (arm.active, *arm.combine):
        if name != "oracle" and make(name).needs_truth:
            yield (
                f"{name} looks at labels that are not bought yet: leave it out (oracle, by its "
                f"name, is the upper reference that may)"
            )
    if buys == "labels":
        own = (arm.guidance, arm.fine_tuning, arm.interfaces or None)
        if any(part is not None for part in own) or arm.annotator != "person":
            yield "guidance, fine_tuning, interfaces and annotator are of guidance: leave them out"
    if isinstance(config.budget.batch, str) and config.budget.batch.endswith("s"):
        if buys == "both":
            yield _seconds("an annotation of guidance takes what it takes")
        elif not task.price:
            yield _seconds("task.price = 0")
    try:
        training = merged(config.training, said(arm.training))
        pretraining = merged(config.pretraining, said(arm.pretraining))
        model = merged(config.model, said(arm.model))
        tuning = merged(config.fine_tuning, said(arm.fine_tuning))
    except ValidationError:
        return  # told of the table itself
    given = (
        model.checkpoint is not None
        or model.weights != "none"
        or pretraining.objective == "simsiam"
    )
    if pretraining.objective == "simsiam" and model.checkpoint is not None:
        yield (
            "model.checkpoint is a finished classifier, and pretraining.objective = 'simsiam' "
            "trains one: take one of the two out"
        )
    if training.train == "head":
        if task.training == "pretrained":
            yield (
                "task.training = 'pretrained', and training.train = 'head' keeps the trunk as it "
                "is anyway: say whether the head is fitted from 'scratch' or from the 'last'"
            )
    elif task.training == "scratch" and given:
        yield (
            "task.training = 'scratch' draws first weights, and [model] or [pretraining] gives "
            "some: set task.training = 'pretrained' or 'last'"
        )
    elif task.training == "pretrained" and not given:
        yield (
            "task.training = 'pretrained' has no weights to begin with: set model.weights, "
            "model.checkpoint or pretraining.objective = 'simsiam', or task.training = 'scratch'"
        )
    if buys == "both":
        if DIALOGUE.name in (arm.interfaces or config.interfaces):
            yield (
                f"interfaces: {DIALOGUE.name} asks what the next annotation is worth to a "
                f"classifier that knows all labels, and they are bought: choose others"
            )
        if tuning.train != training.train:
            yield (
                f"training.train = {training.train!r} and fine_tuning.train = {tuning.train!r} "
                f"follow each other in every cycle: set both alike"
            )
        if tuning.data == "balanced":
            yield (
                "fine_tuning.data = 'balanced' knows the labels of the whole pool, and they are "
                "bought: leave it out"
            )
        if tuning.ensemble > 1:
            yield "fine_tuning.ensemble is not trained on bought labels: leave it out"
