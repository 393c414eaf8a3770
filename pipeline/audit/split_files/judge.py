"""The checks of one fold of somebody else's split, and the verdict: is it speaker-independent?"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

from featurize.errors import counted
from pipeline.audit.contradictions import find_contradictions
from pipeline.audit.copies import group_copies, judge_copies
from pipeline.audit.finding import Entry
from pipeline.audit.fingerprints import Fingerprint
from pipeline.audit.identical_bytes import find_identical, group_identical
from pipeline.audit.missing_classes import find_missing_classes
from pipeline.audit.overlaps import find_overlaps
from pipeline.audit.repeated_rows import find_repeated, group_repeated
from pipeline.audit.retakes import find_retakes
from pipeline.audit.shared_sentences import find_shared_sentences
from pipeline.audit.shared_speakers import find_shared_speakers
from pipeline.audit.similar_speakers import find_similar_speakers
from pipeline.audit.speaker_labels import find_speaker_labels
from pipeline.audit.split_files.verdict import CorpusVerdict, FoldAudit, Shared, SplitCounts, Verdict
from pipeline.protocol.findings import Finding
from pipeline.protocol.split_params import SPLITS


def judge_fold(
    entries: Sequence[Entry],
    prints: Mapping[str, Fingerprint],
    threshold: float,
    *,
    corpus: str,
    fold: str,
    files: Sequence[str],
    speakers_from: str,
) -> FoldAudit:
    """Check one fold.

    Args:
        entries: its rows; with a hash where the recording was found.
        prints: SHA-256 → fingerprint, where fingerprints are compared.
        threshold: largest bit error rate of two copies.
        corpus: its name.
        fold: its number, or empty.
        files: the files of all splits.
        speakers_from: where the speakers were found.
    """
    there = [split for split in SPLITS if any(entry.split == split for entry in entries)]
    of_speaker: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        of_speaker[entry.clip.speaker].add(entry.split)
    of_speaker.pop("", None)
    shared = [speaker for speaker, splits in of_speaker.items() if len(splits) > 1]
    counts: dict[str, SplitCounts] = {
        split: _count([entry for entry in entries if entry.split == split]) for split in there
    }
    findings = _findings(entries, prints, threshold, there, dependent=bool(shared))
    return FoldAudit(
        corpus=corpus,
        fold=fold,
        files=list(files),
        speakers=len(of_speaker),
        shared_speakers=len(shared),
        speakers_from=speakers_from,
        splits=counts,
        shared=[_shared(entries, pair) for pair in combinations(there, 2)],
        hashed=sum(bool(entry.sha256) for entry in entries),
        fingerprinted=sum(entry.sha256 in prints for entry in entries),
        findings=sorted(findings, key=lambda finding: ("stop", "warning", "note").index(finding.severity)),
        verdict=_verdict(len(of_speaker), len(shared), counts),
    )


def _findings(
    entries: Sequence[Entry],
    prints: Mapping[str, Fingerprint],
    threshold: float,
    there: Sequence[str],
    *,
    dependent: bool,
) -> list[Finding]:
    repeated = group_repeated(entries)
    again = {id(entry) for group in repeated for entry in group[1:]}
    once = [
        entry for entry in entries if id(entry) not in again
    ]  # each clip, so that no finding is told twice
    hashed = [entry for entry in once if entry.sha256]
    identical = group_identical(hashed)
    copies = group_copies(hashed, prints, threshold) if prints else []
    return [
        *find_shared_speakers(entries, by_choice=False),
        *find_similar_speakers(once),
        *find_repeated(repeated),
        *find_identical(identical),
        *find_overlaps(once),
        *judge_copies(copies),
        *find_contradictions(identical, [copy.entries for copy in copies]),
        *find_speaker_labels([entry for entry in once if entry.label], random=dependent),
        *find_missing_classes([entry for entry in once if entry.label], "", there),
        *find_retakes(once),
        *find_shared_sentences(once),
    ]


def _count(entries: Sequence[Entry]) -> SplitCounts:
    classes = Counter(entry.label for entry in entries)
    classes.pop("", None)
    return SplitCounts(
        clips=len(entries),
        speakers=len({entry.clip.speaker for entry in entries} - {""}),
        without_speaker=sum(not entry.clip.speaker for entry in entries),
        classes=dict(sorted(classes.items())),
        sentences=len({entry.clip.sentence for entry in entries} - {""}),
    )


def _shared(entries: Sequence[Entry], splits: tuple[str, str]) -> Shared:
    speakers, clips, sentences = [], [], []
    for split in splits:
        own = [entry for entry in entries if entry.split == split]
        speakers.append({entry.clip.speaker for entry in own} - {""})
        clips.append({(entry.clip.path.as_posix(), entry.clip.span) for entry in own})
        sentences.append({entry.clip.sentence for entry in own} - {""})
    return Shared(
        splits=splits,
        speakers=sorted(speakers[0] & speakers[1]),
        clips=len(clips[0] & clips[1]),
        sentences=len(sentences[0] & sentences[1]),
    )


def _verdict(speakers: int, shared: int, counts: Mapping[str, SplitCounts]) -> Verdict:
    unknown = sum(split.without_speaker for split in counts.values())
    if shared:
        return Verdict(independent="no", why=f"{shared} of {counted(speakers, 'speaker')} shared")
    if not speakers:
        return Verdict(independent="unknown", why="no speakers")
    if unknown:
        clips = sum(split.clips for split in counts.values())
        return Verdict(independent="unknown", why=f"{unknown} of {counted(clips, 'clip')} without a speaker")
    return Verdict(independent="yes", why="")


def judge_corpus(folds: Sequence[FoldAudit]) -> CorpusVerdict:
    """One verdict for all folds of a corpus: no where one is no, else unknown where one is unknown."""
    worst = min(
        folds,
        key=lambda fold: (("no", "unknown", "yes").index(fold.verdict.independent), -fold.shared_speakers),
    )
    return CorpusVerdict(
        corpus=worst.corpus,
        folds=len(folds),
        clips=max(sum(split.clips for split in fold.splits.values()) for fold in folds),
        speakers=max(fold.speakers for fold in folds),
        shared_speakers=worst.shared_speakers,
        leaks=any(fold.leaks for fold in folds),
        verdict=worst.verdict,
    )
