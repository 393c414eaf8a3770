"""Classes of which a split holds no clip, and which fold would have them all.

A test split that lacks a class has a score over fewer classes; a validation split that lacks one chooses the epoch
without it. Both are known, and said, before anything is trained.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

NUMBERS = range(10, 1, -1)
"""Numbers of folds that are tried where none of the current folds has every class; the highest that works is named."""

Missing = dict[str, list[str]]
"""Split to the classes that it lacks; splits that lack none are left out."""


def find_missing(labels: Sequence[str], splits: Sequence[str]) -> Missing:
    """Which of train, val and test lack which of the classes.

    Args:
        labels: one per clip.
        splits: one per clip.
    """
    held = defaultdict(set)
    for label, split in zip(labels, splits, strict=True):
        held[split].add(label)
    lacks = {split: sorted(set(labels) - held[split]) for split in ("train", "val", "test")}
    return {split: classes for split, classes in lacks.items() if classes}


def describe_missing(missing: Mapping[str, Sequence[str]]) -> str:
    """Such as "no clip of class angry, sad in test, of sad in val"; test first, which is scored."""
    order = [split for split in ("test", "val", "train") if split in missing]
    return "no clip of class " + ", of ".join(f"{', '.join(missing[split])} in {split}" for split in order)


def find_better_fold(
    sources: Mapping[str, int], current: int, has_all: Callable[[int | None, int], bool], *, unit: str
) -> str:
    """Which `split.fold`, or `split.folds`, has every class in every split, in words.

    Args:
        sources: class to the number of its speakers, or of its clips where clips are dealt.
        current: number of folds that there are now.
        has_all: whether one of so many folds (None: of the current ones), counted from 1, has every class in train,
            val and test.
        unit: what `sources` counts, "speaker" or "clip".
    """
    rare = {label: number for label, number in sorted(sources.items()) if number < 3}
    if rare:
        counts = ", ".join(f"{label} has {number}" for label, number in rare.items())
        return f"no fold can have it in all three splits, which takes three {unit}s of the class ({counts})"
    if current <= NUMBERS[0]:
        good = [fold for fold in range(1, current + 1) if has_all(None, fold)]
        if good:
            return f"every class is in every split with split.fold={good[0]}{_or(good[1:])}"
    for number in NUMBERS:
        good = [fold for fold in range(1, number + 1) if number != current and has_all(number, fold)]
        if good:
            return (
                f"every class is in every split with split.folds={number} split.fold={good[0]}{_or(good[1:])}"
            )
    return "no fold, and no other split.folds, has every class in every split"


def _or(folds: Sequence[int]) -> str:
    return f" (or {', '.join(map(str, folds))})" if folds else ""
