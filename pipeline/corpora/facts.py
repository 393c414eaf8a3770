"""Facts about a corpus as its publishers state them, and whether what was found agrees with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.corpora.clip import Clip
from pipeline.protocol.fold_sets import FoldSet
from pipeline.protocol.folds import some


@dataclass(frozen=True)
class Facts:
    """What is known of a corpus before it is read; empty or 0 where nothing is."""

    title: str = ""
    """Its name, as people write it."""
    paper: str = ""
    """Authors, year and DOI."""
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes."""
    licence: str = ""
    """As its publishers, or others who use it, state it."""
    link: str = ""
    """Where it can be had."""
    clips: tuple[int, ...] = ()
    """Published numbers, one for each version of the corpus."""
    speakers: int = 0
    """Published number."""
    emotions: tuple[str, ...] = ()
    """In the order of its documentation."""
    standard: Literal["intended", "perceived", ""] = ""
    """What its label is: what the actor was asked for, or what raters heard."""
    layout: tuple[str, ...] = ()
    """Paths of typical files below the root, with what their names mean."""
    slips: tuple[str, ...] = ()
    """Known mistakes in it, and what is done about them."""
    hints: tuple[str, ...] = ()
    """How to run it, beyond the name and the root."""
    fold_sets: tuple[FoldSet, ...] = ()
    """Published folds, the default first."""
    parts: tuple[str, ...] = ()
    """Names of its speakers or sessions, to say which are missing."""


def describe_counts(facts: Facts, clips: Sequence[Clip], doubles: int = 0) -> str:
    """How the clips that were found differ from the published number, in words; empty if they do not.

    Args:
        facts: published.
        clips: found.
        doubles: clips that were left out since the corpus is known to hold them twice.
    """
    speakers = {clip.speaker for clip in clips} - {""}
    differing = []
    if facts.clips and len(clips) + doubles not in facts.clips:
        expected = " or ".join(f"{number:,}" for number in facts.clips)
        differing.append(f"{expected} clips expected, {len(clips) + doubles:,} found")
    if facts.speakers and speakers and len(speakers) != facts.speakers:
        differing.append(f"{facts.speakers} speakers expected, {len(speakers)} found")
    there = speakers | {clip.session for clip in clips}
    missing = [part for part in facts.parts if part not in there]
    if missing and differing:
        differing.append(f"{some(missing)} {'is' if len(missing) == 1 else 'are'} missing")
    return "; ".join(differing)
