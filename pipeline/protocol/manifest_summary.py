"""manifest.json: classes, the protocol card's first part, and counts."""

import logging
from pathlib import Path

from pydantic import BaseModel

from featurize.errors import CorpusError
from pipeline.protocol.card import Card
from pipeline.protocol.splits import Split
from pipeline.protocol.typed_json import parse_json
from pipeline.protocol.wording import describe_fold, describe_independence

log = logging.getLogger(__name__)


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


def log_summary(summary: ManifestSummary) -> None:
    """Log corpus, split and counts in a few lines."""
    counts, protocol = summary.counts, summary.protocol
    how = ", ".join(filter(None, [f"split by {protocol.split}", describe_fold(protocol)]))
    log.info("%s: %d clips, %d speakers", protocol.corpus, counts.clips, counts.speakers)
    log.info("%s (%s)", how, describe_independence(protocol))
    for split, number in counts.splits.items():
        labels = ", ".join(f"{name} {clips}" for name, clips in counts.labels[split].items())
        log.info("%-5s %5d clips, %2d speakers: %s", split, number, len(protocol.speakers[split]), labels)
    log.info(
        "left out by the label set: %d; duplicates dropped: %d; rejected: %d",
        *(sum(summary.left_out.values()), summary.duplicates_dropped, summary.rejected),
    )
