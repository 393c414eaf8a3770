"""Speakers whose ids differ by so little that they may be one person: case, leading zeros, punctuation.

Of two ids for one person each may land in another split, and the network then meets a voice that it knows.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence

from pipeline.audit.finding import Entry, splits_of
from pipeline.protocol.findings import Finding

_WORD = re.compile(r"[^\W\d_]+|\d+")


def find_similar_speakers(entries: Sequence[Entry]) -> list[Finding]:
    """One warning per group of ids that look like one."""
    first: dict[str, Entry] = {}  # speaker → first clip
    for entry in entries:
        first.setdefault(entry.clip.speaker, entry)
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for speaker in sorted(first.keys() - {""}):
        alike[_essence(speaker)].append(speaker)
    findings = []
    for speakers in alike.values():
        if len(speakers) > 1:
            clips = [entry for entry in entries if entry.clip.speaker in speakers]
            names = " and ".join(repr(speaker) for speaker in speakers)
            detail = (
                f"the speakers {names} differ by case, zeros or punctuation alone (such as "
                f"{' and '.join(first[speaker].clip_id for speaker in speakers[:2])}); "
                "if they are one person, write one id"
            )
            ids = [first[speaker].clip_id for speaker in speakers]
            findings.append(Finding("similar-speakers", "warning", splits_of(clips), ids, detail))
    return findings


def _essence(speaker: str) -> tuple[str, ...]:
    """Its words and numbers, without case, leading zeros, and the .0 of a number that was read as a decimal one."""
    plain = unicodedata.normalize("NFKC", speaker).casefold()
    plain = re.sub(r"^(\d+)\.0+$", r"\1", plain)
    return tuple(word.lstrip("0") or "0" for word in _WORD.findall(plain)) or (plain,)
