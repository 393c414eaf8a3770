"""Stage `manifest`: list a corpus, find each clip's class and split, and audit the result for leaks.

What cannot even be opened is rejected, with its reason. Audio is decoded for the audit alone, once.
"""

import csv
import hashlib
import io
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from featurize.atomic import write_json, write_text
from featurize.decoders import check_file
from featurize.errors import AudioError
from pipeline.audit import AuditParams, Entry, audit, refuse_leaks
from pipeline.corpora import Clip, Corpus, CorpusParams, read_corpus
from pipeline.extraction.engine import Engine, InProcess
from pipeline.locations import Location, fetched, make_folder, written
from pipeline.protocol.card import Card
from pipeline.protocol.labels import Labelling, LabelParams, label_emotions
from pipeline.protocol.manifest_file import COLUMNS
from pipeline.protocol.manifest_summary import Counts, ManifestSummary, log_summary
from pipeline.protocol.splits import SPLITS, Division, Item, SplitParams, divide
from pipeline.rejects import Reject, check_rejects, write_rejects

log = logging.getLogger(__name__)

HASHING_THREADS = 8


@dataclass(frozen=True)
class Hashed:
    """A clip whose bytes have been read."""

    clip: Clip
    label: str
    sha256: str


def manifest(
    corpus: CorpusParams,
    labels: LabelParams,
    split: SplitParams,
    data: Location,
    audit_params: AuditParams | None = None,
    engine: Engine | None = None,
) -> None:
    """Write manifest.csv, manifest.json, audit.json and rejects.csv into the folder `data`.

    Where the audit finds what stops, audit.json is written, so that all of it can be seen, and no manifest is.

    Raises:
        CorpusError, ParamsError, SplitError: as the reader, the label set, the split and the audit have it.
        RejectsError: too many clips cannot be opened.
    """
    read = read_corpus(corpus)
    labelling = label_emotions([clip.emotion for clip in read.clips], read.emotions, labels)
    clips = [clip for clip in read.clips if clip.emotion in labelling.label_of]
    hashed, rejects = hash_clips(clips, labelling.label_of)
    rejects_file = data / "rejects.csv"
    write_rejects(rejects_file, rejects)
    check_rejects(rejects_file, rejects, len(clips), corpus.max_reject_fraction)
    distinct, duplicates = drop_duplicates(hashed)
    items = [Item(h.clip.clip_id, h.clip.speaker, h.clip.gender, h.label, h.clip.split) for h in distinct]
    division = divide(items, split, read.published_folds, read.folds_source)
    fingerprints = data / "fingerprints"
    make_folder(fingerprints)  # DVC expects it whatever the audit compares
    found = audit(
        [Entry(h.clip, h.label, h.sha256, name) for h, name in zip(distinct, division.splits, strict=True)],
        audit_params or AuditParams(),
        fingerprints,
        engine or InProcess(),
        speakers_may_overlap=split.method == "random",
        duplicates=[Entry(h.clip, h.label, h.sha256, "") for h in duplicates],
        left_out=read.left_out,
    )
    with written(data / "audit.json") as findings:
        write_json(findings, found.model_dump(mode="json"))
    refuse_leaks(found, data / "audit.json")
    summary = ManifestSummary(
        labels=list(labelling.names),
        protocol=protocol_card(read, distinct, division, labels=labels, labelling=labelling, split=split),
        counts=count(distinct, division.splits, labelling.names),
        left_out=labelling.left_out,
        duplicates_dropped=len(duplicates),
        rejected=len(rejects),
    )
    with written(data / "manifest.csv") as table:
        write_text(table, _table(distinct, division.splits))
    with written(data / "manifest.json") as file:
        write_json(file, summary.model_dump(mode="json"))
    log_summary(summary)


def hash_clips(clips: Sequence[Clip], label_of: dict[str, str]) -> tuple[list[Hashed], list[Reject]]:
    """Read every clip's bytes once: hashed clips, and those that cannot be opened."""
    hashed, rejects = [], []
    with ThreadPoolExecutor(HASHING_THREADS) as threads:
        for clip, digest in zip(clips, threads.map(lambda clip: _try_hash(clip.path), clips), strict=True):
            if isinstance(digest, AudioError):
                rejects.append(Reject(clip.clip_id, clip.path.as_posix(), digest.reason, digest.detail))
                log.warning("rejected (%s): %s", digest.reason, digest.detail)
            else:
                hashed.append(Hashed(clip, label_of[clip.emotion], digest))
    return hashed, rejects


def hash_audio(place: Location) -> str:
    """SHA-256 of a file's bytes, in hex.

    Raises:
        AudioError: missing, directory, unreadable, empty, or lfs-pointer.
        SerError: an address cannot be reached.
    """
    try:
        with fetched(place) as path:
            return _hash_file(path)
    except FileNotFoundError as error:
        raise AudioError("missing", f"{place}: no such file") from error
    except AudioError as error:
        raise AudioError(error.reason, error.detail.replace(str(path), str(place))) from error


def _hash_file(path: Path) -> str:
    check_file(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise AudioError("unreadable", f"{path}: cannot be read ({error.strerror})") from error


def _try_hash(path: Location) -> str | AudioError:
    try:
        return hash_audio(path)
    except AudioError as error:
        return error


def drop_duplicates(hashed: Sequence[Hashed]) -> tuple[list[Hashed], list[Hashed]]:
    """Keep the first of clips with the same bytes, speaker, class and prescribed split.

    Equal bytes that differ in one of these stay, for the audit to judge.

    Returns:
        The clips that stay, and those that do not.
    """
    first: dict[tuple[str, ...], Hashed] = {}
    dropped = []
    for one in hashed:
        if first.setdefault((one.sha256, one.clip.speaker, one.label, one.clip.split), one) is not one:
            dropped.append(one)
    return list(first.values()), dropped


def protocol_card(
    corpus: Corpus,
    clips: Sequence[Hashed],
    division: Division,
    *,
    labels: LabelParams,
    labelling: Labelling,
    split: SplitParams,
) -> Card:
    """The protocol that travels with every score."""
    return Card(
        corpus=corpus.name,
        synthetic=corpus.synthetic,
        files_sha256=files_sha256(clips),
        label_set=labels.set,
        labels=list(labelling.names),
        split=split.method,
        speaker_independent=division.speaker_independent,
        folds=division.folds,
        fold=split.fold if division.folds else 0,
        val=division.val,
        split_seed=split.seed,
        speakers={name: _speakers(_of_split(clips, division.splits, name)) for name in SPLITS},
    )


def count(clips: Sequence[Hashed], splits: Sequence[str], labels: Sequence[str]) -> Counts:
    """How many clips there are of each split and class."""
    chosen = {name: _of_split(clips, splits, name) for name in SPLITS}
    return Counts(
        clips=len(clips),
        speakers=len(_speakers(clips)),
        splits={name: len(own) for name, own in chosen.items()},
        labels={
            name: {label: sum(one.label == label for one in own) for label in labels}
            for name, own in chosen.items()
        },
    )


def _of_split(clips: Sequence[Hashed], splits: Sequence[str], name: str) -> list[Hashed]:
    return [clip for clip, split in zip(clips, splits, strict=True) if split == name]


def _speakers(clips: Sequence[Hashed]) -> list[str]:
    """Those that are known by name."""
    return sorted({one.clip.speaker for one in clips} - {""})


def files_sha256(clips: Sequence[Hashed]) -> str:
    """One hash over which recordings a corpus holds: of the sorted lines `clip_id<tab>sha256`."""
    lines = sorted(f"{one.clip.clip_id}\t{one.sha256}\n" for one in clips)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _table(clips: Sequence[Hashed], splits: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for one, split in zip(clips, splits, strict=True):
        row = vars(one.clip) | {"label": one.label, "sha256": one.sha256, "split": split}
        writer.writerow(row | {"path": one.clip.path.as_posix()})  # None is written as an empty cell
    return text.getvalue()
