"""What every corpus reader returns: clips, and facts about the corpus as a whole."""

from dataclasses import dataclass
from typing import Literal

from pipeline.locations import Location
from pipeline.span import Span, span_of


@dataclass(frozen=True)
class Clip:
    """The metadata of one clip; its audio is not read."""

    clip_id: str
    """Stable and unique: corpus and relative path without ending."""
    path: Location
    """Path of the audio file, relative to the project if the corpus's folder is, or its address."""
    corpus: str
    """Name of the reader."""
    speaker: str
    """Empty if unknown."""
    gender: str
    """female, male, or empty if unknown."""
    emotion: str
    """The emotion as the corpus names it, before mapping to a label."""
    valence: float | None = None
    """On the scale of the corpus; None if unknown."""
    arousal: float | None = None
    """On the scale of the corpus; None if unknown."""
    split: str = ""
    """train, val or test if the corpus prescribes it, else empty."""
    sentence: str = ""
    """The corpus's code of the spoken sentence, or empty if unknown. Only the audit reads it."""
    start_s: float | None = None
    """Where the clip begins in its file, or None if it is the whole file."""
    end_s: float | None = None
    """Where it ends, or None if it ends with the file."""

    @property
    def span(self) -> Span | None:
        """The part of the file that the clip covers; None: the whole file."""
        return span_of(self.part)

    @property
    def part(self) -> dict[str, str]:
        """Start and end as columns of the manifest."""
        times = {"start_s": self.start_s, "end_s": self.end_s}
        return {name: "" if time is None else str(time) for name, time in times.items()}


@dataclass(frozen=True)
class LeftOut:
    """A file that a reader skips, because the corpus contains its recording twice."""

    name: str
    """Corpus and relative path."""
    kept: str
    """Corpus and relative path of the file that is used instead."""
    why: Literal["same name and bytes", "known duplicate"]
    """Both files have the same name and bytes, or the duplicate is a known mistake of the corpus."""


@dataclass(frozen=True)
class Corpus:
    """A corpus as a reader returns it."""

    name: str
    """Name of the reader."""
    clips: list[Clip]
    """In a stable order."""
    emotions: tuple[str, ...] = ()
    """All emotions of the corpus in the order of its documentation; empty if only the clips name them."""
    published_folds: tuple[tuple[str, ...], ...] = ()
    """Test speakers of each published fold, or empty."""
    folds_source: str = ""
    """Publication of the folds."""
    synthetic: bool = False
    """Whether the speech is synthetic."""
    left_out: tuple[LeftOut, ...] = ()
    """Duplicate files that were skipped."""
