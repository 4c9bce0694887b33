"""What the documents report, and the experiments that would report it again.

Shares are between 0 and 1. Sources: He et al. (2023), *Efficient Human-in-the-loop System for
Guiding DNNs Attention*; Yang et al. (2019), *Directing DNNs Attention* (poster).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Any, Literal

from study.metrics import column_of

Kind = Literal["counts", "benchmark", "study"]
ARMS = ("random", "entropy", "k-center", "attention")
"""Random, entropy, diversity (core-set) and attention, by the names of our strategies."""


@dataclass(frozen=True)
class Figure:
    """One published number: of an arm or condition, of a measure (``split:metric``)."""

    arm: str
    measure: str
    value: float


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Attributes:
        name: what ``clickstudy replicate`` takes.
        title: what it asks.
        source: where it was published.
        kind: counts of images, a benchmark of simulated annotators, or a simulated user study.
        datasets: recipes (:mod:`study.data.recipes`).
        settings: of the benchmark or study file, but for its dataset.
        figures: what was published; NaN where that is a picture.
        dataset: by recipe the settings of the dataset in place of the recipe's; None takes one out.
    """

    name: str
    title: str
    source: str
    kind: Kind
    datasets: tuple[str, ...]
    settings: Mapping[str, Any]
    figures: tuple[Figure, ...]
    dataset: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def _table(measures: tuple[str, ...], rows: Mapping[str, tuple[float, ...]]) -> tuple[Figure, ...]:
    return tuple(
        Figure(arm, measure, round(value / 100, 6))
        for arm, values in rows.items()
        for measure, value in zip(measures, values, strict=True)
    )


def _strategies(budget: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "seeds": [0, 1, 2],
        "interfaces": ["click"],
        "strategies": list(ARMS),
        "baseline": "random",
        "budget": {"batch": 256, **budget},
        "model": {"name": "resnet18", "weights": "none"},
    }


HOURS_4 = {"seconds": 14_400.0}
TEN_CYCLES = {"cycles": 10}
OUTLINED: Mapping[str, Any] = {
    "seeds": [0, 1, 2],
    "interfaces": ["polygon"],
    "strategies": [{"strategy": "random", "annotator": "masks", "label": "fine-tuned"}],
    "baseline": "fine-tuned",
    "budget": {"batch": 256, "cycles": 1},
    "model": {"name": "alexnet", "weights": "none"},
    "guidance": {"polygon": "iou"},
}
"""A region drawn once on a template is a perfect annotation of every aligned face."""
SECONDS = {"polygon-random": 8.663, "click-random": 6.680, "polygon-active": 7.318,
           "click-active": 5.308}  # fmt: skip
ACCURACY = {"polygon-random": 0.820, "click-random": 0.822, "polygon-active": 0.830,
            "click-active": 0.843}  # fmt: skip


TABLE_1: Mapping[str, Mapping[str, Any]] = {
    "celeba": {"masks": "landmarks", "split": "he2023"},
}
"""The paper's faces are CelebA's aligned ones, also where CelebAMask-HQ lies beside them."""
TEN_EPOCHS: Mapping[str, Any] = {
    **_strategies({"cycles": 1}),
    "seeds": [0],
    "strategies": ["random"],
    "fine_tuning": {"epochs": 10},
}
"""Section 5: the networks of Figure 8 were tuned for ten epochs; on how many images is not said,
and here it is one cycle."""
PAIR = ("Wearing_Lipstick", "High_Cheekbones")
SEVERAL: Mapping[str, Mapping[str, Any]] = {
    "celeba": {
        **TABLE_1["celeba"],
        "labels": "several",
        "attributes": list(PAIR),
        **dict.fromkeys(("attribute", "context", "region", "tests")),
    }
}
"""Figure 8(d) does not name its features; two that many faces show together."""


def _maps(name: str, title: str, dataset: str, measures: tuple[str, ...],
          settings: Mapping[str, Mapping[str, Any]]) -> Experiment:  # fmt: skip
    """Maps before and after: a picture was published, and no number."""
    return Experiment(
        f"he2023-figure8-{name}",
        title,
        "He et al. (2023), Figure 8",
        "benchmark",
        (dataset,),
        TEN_EPOCHS,
        tuple(Figure(arm, f"test:{m}", nan) for arm in ("pretrained", "random") for m in measures),
        settings,
    )


def _poster(attribute: str, recipe: str, test: str, rows: tuple[float, ...]) -> Experiment:
    words = attribute.lower().replace("_", "-")
    measures = ("test:accuracy", f"{test}:accuracy")
    return Experiment(
        f"yang2019-{words}",
        f"AlexNet's attention directed to the region of {attribute}",
        "Yang et al. (2019), poster",
        "benchmark",
        (recipe,),
        OUTLINED,
        _table(measures, {"pretrained": rows[:2], "fine-tuned": rows[2:]}),
        {recipe: {"masks": "landmarks", "split": "official"}},
    )


EXPERIMENTS = {
    one.name: one
    for one in (
        Experiment(
            "he2023-table1",
            "Images of each class and split",
            "He et al. (2023), Table 1",
            "counts",
            ("coco", "celeba", "awa2"),
            {},
            tuple(
                Figure(arm, split, float(value))
                for arm, values in {
                    "coco: airplane": (2388, 598, 97),
                    "coco: boat": (2420, 605, 121),
                    "celeba: Wearing_Lipstick": (13436, 3839, 1920),
                    "awa2: humpback whale": (651, 150, 50),
                    "awa2: horse": (1316, 264, 65),
                }.items()
                for split, value in zip(("train", "test", "val"), values, strict=True)
            ),
            TABLE_1,
        ),
        Experiment(
            "he2023-table2",
            "Strategies after 240 minutes of clicks on COCO, by class",
            "He et al. (2023), Table 2",
            "benchmark",
            ("coco",),
            _strategies(HOURS_4),
            _table(
                ("test:accuracy_airplane", "test:accuracy_boat"),
                {
                    "pretrained": (88.155, 80.331),
                    "random": (88.365, 82.975),
                    "entropy": (88.574, 84.023),
                    "k-center": (88.679, 84.682),
                    "attention": (88.994, 84.792),
                },
            ),
        ),
        Experiment(
            "he2023-table3",
            "Strategies after 240 minutes of clicks on CelebA, and on faces without make-up",
            "He et al. (2023), Table 3",
            "benchmark",
            ("celeba",),
            _strategies(HOURS_4),
            _table(
                ("test:accuracy", "without-heavy-makeup:accuracy"),
                {
                    "pretrained": (82.204, 73.038),
                    "random": (82.998, 73.084),
                    "entropy": (83.274, 73.176),
                    "k-center": (83.614, 73.245),
                    "attention": (83.730, 73.359),
                },
            ),
            TABLE_1,
        ),
        *(
            Experiment(
                f"he2023-figure7-{dataset}",
                f"Learning curves over 2,560 images in 10 cycles on {words}",
                f"He et al. (2023), Figure 7({letter})",
                "benchmark",
                (dataset,),
                _strategies(TEN_CYCLES),
                _table(("test:accuracy",), {a: (v,) for a, v in zip(ARMS, ends, strict=True)}),
                TABLE_1,
            )
            for dataset, words, letter, ends in (
                ("coco", "COCO", "a", (86.273, 86.808, 87.128, 87.363)),
                ("celeba", "CelebA", "b", (77.727, 77.905, 78.101, 78.216)),
            )
        ),
        _maps("coco", "Attention before and after ten epochs on COCO", "coco",
              ("attention_inside",), {}),
        _maps("celeba", "Attention before and after ten epochs on CelebA", "celeba",
              ("attention_inside",), TABLE_1),
        _maps("several", "Attention on two target features of one image, before and after",
              "celeba", tuple(column_of("attention_inside", name) for name in PAIR), SEVERAL),
        Experiment(
            "he2023-user-study",
            "16 participants, 4 conditions of 45 minutes: seconds an image and accuracy",
            "He et al. (2023), section 7, Figure 10",
            "study",
            ("coco",),
            {"model": {"name": "resnet18", "weights": "none"}},
            (
                *(Figure(arm, "seconds_per_image", value) for arm, value in SECONDS.items()),
                *(Figure(arm, "accuracy_before", 0.811) for arm in ACCURACY),
                *(Figure(arm, "accuracy_after", value) for arm, value in ACCURACY.items()),
            ),
        ),
        _poster("Wearing_Lipstick", "celeba", "without-heavy-makeup", (92.9, 82.17, 93.25, 83.31)),
        _poster("High_Cheekbones", "celeba-cheekbones", "without-smiling",
                (63.53, 47.41, 65.56, 61.33)),
        _poster("Double_Chin", "celeba-chin", "without-chubby", (84.18, 81.77, 84.79, 86.45)),
    )
}  # fmt: skip
"""By the name that ``clickstudy replicate`` takes."""
