"""Copies of one recording whose bytes differ: another level, format, sample rate, or a cut of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurize.fingerprint import Pair, find_copies
from pipeline.audit.finding import Entry, named, splits_of
from pipeline.protocol.findings import Finding, Severity


@dataclass(frozen=True)
class Copies:
    """Clips that sound alike, each like at least one of the others.

    Args:
        entries: two or more.
        distance: the largest bit error rate among the pairs found.
        delay_s: how much later the sound comes in the second of two clips.
    """

    entries: list[Entry]
    distance: float
    delay_s: float


def group_copies(
    entries: Sequence[Entry], prints: Mapping[str, NDArray[np.uint32]], threshold: float
) -> list[Copies]:
    """Clips that sound alike, two and more together.

    Args:
        entries: the clips; of several with the same bytes, the first stands for all.
        prints: SHA-256 of the audio → fingerprint; a clip without one is like no other.
        threshold: largest bit error rate of a pair.
    """
    first = {entry.sha256: entry for entry in reversed(entries) if entry.sha256 in prints}
    heard = list(reversed(first.values()))
    pairs = find_copies([prints[entry.sha256] for entry in heard], threshold)
    return [
        Copies([heard[index] for index in group], worst.distance, worst.delay_s)
        for group, worst in _connect(pairs)
    ]


def _connect(pairs: Iterable[Pair]) -> list[tuple[list[int], Pair]]:
    """Clips that pairs connect, directly or through others, and the most distant pair of each group."""
    group_of: dict[int, list[int]] = {}
    worst: dict[int, Pair] = {}
    for pair in sorted(pairs, key=lambda pair: pair.distance):  # so that the last one seen is the worst
        one, other = (group_of.setdefault(index, [index]) for index in pair[:2])
        if one is not other:
            one += other
            group_of |= dict.fromkeys(other, one)
        worst[id(one)] = pair
    groups = {id(group): sorted(group) for group in group_of.values()}
    return sorted((members, worst[key]) for key, members in groups.items())


def judge_copies(groups: Sequence[Copies]) -> list[Finding]:
    """One finding per recording: a warning where its copies are in two splits, else a note."""
    findings = []
    for group in groups:
        splits = splits_of(group.entries)
        shifted = f", shifted by {abs(group.delay_s):.2f} s" if len(group.entries) == 2 else ""
        apart = "in two splits; keep one" if len(splits) > 1 else f"both in {splits[0]}"
        detail = f"{named(group.entries)} sound alike (distance {group.distance:.2f}{shifted}): {apart}"
        ids = [entry.clip_id for entry in group.entries]
        severity: Severity = "warning" if len(splits) > 1 else "note"
        findings.append(Finding("near-identical", severity, splits, ids, detail))
    return findings
