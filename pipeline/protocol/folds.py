"""Stratified assignment of speakers or clips to folds, and to train and validation.

Pure functions; the seed decides between equals.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from featurize.errors import SplitError, counted
from pipeline.protocol.balance import Group, Speaker, assign_greedily, balance
from pipeline.protocol.fold_sets import FoldSet

DEFAULT_FOLDS = 5


class FoldScheme(BaseModel, frozen=True, extra="forbid"):
    """The number of folds of a corpus, and how they are formed."""

    kind: Literal["dealt", "published", "loso", "session", "corpus", "one-corpus"]
    """Assigned by a seed, published (a `FoldSet`), one speaker, session or corpus left out in each fold, or trained on
    one corpus in each."""
    number: Annotated[int, Field(ge=1)]
    publisher: str = ""
    """Who published the folds."""


def choose_folds(
    speakers: Sequence[Speaker],
    folds: int | str,
    seed: int,
    published: FoldSet | None = None,
    sessions: Mapping[str, Sequence[str]] | None = None,
) -> tuple[FoldScheme, list[list[str]]]:
    """The folds of a corpus, as lists of speakers. A published fold may be empty.

    Args:
        speakers: of the corpus.
        folds: a number | loso | session | auto or the name of the published ones: those, else 5.
        seed: for folds that are neither published nor loso.
        published: the chosen fold set.
        sessions: session → its speakers, for folds by session.

    Raises:
        SplitError: more folds than speakers, or a speaker that is in no published fold.
    """
    known = {speaker.name for speaker in speakers}
    if sessions:
        return FoldScheme(kind="session", number=len(sessions)), [[*each] for each in sessions.values()]
    if published is not None:
        _require_all(published, known)
        scheme = FoldScheme(kind="published", number=published.number, publisher=published.source)
        return scheme, [[speaker for speaker in fold if speaker in known] for fold in published.test]
    default = len(known) if folds == "loso" else min(DEFAULT_FOLDS, len(known))
    number = folds if isinstance(folds, int) else default
    if number > len(known):
        raise SplitError(
            f"split.folds: {number} folds, but only {counted(len(known), 'speaker')}; set split.folds={len(known)}"
        )
    scheme = FoldScheme(kind="loso" if folds == "loso" else "dealt", number=number)
    return scheme, speaker_folds(speakers, number, seed)


def _require_all(published: FoldSet, known: Set[str]) -> None:
    """In folds that test on every speaker, refuse a speaker that is in none; a single fold trains on the others."""
    strangers = sorted(known - {speaker for fold in published.test for speaker in fold})
    if strangers and published.number > 1:
        raise SplitError(
            f"the folds of {published.source} lack the speakers {some(strangers)}; set split.folds="
            f"{min(DEFAULT_FOLDS, len(known))} or another number, or loso"
        )


def speakers_of_sessions(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Session → its speakers, from the (session, speaker) of every clip.

    Raises:
        SplitError: a clip has no session, or a speaker is in two.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for session, speaker in pairs:
        found[session].add(speaker)
    if "" in found:
        raise SplitError("split.folds session: not every clip has a session; set split.folds=auto")
    counts = Counter(speaker for speakers in found.values() for speaker in speakers)
    if twice := sorted(speaker for speaker, number in counts.items() if number > 1):
        raise SplitError(
            f"split.folds session: {some(twice)} spoke in several sessions, so that leaving one out does not leave the "
            "speaker out; set split.folds=auto"
        )
    return {session: sorted(found[session]) for session in sorted(found)}


def speaker_folds(speakers: Sequence[Speaker], num_folds: int, seed: int) -> list[list[str]]:
    """Assign speakers to folds, balanced in classes, clips, genders and number of speakers.

    Args:
        speakers: with their clips.
        num_folds: at most as many as there are speakers.
        seed: decides between equals.
    """
    waiting = sorted(speakers, key=lambda speaker: speaker.name)
    random.Random(seed).shuffle(waiting)  # noqa: S311
    even = _folds_by_gender(waiting, num_folds)
    if num_folds < len(waiting):  # else each fold holds one speaker
        least = min(2, len(waiting) // num_folds)
        groups = [Group(1 / num_folds, least)] * num_folds
        even = balance([even, assign_greedily(waiting, groups)], groups)
    return [sorted(speaker.name for speaker in fold) for fold in even]


def _folds_by_gender(waiting: Sequence[Speaker], num_folds: int) -> list[list[Speaker]]:
    """Balance the folds by the speakers of each gender, then by all speakers, then by clips."""
    folds: list[list[Speaker]] = [[] for _ in range(num_folds)]

    def load(number: int, speaker: Speaker) -> tuple[int, int, int, int]:
        fold = folds[number]
        same = sum(other.gender == speaker.gender for other in fold)
        return same, len(fold), sum(_clips(other) for other in fold), number

    for speaker in sorted(waiting, key=lambda speaker: (speaker.gender, -_clips(speaker))):
        folds[min(range(num_folds), key=lambda number: load(number, speaker))].append(speaker)
    return folds


def validation_speakers(speakers: Sequence[Speaker], share: float, seed: Sequence[int]) -> list[str]:
    """Choose validation speakers among those that are not test speakers, balanced as the folds are.

    A class that cannot be in both splits goes to train.

    Args:
        speakers: at least two.
        share: of the speakers, and of their clips, for validation.
        seed: decides between equals.
    """
    wanted = min(max(1, round(share * len(speakers))), len(speakers) - 1)
    waiting = sorted(speakers, key=lambda speaker: speaker.name)
    random.Random(repr(tuple(seed))).shuffle(waiting)  # noqa: S311
    val = _drawn_by_gender(waiting, wanted)
    rest = [speaker for speaker in waiting if speaker not in val]
    val_share = wanted / len(waiting)  # of whole speakers, so not exactly `share`
    groups = [Group(val_share, min(2, wanted)), Group(1 - val_share, min(2, len(rest)), missing=10_000.0)]
    val, _ = balance([[val, rest], assign_greedily(waiting, groups)], groups)
    return sorted(speaker.name for speaker in val)


def _drawn_by_gender(waiting: Sequence[Speaker], wanted: int) -> list[Speaker]:
    """The first speakers of each gender, in proportion to the genders."""
    row = list(waiting)
    size = Counter(speaker.gender for speaker in waiting)
    chosen: list[Speaker] = []
    while len(chosen) < wanted:
        taken = Counter(speaker.gender for speaker in chosen)
        missing = {gender: size[gender] / len(waiting) * (len(chosen) + 1) - taken[gender] for gender in size}
        # The gender most speakers short of its target; between equals, the one of the first shuffled speaker.
        next_one = max(row, key=lambda speaker: round(missing[speaker.gender], 9))
        row.remove(next_one)
        chosen.append(next_one)
    return chosen


def _clips(speaker: Speaker) -> int:
    return sum(speaker.clips.values())


def stratified_folds(labels: Mapping[str, str], num_folds: int, seed: int) -> dict[str, int]:
    """Assign clips (clip id → label) to folds, stratified by label: clip id → fold, from 0."""
    return {clip: number % num_folds for number, clip in enumerate(_shuffled_by_label(labels, seed))}


def stratified_share(labels: Mapping[str, str], share: float, seed: int) -> set[str]:
    """Choose `share` of the clips (clip id → label), at least one, stratified by label."""
    row = _shuffled_by_label(labels, seed)
    wanted = min(max(1, round(share * len(row))), len(row))
    return {row[int((number + 0.5) * len(row) / wanted)] for number in range(wanted)}


def _shuffled_by_label(labels: Mapping[str, str], seed: int) -> list[str]:
    """Clips in random order, one label after the other."""
    clips = sorted(labels)
    random.Random(seed).shuffle(clips)  # noqa: S311
    return sorted(clips, key=lambda clip: labels[clip])


def name_speakers(unknown: int, clips: int) -> str:
    """What to do where so many of the clips have no speaker, in words."""
    if unknown < clips:
        return "fill the empty cells of the column speaker"
    return "add a column speaker (or fill it, where it is there but empty or nan)"


def some(names: Sequence[str]) -> str:
    """Up to five names, and how many more there are."""
    rest = len(names) - 5
    return ", ".join(names[:5]) + (f" and {rest} more" if rest > 0 else "")
