"""A COCO root that tests write."""

import json

import numpy as np
from PIL import Image

from study.config import CocoConfig
from study.data import coco, reading

CATEGORIES = [(1, "person"), (3, "car"), (9, "boat"), (17, "cat")]
NUMBERS = {name: number for number, name in CATEGORIES}
SIDE = 40


def square(left, top, side):
    return [[left, top, left + side, top, left + side, top + side, left, top + side]]


class Folder:
    """A COCO root under construction."""

    def __init__(self, root):
        self.root = root
        self.splits = {name: ([], []) for name in ("train2017", "val2017")}
        (root / "annotations").mkdir()
        for split in self.splits:
            (root / split).mkdir()

    def image(self, split, name, *objects, mode="RGB", width=SIDE, height=SIDE, orientation=1):
        """Add an image; objects are (category, segmentation[, crowd])."""
        images, annotations = self.splits[split]
        number = len(images) + 1
        rng = np.random.default_rng(number + 1000 * (split == "val2017"))
        pixels = rng.integers(0, 255, (height, width, 3), dtype=np.uint8)
        exif = Image.Exif()
        exif[0x0112] = orientation
        file = self.root / split / name
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).convert(mode).save(file, exif=exif)
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        for category, segmentation, *crowd in objects:
            area = 100.0
            if isinstance(segmentation, list):
                area = float((segmentation[0][2] - segmentation[0][0]) ** 2)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": NUMBERS[category],
                    "segmentation": segmentation,
                    "area": area,
                    "iscrowd": int(bool(crowd)),
                }
            )
        self.write()

    def write(self):
        for split, (images, annotations) in self.splits.items():
            content = {
                "images": images,
                "annotations": annotations,
                "categories": [{"id": i, "name": name} for i, name in CATEGORIES],
            }
            self.annotations(split).write_text(json.dumps(content))

    def change(self, change, split="train2017"):
        """Change the content of an annotation file."""
        file = self.annotations(split)
        content = json.loads(file.read_text())
        change(content)
        file.write_text(json.dumps(content))

    def annotations(self, split):
        return self.root / "annotations" / f"instances_{split}.json"


def load(settings, root):
    return reading.read(coco.catalogue(settings, root), settings.size)


def config(**settings):
    base = {"kind": "coco", "root": "x", "categories": ("person",), "none_class": "none"}
    return CocoConfig(**{**base, "size": 32, "val_share": 0.25, **settings})
