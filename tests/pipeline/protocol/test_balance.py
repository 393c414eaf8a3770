"""Balanced groups of speakers, compared with an exhaustive search."""

import random
from collections import Counter
from collections.abc import Sequence
from itertools import product

import pytest

from pipeline.protocol import balance as module
from pipeline.protocol.balance import Group, Speaker, assign_greedily, balance
from pipeline.protocol.division import Item
from pipeline.protocol.folds import speaker_folds, validation_speakers
from tests.pipeline.made_up import confounded_items

GOLDEN_FOLDS = [
    ["s00", "s11", "s13", "s15", "s25", "s26"],
    ["s01", "s07", "s17", "s20", "s24", "s27"],
    ["s03", "s06", "s09", "s14", "s23", "s28"],
    ["s02", "s10", "s12", "s16", "s21"],
    ["s04", "s05", "s08", "s18", "s19", "s22"],
]
GOLDEN_VAL = ["s03", "s05", "s09", "s16", "s22"]
GOLDEN_ALIKE = [["s7", "s8"], ["s1", "s4"], ["s2", "s5"], ["s0", "s3"], ["s6", "s9"]]


def speakers_of(items: Sequence[Item]) -> list[Speaker]:
    genders = {item.speaker: item.gender for item in items}
    return [
        Speaker(name, genders[name], Counter(item.label for item in items if item.speaker == name))
        for name in sorted(genders)
    ]


def cost(members: Sequence[Sequence[Speaker]], groups: Sequence[Group]) -> float:
    """The formula of the module's docstring, spelled out."""
    everyone = [speaker for own in members for speaker in own]
    labels = sorted({label for speaker in everyone for label in speaker.clips})
    genders = sorted({speaker.gender for speaker in everyone})

    def counts(own: Sequence[Speaker]) -> list[list[int]]:
        return [
            [sum(speaker.clips.get(label, 0) for speaker in own) for label in labels],
            [sum(speaker.gender == gender for speaker in own) for gender in genders],
            [sum(sum(speaker.clips.values()) for speaker in own)],
            [len(own)],
        ]

    total = 0.0
    for own, group in zip(members, groups, strict=True):
        for kind, whole in zip(counts(own), counts(everyone), strict=True):
            total += sum(
                ((n / (group.share * all_)) - 1) ** 2 for n, all_ in zip(kind, whole, strict=True)
            ) / len(kind)
        total += group.missing * counts(own)[0].count(0)
    return total


def small_corpus(seed: int) -> list[Speaker]:
    """Five to seven speakers, most of them with one of three labels."""
    rng = random.Random(seed)
    return [
        Speaker(
            f"s{number}",
            rng.choice(["female", "male"]),
            {label: rng.randint(1, 9) for label in rng.sample("abc", rng.choice([1, 1, 2]))},
        )
        for number in range(rng.randint(5, 7))
    ]


@pytest.mark.parametrize("num_folds", [2, 3])
def test_small_corpora_get_optimal_folds(num_folds: int) -> None:
    within = []
    for seed in range(12):
        speakers = small_corpus(seed)
        named = {speaker.name: speaker for speaker in speakers}
        groups = [Group(1 / num_folds, min(2, len(speakers) // num_folds))] * num_folds
        ways = [
            [[s for s, g in zip(speakers, way, strict=True) if g == group] for group in range(num_folds)]
            for way in product(range(num_folds), repeat=len(speakers))
            if way[0] == 0  # the folds' numbers do not matter
        ]
        best = min(cost(way, groups) for way in ways if min(map(len, way)) >= groups[0].least)
        found = [[named[name] for name in fold] for fold in speaker_folds(speakers, num_folds, 0)]
        assert cost(found, groups) < best + 50, "a class is missing where it need not be"
        within.append(cost(found, groups) <= 1.1 * best + 0.05)
    assert sum(within) >= 11, "moves and swaps end in a poor place more than once in a dozen"


def test_validation_speakers_are_optimal() -> None:
    within = []
    for seed in range(12):
        speakers = small_corpus(seed)
        wanted = round(0.4 * len(speakers))
        groups = [Group(wanted / len(speakers), 2), Group(1 - wanted / len(speakers), 2, missing=10_000)]
        ways = [
            [[s for s, g in zip(speakers, way, strict=True) if g == group] for group in (0, 1)]
            for way in product((0, 1), repeat=len(speakers))
        ]
        best = min(cost(way, groups) for way in ways if min(map(len, way)) >= 2)
        val = validation_speakers(speakers, 0.4, (0, seed))
        found = [[s for s in speakers if (s.name in val) == chosen] for chosen in (True, False)]
        assert cost(found, groups) < best + 50
        within.append(cost(found, groups) <= 1.1 * best + 0.05)
    assert sum(within) >= 11


def test_the_better_start_wins_and_equals_go_to_the_first() -> None:
    a, b, c, d = (Speaker(name, "", {"x": 1}) for name in "abcd")
    groups = [Group(0.5, 2), Group(0.5, 2)]
    assert balance([[[a, b], [c, d]], [[a, c], [b, d]]], groups) == [[a, b], [c, d]]
    assert balance([[[a, b, c], [d]]], groups) != [[a, b, c], [d]]


def test_a_damaged_clip_does_not_reassign_speakers() -> None:
    whole = [
        Speaker(f"s{n:02d}", "female" if n % 2 else "male", {"a": 20, "b": 20, "c": 20}) for n in range(20)
    ]
    damaged = [Speaker("s07", "female", {"a": 20, "b": 19, "c": 20}) if s.name == "s07" else s for s in whole]
    for seed in range(5):
        assert validation_speakers(whole, 0.2, (seed, 1)) == validation_speakers(damaged, 0.2, (seed, 1))
        folds = speaker_folds(whole, 5, seed)
        assert [Counter(int(name[1:]) % 2 for name in fold) for fold in folds] == [{0: 2, 1: 2}] * 5


def test_groups_keep_as_many_speakers_as_they_must() -> None:
    heavy = [Speaker("h", "", {"x": 1000}), *(Speaker(f"s{n}", "", {"x": 1}) for n in range(3))]
    assert sorted(map(len, speaker_folds(heavy, 2, 0))) == [2, 2]
    groups = [Group(0.2, 1)] * 4
    assert min(map(len, assign_greedily(heavy, groups))) == 1


def test_the_search_ends_after_so_many_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    speakers = speakers_of(confounded_items())
    even = [speakers[number::5] for number in range(5)]
    groups = [Group(0.2, 2)] * 5
    monkeypatch.setattr(module, "TRIES", 0)
    assert balance([even], groups) == even
    monkeypatch.setattr(module, "TRIES", 500)
    assert cost(balance([even], groups), groups) < cost(even, groups)


def test_folds_are_unchanged() -> None:
    """Golden: whoever changes the folds of a seed changes everybody's scores.

    They depend on Python's `random.Random(seed).shuffle`, the same since Python 3.2, and on IEEE arithmetic; not on
    numpy or scikit-learn.
    """
    speakers = speakers_of(confounded_items())
    assert speaker_folds(speakers, 5, 0) == GOLDEN_FOLDS
    assert speaker_folds(speakers[::-1], 5, 0) == GOLDEN_FOLDS
    rest = [speaker for speaker in speakers if speaker.name not in GOLDEN_FOLDS[0]]
    assert validation_speakers(rest, 0.2, (0, 1)) == GOLDEN_VAL
    assert speaker_folds(speakers, 5, 1) != GOLDEN_FOLDS
    alike = [Speaker(f"s{n}", "female" if n % 2 else "male", {"a": 9, "b": 9}) for n in range(10)]
    assert speaker_folds(alike, 5, 0) == GOLDEN_ALIKE
