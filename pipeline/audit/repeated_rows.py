"""One recording, or one part of it, in several rows of a split's files: in two splits, or twice in one.

The table reader drops such rows, so that only files of others have them.
"""

from collections import defaultdict
from collections.abc import Sequence

from featurize.errors import counted
from pipeline.audit.finding import Entry, named, splits_of
from pipeline.protocol.findings import Finding

EXAMPLES = 10
"""Clips that a finding lists."""


def group_repeated(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Groups of two or more rows of one clip: the same path and, of a part of a file, the same start and end."""
    groups: dict[tuple[str, float | None, float | None], list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.clip.path.as_posix(), entry.clip.start_s, entry.clip.end_s].append(entry)
    return [group for group in groups.values() if len(group) > 1]


def find_repeated(groups: Sequence[Sequence[Entry]]) -> list[Finding]:
    """A stop for all clips in two splits; a warning for those with several classes; a note for other doubled rows."""
    apart, contradictory, doubled = [], [], []
    for group in groups:
        if len(splits_of(group)) > 1:
            apart.append(group)
        if len({entry.label for entry in group}) > 1:
            contradictory.append(group)
        elif len(splits_of(group)) == 1:
            doubled.append(group)
    findings = []
    if apart:
        detail = f"{counted(len(apart), 'clip is', 'clips are')} in two splits, such as {named(apart[0])}"
        splits = splits_of(entry for group in apart for entry in group)
        findings.append(Finding("row-repeated", "stop", splits, _ids(apart), detail))
    if contradictory:
        first = contradictory[0]
        labels = " and ".join(sorted({entry.label or "no class" for entry in first}))
        are = counted(len(contradictory), "clip has", "clips have")
        detail = f"{are} rows of different classes, such as {first[0].clip_id}: {labels}"
        splits = splits_of(entry for group in contradictory for entry in group)
        findings.append(Finding("label-contradiction", "warning", splits, _ids(contradictory), detail))
    if doubled:
        are = counted(len(doubled), "clip is", "clips are")
        detail = f"{are} listed more than once in one split, such as {doubled[0][0].clip_id}"
        splits = splits_of(entry for group in doubled for entry in group)
        findings.append(Finding("row-repeated", "note", splits, _ids(doubled), detail))
    return findings


def _ids(groups: Sequence[Sequence[Entry]]) -> list[str]:
    return [group[0].clip_id for group in groups[:EXAMPLES]]
