"""Copies: from pairs of fingerprints to findings."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.audit.copies import group_copies, judge_copies
from pipeline.audit.finding import Entry
from pipeline.corpora.clip import Clip

Words = NDArray[np.uint32]


def entry(name: str, split: str, sha256: str) -> Entry:
    return Entry(Clip(name, Path(name), "x", "s", "", "sad"), "sad", sha256, split)


def with_errors(words: Words, bits: int) -> Words:
    """The same words, with the lowest bits of every second one flipped."""
    changed = words.copy()
    changed[::2] ^= np.uint32(2**bits - 1)
    return changed


@pytest.fixture
def prints() -> dict[str, Words]:
    rng = np.random.default_rng(0)
    one, other = (rng.integers(1, 2**32, 100, dtype=np.uint32) for _ in range(2))
    return {"1": one, "1a": with_errors(one, 4), "1b": with_errors(one, 8), "2": other}


def test_copies_form_groups(prints: dict[str, Words]) -> None:
    entries = [
        entry("a", "train", "1"),
        entry("z", "train", "2"),
        entry("b", "train", "1a"),
        entry("c", "test", "1b"),
        entry("again", "test", "1b"),
        entry("undecodable", "test", "9"),
    ]
    (group,) = group_copies(entries, prints, 0.16)
    assert [e.clip_id for e in group.entries] == ["a", "b", "c"]
    assert group.distance == pytest.approx(8 / 64)
    (finding,) = judge_copies([group])
    assert (finding.kind, finding.severity) == ("near-identical", "warning")
    assert finding.splits == ["train", "test"]
    assert finding.clips == ["a", "b", "c"]
    assert finding.detail.startswith("a (train), b (train), c (test) ")
    assert finding.detail.endswith("(distance 0.12): in two splits; keep one")


def test_copies_in_one_split_are_a_note(prints: dict[str, Words]) -> None:
    entries = [entry("a", "test", "1"), entry("b", "test", "1a"), entry("c", "test", "2")]
    (finding,) = judge_copies(group_copies(entries, prints, 0.16))
    assert (finding.severity, finding.splits) == ("note", ["test"])
    assert finding.detail.endswith("(distance 0.06, shifted by 0.00 s): both in test")


def test_the_threshold_decides(prints: dict[str, Words]) -> None:
    entries = [entry("a", "test", "1"), entry("b", "train", "1b")]
    assert len(group_copies(entries, prints, 0.13)) == 1
    assert group_copies(entries, prints, 0.12) == []
    assert group_copies(entries, {}, 0.16) == []
