"""The types of manifest.json: classes, the manifest's protocol card, and counts."""

import logging
from pathlib import Path

from pydantic import BaseModel

from featurize.errors import CorpusError, counted
from pipeline.protocol.card import Card
from pipeline.protocol.split_params import Split
from pipeline.protocol.typed_json import parse_json
from pipeline.protocol.wording import describe_fold, describe_independence

log = logging.getLogger(__name__)


class Counts(BaseModel, frozen=True, extra="forbid"):
    """Numbers of clips and speakers."""

    clips: int
    speakers: int
    """Speakers whose name is known."""
    splits: dict[Split, int]
    """Clips of each split."""
    labels: dict[Split, dict[str, int]]
    """Clips of each class in each split, also without agreement, where that is a class."""


class ManifestSummary(BaseModel, frozen=True, extra="forbid"):
    """The content of manifest.json."""

    labels: list[str]
    """In class order."""
    protocol: Card
    counts: Counts
    left_out: dict[str, int]
    """Emotion for which the label set has no class → number of its clips."""
    unlabelled: int
    """Number of clips left out without an emotion of the chosen kind, such as those that raters did not agree on."""
    low_agreement: int
    """Number of clips left out by labels.min_agreement."""
    duplicates_dropped: int
    """Number of clips that were dropped because another holds the same bytes."""
    rejected: int
    """Number of clips in the stage's rejects.csv."""


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
    clips, speakers = counted(counts.clips, "clip"), counted(counts.speakers, "speaker")
    log.info("%s: %s, %s", protocol.corpus, clips, speakers)
    log.info("%s (%s)", how, describe_independence(protocol))
    for split, number in counts.splits.items():
        labels = ", ".join(f"{name} {clips}" for name, clips in counts.labels[split].items())
        clips, speakers = counted(number, "clip"), counted(len(protocol.speakers[split]), "speaker")
        log.info("%-5s %11s, %11s: %s", split, clips, speakers, labels)
    log.info(
        "left out by the label set: %d; duplicates dropped: %d; rejected: %d",
        *(sum(summary.left_out.values()), summary.duplicates_dropped, summary.rejected),
    )
