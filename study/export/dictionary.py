"""The data dictionary: what every exported column means, with its unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from study.metrics import FEATURE_COLUMNS

Factors = Mapping[str, Sequence[str]]
NO_FACTORS: Factors = {}
TEST_SET = "accuracy_on_"

_KEYS = {
    "participant": ("", "the participant's code"),
    "mode": ("", "live, pilot or simulated; never to be mixed in one analysis"),
    "sequence": ("", "index (from 0) of the participant's order of conditions"),
    "position": ("", "the task's place in the participant's sequence, from 1; empty: at the end"),
    "interface": ("", "annotation interface: polygon, click, ..., or dialogue"),
    "sampling": ("", "how images were picked: random, active or a strategy's name"),
    "study_hash": ("", "SHA-256 of the study file"),
}

METRICS = {
    "accuracy": ("share", "accuracy"),
    "aligned_accuracy": ("share", "accuracy where the context is the usual one of the class"),
    "conflicting_accuracy": ("share", "accuracy where the context is not the usual one"),
    "worst_group_accuracy": ("share", "accuracy of the worst group (class x context)"),
    "balanced_accuracy": ("share", "mean over classes of the accuracy on each"),
    "attention_inside": ("share", "attention inside the object (energy pointing game)"),
    "pointing_game": ("share", "images whose attention maximum is inside the object"),
    "attention_iou": ("share", "intersection over union of attention (half maximum) and object"),
    "barycentre_distance": ("image side", "distance of the attention's barycentre to the object's"),
}

_TABLES: dict[str, dict[str, tuple[str, str]]] = {
    "participants": {
        "order": ("", "conditions in the order of this participant, separated by spaces"),
        "status": ("", "active, completed, withdrawn or excluded"),
        "excluded_reason": ("", "why the participant was excluded or withdrew"),
        "enrolled_at": ("s since 1970", "the participant's clock at enrolment"),
        "last_at": ("s since 1970", "the participant's clock at the last event"),
        "tasks_finished": ("count", "tasks done to the end"),
        "attention_checks": ("count", "attention checks shown"),
        "attention_checks_failed": ("count", "attention checks missed, the second chance too"),
        "attention_checks_retried": ("count", "attention checks with a second chance"),
        "practice_attempts": ("count", "practice items attempted"),
        "practice_passed": (
            "",
            "interfaces whose practice the experimenter let the participant pass",
        ),
        "erased_images": (
            "count",
            "images annotated, of which nothing is left: see excluded_reason",
        ),
        "erased_tasks": ("count", "tasks finished, of which nothing is left; empty: not erased"),
        "simulated": ("", "parameters of a simulated participant, as JSON; empty for people"),
        "notes": ("", "the experimenter's notes"),
        "quality_flags": (
            "",
            "what stands out by task, with its number: reasons to look, not to exclude",
        ),
        "recruited_via": (
            "",
            "link: open enrolment; list: a list of the lab's; empty: by the experimenter",
        ),
        "consented_at": ("s since 1970", "when the participant agreed to take part"),
        "consent_version": ("", "the study file's consent_version then"),
        "consent_hash": ("", "SHA-256 of the text that was read, optional consents included"),
        "language": ("", "the language in which it was read"),
        "environments": (
            "count",
            "different browsers, screens or windows; the next columns are the first's",
        ),
        "browser": ("", "browser and its main version"),
        "system": ("", "operating system, as the browser calls it"),
        "screen_width": ("CSS px", "width of the screen"),
        "screen_height": ("CSS px", "height of the screen"),
        "window_width": ("CSS px", "width of the page's window"),
        "window_height": ("CSS px", "height of the page's window"),
        "pixel_ratio": ("", "the screen's pixels for each CSS pixel"),
        "pointer": ("", "first pointing device: fine (mouse, pen), coarse (finger) or none"),
        "refresh_rate": ("Hz", "frames a second, measured; empty: the page was out of sight"),
        "time_zone": ("", "the browser's, such as Asia/Tokyo"),
    },
    "tasks": {
        "images": ("count", "images annotated"),
        "cycles": ("count", "cycles finished"),
        "seconds_per_image": ("s", "annotation_seconds / images"),
        "annotation_seconds": ("s", "time from an image's onset to its confirmation, summed"),
        "waiting_seconds": ("s", "time waiting for selection, fine-tuning and evaluation"),
        "training_seconds": ("s", "computing time of fine-tuning"),
        "collapsed": ("count", "cycles in which attention collapsed and weights were restored"),
        "failed": ("count", "cycles whose fine-tuning failed; the last good model went on"),
        "rests": ("count", "rests that the participant took inside the task"),
        "rest_seconds": ("s", "their time; no clock counts it"),
        "satisfied": ("", "whether the participant ended the task as satisfactory"),
        "seconds_to_satisfaction": ("s", "annotation time until then; empty: not satisfied"),
        "on_object": ("share", "mean over images: of what was marked, how much is on the object"),
        "objects_hit": ("share", "of all objects: a point on them, or half covered by an outline"),
        "outline_iou": ("share", "mean intersection over union of outlines and objects"),
        "coverage": ("share", "mean share of the objects that outlines cover"),
        "regions_on_object": ("share", "mean share of the negative regions that lies on objects"),
        "map_similarity": (
            "correlation",
            "mean correlation of an attention map with the five seen before it, at least 0",
        ),
    },
    "cycles": {
        "cycle": ("", "from 1; 0 is the pretrained model"),
        "strategy": ("", "the acquisition strategy"),
        "images": ("count", "images annotated in the cycle"),
        "annotation_seconds": ("s", "annotation time in the cycle"),
        "waiting_seconds": ("s", "waiting time in the cycle"),
        "selection_seconds": ("s", "computing time of selection"),
        "training_seconds": ("s", "computing time of fine-tuning"),
        "updates": ("count", "times the head learnt within the cycle (feedback by image)"),
        "epochs": ("count", "epochs (of a head: steps) of fine-tuning, summed over the cycle"),
        "loss": ("", "training loss of the last epoch or step"),
        "collapsed": ("", "whether attention collapsed and weights were restored"),
        "note": ("", "what training had to say"),
    },
    "items": {
        "cycle": ("", "from 1"),
        "page": ("", "page of candidates, from 1"),
        "image": ("", "the image's name"),
        "class": ("", "the image's class, or the feature; empty in logs that do not say"),
        "context": ("", "what the image's class is seen with, or its background; empty: unknown"),
        "feature": (
            "",
            "which feature of the image was asked, where it may show several; an image may be in "
            "several rows then",
        ),
        "shared": ("", "whether all participants of the condition get the image"),
        "asked": ("", "the interface of the image: the condition's, or what a dialogue asked for"),
        "trial": ("", "order in which the image was first confirmed in the task, from 1"),
        "learnt": (
            "count",
            "confirmations of the task that the model had learnt from whose attention was shown "
            "at the first visit; empty: none was shown, or the log does not say",
        ),
        "visits": ("count", "times the image was confirmed; seconds are summed over them"),
        "seconds": ("s", "onset to confirmation"),
        "idle_seconds": ("s", "of these: page out of sight, or pauses beyond the idle threshold"),
        "positive_points": ("count", "positive points in the final annotation"),
        "negative_regions": ("count", "negative regions in the final annotation"),
        "polygons": ("count", "polygons in the final annotation"),
        "vertices": ("count", "vertices of all polygons in the final annotation"),
        "boxes": ("count", "boxes in the final annotation"),
        "answer": ("", "what was said of the machine's proposal: yes, no, part, ...; empty: none"),
        "strokes": ("count", "strokes of the brush in the final annotation, erasing ones too"),
        "undos": ("count", "undo actions"),
        "confirmed_at": ("s since 1970", "the participant's clock at the (last) confirmation"),
        "objects": ("count", "objects that the image shows, where masks are known"),
        "on_object": ("share", "of the points, or of the area, that were marked: on the object"),
        "objects_hit": (
            "count",
            "objects with a point on them, or half covered by what was outlined",
        ),
        "outline_iou": ("share", "intersection over union of what was outlined and the object"),
        "coverage": ("share", "share of the object that what was outlined covers"),
        "regions_on_object": ("share", "share of the negative regions that lies on the object"),
        "map_similarity": (
            "correlation",
            "correlation of the attention map with the five seen before it, at least 0",
        ),
    },
    "features": {
        "cycle": ("", "from 1; 0 is the pretrained model"),
        "split": ("", "the test split"),
        "feature": ("", "of images that may show several, the feature that is measured"),
        "count": ("count", "images of the split"),
        "count_shown": ("count", "images that show the feature"),
        "accuracy": ("share", "images of which it is known whether they show the feature"),
        "balanced_accuracy": ("share", "mean of sensitivity and specificity"),
        "sensitivity": ("share", "accuracy on images that show the feature"),
        "specificity": ("share", "accuracy on images that do not"),
        "aligned_accuracy": (
            "share",
            "accuracy where the usual context is there with the feature, or is not without it",
        ),
        "conflicting_accuracy": ("share", "accuracy where only one of the two is there"),
        "worst_group_accuracy": (
            "share",
            "accuracy of the worst group (shown or not x the feature's contexts)",
        ),
        "count_aligned": ("count", "images in aligned_accuracy"),
        "count_conflicting": ("count", "images in conflicting_accuracy"),
        **{
            f"attention_inside_{size}": ("share", f"attention inside the object, {size} ones")
            for size in ("small", "medium", "large")
        },
        **{f"count_{size}": ("count", f"{size} objects") for size in ("small", "medium", "large")},
        "dead_maps": ("share", "attention maps that are zero everywhere"),
    },
    "answers": {
        "instrument": ("", "questionnaire"),
        "question": ("", "the question's key"),
        "answer": ("", "a number (Likert: 1 strongly disagree to 5 strongly agree) or text"),
    },
    "reveals": {
        "number": ("", "the trial's place, from 1"),
        "image": ("", "the image's name"),
        "label": ("", "its class"),
        "source": ("", "whose map said what is important: people, attention or saliency"),
        "share": ("share", "of the image's pixels that were shown, the most important ones"),
        "answer": ("", "the class that was chosen, of two"),
        "correct": ("", "whether it is the image's"),
        "seconds": ("s", "from its onset to the answer; before version 2 from the wish to see it"),
        "onset": ("s since 1970", "when it appeared, by the browser's animation frames"),
        "shown": ("s", "how long it was there, by the browser's animation frames"),
        "early": ("count", "answers given before it appeared"),
    },
    "questions": {
        "instrument": ("", "questionnaire; demographics: asked before the study"),
        "question": ("", "the question's key"),
        "text": ("", "the question in the words that participants read"),
        "kind": ("", "likert, scale, choice, number or text"),
        "low": ("", "the lowest number that can be answered"),
        "high": ("", "the highest number that can be answered"),
        "labels": ("", "the words on the scale, or the choices, as a JSON list"),
        "when": (
            "",
            "start: before the study; task: after tasks; results: after the study, with the maps "
            "before and after in sight; end: after that",
        ),
        "interface": ("", "asked only after tasks with this interface; empty: after every task"),
        "sampling": ("", "asked only after tasks with this sampling; empty: after every task"),
    },
    "set_aside": {
        "reason": ("", "why the participant is in no other table"),
    },
    "events": {
        "number": ("", "place in the log"),
        "id": ("", "the event's id"),
        "type": ("", "what happened"),
        "version": ("", "version of the payload's format"),
        "at": ("s since 1970", "when, by the participant's clock"),
        "recorded_at": ("s since 1970", "when it was stored, by the server's clock"),
        "payload": ("", "the event as JSON"),
    },
}


_ASKED = {
    "consent_": "whether the participant also agreed to {0!r}",
    "recruited_": "{0!r} of the link or list by which the participant came; it may identify them",
    "screening_": "answer to the screening question {0!r}",
}


def describe(table: str, column: str, factors: Factors = NO_FACTORS) -> tuple[str, str]:
    """(unit, description) of a column; raises ``KeyError`` for one nobody described.

    ``factors`` holds the levels of the factors that the study file declares, by name.
    """
    known: Mapping[str, tuple[str, str]] = _KEYS | _TABLES[table]
    if column in known:
        return known[column]
    if column in factors and table not in ("participants", "events"):
        levels = " or ".join(factors[column])
        if table == "questions":
            return "", f"asked only after tasks where this factor is so ({levels}); empty: always"
        return "", f"level of the factor {column!r}: {levels}"
    if table == "participants" and column.startswith("demographic_"):
        key = column.removeprefix("demographic_")
        return "", f"answer to the demographic question {key!r}"
    for prefix, text in _ASKED.items():
        if table == "participants" and column.startswith(prefix):
            return "", text.format(column.removeprefix(prefix))
    if table == "tasks":
        for when, text in (("_before", "pretrained model"), ("_after", "after the last cycle")):
            if column.endswith(when):
                metric = column.removesuffix(when)
                unit, what = METRICS.get(metric) or _of_feature(metric) or _on_test_set(metric)
                return unit, f"{what}; {text}"
    if table == "features" and column in METRICS:
        return METRICS[column]
    if table == "cycles":
        split, _, metric = column.partition("_")
        if not metric:
            raise KeyError(f"cycles.{column} is not in the data dictionary")
        unit, what = METRICS.get(metric, ("", metric.replace("_", " ")))
        return unit, f"{what}, on the {split} split, after the cycle"
    raise KeyError(f"{table}.{column} is not in the data dictionary")


def _of_feature(metric: str) -> tuple[str, str] | None:
    own, found, feature = metric.partition("_of_")
    if not found or own not in FEATURE_COLUMNS:
        return None
    unit, what = METRICS.get(own) or _TABLES["features"][own]
    return unit, f"of the feature {feature!r} alone: {what}"


def _on_test_set(metric: str) -> tuple[str, str]:
    if not metric.startswith(TEST_SET):
        raise KeyError(f"tasks.{metric} is not in the data dictionary")
    test = metric.removeprefix(TEST_SET).replace("_", "-")
    return "share", f"accuracy on the images of the test set {test!r} of dataset.tests"


def rows(
    tables: Mapping[str, list[str]], factors: Factors = NO_FACTORS
) -> Iterator[dict[str, str]]:
    """One row for each column of each table, for ``data_dictionary.csv``."""
    for table, columns in tables.items():
        for column in columns:
            unit, description = describe(table, column, factors)
            yield {"table": table, "column": column, "unit": unit, "description": description}
