"""Assignment of speakers and clips: each in one fold, and balanced folds."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurize.errors import SplitError
from pipeline.protocol.balance import Speaker
from pipeline.protocol.fold_sets import FoldSet
from pipeline.protocol.folds import (
    choose_folds,
    speaker_folds,
    stratified_folds,
    stratified_share,
    validation_speakers,
)

genders_of = st.dictionaries(
    st.text("abcdé1", min_size=1, max_size=4),
    st.sampled_from(["female", "male", ""]),
    min_size=2,
    max_size=20,
)
labels_of = st.dictionaries(st.text("abcdé1", min_size=1, max_size=4), st.sampled_from("xyz"), min_size=1)
seeds = st.integers(0, 99)


def speakers_of(genders: dict[str, str], clips: int = 3) -> list[Speaker]:
    return [Speaker(name, gender, {"x": clips, "y": clips}) for name, gender in genders.items()]


def spread(numbers: list[int]) -> int:
    return max(numbers) - min(numbers)


@given(genders=genders_of, num_folds=st.integers(2, 6), seed=seeds)
def test_every_speaker_is_in_one_fold_and_genders_are_even(
    genders: dict[str, str], num_folds: int, seed: int
) -> None:
    num_folds = min(num_folds, len(genders))
    folds = speaker_folds(speakers_of(genders), num_folds, seed)
    assert sorted(speaker for fold in folds for speaker in fold) == sorted(genders)
    assert len(folds) == num_folds
    assert spread([len(fold) for fold in folds]) <= 1
    for gender in set(genders.values()):
        assert spread([sum(genders[speaker] == gender for speaker in fold) for fold in folds]) <= 1
    backwards = dict(reversed(genders.items()))
    assert speaker_folds(speakers_of(backwards), num_folds, seed) == folds


def test_clips_are_even_where_speakers_can_be() -> None:
    clips = dict(zip("abcdef", [60, 10, 50, 20, 40, 30], strict=True))
    folds = speaker_folds([Speaker(name, "", {"x": number}) for name, number in clips.items()], 3, seed=0)
    assert [sum(clips[speaker] for speaker in fold) for fold in folds] == [70, 70, 70]


@given(genders=genders_of, share=st.floats(0.05, 0.9), seed=seeds)
def test_validation_takes_its_share_of_each_gender_and_leaves_some_to_train(
    genders: dict[str, str], share: float, seed: int
) -> None:
    chosen = validation_speakers(speakers_of(genders), share, [seed, 1])
    assert len(set(chosen)) == len(chosen)
    assert set(chosen) < set(genders)
    assert len(chosen) == min(max(1, round(share * len(genders))), len(genders) - 1)
    for gender, number in Counter(genders.values()).items():
        taken = sum(genders[speaker] == gender for speaker in chosen)
        assert abs(taken - number / len(genders) * len(chosen)) <= 1 + 1e-9
    assert validation_speakers(speakers_of(dict(reversed(genders.items()))), share, [seed, 1]) == chosen


def test_more_folds_than_speakers_and_unknown_speakers_of_published_folds_are_errors() -> None:
    speakers = speakers_of({"a": "", "b": "", "c": ""})
    with pytest.raises(SplitError, match=r"split\.folds=3"):
        choose_folds(speakers, 4, 0)
    with pytest.raises(SplitError, match=r"lack the speakers c"):
        choose_folds(speakers, "auto", 0, FoldSet("theirs", "them", (("a",), ("b",))))
    scheme, folds = choose_folds(speakers, "loso", 0)
    assert (scheme.kind, scheme.number, sorted(folds)) == ("loso", 3, [["a"], ["b"], ["c"]])


@given(labels=labels_of, num_folds=st.integers(2, 5), seed=seeds)
def test_labels_are_even_over_folds_of_clips(labels: dict[str, str], num_folds: int, seed: int) -> None:
    folds = stratified_folds(labels, num_folds, seed)
    assert folds.keys() == labels.keys()
    sizes = Counter(folds.values())
    assert spread([sizes[fold] for fold in range(num_folds)]) <= 1
    for label in set(labels.values()):
        of_label = Counter(folds[clip] for clip in labels if labels[clip] == label)
        assert spread([of_label[fold] for fold in range(num_folds)]) <= 1


@given(labels=labels_of, share=st.floats(0.01, 1.0), seed=seeds)
def test_a_share_of_the_clips_has_the_labels_of_all(labels: dict[str, str], share: float, seed: int) -> None:
    chosen = stratified_share(labels, share, seed)
    assert chosen <= labels.keys()
    assert len(chosen) == max(1, round(share * len(labels)))
    for label, number in Counter(labels.values()).items():
        taken = sum(labels[clip] == label for clip in chosen)
        assert abs(taken - number / len(labels) * len(chosen)) < 1 + 1e-9


def test_seeds_give_different_folds() -> None:
    names = [f"s{number}" for number in range(12)]
    alike, labels = speakers_of(dict.fromkeys(names, "")), dict.fromkeys(names, "x")
    assert len({repr(speaker_folds(alike, 3, seed)) for seed in range(9)}) > 1
    assert len({repr(validation_speakers(alike, 0.3, [seed])) for seed in range(9)}) > 1
    assert len({repr(sorted(stratified_folds(labels, 3, seed).items())) for seed in range(9)}) > 1
    assert len({repr(sorted(stratified_share(labels, 0.3, seed))) for seed in range(9)}) > 1
