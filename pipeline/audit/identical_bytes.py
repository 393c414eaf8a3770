"""Files with identical bytes."""

from collections import defaultdict
from collections.abc import Sequence

from featurize.errors import counted
from pipeline.audit.finding import Entry, named, splits_of
from pipeline.protocol.findings import Finding


def group_identical(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Group the clips that hold the same bytes; a clip whose bytes no other holds is in no group."""
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.sha256].append(entry)
    return [group for group in groups.values() if len(group) > 1]


def find_identical(groups: Sequence[Sequence[Entry]]) -> list[Finding]:
    """One finding per recording: "stop" where it is in two splits, "warning" where it has two speakers in one split."""
    findings = []
    for group in groups:
        ids, splits = [entry.clip_id for entry in group], splits_of(group)
        if len(splits) > 1:
            detail = f"{named(group)} hold the same bytes in two splits; remove all but one"
            findings.append(Finding("identical-bytes", "stop", splits, ids, detail))
        elif len(speakers := sorted({entry.clip.speaker or "unknown" for entry in group})) > 1:
            detail = f"{named(group)} hold the same bytes, but under the speakers {', '.join(speakers)}"
            findings.append(Finding("identical-bytes", "warning", splits, ids, detail))
    return findings


def note_dropped(duplicates: Sequence[Entry]) -> list[Finding]:
    """One note on all clips that were dropped because another of the same speaker and class holds their bytes."""
    if not duplicates:
        return []
    are = counted(len(duplicates), "clip was", "clips were")
    detail = (
        f"{are} dropped because another clip of the same speaker and class holds the same bytes: "
        f"{named(duplicates)}"
    )
    return [Finding("identical-bytes", "note", [], [entry.clip_id for entry in duplicates], detail)]
