"""What is known of one clip before its audio is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.corpora.votes import votes_text
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
    """The corpus's code of the spoken sentence, or empty if unknown."""
    start_s: float | None = None
    """Where the clip begins in its file, or None if it is the whole file."""
    end_s: float | None = None
    """Where it ends, or None if it ends with the file."""
    dominance: float | None = None
    """On the scale of the corpus; None if unknown."""
    intensity: str = ""
    """The corpus's word for how strong the emotion is meant to be."""
    language: str = ""
    """ISO 639-1 code."""
    age: str = ""
    """Years, or the corpus's word for an age group."""
    session: str = ""
    """Recording session or dialogue; people who spoke together share one."""
    text: str = ""
    """What is said."""
    intended: str = ""
    """The emotion that the actor was asked for."""
    perceived: str = ""
    """The emotion that most raters heard; empty without a majority."""
    votes: Mapping[str, float] = field(default_factory=dict, hash=False)
    """Emotion → number of raters who chose it."""
    raters: int | None = None
    """Number of raters; each may have chosen several emotions."""
    agreement: float | None = None
    """Share of the raters behind `emotion`."""

    @property
    def span(self) -> Span | None:
        """The part of the file that the clip covers; None: the whole file."""
        return span_of(self.part)

    @property
    def part(self) -> dict[str, str]:
        """Start and end as columns of the manifest."""
        times = {"start_s": self.start_s, "end_s": self.end_s}
        return {name: "" if time is None else str(time) for name, time in times.items()}

    @property
    def row(self) -> dict[str, Any]:
        """The clip as a row of the manifest."""
        return vars(self) | {"path": self.path.as_posix(), "votes": votes_text(self.votes)}


@dataclass(frozen=True)
class LeftOut:
    """A file that a reader skips, because the corpus contains its recording twice."""

    name: str
    """Corpus and relative path."""
    kept: str
    """Corpus and relative path of the file that is used instead."""
    why: Literal["same name and bytes", "known duplicate"]
    """Both files have the same name and bytes, or the duplicate is a known mistake of the corpus."""
