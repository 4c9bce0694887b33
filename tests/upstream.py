"""Photographs drawn in exactly the layouts that datasets are published in.

Every picture is a bright shape on a ground, so that on a contact sheet an outline that is not where
it belongs is seen at once.
"""

import csv
import json
import pickle

import numpy as np
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 60, 40
BOX = (15, 8, 35, 28)
"""Left, top, right, bottom of every object, both ends outside."""
GROUNDS = {"sea": (20, 70, 160), "sky": (150, 200, 250), "grass": (40, 120, 40)}
COLOURS = ((230, 60, 40), (250, 240, 230), (240, 200, 40), (120, 60, 30))
AIRPLANE, BOAT, PERSON = 5, 9, 1
SEA, SKY = 155, 187
FACE = (178, 218)
LANDMARKS = (69, 111, 108, 111, 88, 136, 72, 152, 105, 152)
ATTRIBUTES = (
    "Chubby", "Double_Chin", "Heavy_Makeup", "High_Cheekbones", "Smiling", "Wearing_Lipstick"
)  # fmt: skip
VOC_CLASSES = {"aeroplane": 1, "boat": 4, "horse": 13, "person": 15}
AWA2_CLASSES = ("antelope", "humpback+whale", "horse", "zebra")
CIFAR_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"
)  # fmt: skip


def picture(number, shape, ground, size=(WIDTH, HEIGHT), box=BOX):
    """A shape (0: ellipse, 1: rectangle, 2: triangle, 3: lozenge) on a noisy ground."""
    noise = np.random.default_rng(number).normal(0, 8, (size[1], size[0], 3))
    pixels = (np.array(GROUNDS[ground]) + noise).clip(0, 255).astype(np.uint8)
    drawn = Image.fromarray(pixels)
    pen = ImageDraw.Draw(drawn)
    left, top, right, bottom = box[0], box[1], box[2] - 1, box[3] - 1
    middle = ((left + right) / 2, (top + bottom) / 2)
    if shape == 0:
        pen.ellipse((left, top, right, bottom), COLOURS[0])
    elif shape == 1:
        pen.rectangle((left, top, right, bottom), COLOURS[1])
    elif shape == 2:
        pen.polygon([(middle[0], top), (right, bottom), (left, bottom)], COLOURS[2])
    else:
        pen.polygon(
            [(middle[0], top), (right, middle[1]), (middle[0], bottom), (left, middle[1])],
            COLOURS[3],
        )
    return drawn


def save(file, drawn):
    file.parent.mkdir(parents=True, exist_ok=True)
    drawn.save(file)


def outline(box=BOX):
    left, top, right, bottom = box
    return [[left, top, right, top, right, bottom, left, bottom]]


def draw_coco(root, train=20, val=6, panoptic=False):
    """train2017, val2017 and annotations/instances_*.json; boats on the sea but for every fifth."""
    names = [{"id": AIRPLANE, "name": "airplane"}, {"id": BOAT, "name": "boat"},
             {"id": PERSON, "name": "person"}]  # fmt: skip
    (root / "annotations").mkdir(parents=True)
    for split, count in {"train2017": train, "val2017": val}.items():
        images, annotations, segmented = [], [], []
        for i in range(count):
            number = i + 1 + 1000 * (split == "val2017")
            file = f"{number:012d}.jpg"
            boat = i % 2
            wet = boat != (i % 10 in (4, 5))
            save(root / split / file, picture(number, boat, "sea" if wet else "sky"))
            images.append({"id": number, "file_name": file, "width": WIDTH, "height": HEIGHT,
                           "license": 1, "date_captured": "2013-11-14 11:18:45"})  # fmt: skip
            category = BOAT if boat else AIRPLANE
            left, top, right, bottom = BOX
            box = [left, top, right - left, bottom - top]
            annotations.append(
                {"id": number, "image_id": number, "category_id": category, "iscrowd": 0,
                 "segmentation": outline(), "bbox": box, "area": 400.0}
            )  # fmt: skip
            if panoptic:
                segmented.append(_panoptic(root, split, number, category, SEA if wet else SKY, box))
        content = {"info": {}, "licenses": [], "images": images, "annotations": annotations,
                   "categories": names}  # fmt: skip
        write(root / "annotations" / f"instances_{split}.json", content)
        if panoptic:
            kinds = [row | {"isthing": 1, "supercategory": "thing", "color": [1, 2, 3]}
                     for row in names]  # fmt: skip
            kinds += [{"id": number, "name": name, "isthing": 0, "supercategory": "stuff",
                       "color": [4, 5, 6]} for number, name in
                      ((SEA, "sea"), (SKY, "sky-other-merged"), (148, "river"),
                       (178, "water-other"))]  # fmt: skip
            write(
                root / "annotations" / f"panoptic_{split}.json",
                content | {"annotations": segmented, "categories": kinds},
            )


def _panoptic(root, split, number, category, ground, box):
    """A picture whose colours are numbers of segments, some of more than one byte."""
    thing, stuff = 3_000_000 + number, 70_000 + number
    segments = np.full((HEIGHT, WIDTH), stuff)
    left, top, right, bottom = BOX
    segments[top:bottom, left:right] = thing
    colours = np.stack([segments % 256, segments // 256 % 256, segments // 256**2], -1)
    file = f"{number:012d}.png"
    save(
        root / "annotations" / f"panoptic_{split}" / file,
        Image.fromarray(colours.astype(np.uint8)),
    )
    whole = [0, 0, WIDTH, HEIGHT]
    rows = [(thing, category, box, 400), (stuff, ground, whole, WIDTH * HEIGHT - 400)]
    return {
        "image_id": number,
        "file_name": file,
        "segments_info": [
            {"id": i, "category_id": kind, "iscrowd": 0, "bbox": where, "area": area}
            for i, kind, where, area in rows
        ],
    }


def write(file, content):
    file.write_text(json.dumps(content), encoding="utf-8")


def change(file, how):
    """Change the content of a JSON file."""
    content = json.loads(file.read_text())
    how(content)
    write(file, content)


def draw_voc(root, year="2012", train=16, val=8):
    """VOCdevkit: every third horse has a person beside it, the last of each part is no segment."""
    base = root / "VOCdevkit" / f"VOC{year}"
    for kind in ("Main", "Segmentation"):
        (base / "ImageSets" / kind).mkdir(parents=True)
    (base / "Annotations").mkdir()
    for part, count in {"train": train, "val": val}.items():
        names = []
        for i in range(count):
            name = f"2007_{i + 1 + 1000 * (part == 'val'):06d}"
            kinds = ("boat", "horse")[i % 2]
            objects = [(kinds, BOX, 0)]
            if kinds == "horse" and i % 3:
                objects.append(("person", (40, 8, 52, 34), 0))
            number = i + 100 * (part == "val")
            drawn = picture(number, 2 + i % 2, "grass" if i % 2 else "sea")
            if len(objects) > 1:
                ImageDraw.Draw(drawn).rectangle((40, 8, 51, 33), (250, 200, 170))
            save(base / "JPEGImages" / f"{name}.jpg", drawn)
            draw_voc_annotation(base, name, objects)
            _voc_mask(base, name, objects)
            names.append(name)
        (base / "ImageSets" / "Main" / f"{part}.txt").write_text("".join(f"{n}\n" for n in names))
        (base / "ImageSets" / "Segmentation" / f"{part}.txt").write_text(
            "".join(f"{n}\n" for n in names[:-2])
        )
    return base


def draw_voc_annotation(base, name, objects):
    rows = "".join(
        f"<object><name>{kind}</name><pose>Left</pose><truncated>0</truncated>"
        f"<difficult>{difficult}</difficult><bndbox><xmin>{box[0] + 1}</xmin><ymin>{box[1] + 1}"
        f"</ymin><xmax>{box[2]}</xmax><ymax>{box[3]}</ymax></bndbox></object>"
        for kind, box, difficult in objects
    )
    (base / "Annotations" / f"{name}.xml").write_text(
        f"<annotation><folder>VOC2012</folder><filename>{name}.jpg</filename>"
        f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>"
        f"<segmented>1</segmented>{rows}</annotation>"
    )


def _voc_mask(base, name, objects):
    """A palette picture: class numbers, with the void border 255."""
    numbers = np.zeros((HEIGHT, WIDTH), np.uint8)
    for kind, (left, top, right, bottom), _ in objects:
        numbers[top - 1 : bottom + 1, left - 1 : right + 1] = 255
        numbers[top:bottom, left:right] = VOC_CLASSES[kind]
    mask = Image.new("P", (numbers.shape[1], numbers.shape[0]))
    mask.putpalette([value for i in range(256) for value in (i * 37 % 256, i * 91 % 256, i)])
    mask.putdata(numbers.ravel().tolist())
    save(base / "SegmentationClass" / f"{name}.png", mask)


def draw_awa2(root, each=12):
    """Animals_with_Attributes2 with its classes.txt."""
    base = root / "Animals_with_Attributes2"
    for number, name in enumerate(AWA2_CLASSES):
        for i in range(each if name in ("horse", "humpback+whale") else 1):
            ground = "sea" if "whale" in name else "grass"
            drawn = picture(100 * number + i, number, ground)
            save(base / "JPEGImages" / name / f"{name}_{10001 + i}.jpg", drawn)
    lines = [f"{i:>8}\t{name}" for i, name in enumerate(AWA2_CLASSES, start=1)]
    (base / "classes.txt").write_text("\n".join(lines) + "\n")
    return base


def draw_celeba(root, faces=36):
    """celeba/img_align_celeba and its five lists; a third of the faces in each split."""
    folder = root / "celeba"
    names = [f"{i + 1:06d}.jpg" for i in range(faces)]
    for i, name in enumerate(names):
        save(folder / "img_align_celeba" / name, face(i, FACE, LANDMARKS))

    def listed(file, header, row):
        lines = [f"{name} {' '.join(map(str, row(i)))}" for i, name in enumerate(names)]
        (folder / file).write_text("\n".join([*header, *lines]) + "\n")

    def attributes(i):
        shown, usual = i // 2 % 2, i % 5 != 0
        return [2 * int(shown == usual if name in ("Heavy_Makeup", "Smiling", "Chubby") else shown)
                - 1 for name in ATTRIBUTES]  # fmt: skip

    points = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y"
    header = [str(faces), f"{points} rightmouth_x rightmouth_y"]
    listed("list_attr_celeba.txt", [str(faces), " ".join(ATTRIBUTES) + " "], attributes)
    listed("list_landmarks_align_celeba.txt", header, lambda i: LANDMARKS)
    listed("list_bbox_celeba.txt", [str(faces), "x_1 y_1 width height"], lambda i: (1, 2, 3, 4))
    listed("identity_CelebA.txt", [], lambda i: (i,))
    listed("list_eval_partition.txt", [], lambda i: (i * 3 // faces,))
    return folder


def face(number, size, landmarks):
    """An oval with eyes and a mouth where the landmarks are."""
    drawn = Image.new("RGB", size, (60, 60, 80))
    pen = ImageDraw.Draw(drawn)
    w, h = size
    pen.ellipse((0.2 * w, 0.2 * h, 0.8 * w, 0.9 * h), (225, 180 - number % 20, 150))
    at = landmarks
    for x, y in ((at[0], at[1]), (at[2], at[3])):
        pen.ellipse((x - 0.05 * w, y - 0.02 * h, x + 0.05 * w, y + 0.02 * h), (30, 30, 60))
    pen.ellipse((at[6], at[7] - 0.03 * h, at[8], at[9] + 0.03 * h), (200, 30, 60))
    return drawn


def draw_celebamask_hq(root, faces=36):
    """Half of the faces, in the opposite order, larger and cut otherwise."""
    base = root / "CelebAMask-HQ"
    side, at = 128, (45, 60, 83, 60, 64, 80, 48, 100, 80, 100)
    lines = ["idx    orig_idx    orig_file"]
    for number, original in enumerate(reversed(range(0, faces, 2))):
        drawn = face(original, (side, side), at)
        save(base / "CelebA-HQ-img" / f"{number}.jpg", drawn)
        pixels = np.asarray(drawn).astype(int)
        parts = {"u_lip": np.zeros((side, side), bool), "l_lip": np.zeros((side, side), bool)}
        red = (pixels[..., 0] > 150) & (pixels[..., 1] < 80)
        parts["u_lip"][:100], parts["l_lip"][100:] = red[:100], red[100:]
        dark = (pixels[..., 2] < 70) & (pixels[..., 0] < 40)
        parts["l_eye"], parts["r_eye"] = dark.copy(), dark.copy()
        parts["l_eye"][:, 64:], parts["r_eye"][:, :64] = False, False
        parts["skin"] = pixels[..., 0] > 150
        for part, inside in parts.items():
            mask = Image.fromarray((255 * inside[::2, ::2]).astype(np.uint8))
            save(base / "CelebAMask-HQ-mask-anno" / "0" / f"{number:05d}_{part}.png", mask)
        lines.append(f"{number}       {original}      {original + 1:06d}.jpg")
    (base / "CelebA-HQ-to-CelebA-mapping.txt").write_text("\n".join(lines) + "\n")
    return base


def draw_waterbirds(root):
    """metadata.csv and the folders of the birds."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "metadata.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["img_id", "img_filename", "y", "split", "place", "place_filename"])
        for i in range(36):
            name = f"{i % 3:03d}.Bird/{i}.jpg"
            place = i // 3 % 2 if i % 7 else 1 - i // 3 % 2
            save(root / name, picture(i, i // 3 % 2, "sea" if place else "grass"))
            rows.writerow([i, name, i // 3 % 2, i % 3, place, "x"])


def draw_cifar(root):
    """cifar-10-batches-py."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    meta = {"label_names": list(CIFAR_CLASSES)}
    (folder / "batches.meta").write_bytes(pickle.dumps(meta))
    batches = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    for number, batch in enumerate(batches):
        labels = [0, 8, 3, 0, 8]
        drawn = [
            np.asarray(picture(10 * number + i, label // 8, "sea", (32, 32), (6, 6, 24, 24)))
            for i, label in enumerate(labels)
        ]
        pixels = np.stack([one.transpose(2, 0, 1).ravel() for one in drawn])
        (folder / batch).write_bytes(pickle.dumps({"data": pixels, "labels": labels}))


DRAWINGS = {
    "coco": lambda root: draw_coco(root, panoptic=True),
    "voc": draw_voc,
    "awa2": draw_awa2,
    "celeba": draw_celeba,
    "waterbirds": draw_waterbirds,
    "cifar": draw_cifar,
}
