"""Interface x sampling, and the orders in which participants meet the conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

from study.config import StudyConfig
from study.seeds import rng


def williams(n: int) -> list[tuple[int, ...]]:
    """A Williams design for ``n`` conditions (Williams 1949), balanced for first-order carry-over.

    Every condition stands once in each position and every ordered pair of conditions follows one
    another once, in ``n`` sequences when ``n`` is even; an odd ``n`` needs the mirror images too,
    and every pair then occurs twice in ``2n`` sequences.

    >>> williams(4)
    [(0, 1, 3, 2), (1, 2, 0, 3), (2, 3, 1, 0), (3, 0, 2, 1)]
    """
    if n < 1:
        raise ValueError(f"a design needs at least one condition, not {n}")
    first = [0]
    for step in range(1, n):
        first.append((step + 1) // 2 if step % 2 else n - step // 2)
    square = [tuple((value + shift) % n for value in first) for shift in range(n)]
    if n % 2 and n > 1:
        square += [tuple(reversed(row)) for row in square]
    return square


def sequences(config: StudyConfig) -> list[tuple[str, ...]]:
    """The study's sequences as condition names; a participant's sequence is an index into it."""
    names = [condition.name for condition in config.conditions]
    match config.sequences.plan:
        case "williams":
            return [tuple(names[i] for i in row) for row in williams(len(names))]
        case "all":
            return list(permutations(names))
        case "listed":
            return list(config.sequences.listed)


def assign(config: StudyConfig, mode: str, counts: Mapping[int, int]) -> int:
    """The sequence of the next participant, as ``sequences.assignment`` says.

    Args:
        config: the study file.
        mode: live, pilot or simulated; each has blocks of its own.
        counts: by sequence, the participants of that mode who completed or are active.
    """
    plan = sequences(config)
    if config.sequences.assignment == "least-filled":
        return least_filled(counts, plan)
    return next_in_blocks(counts, len(plan), config.sequences.block, config.seed, mode)


def next_in_blocks(
    counts: Mapping[int, int], sequences: int, block: int, study_seed: int, mode: str
) -> int:
    """The next sequence of a list of random blocks, in each of which all come ``block`` times.

    The list is the seed's alone. A place in it whose participant withdrew or was excluded is
    free again, so that the blocks of those who complete are whole.

    >>> sorted(next_in_blocks(dict.fromkeys(range(n), 1), 4, 1, 0, "live") for n in range(4))[-1]
    3
    """
    left = dict(counts)
    for number in range(sum(counts.values()) // (block * sequences) + 1 + sum(counts.values())):
        order = rng(study_seed, mode, "sequences", number).permutation(
            [index for index in range(sequences) for _ in range(block)]
        )
        for index in map(int, order):
            if left.get(index, 0) <= 0:
                return index
            left[index] -= 1
    raise AssertionError("as many blocks as participants have a free place")


def least_filled(counts: Mapping[int, int], plan: Sequence[object]) -> int:
    """The sequence with the fewest participants; the first of equals.

    ``counts`` holds, by sequence, the participants of one mode who completed or are active.
    """
    return min(range(len(plan)), key=lambda index: (counts.get(index, 0), index))
