"""How many images there are, by class, context and split."""

from __future__ import annotations

import pandas as pd

from study.data.dataset import Dataset


def counts(dataset: Dataset) -> pd.DataFrame:
    """One row for each class (and context, where contexts are known), one column for each split.

    The columns ``class`` and, with contexts, ``context`` come first; the usual context of a class
    is marked ``(usual)``. Where an image may show several features an image counts for each of
    them, and a last row counts those that show none.
    """
    first = next(iter(dataset.splits.values()))
    contexts = first.context_names if first.contexts is not None else ()
    rows = []
    for label, name in enumerate(first.classes):
        for context in range(len(contexts)) if contexts else (None,):
            row: dict[str, object] = {"class": name}
            if context is not None:
                usual = first.usual_contexts is not None and first.usual_contexts[label] == context
                row["context"] = contexts[context] + (" (usual)" if usual else "")
            for split, images in dataset.splits.items():
                items = images.items
                chosen = items.asked == label
                if context is not None and items.contexts is not None:
                    chosen = chosen & (items.contexts == context)
                row[split] = int(chosen.sum())
            if not first.several or contexts == () or any(row[split] for split in dataset.splits):
                rows.append(row)
    if first.several:
        none = {split: int((~images.labels.any(1)).sum()) for split, images in
                dataset.splits.items()}  # fmt: skip
        rows.append({"class": "(none of them)", **({"context": ""} if contexts else {}), **none})
    return pd.DataFrame(rows)
