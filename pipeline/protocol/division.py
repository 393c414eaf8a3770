"""A division of clips into train, validation and test, and what is asked of clips to divide them."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from featurize.errors import SplitError, counted
from pipeline.protocol.balance import Speaker
from pipeline.protocol.class_coverage import Missing
from pipeline.protocol.folds import FoldScheme, name_speakers
from pipeline.protocol.split_params import SplitParams


@dataclass(frozen=True)
class Item:
    """What a split has to know of a clip. `given` is the corpus's own split, or ""; so is `session`."""

    clip_id: str
    speaker: str
    gender: str
    label: str
    given: str = ""
    session: str = ""
    corpus: str = ""


@dataclass(frozen=True)
class Division:
    """A split and how it was made."""

    splits: list[str]
    """Split of each item: "train", "val" or "test"."""
    folds: FoldScheme | None
    """How many folds there are and where they come from; None where there are none."""
    val: str
    """How validation clips were chosen."""
    speaker_independent: bool
    """No speaker of one split is in another, and every speaker is known."""
    speakers_may_overlap: bool = False
    """The user chose a split that keeps clips apart, not speakers."""
    missing: Missing = field(default_factory=dict)
    """Classes that val or test lack."""
    remedy: str = ""
    """In words, how every split could have them; empty where none is missing."""


def keeps_apart(items: Sequence[Item], splits: Sequence[str]) -> bool:
    """Whether every speaker is known and in one split."""
    pairs = {(item.speaker, split) for item, split in zip(items, splits, strict=True)}
    speakers = {speaker for speaker, _ in pairs}
    return "" not in speakers and len(pairs) == len(speakers)


def speakers_of(items: Sequence[Item]) -> list[Speaker]:
    """Gender, clips and, where there are several, corpus of every speaker, by name.

    Raises:
        SplitError: a clip has no speaker.
    """
    unknown = [item.clip_id for item in items if not item.speaker]
    if unknown:
        of = f"of {counted(len(items), 'clip')} "
        raise SplitError(
            f"{counted(len(unknown), of + 'has', of + 'have')} no speaker (first: {unknown[0]}), so speakers cannot be "
            f"kept apart; {name_speakers(len(unknown), len(items))}, or set split.method=random, which is stamped "
            "speaker-dependent, or split.method=predefined with a column split"
        )
    genders = {item.speaker: item.gender for item in reversed(items)}
    several = len({item.corpus for item in items}) > 1
    corpora = {item.speaker: item.corpus for item in items} if several else {}
    clips: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        clips[item.speaker][item.label] += 1
    return [Speaker(name, genders[name], clips[name], corpora.get(name, "")) for name in sorted(genders)]


def fold_index(params: SplitParams, num_folds: int) -> int:
    """The chosen fold, counted from 0.

    Raises:
        SplitError: there are not so many.
    """
    if params.fold > num_folds:
        raise SplitError(f"split.fold: {params.fold} is not one of the folds 1 to {num_folds}")
    return params.fold - 1
