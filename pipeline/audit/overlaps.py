"""Clips that are parts of one file and share sound."""

from collections import defaultdict
from collections.abc import Sequence

from featurize.errors import counted
from pipeline.audit.finding import Entry, named, splits_of
from pipeline.protocol.findings import Finding
from pipeline.span import Span

WHOLE = Span(0.0, None)


def find_overlaps(entries: Sequence[Entry]) -> list[Finding]:
    """One finding per file with such clips in two splits, which stops; one note over all others."""
    of_file: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        of_file[entry.clip.path.as_posix()].append(entry)
    findings, harmless = [], []
    for path, clips in of_file.items():
        pairs = _overlapping(clips)
        apart = [pair for pair in pairs if pair[0].split != pair[1].split]
        harmless += [pair for pair in pairs if pair[0].split == pair[1].split]
        if apart:
            concerned = [*dict.fromkeys(entry for pair in apart for entry in pair)]
            number = counted(len(apart), "pair")
            detail = (
                f"{number} of overlapping clips of {path} in two splits, such as {named(apart[0])}; "
                "remove one of each, or keep a file in one split"
            )
            ids = [entry.clip_id for entry in concerned]
            findings.append(Finding("overlap", "stop", splits_of(concerned), ids, detail))
    if harmless:
        number = counted(len(harmless), "pair")
        detail = f"{number} of overlapping clips of one file in one split, such as {named(harmless[0])}"
        ids = [entry.clip_id for entry in harmless[0]]
        findings.append(Finding("overlap", "note", splits_of(harmless[0]), ids, detail))
    return findings


def _overlapping(clips: Sequence[Entry]) -> list[tuple[Entry, Entry]]:
    """Pairs of neighbours in time: of several that overlap in one place, each with the one that reaches furthest."""
    if len(clips) < 2:
        return []
    spans = sorted(((entry.clip.span or WHOLE, entry) for entry in clips), key=lambda each: each[0].start_s)
    pairs = []
    furthest = spans[0]
    for span, entry in spans[1:]:
        if furthest[0].overlaps(span):
            pairs.append((furthest[1], entry))
        if furthest[0].end_s is not None and (span.end_s is None or span.end_s > furthest[0].end_s):
            furthest = span, entry
    return pairs
