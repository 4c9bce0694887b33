"""The settings of images and network that studies and benchmarks in tests share."""

from collections.abc import Sequence


def learning(pretraining: int = 1, fine_tuning: int = 1) -> str:
    """Tables of a study or benchmark file: drawn scenes and a network that learns in seconds.

    Args:
        pretraining: epochs of it.
        fine_tuning: epochs of it.
    """
    return f"""
[dataset]
kind = "scenes"
size = 48
train = 40
val = 8
test = 8
balanced = 16

[model]
name = "small"
width = 8
blocks = 2

[pretraining]
epochs = {pretraining}

[fine_tuning]
epochs = {fine_tuning}
"""


def revealing(items: int, shares: Sequence[float], images: str = "", seed: int = 3) -> str:
    """A study file with two clicked images and a rapid categorisation by three sources' maps.

    Args:
        items: trials of the rapid categorisation; people's maps are in ``maps.npz`` beside it.
        shares: of the pixels that are shown.
        images: tables of the dataset and what learns, in place of :func:`learning`'s.
        seed: of the study.
    """
    return f"""
name = "reveal"
seed = {seed}
demographics = []
questionnaires = []
conditions = [{{ interface = "click", sampling = "random" }}]
[reveal]
items = {items}
sources = ["people", "attention", "saliency"]
shares = {list(shares)}
maps = "maps.npz"
[task]
images = 2
batch = 2
page = 2
[practice]
items = 0
{images or learning()}"""
