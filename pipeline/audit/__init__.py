"""The audit: whatever makes a test score better or worse than it deserves, found before anything is trained.

Each check takes the clips with their splits and returns findings; none stops at the first.

    shared_speakers  speakers in two splits
    similar_speakers ids that may be one person's
    identical_bytes  equal bytes
    overlaps         parts of one file that share sound
    copies           equal sound; `fingerprints` keeps what it is compared by
    contradictions   one recording under two classes
    speaker_labels   speakers who give the label away
    missing_classes  classes that a split lacks
    retakes          one sentence, said again by its speaker in another split
    doubles          what a corpus is known to hold twice
    finding          what they share
"""

import logging
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from featurize.errors import SplitError
from featurize.fingerprint import THRESHOLD
from pipeline.audit.contradictions import find_contradictions
from pipeline.audit.copies import group_copies, judge_copies
from pipeline.audit.doubles import find_doubles
from pipeline.audit.finding import Entry
from pipeline.audit.fingerprints import fingerprint_clips
from pipeline.audit.identical_bytes import find_identical, group_identical, tell_dropped
from pipeline.audit.missing_classes import find_missing_classes
from pipeline.audit.overlaps import find_overlaps
from pipeline.audit.retakes import find_retakes
from pipeline.audit.shared_speakers import find_shared_speakers
from pipeline.audit.similar_speakers import find_similar_speakers
from pipeline.audit.speaker_labels import find_speaker_labels
from pipeline.corpora.clip import LeftOut
from pipeline.extraction.engine import Engine
from pipeline.locations import Location
from pipeline.protocol.findings import Audit, Finding

__all__ = ["Audit", "AuditParams", "Entry", "Finding", "audit", "refuse_leaks"]

log = logging.getLogger(__name__)

LOGGED = 5  # findings of one kind and severity that are told one by one


class AuditParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """What to look for beside what the manifest alone tells, which is always checked."""

    fingerprint: bool = True
    """Decode every clip once and look for copies at other levels, formats and sample rates."""
    threshold: Annotated[float, Field(ge=0, lt=0.5)] = THRESHOLD
    """Share of differing bits up to which two clips are copies; retakes lie above 0.2."""


def audit(
    entries: Sequence[Entry],
    params: AuditParams,
    fingerprints: Location,
    engine: Engine,
    *,
    speakers_may_overlap: bool,
    duplicates: Sequence[Entry] = (),
    left_out: Sequence[LeftOut] = (),
    remedy: str = "",
) -> Audit:
    """Look for leaks in a split, and tell what was found in a line each.

    Args:
        entries: the clips with their splits.
        params: whether and how to compare sounds.
        fingerprints: folder in which fingerprints are kept from run to run.
        engine: where they are computed.
        speakers_may_overlap: the split is speaker-dependent by choice, and stamped so.
        duplicates: clips that were dropped because others hold the same bytes.
        left_out: files that the corpus's reader did not take.
        remedy: how every split could have every class, in words.

    Raises:
        SerError: the fingerprints cannot be computed or kept.
    """
    identical = group_identical(entries)
    prints = fingerprint_clips(entries, fingerprints, engine) if params.fingerprint else {}
    copies = group_copies(entries, prints, params.threshold)
    findings = [
        *find_shared_speakers(entries, by_choice=speakers_may_overlap),
        *find_similar_speakers(entries),
        *find_identical(identical),
        *find_overlaps(entries),
        *judge_copies(copies),
        *find_contradictions(identical, [copy.entries for copy in copies]),
        *find_speaker_labels(entries, random=speakers_may_overlap),
        *find_missing_classes(entries, remedy),
        *find_retakes(entries),
        *tell_dropped(duplicates),
        *find_doubles(left_out),
    ]
    findings.sort(key=lambda finding: ("stop", "warning", "note").index(finding.severity))
    fingerprinted = sum(entry.sha256 in prints for entry in entries)
    found = Audit(
        params=params.model_dump(), clips=len(entries), fingerprinted=fingerprinted, findings=findings
    )
    _say(found)
    return found


def refuse_leaks(found: Audit, file: Location) -> None:
    """Stop where something was found that no score may stand on.

    Args:
        found: the audit.
        file: where all its findings are written.

    Raises:
        SplitError: one line with the first such finding, the number of others, and the file.
    """
    stops = [finding for finding in found.findings if finding.severity == "stop"]
    if stops:
        more = f" (and {len(stops) - 1} more findings that stop)" if len(stops) > 1 else ""
        raise SplitError(f"{stops[0].detail}{more}; see {file}")


def _say(found: Audit) -> None:
    told: dict[tuple[str, str], int] = {}
    for finding in found.findings:
        key = finding.kind, finding.severity
        told[key] = told.get(key, 0) + 1
        if told[key] <= LOGGED and finding.severity != "stop":  # what stops becomes the error's own line
            level = logging.WARNING if finding.severity == "warning" else logging.INFO
            log.log(level, "audit: %s (%s): %s", finding.severity, finding.kind, finding.detail)
    for (kind, severity), number in told.items():
        if number > LOGGED and severity != "stop":
            log.warning("audit: %s (%s): %d more in audit.json", severity, kind, number - LOGGED)
    heard = f"{found.fingerprinted} of {found.clips} clips compared by sound"
    log.info(
        "audit: %d findings; %s",
        len(found.findings),
        heard if found.params["fingerprint"] else "sound not compared",
    )
