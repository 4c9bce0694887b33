"""How many images there are, by class, context and split."""

from __future__ import annotations

import pandas as pd

from study.data.dataset import Dataset


def counts(dataset: Dataset) -> pd.DataFrame:
    """One row for each class (and context, where contexts are known), one column for each split.

    The columns ``class`` and, with contexts, ``context`` come first; the usual context of a class
    is marked ``(usual)``.
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
                chosen = images.labels == label
                if context is not None and images.contexts is not None:
                    chosen = chosen & (images.contexts == context)
                row[split] = int(chosen.sum())
            rows.append(row)
    return pd.DataFrame(rows)
