"""The result of `ser audit` as text: a table for each fold, or one row for each of several corpora."""

from collections import Counter
from collections.abc import Iterator, Sequence

from featurize.errors import counted
from pipeline.audit.split_files.verdict import CorpusVerdict, FilesAudit, FoldAudit

LISTED = 3
"""Findings of one kind that are listed one by one."""


def lines_of(result: FilesAudit) -> Iterator[str]:
    """All lines; the last one is the verdict."""
    if len(result.corpora) > 1:
        yield from _corpora(result.corpora)
    else:
        for fold in result.folds:
            yield from _fold(fold)
            yield ""
    if result.not_read:
        first = result.not_read[0]
        files = counted(len(result.not_read), "file is", "files are")
        yield f"{files} no split: {first.file} ({first.why})" + (", ..." if len(result.not_read) > 1 else "")
    if len(result.corpora) > 1:
        said = Counter(corpus.verdict.independent for corpus in result.corpora)
        unknown = f" ({said['unknown']} unknown)" if said["unknown"] else ""
        yield f"{said['yes']} of {len(result.corpora)} corpora speaker-independent{unknown}"
    else:
        (corpus,) = result.corpora
        of = f", fold {_worst(result.folds).fold}" if corpus.folds > 1 and corpus.verdict.why else ""
        folds = f" in all {corpus.folds} folds" if corpus.folds > 1 and not corpus.verdict.why else ""
        yield f"speaker-independent: {corpus.verdict}{of}{folds}"


def _worst(folds: Sequence[FoldAudit]) -> FoldAudit:
    return max(folds, key=lambda fold: (fold.verdict.independent == "no", fold.shared_speakers))


def _corpora(corpora: Sequence[CorpusVerdict]) -> Iterator[str]:
    yield from _aligned(
        ["corpus", "folds", "clips", "speakers", "shared", "leaks", "speaker-independent"],
        [
            [
                corpus.corpus,
                str(corpus.folds),
                str(corpus.clips),
                str(corpus.speakers or "?"),
                str(corpus.shared_speakers if corpus.speakers else "?"),
                "yes" if corpus.leaks else "none found",
                str(corpus.verdict),
            ]
            for corpus in corpora
        ],
    )


def _fold(fold: FoldAudit) -> Iterator[str]:
    name = f"{fold.corpus}, fold {fold.fold}" if fold.fold else fold.corpus
    origin = f"; speakers from {fold.speakers_from}" if fold.speakers_from else ""
    yield f"{name}: {counted(len(fold.files), 'file')}{origin}"
    yield from _aligned(
        ["split", "clips", "speakers", "sentences", "classes"],
        [
            [
                split,
                str(counts.clips),
                str(counts.speakers or "?"),
                str(counts.sentences or "?"),
                ", ".join(f"{label} {number}" for label, number in counts.classes.items()) or "?",
            ]
            for split, counts in fold.splits.items()
        ],
    )
    for shared in fold.shared:
        sentences = f", {counted(shared.sentences, 'sentence')}" if shared.sentences else ""
        both = " and ".join(shared.splits)
        speakers = counted(len(shared.speakers), "speaker") if fold.speakers else "? speakers"
        yield f"in {both}: {speakers}, {counted(shared.clips, 'clip')}{sentences}"
    compared = (
        f"bytes of {counted(fold.hashed, 'recording')} and {counted(fold.fingerprinted, 'fingerprint')}"
    )
    yield f"compared: {compared}" if fold.hashed else "no recording found: bytes and sound not compared"
    kinds: dict[str, int] = {}
    for finding in fold.findings:
        key = f"{finding.severity} ({finding.kind})"
        kinds[key] = kinds.get(key, 0) + 1
        if kinds[key] <= LISTED:
            yield f"{key}: {finding.detail}"
    for key, number in kinds.items():
        if number > LISTED:
            yield f"{key}: {number - LISTED} more; --json lists them"


def _aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table whose last column is text, the first too, and the others numbers."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        cells = [
            text.ljust(width) if column in {0, len(header) - 1} else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
