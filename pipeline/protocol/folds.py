"""Dealing speakers, or clips: into folds that are alike, and into train and validation.

Pure functions; every choice between equals is made by the seed.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from featurize.errors import SplitError
from pipeline.protocol.balance import Group, Speaker, balance, one_by_one

DEFAULT_FOLDS = 5


class FoldScheme(BaseModel, frozen=True, extra="forbid"):
    """How many folds a corpus is divided into, and by whom."""

    kind: Literal["dealt", "published", "loso"]
    """Dealt here by a seed, prescribed by the corpus's benchmark, or one speaker left out in each."""
    number: Annotated[int, Field(ge=1)]
    publisher: str = ""
    """Name of the benchmark."""


def choose_folds(
    speakers: Sequence[Speaker],
    folds: Literal["auto", "loso"] | int,
    seed: int,
    published: Sequence[Sequence[str]] = (),
    published_by: str = "",
) -> tuple[FoldScheme, list[list[str]]]:
    """The folds of a corpus, as lists of speakers. A published fold may be empty.

    Args:
        speakers: of the corpus.
        folds: auto: the published ones, else 5 | a number | loso.
        seed: of folds that are dealt.
        published: test speakers of each fold that the corpus's benchmark prescribes.
        published_by: that benchmark's name.

    Raises:
        SplitError: more folds than speakers, or a speaker whom the published folds do not have.
    """
    known = {speaker.name for speaker in speakers}
    if folds == "auto" and published:
        if strangers := sorted(known - {speaker for fold in published for speaker in fold}):
            raise SplitError(
                f"the folds of {published_by} lack the speakers {some(strangers)}; set split.folds="
                f"{min(DEFAULT_FOLDS, len(known))} or another number, or loso"
            )
        scheme = FoldScheme(kind="published", number=len(published), publisher=published_by)
        return scheme, [[speaker for speaker in fold if speaker in known] for fold in published]
    default = len(known) if folds == "loso" else min(DEFAULT_FOLDS, len(known))
    number = folds if isinstance(folds, int) else default
    if number > len(known):
        raise SplitError(
            f"split.folds: {number} folds, but only {len(known)} speakers; set split.folds={len(known)}"
        )
    scheme = FoldScheme(kind="loso" if folds == "loso" else "dealt", number=number)
    return scheme, speaker_folds(speakers, number, seed)


def speaker_folds(speakers: Sequence[Speaker], num_folds: int, seed: int) -> list[list[str]]:
    """Deal speakers into folds that are alike in classes, clips, genders and number of speakers.

    Args:
        speakers: with their clips.
        num_folds: at most as many as there are speakers.
        seed: decides between equals.
    """
    waiting = sorted(speakers, key=lambda speaker: speaker.name)
    random.Random(seed).shuffle(waiting)  # noqa: S311
    even = _dealt_by_gender(waiting, num_folds)
    if num_folds < len(waiting):  # else there is one speaker in each, and nothing to choose
        least = min(2, len(waiting) // num_folds)
        groups = [Group(1 / num_folds, least)] * num_folds
        even = balance([even, one_by_one(waiting, groups)], groups)
    return [sorted(speaker.name for speaker in fold) for fold in even]


def _dealt_by_gender(waiting: Sequence[Speaker], num_folds: int) -> list[list[Speaker]]:
    """As many of each gender in each fold, as many speakers, as many clips."""
    folds: list[list[Speaker]] = [[] for _ in range(num_folds)]

    def load(number: int, speaker: Speaker) -> tuple[int, int, int, int]:
        fold = folds[number]
        same = sum(other.gender == speaker.gender for other in fold)
        return same, len(fold), sum(_clips(other) for other in fold), number

    for speaker in sorted(waiting, key=lambda speaker: (speaker.gender, -_clips(speaker))):
        folds[min(range(num_folds), key=lambda number: load(number, speaker))].append(speaker)
    return folds


def validation_speakers(speakers: Sequence[Speaker], share: float, seed: Sequence[int]) -> list[str]:
    """Choose validation speakers among those that are not tested on, alike to the others as folds are.

    A class goes to train first.

    Args:
        speakers: two at least.
        share: of the speakers, and of their clips.
        seed: decides between equals.
    """
    wanted = min(max(1, round(share * len(speakers))), len(speakers) - 1)
    waiting = sorted(speakers, key=lambda speaker: speaker.name)
    random.Random(repr(tuple(seed))).shuffle(waiting)  # noqa: S311
    val = _drawn_by_gender(waiting, wanted)
    rest = [speaker for speaker in waiting if speaker not in val]
    due = wanted / len(waiting)  # not `share`: speakers are whole, and those with few clips are no better
    groups = [Group(due, min(2, wanted)), Group(1 - due, min(2, len(rest)), missing=10_000.0)]
    val, _ = balance([[val, rest], one_by_one(waiting, groups)], groups)
    return sorted(speaker.name for speaker in val)


def _drawn_by_gender(waiting: Sequence[Speaker], wanted: int) -> list[Speaker]:
    """The first of each gender, genders in their proportion."""
    row = list(waiting)
    size = Counter(speaker.gender for speaker in waiting)
    chosen: list[Speaker] = []
    while len(chosen) < wanted:
        taken = Counter(speaker.gender for speaker in chosen)
        due = {gender: size[gender] / len(waiting) * (len(chosen) + 1) - taken[gender] for gender in size}
        # The gender furthest below its due; between equals, the one whose speaker the shuffle put first.
        next_one = max(row, key=lambda speaker: round(due[speaker.gender], 9))
        row.remove(next_one)
        chosen.append(next_one)
    return chosen


def _clips(speaker: Speaker) -> int:
    return sum(speaker.clips.values())


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


def some(names: Sequence[str]) -> str:
    """Up to five names, and how many more there are."""
    rest = len(names) - 5
    return ", ".join(names[:5]) + (f" and {rest} more" if rest > 0 else "")
