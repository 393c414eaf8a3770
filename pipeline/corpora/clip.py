"""What every corpus reader gives back: clips, and what is known about the corpus as a whole."""

from dataclasses import dataclass
from typing import Literal

from pipeline.locations import Location


@dataclass(frozen=True)
class Clip:
    """One recording as its corpus describes it; the audio has not been looked at.

    Args:
        clip_id: stable and unique: corpus and relative path without ending.
        path: where the audio lies, relative to the project where the corpus is, or its address.
        corpus: the reader's name.
        speaker: "" where unknown.
        gender: "female", "male" or "" where unknown.
        emotion: the corpus's own word.
        valence: on the corpus's own scale, or None.
        arousal: on the corpus's own scale, or None.
        split: "train", "val" or "test" where the corpus prescribes it, else "".
        sentence: what is said, as the corpus names it; "" where unknown. Only the audit reads it.
    """

    clip_id: str
    path: Location
    corpus: str
    speaker: str
    gender: str
    emotion: str
    valence: float | None = None
    arousal: float | None = None
    split: str = ""
    sentence: str = ""


@dataclass(frozen=True)
class LeftOut:
    """A file that a reader did not take, since the corpus holds its recording once more.

    Args:
        name: corpus and relative path.
        kept: corpus and relative path of the recording that was taken in its place.
        why: both bear one name and hold the same bytes, or the corpus is known for this slip.
    """

    name: str
    kept: str
    why: Literal["same name and bytes", "known duplicate"]


@dataclass(frozen=True)
class Corpus:
    """A corpus as read.

    Args:
        name: the reader's name.
        clips: in a stable order.
        emotions: every emotion word of the corpus in its own order; empty where only the clips can tell.
        published_folds: test speakers of each published fold, or empty.
        folds_source: who published them.
        synthetic: True where no person speaks.
        left_out: files whose recording is among the clips under another path.
    """

    name: str
    clips: list[Clip]
    emotions: tuple[str, ...] = ()
    published_folds: tuple[tuple[str, ...], ...] = ()
    folds_source: str = ""
    synthetic: bool = False
    left_out: tuple[LeftOut, ...] = ()
