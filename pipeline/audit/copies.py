"""Copies of one recording with different bytes: another level, format or sample rate, or an excerpt."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurize.fingerprint import Pair, find_copies
from pipeline.audit.finding import Entry, named, splits_of
from pipeline.protocol.findings import Finding, Severity


@dataclass(frozen=True)
class Copies:
    """Clips that hold the same recording: the fingerprint of each matches that of at least one other."""

    entries: list[Entry]
    """Two or more."""
    distance: float
    """The largest bit error rate among the matching pairs."""
    delay_s: float
    """By how much the second clip of that pair is delayed against the first."""


def group_copies(
    entries: Sequence[Entry], prints: Mapping[str, NDArray[np.uint32]], threshold: float
) -> list[Copies]:
    """Group the clips whose fingerprints match.

    Args:
        entries: the clips; of several with the same bytes, only the first is compared.
        prints: SHA-256 of the audio → fingerprint; a clip without one is not compared.
        threshold: largest bit error rate of a pair.
    """
    first = {entry.sha256: entry for entry in reversed(entries) if entry.sha256 in prints}
    compared = list(reversed(first.values()))
    pairs = find_copies([prints[entry.sha256] for entry in compared], threshold)
    return [
        Copies([compared[index] for index in group], worst.distance, worst.delay_s)
        for group, worst in _connect(pairs)
    ]


def _connect(pairs: Iterable[Pair]) -> list[tuple[list[int], Pair]]:
    """Clips that pairs connect, directly or through others, and the most distant pair of each group."""
    group_of: dict[int, list[int]] = {}
    worst: dict[int, Pair] = {}
    for pair in sorted(pairs, key=lambda pair: pair.distance):  # so that the last one seen is the worst
        first, second = (group_of.setdefault(index, [index]) for index in pair[:2])
        if first is not second:
            first += second
            group_of |= dict.fromkeys(second, first)
        worst[id(first)] = pair
    groups = {id(group): sorted(group) for group in group_of.values()}
    return sorted((members, worst[key]) for key, members in groups.items())


def judge_copies(groups: Sequence[Copies]) -> list[Finding]:
    """One finding per recording: a warning where its copies are in two splits, else a note."""
    findings = []
    for group in groups:
        splits = splits_of(group.entries)
        shifted = f", shifted by {abs(group.delay_s):.2f} s" if len(group.entries) == 2 else ""
        apart = "in two splits; keep one" if len(splits) > 1 else f"both in {splits[0]}"
        match = f"have matching fingerprints (distance {group.distance:.2f}{shifted})"
        detail = f"{named(group.entries)} {match}: {apart}"
        ids = [entry.clip_id for entry in group.entries]
        severity: Severity = "warning" if len(splits) > 1 else "note"
        findings.append(Finding("near-identical", severity, splits, ids, detail))
    return findings
