"""Helpers that the checks of the audit share: an entry of the manifest, its splits, its name in messages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.corpora.clip import Clip
from pipeline.protocol.split_params import SPLITS


@dataclass(frozen=True)
class Entry:
    """A clip with its class, hash and split: a future row of the manifest."""

    clip: Clip
    """The clip as the corpus's reader returned it."""
    label: str
    """Its class."""
    sha256: str
    """SHA-256 of the file's bytes, in hex."""
    split: str
    """train, val or test; "" before the split, and for a clip that was dropped."""

    @property
    def clip_id(self) -> str:
        """Name of the clip."""
        return self.clip.clip_id


def splits_of(entries: Iterable[Entry]) -> list[str]:
    """The splits that the clips are in, in the order train, val, test."""
    found = {entry.split for entry in entries}
    return [split for split in SPLITS if split in found]


def named(entries: Sequence[Entry]) -> str:
    """Names and splits of up to three clips, for a message."""
    rest = len(entries) - 3
    first = ", ".join(f"{e.clip_id} ({e.split})" if e.split else e.clip_id for e in entries[:3])
    return first + (f" and {rest} more" if rest > 0 else "")
