"""Types of the result of `ser audit`, which --json prints."""

from typing import Literal

from pydantic import BaseModel, computed_field

from pipeline.protocol.findings import Finding

Independence = Literal["yes", "no", "unknown"]


class SplitCounts(BaseModel, frozen=True):
    """What one split holds."""

    clips: int
    speakers: int
    """Known speakers."""
    without_speaker: int
    """Clips without a known speaker."""
    classes: dict[str, int]
    """Class → number of clips; without those that have none."""
    sentences: int
    """Different sentences; 0 where the files name none."""


class Shared(BaseModel, frozen=True):
    """What two splits have in common."""

    splits: tuple[str, str]
    speakers: list[str]
    clips: int
    """Clips of the same path (and part)."""
    sentences: int


class Verdict(BaseModel, frozen=True):
    """Whether a fold, or all folds of a corpus, are speaker-independent."""

    independent: Independence
    why: str
    """Such as "18 of 29 speakers shared"; empty for yes."""

    def __str__(self) -> str:
        return f"{self.independent} ({self.why})" if self.why else self.independent


class FoldAudit(BaseModel, frozen=True):
    """One fold of one corpus."""

    corpus: str
    fold: str
    files: list[str]
    speakers: int
    """Known speakers over all splits."""
    shared_speakers: int
    """Of these, speakers in more than one split."""
    speakers_from: str
    """column, --speaker or file names; empty where no speaker is known."""
    splits: dict[str, SplitCounts]
    shared: list[Shared]
    hashed: int
    """Clips whose bytes were compared."""
    fingerprinted: int
    """Clips whose fingerprints were compared."""
    findings: list[Finding]
    """The most severe first."""
    verdict: Verdict

    @computed_field  # type: ignore[prop-decorator]
    @property
    def leaks(self) -> bool:
        """Whether a finding makes the test score too high: a speaker, a clip, its bytes or its sound in two splits."""
        return any(
            finding.severity == "stop" or (finding.kind == "near-identical" and len(finding.splits) > 1)
            for finding in self.findings
        )


class CorpusVerdict(BaseModel, frozen=True):
    """All folds of one corpus."""

    corpus: str
    folds: int
    clips: int
    """Over all splits of its largest fold."""
    speakers: int
    shared_speakers: int
    """In the fold with most of them."""
    leaks: bool
    verdict: Verdict


class NotRead(BaseModel, frozen=True):
    """A file in a folder that is no split of anything."""

    file: str
    why: str


class FilesAudit(BaseModel, frozen=True):
    """Everything that `ser audit` found."""

    folds: list[FoldAudit]
    corpora: list[CorpusVerdict]
    not_read: list[NotRead]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def leaks(self) -> bool:
        """Whether any fold leaks."""
        return any(fold.leaks for fold in self.folds)
