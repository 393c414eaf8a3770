"""What every corpus reader returns: clips, and facts about the corpus as a whole."""

from dataclasses import dataclass, field

from pipeline.corpora.clip import Clip, LeftOut
from pipeline.corpora.facts import Facts


@dataclass(frozen=True)
class Corpus:
    """A corpus as a reader returns it."""

    name: str
    """Name of the reader."""
    clips: list[Clip]
    """In a stable order."""
    emotions: tuple[str, ...] = ()
    """All emotions of the corpus in the order of its documentation; empty if only the clips name them."""
    synthetic: bool = False
    """Whether the speech is synthetic."""
    left_out: tuple[LeftOut, ...] = ()
    """Duplicate files that were skipped."""
    facts: Facts = field(default_factory=Facts)
    """What its publishers state."""
