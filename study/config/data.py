"""Where the images come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from study.config.section import Positive, Section, Share, Whole
from study.framing import Fit

Side = Annotated[int, Field(strict=True, ge=32, le=1024)]
LabelsName = Literal["one", "several"]
"""Whether an image is of one class, or may show several target features (section 5)."""
RESERVED = ("train", "val", "test", "balanced")
Part = Annotated[float, Field(strict=True, gt=0.0, lt=0.5)]


class ExtraTest(Section):
    """A further test set: the images of a split without some contexts, or only with some.

    "All images without context B" is what He et al. (2023) report in Table 3.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    of: str = "test"
    without: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    @property
    def measure(self) -> str:
        """What its accuracy is called among the measures of a task."""
        return f"accuracy_on_{self.name.replace('-', '_')}"

    @model_validator(mode="after")
    def _chooses(self) -> ExtraTest:
        if self.name in RESERVED:
            raise ValueError(f"{self.name!r} is a split already: choose another name")
        if not (self.without or self.only):
            raise ValueError(f"{self.name} must say which contexts it is without, or only with")
        return self


class ImbalanceConfig(Section):
    """A long tail to order; see :mod:`study.data.imbalance`.

    Of a drawn ``share`` of the classes a ``factor`` of the training images is kept, beside the
    share ``reserve`` that is set aside of each.
    """

    factor: Annotated[float, Field(strict=True, gt=0.0, le=1.0)]
    share: Share = 0.5
    reserve: Share = 0.1


class _Tested(Section):
    """What every dataset has: labels, and perhaps further test sets and a long tail.

    ``labels = "several"``, where a kind of dataset offers it, means that an image may show several
    target features, each with its own annotation, attention and evaluation (section 5).
    """

    labels: LabelsName = "one"
    tests: tuple[ExtraTest, ...] = ()
    imbalance: ImbalanceConfig | None = None

    @model_validator(mode="after")
    def _tests_are_distinct(self) -> Self:
        for name, count in Counter(test.name for test in self.tests).items():
            if count > 1:
                raise ValueError(f"tests: {name} is listed {count} times; list it once")
        return self


class ScenesConfig(_Tested):
    """Drawn boats and airplanes; see :mod:`study.data.scenes`.

    With ``labels = "several"`` a scene shows an airplane, a boat, both or neither, with a thing
    beside each; ``several`` is the share of scenes of *one* class with two or three objects of it.
    """

    kind: Literal["scenes"] = "scenes"
    scene: Literal["beside", "background"] = "beside"
    size: Annotated[int, Field(strict=True, ge=32, le=512)] = 80
    bias: Annotated[float, Field(strict=True, ge=0.5, le=1.0)] = 0.95
    train: Positive = 2000
    val: Positive = 200
    test: Positive = 600
    balanced: Positive = 600
    several: Share = 0.15
    seed: Whole = 0

    @model_validator(mode="after")
    def _can_show_several(self) -> ScenesConfig:
        if self.labels == "several":
            if self.scene != "beside":
                raise ValueError(
                    f"labels = 'several' needs a thing beside each object, and scene = "
                    f"{self.scene!r} has one background: set scene = 'beside'"
                )
            if "several" in self.model_fields_set:
                raise ValueError(
                    "several is of scenes of one class, and labels = 'several' shows one object "
                    "of each: take one of the two out"
                )
        return self


class ShapesConfig(_Tested):
    """Drawn shapes of many classes; see :mod:`study.data.shapes`.

    ``redundancy`` is the share of training images that are near copies of others, ``rare`` that of
    images in an unusual condition.
    """

    kind: Literal["shapes"]
    classes: Annotated[int, Field(strict=True, ge=2, le=100)] = 10
    size: Annotated[int, Field(strict=True, ge=24, le=512)] = 32
    train: Positive = 2000
    val: Positive = 200
    test: Positive = 1000
    redundancy: Annotated[float, Field(strict=True, ge=0.0, lt=1.0)] = 0.0
    rare: Share = 0.1
    seed: Whole = 0

    @model_validator(mode="after")
    def _shows_one(self) -> ShapesConfig:
        if self.labels == "several":
            raise ValueError(
                "labels = 'several': a drawing shows one shape; set labels = 'one', or "
                "kind = 'scenes'"
            )
        return self


DrawnConfig = ScenesConfig | ShapesConfig
"""Datasets that need no files."""


class _Photographed(_Tested):
    """What every dataset of photographs may have.

    ``fit`` says how a photograph becomes the network's square of ``size`` pixels; see
    :mod:`study.framing`. People see the photograph itself (``workspace.longest_side``).
    """

    size: Side = 224
    fit: Fit = "stretch"


class AnnotatedConfig(_Photographed):
    """Photographs whose objects were annotated; see :mod:`study.data.annotated`.

    ``masks`` says what becomes an object's mask: its outline, its box, or nothing. ``limit`` keeps
    at most this many images of each annotation file, so that class shares stay. ``contexts`` are
    things that an image may show beside its class, and ``context_name`` what to call them
    together ("water" makes the groups "water" and "no water").
    """

    root: Path
    categories: Annotated[tuple[str, ...], Field(min_length=1)]
    none_class: str | None = None
    several: Literal["drop", "largest"] = "drop"
    contexts: tuple[str, ...] = ()
    context_name: Annotated[str, Field(min_length=1)] | None = None
    masks: Literal["outlines", "boxes", "none"] = "outlines"
    val_share: Part = 0.1
    test_share: Part = 0.2
    limit: Positive | None = None
    seed: Whole = 0
    """Draws the splits that are held out and the images kept by ``limit``."""

    @model_validator(mode="after")
    def _several_is_said_once(self) -> Self:
        if self.labels == "several" and "several" in self.model_fields_set:
            raise ValueError(
                "several says what becomes of an image of several categories, and labels = "
                "'several' keeps them all: take one of the two out"
            )
        return self


class CocoConfig(AnnotatedConfig):
    """The COCO-2017 layout, or one file in COCO's format; see :mod:`study.data.coco`.

    ``annotations`` names one JSON file (relative to root) with an automatic split; without it
    ``train`` and ``test`` are the parts of COCO's layout, and ``split`` says which is what.
    """

    kind: Literal["coco"]
    train: str = "train2017"
    test: str = "val2017"
    split: Literal["val2017-tests", "he2023"] = "val2017-tests"
    annotations: str | None = None
    images: str | None = None
    """The folder of the images (relative to root) of ``annotations``."""

    @model_validator(mode="after")
    def _parts_differ(self) -> CocoConfig:
        if self.annotations is None and self.train == self.test:
            raise ValueError(
                f"train and test are both {self.train!r}: name another file as test, or one file "
                f"as annotations, which is then split"
            )
        return self


class YoloConfig(AnnotatedConfig):
    """YOLO's text labels, boxes or segments; see :mod:`study.data.yolo`.

    ``data`` is the file that names classes and folders, relative to root.
    """

    kind: Literal["yolo"]
    data: str = "data.yaml"


class VocConfig(AnnotatedConfig):
    """Pascal VOC, as torchvision lays it out; see :mod:`study.data.voc`.

    ``train`` and ``test`` name lists in ImageSets; ``val`` is held out of train.
    """

    kind: Literal["voc"]
    year: Literal["2007", "2008", "2009", "2010", "2011", "2012"] = "2012"
    train: Literal["train", "trainval", "val"] = "train"
    test: Literal["val", "test", "train"] = "val"

    @model_validator(mode="after")
    def _parts_differ(self) -> VocConfig:
        if self.train == self.test or (self.train == "trainval" and self.test != "test"):
            raise ValueError(
                f"train = {self.train!r} and test = {self.test!r} have the same images: choose "
                f"train and val, or of 2007 trainval and test"
            )
        if self.test == "test" and self.year != "2007":
            raise ValueError(f"{self.year} has no annotated test part: set test = 'val'")
        return self


class LabelmeConfig(AnnotatedConfig):
    """labelme's JSON files beside the photographs; see :mod:`study.data.labelme`."""

    kind: Literal["labelme"]


class FolderConfig(_Photographed):
    """Class folders with optional masks and contexts; see :mod:`study.data.folder`.

    ``mask_values`` are the values of a mask file's pixels that are the object; by default
    :mod:`study.data.masks` tells.
    """

    kind: Literal["folder"]
    root: Path
    classes: tuple[str, ...] = ()
    """The class folders to read; by default all."""
    masks: str | None = None
    mask_values: tuple[Annotated[int, Field(strict=True, ge=0, le=65535)], ...] = ()
    contexts: str | None = None
    val_share: Part = 0.1
    test_share: Part = 0.2
    seed: Whole = 0
    """Draws the splits that have no folder of their own."""

    @model_validator(mode="after")
    def _is_of_one_class(self) -> FolderConfig:
        if self.labels == "several":
            raise ValueError(
                "labels = 'several': an image lies in one class folder; list images and features "
                "in a CSV file instead (dataset.kind = 'table')"
            )
        return self


class Awa2Config(_Photographed):
    """Animals with Attributes 2; see :mod:`study.data.awa2`.

    ``masks`` names a folder of masks (relative to root) that one made oneself: AwA2 has none.
    ``contexts`` names a CSV file with the columns image and context.
    """

    kind: Literal["awa2"]
    root: Path
    classes: Annotated[tuple[str, ...], Field(min_length=2)] = ("humpback whale", "horse")
    masks: str | None = None
    mask_values: tuple[Annotated[int, Field(strict=True, ge=0, le=65535)], ...] = ()
    contexts: str | None = None
    val_share: Part = 0.04
    test_share: Part = 0.16
    seed: Whole = 0

    @model_validator(mode="after")
    def _is_of_one_class(self) -> Awa2Config:
        if self.labels == "several":
            raise ValueError(
                "labels = 'several': every photograph of AwA2 is of one animal; set labels = 'one'"
            )
        return self


class TableConfig(_Photographed):
    """Photographs listed in a CSV file; see :mod:`study.data.table`.

    ``image``, ``label``, ``context``, ``split`` and ``mask`` name columns; the ``..._names`` say
    what the values of a column are called. With ``labels = "several"`` there are ``features`` in
    place of a label: columns of 0 and 1; ``contexts`` and ``masks`` name the columns, of 0 and 1
    and of files, of each feature's context and mask.
    """

    kind: Literal["table"]
    root: Path
    file: str = "metadata.csv"
    images: str = ""
    """The folder, below root, that the images' names begin in."""
    image: str = "image"
    label: str = "label"
    context: str | None = None
    split: str | None = None
    mask: str | None = None
    label_names: Mapping[str, str] = {}
    context_names: Mapping[str, str] = {}
    split_names: Mapping[str, str] = {}
    mask_values: tuple[Annotated[int, Field(strict=True, ge=0, le=65535)], ...] = ()
    features: tuple[str, ...] = ()
    contexts: Mapping[str, str] = {}
    masks: Mapping[str, str] = {}
    val_share: Part = 0.1
    test_share: Part = 0.2
    limit: Positive | None = None
    seed: Whole = 0

    @model_validator(mode="after")
    def _labels_and_features(self) -> TableConfig:
        one = {"label", "context", "mask", "label_names", "context_names"}
        of_several = {"features", "contexts", "masks"}
        foreign = sorted((one if self.labels == "several" else of_several) & self.model_fields_set)
        if foreign:
            raise ValueError(
                f"{foreign[0]} does not go with labels = {self.labels!r}: take it out, or set "
                f"labels = {'one' if self.labels == 'several' else 'several'!r}"
            )
        if self.labels == "several" and not self.features:
            raise ValueError("labels = 'several' needs features: the columns of 0 and 1")
        for setting in ("contexts", "masks"):
            named = getattr(self, setting)
            missing = [f for f in self.features if f not in named] if named else []
            extra = [f for f in named if f not in self.features]
            if missing or extra:
                raise ValueError(
                    f"{setting} must name a column for each of features, and "
                    f"{(missing + extra)[0]!r} is {'missing' if missing else 'no feature'}"
                )
        return self


class CelebaConfig(_Photographed):
    """CelebA by one attribute; see :mod:`study.data.celeba`.

    ``masks`` says what a mask is: a region around the landmarks, or the parts that
    CelebAMask-HQ outlines (then the photographs are its 30,000). ``split = "he2023"`` keeps as
    many images of each of CelebA's splits as Table 1 states. ``limit`` keeps at most this many
    images of each split, so that class shares stay. With ``labels = "several"`` there are
    ``attributes`` in place of one, each with the context and the region that the paper and the
    poster have for it.
    """

    kind: Literal["celeba"]
    root: Path
    attributes: tuple[Literal["Wearing_Lipstick", "High_Cheekbones", "Double_Chin"], ...] = ()
    attribute: str = "Wearing_Lipstick"
    context: str | None = "Heavy_Makeup"
    region: Literal["mouth", "eyes", "cheeks", "chin"] | None = "mouth"
    masks: Literal["landmarks", "celebamask-hq"] = "landmarks"
    split: Literal["official", "he2023"] = "official"
    limit: Positive | None = None
    seed: Whole = 0

    @model_validator(mode="after")
    def _attributes_and_attribute(self) -> CelebaConfig:
        several = self.labels == "several"
        one = {"attribute", "context", "region"} & self.model_fields_set
        if several and one:
            raise ValueError(
                f"{sorted(one)[0]} is of labels = 'one', and 'several' has attributes: take one "
                f"of the two out"
            )
        if several != bool(self.attributes) or len(set(self.attributes)) != len(self.attributes):
            raise ValueError(
                "labels = 'several' and attributes, each once, go together: set both or neither"
            )
        if several and self.masks == "celebamask-hq":
            raise ValueError(
                "CelebAMask-HQ outlines neither cheeks nor chin: set masks = 'landmarks' for "
                "several attributes"
            )
        return self

    @model_validator(mode="after")
    def _region_is_outlined(self) -> CelebaConfig:
        if self.masks == "celebamask-hq" and self.region not in ("mouth", "eyes", None):
            raise ValueError(
                f"CelebAMask-HQ outlines no {self.region}: set masks = 'landmarks', or region to "
                f"'mouth' or 'eyes'"
            )
        return self


class _Benchmark(_Tested):
    """A dataset of computer vision as it is published, with a test split of its own.

    ``val`` is a share of the training images, drawn by class; ``limit`` keeps at most this many
    images of each split, so that class shares stay.
    """

    root: Path
    val_share: Part = 0.1
    limit: Positive | None = None
    seed: Whole = 0

    @model_validator(mode="after")
    def _shows_one(self) -> Self:
        if self.labels == "several":
            raise ValueError("labels = 'several': every image has one class; set labels = 'one'")
        return self


class CifarConfig(_Benchmark):
    """CIFAR-10 or CIFAR-100, 32 pixels, as torchvision reads them; see :mod:`study.data.cifar`."""

    kind: Literal["cifar"]
    classes: Literal[10, 100] = 10


class TinyImagenetConfig(_Benchmark):
    """Tiny ImageNet, 200 classes; see :mod:`study.data.tiny_imagenet`."""

    kind: Literal["tiny-imagenet"]
    size: Side = 64
    fit: Fit = "stretch"


DatasetConfig = Annotated[
    ScenesConfig
    | ShapesConfig
    | CocoConfig
    | YoloConfig
    | VocConfig
    | Awa2Config
    | LabelmeConfig
    | FolderConfig
    | TableConfig
    | CelebaConfig
    | CifarConfig
    | TinyImagenetConfig,
    Field(discriminator="kind"),
]
DATASETS: dict[str, type[Section]] = {
    "scenes": ScenesConfig,
    "shapes": ShapesConfig,
    "coco": CocoConfig,
    "yolo": YoloConfig,
    "voc": VocConfig,
    "awa2": Awa2Config,
    "labelme": LabelmeConfig,
    "folder": FolderConfig,
    "table": TableConfig,
    "celeba": CelebaConfig,
    "cifar": CifarConfig,
    "tiny-imagenet": TinyImagenetConfig,
}
"""The settings of every kind of dataset, by ``dataset.kind``."""


def features_of(config: DatasetConfig) -> tuple[str, ...]:
    """The features that an image may show; none where an image is of one class."""
    if config.labels == "one":
        return ()
    match config:
        case ScenesConfig():
            return ("airplane", "boat")
        case AnnotatedConfig():
            return config.categories
        case CelebaConfig():
            return config.attributes
        case TableConfig():
            return config.features
    return ()
