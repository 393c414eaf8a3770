"""What every corpus reader gives back: clips, and what is known about the corpus as a whole."""

from dataclasses import dataclass
from typing import Literal

from pipeline.locations import Location
from pipeline.span import Span, span_of


@dataclass(frozen=True)
class Clip:
    """One recording as its corpus describes it; its audio is not read yet."""

    clip_id: str
    """Stable and unique: corpus and relative path without ending."""
    path: Location
    """Of the audio; relative to the project if the corpus's folder is, or an address."""
    corpus: str
    """Name of the reader."""
    speaker: str
    """Empty if unknown."""
    gender: str
    """female, male, or empty if unknown."""
    emotion: str
    """The corpus's own word."""
    valence: float | None = None
    """On the corpus's own scale, or None."""
    arousal: float | None = None
    """On the corpus's own scale, or None."""
    split: str = ""
    """train, val or test if the corpus prescribes it, else empty."""
    sentence: str = ""
    """The corpus's name for what is said, or empty if unknown. Only the audit reads it."""
    start_s: float | None = None
    """Where the clip begins in its file, or None if it is the whole file."""
    end_s: float | None = None
    """Where it ends, or None if it ends with the file."""

    @property
    def span(self) -> Span | None:
        """The part of its file that the clip is; None: the whole."""
        return span_of(self.part)

    @property
    def part(self) -> dict[str, str]:
        """The same as columns of the manifest."""
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
    """A corpus, after reading."""

    name: str
    """Name of the reader."""
    clips: list[Clip]
    """In a stable order."""
    emotions: tuple[str, ...] = ()
    """All emotion words of the corpus in its own order; empty if they are only known from the clips."""
    published_folds: tuple[tuple[str, ...], ...] = ()
    """Test speakers of each published fold, or empty."""
    folds_source: str = ""
    """Who published the folds."""
    synthetic: bool = False
    """Whether the speech is synthetic."""
    left_out: tuple[LeftOut, ...] = ()
    """Files whose recording is among the clips under another path."""
