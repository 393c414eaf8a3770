"""Runs every check of the audit over the clips, logs the findings, and refuses what no score may be based on."""

import logging
from collections.abc import Sequence

from featurize.audio import LoadParams
from featurize.errors import SplitError, counted
from pipeline.audit.audit_params import AuditParams
from pipeline.audit.contradictions import find_contradictions
from pipeline.audit.copies import group_copies, judge_copies
from pipeline.audit.doubles import find_doubles
from pipeline.audit.finding import Entry
from pipeline.audit.fingerprints import fingerprint_clips
from pipeline.audit.identical_bytes import find_identical, group_identical, note_dropped
from pipeline.audit.missing_classes import find_missing_classes
from pipeline.audit.overlaps import find_overlaps
from pipeline.audit.retakes import find_retakes
from pipeline.audit.shared_speakers import find_shared_speakers
from pipeline.audit.similar_speakers import find_similar_speakers
from pipeline.audit.speaker_labels import find_speaker_labels
from pipeline.corpora.clip import LeftOut
from pipeline.extraction.engine import Engine
from pipeline.locations import Location
from pipeline.protocol.findings import Audit

log = logging.getLogger(__name__)

LOGGED = 5
"""Findings of one kind and severity that are logged one by one; of the others, the number is logged."""


def audit(
    entries: Sequence[Entry],
    params: AuditParams,
    fingerprints: Location,
    engine: Engine,
    load: LoadParams | None = None,
    *,
    speakers_may_overlap: bool,
    duplicates: Sequence[Entry] = (),
    left_out: Sequence[LeftOut] = (),
    remedy: str = "",
) -> Audit:
    """Search a split for leaks and log the findings.

    Args:
        entries: the clips with their splits.
        params: whether and how to compare audio fingerprints.
        fingerprints: folder of the fingerprints' shards, which later runs reuse.
        engine: runs the fingerprint job.
        load: how the clips are loaded for it, as for the features.
        speakers_may_overlap: the user chose a speaker-dependent split, and scores are stamped accordingly.
        duplicates: clips that were dropped because others hold the same bytes.
        left_out: files that the corpus's reader skipped.
        remedy: in words, how each split could have every class.

    Raises:
        SerError: the fingerprints cannot be computed or written.
    """
    # Clips without agreement are in train alone.
    labelled = [entry for entry in entries if entry.clip.emotion]
    identical = group_identical(entries)
    prints = fingerprint_clips(entries, fingerprints, engine, load) if params.fingerprint else {}
    copies = group_copies(entries, prints, params.threshold)
    findings = [
        *find_shared_speakers(entries, by_choice=speakers_may_overlap),
        *find_similar_speakers(entries),
        *find_identical(identical),
        *find_overlaps(entries),
        *judge_copies(copies),
        *find_contradictions(identical, [copy.entries for copy in copies]),
        *find_speaker_labels(labelled, random=speakers_may_overlap),
        *find_missing_classes(labelled, remedy),
        *find_retakes(entries),
        *note_dropped(duplicates),
        *find_doubles(left_out),
    ]
    findings.sort(key=lambda finding: ("stop", "warning", "note").index(finding.severity))
    fingerprinted = sum(entry.sha256 in prints for entry in entries)
    found = Audit(
        params=params.model_dump(), clips=len(entries), fingerprinted=fingerprinted, findings=findings
    )
    _log_findings(found)
    return found


def refuse_leaks(found: Audit, file: Location) -> None:
    """Reject a split with a leak that would make every score invalid: a finding of severity "stop".

    Args:
        found: the audit.
        file: audit.json, which lists all findings; for the message.

    Raises:
        SplitError: the first such finding, the number of others, and the file.
    """
    stops = [finding for finding in found.findings if finding.severity == "stop"]
    if stops:
        others = counted(len(stops) - 1, "more finding that stops", "more findings that stop")
        more = f" (and {others})" if len(stops) > 1 else ""
        raise SplitError(f"{stops[0].detail}{more}; see {file}")


def _log_findings(found: Audit) -> None:
    counts: dict[tuple[str, str], int] = {}
    for finding in found.findings:
        key = finding.kind, finding.severity
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= LOGGED and finding.severity != "stop":  # `refuse_leaks` raises these
            level = logging.WARNING if finding.severity == "warning" else logging.INFO
            log.log(level, "audit: %s (%s): %s", finding.severity, finding.kind, finding.detail)
    for (kind, severity), number in counts.items():
        if number > LOGGED and severity != "stop":
            log.warning("audit: %s (%s): %d more in audit.json", severity, kind, number - LOGGED)
    compared = f"{found.fingerprinted} of {counted(found.clips, 'clip')} compared by fingerprint"
    log.info(
        "audit: %s; %s",
        counted(len(found.findings), "finding"),
        compared if found.params["fingerprint"] else "fingerprints not compared",
    )
