"""What the checks of the audit share: a clip as they see it, and what they find."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.corpora.clip import Clip
from pipeline.protocol.splits import SPLITS

Kind = Literal[
    "speaker-overlap", "identical-bytes", "near-identical", "label-contradiction", "retake", "doubled-tree"
]
Severity = Literal["stop", "warning", "note"]


@dataclass(frozen=True)
class Entry:
    """A clip in its split.

    Args:
        clip: as its corpus describes it.
        label: its class.
        sha256: of its bytes.
        split: "train", "val" or "test"; "" for one that was dropped.
    """

    clip: Clip
    label: str
    sha256: str
    split: str

    @property
    def clip_id(self) -> str:
        """Name of the clip."""
        return self.clip.clip_id


@dataclass(frozen=True)
class Finding:
    """One thing that the audit found; a row of audit.json's `findings`.

    Args:
        kind: what it is.
        severity: "stop": no score may stand on it; "warning": look at it; "note": good to know.
        splits: those concerned, in the order train, val, test.
        clips: ids of the clips concerned; of a summarised finding, the first of them.
        detail: one line for people.
    """

    kind: Kind
    severity: Severity
    splits: list[str]
    clips: list[str]
    detail: str


def splits_of(entries: Iterable[Entry]) -> list[str]:
    """The splits that the clips are in, in the order train, val, test."""
    found = {entry.split for entry in entries}
    return [split for split in SPLITS if split in found]


def named(entries: Sequence[Entry]) -> str:
    """Up to three clips with their splits, for a line."""
    rest = len(entries) - 3
    first = ", ".join(f"{e.clip_id} ({e.split})" if e.split else e.clip_id for e in entries[:3])
    return first + (f" and {rest} more" if rest > 0 else "")
