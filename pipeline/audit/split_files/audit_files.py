"""Finds the folds in files and folders of other tools, checks each, and sums up by corpus."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from featurize.errors import CorpusError
from featurize.fingerprint import THRESHOLD
from pipeline.audit.split_files.compare_audio import fingerprints_of, with_hashes
from pipeline.audit.split_files.judge import judge_corpus, judge_fold
from pipeline.audit.split_files.read_splits import (
    ListedSplits,
    find_sets,
    parse_speakers,
    read_set,
    require_matches,
)
from pipeline.audit.split_files.verdict import FilesAudit, FoldAudit, NotRead
from pipeline.extraction.engine import Engine


def audit_files(
    places: Sequence[Path],
    engine: Engine,
    *,
    speaker: Sequence[str] = (),
    audio: Path | None = None,
    fingerprint: bool = True,
) -> FilesAudit:
    """Audit the splits in files, or in all tables of folders.

    Args:
        places: files and folders; in a folder, files that are no split are listed as not read.
        engine: runs the fingerprint job.
        speaker: patterns that find the speaker in a path: PATTERN, or CORPUS=PATTERN.
        audio: folder of the recordings.
        fingerprint: decode the recordings and compare their sound.

    Raises:
        CorpusError: a file cannot be read, no fold is in the files, or a pattern matches no path.
    """
    patterns = parse_speakers(speaker)
    sets, in_folder = find_sets(places)
    listed: list[ListedSplits] = []
    not_read = []
    for each in sets:
        try:
            listed.append(read_set(each, patterns))
        except CorpusError as error:
            if not in_folder:
                raise
            first = next(path for paths in each.files.values() for path in paths)
            why = str(error).removeprefix(f"{first}: ").removeprefix(f"{each.name} ({each.pattern}): ")
            not_read.append(NotRead(file=str(first), why=why))
    if not listed:
        raise CorpusError(f"{not_read[0].file}: {not_read[0].why}")
    require_matches(patterns, listed)
    folds = [_audit(each, engine, audio, fingerprint) for each in listed]
    of_corpus: dict[str, list[FoldAudit]] = defaultdict(list)
    for fold in folds:
        of_corpus[fold.corpus].append(fold)
    return FilesAudit(
        folds=folds, corpora=[judge_corpus(own) for own in of_corpus.values()], not_read=not_read
    )


def _audit(listed: ListedSplits, engine: Engine, audio: Path | None, fingerprint: bool) -> FoldAudit:
    entries, located = with_hashes(listed.entries, listed.sources, audio)
    prints = fingerprints_of(located, engine) if fingerprint else {}
    files = [str(path) for paths in listed.files.files.values() for path in paths]
    return judge_fold(
        entries,
        prints,
        THRESHOLD,
        corpus=listed.files.corpus,
        fold=listed.files.fold,
        files=files,
        speakers_from=listed.speakers_from,
    )
