"""Finished classifiers on disk: written in one step, and read only where they fit the study."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from study.config import LabelsName, ModelConfig
from study.learning.models import Classifier, ModelError, build, with_precision

FORMAT = 1


def save(
    path: Path | str, model: Classifier, meta: dict[str, Any], class_names: Sequence[str] = ()
) -> None:
    """Write a checkpoint; a reader sees the old file or the new one, never half of one.

    ``meta`` holds plain values only (strings, numbers, lists, dicts of them). ``class_names`` are
    the model's own when they are not given.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        torch.save(
            {
                "clickstudy": FORMAT,
                "config": model.config.model_dump(mode="json"),
                "classes": model.classes,
                "class_names": list(class_names or model.class_names),
                "labels": model.labelling.name,
                "colours": model.colours,
                "state": {key: value.cpu() for key, value in model.state_dict().items()},
                "meta": meta,
            },
            scratch,
        )
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def load(
    path: Path | str,
    device: torch.device | str,
    like: ModelConfig | None = None,
    classes: int | None = None,
    class_names: Sequence[str] = (),
    labels: LabelsName | None = None,
) -> tuple[Classifier, dict[str, Any]]:
    """A saved classifier in evaluation mode, and its ``meta``.

    Args:
        path: a checkpoint of :func:`save`.
        device: where the classifier goes.
        like: what the study says of its model; the architecture must be this one, and the
            precision becomes this one's.
        classes: how many classes the study has.
        class_names: their names in order. Checkpoints from before names were kept have none, and
            then only the number is compared.
        labels: whether the study's images are of one class or may show several features.

    Raises:
        ModelError: when the file is missing, is not one of ours, is damaged, or does not fit.
    """
    path = Path(path)
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ModelError(f"{path}: there is no such checkpoint") from error
    except Exception as error:
        raise ModelError(f"{path}: not a readable checkpoint ({type(error).__name__})") from error
    if not isinstance(saved, dict) or saved.get("clickstudy") != FORMAT:
        raise ModelError(
            f"{path}: not a clickstudy checkpoint of format {FORMAT}; other files of weights go "
            f"into model.weights"
        )
    config = ModelConfig.model_validate({**saved["config"], "weights": "none", "checkpoint": None})
    saved.setdefault("labels", "one")  # as all were before an image could show several features
    _same_task(path, saved, config, like, classes or len(class_names) or None, class_names, labels)
    names = saved.get("class_names", ())
    model = build(config, saved["classes"], 0, names, saved["labels"])
    try:
        model.load_state_dict(saved["state"])
    except RuntimeError as error:
        raise ModelError(f"{path}: its weights do not fit a {config.name} network") from error
    if config.normalisation == "dataset":
        model.standardise(*saved["colours"])
    if like is not None:
        with_precision(model, like)
    return model.to(device).eval(), saved["meta"]


def _same_task(
    path: Path,
    saved: dict[str, Any],
    found: ModelConfig,
    wanted: ModelConfig | None,
    classes: int | None,
    class_names: Sequence[str],
    labels: LabelsName | None,
) -> None:
    """Compare a checkpoint with what is wanted, where something is."""
    pairs: list[tuple[str, Any, Any]] = []
    if wanted is not None:
        pairs += [("name", found.name, wanted.name), ("input", found.input, wanted.input)]
        pairs.append(("normalisation", found.normalisation, wanted.normalisation))
    if classes is not None:
        pairs.append(("classes", saved["classes"], classes))
    if wanted is not None and wanted.name == "small":
        pairs += [("width", found.width, wanted.width), ("blocks", found.blocks, wanted.blocks)]
    if labels is not None:
        pairs.append(("labels", saved["labels"], labels))
    names = saved.get("class_names")
    if class_names and names:
        pairs.append(("class_names", ", ".join(names), ", ".join(class_names)))
    for key, has, needs in pairs:
        if has != needs:
            raise ModelError(f"{path}: its {key} is {has!r}, the study needs {needs!r}")
