"""Stage `manifest`: list a corpus, assign each clip its class and split, and audit the result for leaks.

Files that cannot be opened are rejected with a reason. Audio is decoded only for the audit, once per clip.
"""

import csv
import hashlib
import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from featurize.atomic import write_json, write_text
from featurize.errors import ParamsError, counted
from model.vote_shares import NO_AGREEMENT
from pipeline.audit.audit_params import AuditParams
from pipeline.audit.finding import Entry
from pipeline.audit.hashing import hash_clips
from pipeline.audit.search import audit, refuse_leaks
from pipeline.corpora import Corpus, CorpusParams, read_corpus
from pipeline.corpora.clip import Clip
from pipeline.corpora.label_source import choose_labels, clips_by_corpus
from pipeline.corpora.votes import votes_by_class, votes_text
from pipeline.extraction.engine import Engine, InProcess
from pipeline.locations import Location, make_folder, written
from pipeline.protocol.card import Card
from pipeline.protocol.confounding import measure_confounding
from pipeline.protocol.division import Division, Item
from pipeline.protocol.labels import Labelling, LabelParams, classes_of_votes, label_emotions
from pipeline.protocol.manifest_file import COLUMNS
from pipeline.protocol.manifest_summary import Counts, ManifestSummary, log_summary
from pipeline.protocol.split_params import SPLITS, Method, SplitParams
from pipeline.protocol.splits import divide
from pipeline.rejects import check_rejects, log_rejects, write_rejects

log = logging.getLogger(__name__)


def manifest(
    corpus: CorpusParams,
    labels: LabelParams,
    split: SplitParams,
    data: Location,
    audit_params: AuditParams | None = None,
    engine: Engine | None = None,
) -> None:
    """Write manifest.csv, manifest.json, audit.json and rejects.csv into the folder `data`.

    If the audit has a finding of severity "stop", audit.json is written, with all findings, but no manifest.

    Raises:
        CorpusError, ParamsError, SplitError: raised by the reader, the label set, the split or the audit.
        RejectsError: too many clips cannot be opened.
    """
    read = read_corpus(corpus)
    chosen = choose_labels(read.clips, labels)
    labelling = label_emotions([clip.emotion for clip in chosen.clips], read.emotions, labels)
    clips = [clip for clip in chosen.clips if clip.emotion in labelling.label_of]
    if chosen.undecided and NO_AGREEMENT in labelling.names:
        raise ParamsError(f"labels.no_agreement class: the corpus has a class of that name, {NO_AGREEMENT!r}")
    clips += chosen.undecided
    hashed, rejects = hash_clips(clips, labelling.label_of | {"": NO_AGREEMENT})
    rejects_file = data / "rejects.csv"
    write_rejects(rejects_file, rejects)
    check_rejects(rejects_file, rejects, len(clips), corpus.max_reject_fraction)
    log_rejects("manifest", rejects_file, rejects)
    distinct, duplicates = drop_duplicates(hashed)
    decided = [entry for entry in distinct if entry.clip.emotion]
    items = [
        Item(
            entry.clip_id,
            entry.clip.speaker,
            entry.clip.gender,
            entry.label,
            entry.clip.split,
            entry.clip.session,
            entry.clip.corpus,
        )
        for entry in decided
    ]
    division = divide(items, split, read.facts.fold_sets)
    labelled = [replace(entry, split=name) for entry, name in zip(decided, division.splits, strict=True)]
    undecided = undecided_for_training(distinct, labelled, split.method)
    entries = labelled + undecided
    fingerprints = data / "fingerprints"
    make_folder(fingerprints)  # DVC expects this folder even if fingerprints are switched off
    found = audit(
        entries,
        audit_params or AuditParams(),
        fingerprints,
        engine or InProcess(),
        corpus.load,
        speakers_may_overlap=division.speakers_may_overlap,
        duplicates=duplicates,
        left_out=read.left_out,
        remedy=division.remedy,
    )
    with written(data / "audit.json") as findings:
        write_json(findings, found.model_dump(mode="json"))
    refuse_leaks(found, data / "audit.json")
    summary = ManifestSummary(
        labels=list(labelling.names),
        protocol=protocol_card(read, labelled, division, labels=labels, labelling=labelling, split=split),
        counts=count(entries, [*labelling.names, *[NO_AGREEMENT] * bool(undecided)]),
        left_out=labelling.left_out,
        unlabelled=chosen.unlabelled + len(distinct) - len(entries),
        low_agreement=chosen.low_agreement,
        duplicates_dropped=len(duplicates),
        rejected=len(rejects),
    )
    with written(data / "manifest.csv") as table:
        chosen_by_raters = {emotion for entry in entries for emotion in entry.clip.votes}
        write_text(table, _table(entries, classes_of_votes(chosen_by_raters, labelling, labels)))
    with written(data / "manifest.json") as file:
        write_json(file, summary.model_dump(mode="json"))
    log_summary(summary)


def drop_duplicates(hashed: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Keep the first of clips with the same bytes, speaker, class and prescribed split.

    Clips with the same bytes that differ in one of the others are kept; the audit reports them.

    Returns:
        The kept clips, and the dropped ones.
    """
    first: dict[tuple[str, ...], Entry] = {}
    dropped = []
    for entry in hashed:
        key = entry.sha256, entry.clip.speaker, entry.label, entry.clip.split
        if first.setdefault(key, entry) is not entry:
            dropped.append(entry)
    return list(first.values()), dropped


def undecided_for_training(
    distinct: Sequence[Entry], labelled: Sequence[Entry], method: Method
) -> list[Entry]:
    """The clips without agreement that the train split gets; scores are over the classes, so no other split has any.

    They have no part in the division: theirs are speakers of the train split, or the rows that a table puts there.
    """
    heard = {entry.clip.speaker for entry in labelled if entry.split == "train"} - {""}
    undecided = [entry for entry in distinct if not entry.clip.emotion]

    def is_trained(clip: Clip) -> bool:
        if method == "predefined":
            return clip.split == "train"
        return method == "random" or clip.speaker in heard

    kept = [replace(entry, split="train") for entry in undecided if is_trained(entry.clip)]
    if undecided:
        log.info("without agreement, in train: %d of %s", len(kept), counted(len(undecided), "clip"))
    return kept


def protocol_card(
    corpus: Corpus,
    clips: Sequence[Entry],
    division: Division,
    *,
    labels: LabelParams,
    labelling: Labelling,
    split: SplitParams,
) -> Card:
    """The manifest's part of the protocol card, which is written with every score."""
    return Card(
        corpus=corpus.name,
        corpora=list(clips_by_corpus(entry.clip for entry in clips if entry.clip.emotion)),
        synthetic=corpus.synthetic,
        files_sha256=files_sha256(clips),
        licence=corpus.facts.licence,
        label_set=labels.set,
        labels=list(labelling.names),
        labels_of=labels.of,
        min_agreement=labels.min_agreement,
        no_agreement=labels.no_agreement,
        split=split.method,
        speaker_independent=division.speaker_independent,
        folds=division.folds,
        fold=split.fold if division.folds else 0,
        val=division.val,
        split_seed=split.seed,
        speakers={name: _speakers(_of_split(clips, name)) for name in SPLITS},
        confounding=measure_confounding((entry.clip.speaker, entry.label) for entry in clips),
    )


def count(clips: Sequence[Entry], labels: Sequence[str]) -> Counts:
    """Number of clips of each split and class."""
    chosen = {name: _of_split(clips, name) for name in SPLITS}
    return Counts(
        clips=len(clips),
        speakers=len(_speakers(clips)),
        splits={name: len(own) for name, own in chosen.items()},
        labels={
            name: {label: sum(entry.label == label for entry in own) for label in labels}
            for name, own in chosen.items()
        },
    )


def _of_split(clips: Sequence[Entry], split: str) -> list[Entry]:
    return [clip for clip in clips if clip.split == split]


def _speakers(clips: Sequence[Entry]) -> list[str]:
    """Names of the known speakers."""
    return sorted({entry.clip.speaker for entry in clips} - {""})


def files_sha256(clips: Sequence[Entry]) -> str:
    """Hash of the list of recordings: SHA-256 of the sorted lines `clip_id<tab>sha256`."""
    lines = sorted(f"{entry.clip.clip_id}\t{entry.sha256}\n" for entry in clips)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _table(clips: Sequence[Entry], class_of_vote: Mapping[str, str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for entry in clips:
        row = entry.clip.row | {"label": entry.label, "sha256": entry.sha256, "split": entry.split}
        row["class_votes"] = votes_text(votes_by_class(entry.clip.votes, class_of_vote))
        writer.writerow(row)  # None is written as an empty cell
    return text.getvalue()
