"""Dealing speakers, or clips: into folds that are alike, and into train and validation.

Pure functions; every choice between equals is made by the seed.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from featurize.errors import SplitError


class FoldScheme(BaseModel, frozen=True, extra="forbid"):
    """How many folds a corpus is divided into, and by whom."""

    kind: Literal["dealt", "published", "loso"]
    """Dealt here by a seed, prescribed by the corpus's benchmark, or one speaker left out in each."""
    number: Annotated[int, Field(ge=1)]
    publisher: str = ""
    """Name of the benchmark."""


def speaker_folds(
    genders: dict[str, str], clips: dict[str, int], num_folds: int, seed: int
) -> list[list[str]]:
    """Deal speakers into folds: as many of each gender in each, as many speakers, as many clips.

    Args:
        genders: speaker to gender, "" where unknown.
        clips: speaker to number of clips.
        num_folds: at most as many as there are speakers.
        seed: decides between equals.
    """
    speakers = sorted(genders)
    random.Random(seed).shuffle(speakers)  # noqa: S311
    speakers.sort(key=lambda speaker: (genders[speaker], -clips[speaker]))
    folds: list[list[str]] = [[] for _ in range(num_folds)]

    def load(number: int, speaker: str) -> tuple[int, int, int, int]:
        fold = folds[number]
        same = sum(genders[other] == genders[speaker] for other in fold)
        return same, len(fold), sum(clips[other] for other in fold), number

    for speaker in speakers:
        folds[min(range(num_folds), key=lambda number: load(number, speaker))].append(speaker)
    return [sorted(fold) for fold in folds]


def validation_speakers(genders: dict[str, str], share: float, seed: Sequence[int]) -> list[str]:
    """Choose validation speakers among those that are not tested on, genders in their proportion.

    Raises:
        SplitError: fewer than two speakers.
    """
    if len(genders) < 2:
        raise SplitError(
            f"{len(genders)} speaker beside the test speakers, but train and val need one each; "
            "use fewer speakers per test fold (a larger split.folds) or more data"
        )
    wanted = min(max(1, round(share * len(genders))), len(genders) - 1)
    waiting: dict[str, list[str]] = defaultdict(list)
    speakers = sorted(genders)
    random.Random(repr(tuple(seed))).shuffle(speakers)  # noqa: S311
    for speaker in speakers:
        waiting[genders[speaker]].append(speaker)
    shares = {gender: len(group) / len(genders) for gender, group in waiting.items()}
    chosen: list[str] = []
    taken: Counter[str] = Counter()
    while len(chosen) < wanted:
        # The gender furthest below its due; between equals, the one whose speaker the shuffle put first.
        due = {
            gender: shares[gender] * (len(chosen) + 1) - taken[gender]
            for gender in waiting
            if waiting[gender]
        }
        gender = max(due, key=lambda gender: (round(due[gender], 9), -speakers.index(waiting[gender][0])))
        taken[gender] += 1
        chosen.append(waiting[gender].pop(0))
    return sorted(chosen)


def stratified_folds(labels: Mapping[str, str], num_folds: int, seed: int) -> dict[str, int]:
    """Deal clips (clip id to label) into folds with the labels in proportion: clip id to fold, from 0."""
    return {clip: number % num_folds for number, clip in enumerate(_shuffled_by_label(labels, seed))}


def stratified_share(labels: Mapping[str, str], share: float, seed: int) -> set[str]:
    """Choose `share` of the clips (clip id to label), at least one, with the labels in proportion."""
    row = _shuffled_by_label(labels, seed)
    wanted = min(max(1, round(share * len(row))), len(row))
    return {row[int((number + 0.5) * len(row) / wanted)] for number in range(wanted)}


def _shuffled_by_label(labels: Mapping[str, str], seed: int) -> list[str]:
    """Clips in random order, one label after the other."""
    clips = sorted(labels)
    random.Random(seed).shuffle(clips)  # noqa: S311
    return sorted(clips, key=lambda clip: labels[clip])
