"""Classes of which a split holds no clip, and folds in which every split holds every class.

If the test split lacks a class, the score is over fewer classes; if the validation split lacks one, the best epoch is
chosen without it. Both are reported before training.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

NUMBERS = range(10, 1, -1)
"""Numbers of folds tried if no current fold has every class; the highest that works is suggested."""

Missing = dict[str, list[str]]
"""Split → the classes that it lacks; only splits that lack a class."""


def find_missing(
    labels: Sequence[str], splits: Sequence[str], among: Sequence[str] = ("train", "val", "test")
) -> Missing:
    """Find the classes that train, val and test lack.

    Args:
        labels: one per clip.
        splits: one per clip.
        among: the splits that are looked at.
    """
    held = defaultdict(set)
    for label, split in zip(labels, splits, strict=True):
        held[split].add(label)
    lacks = {split: sorted(set(labels) - held[split]) for split in among}
    return {split: classes for split, classes in lacks.items() if classes}


def describe_missing(missing: Mapping[str, Sequence[str]]) -> str:
    """The missing classes in words, test first: "no clip of angry, sad in test, of sad in val"."""
    order = [split for split in ("test", "val", "train") if split in missing]
    return "no clip of " + ", of ".join(f"{', '.join(missing[split])} in {split}" for split in order)


def find_better_fold(
    sources: Mapping[str, int], current: int, has_all: Callable[[int | None, int], bool], *, unit: str
) -> str:
    """A value of `split.fold` or `split.folds` with which every split has every class, as advice in words.

    Args:
        sources: class → number of its speakers, or of its clips if clips are split.
        current: current number of folds.
        has_all: (number of folds, or None for the current folds; fold, from 1) → whether that fold has every class in
            train, val and test.
        unit: what `sources` counts, "speaker" or "clip".
    """
    rare = {label: number for label, number in sorted(sources.items()) if number < 3}
    if rare:
        counts = ", ".join(f"{label} has {number}" for label, number in rare.items())
        return f"no fold can have it in all three splits: that needs three {unit}s of the class ({counts})"
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
