"""For the tests of every kind of photographs."""

import pytest
from coco_maker import Folder, square


@pytest.fixture
def folder(tmp_path):
    made = Folder(tmp_path)
    for split in ("train2017", "val2017"):
        for i in range(4):
            made.image(split, f"p{i}.jpg", ("person", square(10, 10, 20)))
            made.image(split, f"n{i}.jpg", ("cat", square(0, 0, 10)))
    return made
