"""manifest.json: classes, the protocol card's first part, and counts."""

from pathlib import Path

from pydantic import BaseModel

from featurize.errors import CorpusError
from pipeline.protocol.card import Card
from pipeline.protocol.splits import Split
from pipeline.protocol.typed_json import parse_json


class Counts(BaseModel, frozen=True, extra="forbid"):
    """Clips and speakers."""

    clips: int
    speakers: int
    """Known by name."""
    splits: dict[Split, int]
    """Clips of each."""
    labels: dict[Split, dict[str, int]]
    """Clips of each class in each split."""


class ManifestSummary(BaseModel, frozen=True, extra="forbid"):
    """What manifest.json holds."""

    labels: list[str]
    """In class order."""
    protocol: Card
    counts: Counts
    left_out: dict[str, int]
    """Clips of emotions that the label set has no class for."""
    duplicates_dropped: int
    rejected: int


def read_summary(path: Path) -> ManifestSummary:
    """Read manifest.json.

    Raises:
        CorpusError: the file is missing, damaged or of another version.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError as error:
        raise CorpusError(f"{path}: no manifest summary; run `ser manifest` first") from error
    return parse_json(ManifestSummary, text, str(path), "run `ser manifest` again", CorpusError)
