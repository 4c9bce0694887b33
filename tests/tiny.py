"""The settings of images and network that studies and benchmarks in tests share."""


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
