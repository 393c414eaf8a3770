"""Splits: every speaker in one place, and every clip somewhere."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from featurize.errors import SplitError
from pipeline.corpora.ravdess import EMOBOX_FOLDS
from pipeline.protocol.folds import FoldScheme
from pipeline.protocol.splits import SPLITS, Division, Item, SplitParams, divide

LABELS = ("a", "b")


def items_of(clips_of_speaker: dict[str, int], genders: dict[str, str] | None = None) -> list[Item]:
    return [
        Item(f"{speaker}/{number}", speaker, (genders or {}).get(speaker, ""), LABELS[number % 2])
        for speaker, count in clips_of_speaker.items()
        for number in range(count)
    ]


def speakers_in(items: list[Item], division: Division) -> dict[str, set[str]]:
    return {
        split: {item.speaker for item, name in zip(items, division.splits, strict=True) if name == split}
        for split in SPLITS
    }


corpora = st.dictionaries(
    st.text("abcdé1", min_size=1, max_size=4), st.integers(2, 9), min_size=4, max_size=14
).flatmap(
    lambda clips: st.fixed_dictionaries(
        {name: st.sampled_from(["female", "male", ""]) for name in clips}
    ).map(lambda genders: items_of(clips, genders))
)


@given(
    items=corpora,
    folds=st.one_of(st.integers(2, 6), st.sampled_from(["auto", "loso"])),
    seed=st.integers(0, 9),
)
def test_folds_partition_the_speakers_and_splits_are_disjoint(
    items: list[Item], folds: int, seed: int
) -> None:
    speakers = {item.speaker for item in items}
    number = {"auto": min(5, len(speakers)), "loso": len(speakers)}.get(str(folds), folds)
    if number > len(speakers) or (number == 2 and len(speakers) < 4):
        return
    tested: list[str] = []
    for fold in range(1, number + 1):
        params = SplitParams(folds=folds, fold=fold, seed=seed)
        division = divide(items, params)
        assert divide(list(reversed(items)), params).splits == division.splits[::-1]
        of_split = speakers_in(items, division)
        assert all(of_split.values())
        assert sum(len(names) for names in of_split.values()) == len(speakers)
        assert division.speaker_independent
        tested += of_split["test"]
    assert sorted(tested) == sorted(speakers)


@given(items=corpora, seed=st.integers(0, 9))
def test_folds_are_even_in_speakers_and_gender(items: list[Item], seed: int) -> None:
    genders = {item.speaker: item.gender for item in items}
    sizes, women = [], []
    for fold in range(1, 4):
        test = speakers_in(items, divide(items, SplitParams(folds=3, fold=fold, seed=seed)))["test"]
        sizes.append(len(test))
        women.append(sum(genders[name] == "female" for name in test))
    assert max(sizes) - min(sizes) <= 1
    assert max(women) - min(women) <= 1


def test_validation_speakers_follow_the_share_and_the_genders() -> None:
    genders = {f"f{n}": "female" for n in range(10)} | {f"m{n}": "male" for n in range(10)}
    items = items_of(dict.fromkeys(genders, 2), genders)
    for fold in range(1, 6):
        of_split = speakers_in(items, divide(items, SplitParams(fold=fold, val_share=0.25)))
        assert Counter(genders[name] for name in of_split["val"]) == {"female": 2, "male": 2}
        assert Counter(genders[name] for name in of_split["test"]) == {"female": 2, "male": 2}


def test_one_validation_speaker_is_not_always_of_one_gender() -> None:
    genders = {f"f{n}": "female" for n in range(3)} | {f"m{n}": "male" for n in range(3)}
    items = items_of(dict.fromkeys(genders, 2), genders)
    chosen = {
        next(iter(speakers_in(items, divide(items, SplitParams(folds=3, seed=seed)))["val"]))[0]
        for seed in range(20)
    }
    assert chosen == {"f", "m"}


def test_the_seed_changes_folds_and_validation() -> None:
    items = items_of({f"s{n:02d}": 2 for n in range(20)})
    divisions = [divide(items, SplitParams(seed=seed)).splits for seed in (0, 0, 1)]
    assert divisions[0] == divisions[1] != divisions[2]


def test_published_folds_are_used_where_folds_are_auto() -> None:
    items = items_of({f"{n:02d}": 2 for n in range(1, 25)})
    for fold, actors in enumerate(EMOBOX_FOLDS, start=1):
        division = divide(items, SplitParams(fold=fold), EMOBOX_FOLDS, "EmoBox")
        assert speakers_in(items, division)["test"] == set(actors)
        assert division.folds == FoldScheme(kind="published", number=6, publisher="EmoBox")
    assert divide(items, SplitParams(folds=6), EMOBOX_FOLDS, "EmoBox").folds == FoldScheme(
        kind="dealt", number=6
    )
    with pytest.raises(SplitError, match="7 is not one of the folds 1 to 6"):
        divide(items, SplitParams(fold=7), EMOBOX_FOLDS, "EmoBox")


def test_published_folds_of_half_a_corpus() -> None:
    items = items_of({"01": 2, "02": 2, "04": 2})
    assert speakers_in(items, divide(items, SplitParams(fold=1), EMOBOX_FOLDS, "EmoBox"))["test"] == {"01"}
    with pytest.raises(SplitError, match=r"split\.fold 3: none of its speakers"):
        divide(items, SplitParams(fold=3), EMOBOX_FOLDS, "EmoBox")
    with pytest.raises(SplitError, match="lack the speakers 99"):
        divide(items_of({"01": 2, "99": 2}), SplitParams(), EMOBOX_FOLDS, "EmoBox")


@pytest.mark.parametrize(
    ("clips", "params", "expected"),
    [
        ({"x": 2, "y": 2, "z": 2}, SplitParams(folds=4), "4 folds, but only 3 speakers"),
        ({"x": 2, "y": 2, "z": 2}, SplitParams(folds=3, fold=4), "4 is not one of the folds 1 to 3"),
        ({"x": 2, "y": 2, "z": 2}, SplitParams(folds="loso", fold=4), "4 is not one of the folds 1 to 3"),
        ({"x": 2, "y": 2}, SplitParams(), "1 speaker beside the test speakers"),
        ({"x": 2}, SplitParams(), "0 speaker beside the test speakers"),
        (
            {"x": 2, "y": 2, "": 2},
            SplitParams(),
            r"2 of 6 clips have no speaker \(first: /0\).*add a column speaker",
        ),
        ({"x": 9}, SplitParams(method="predefined"), "9 of 9 clips have no split"),
        ({"x": 9}, SplitParams(method="random", folds="loso"), "which split.method random cannot"),
        ({"x": 9}, SplitParams(method="random", fold=6), "6 is not one of the folds 1 to 5"),
        ({"x": 2}, SplitParams(method="random"), "no clip in"),
    ],
)
def test_the_impossible_is_one_line(clips: dict[str, int], params: SplitParams, expected: str) -> None:
    with pytest.raises(SplitError, match=expected) as error:
        divide(items_of(clips), params)
    assert "\n" not in str(error.value)


def given_items(*rows: tuple[str, str, str]) -> list[Item]:
    """Clips from (speaker, label, split)."""
    return [Item(f"c{n}", speaker, "", label, split) for n, (speaker, label, split) in enumerate(rows)]


def test_a_predefined_split_is_taken_as_it_is() -> None:
    items = given_items(*[(s, label, s) for s in SPLITS for label in LABELS])
    division = divide(items, SplitParams(method="predefined"))
    assert division.splits == [item.given for item in items]
    assert (division.folds, division.val, division.speaker_independent) == (None, "predefined", True)


def test_validation_is_taken_from_train_by_speakers() -> None:
    rows = [(f"s{n}", label, "train") for n in range(10) for label in LABELS]
    items = given_items(*rows, ("t", "a", "test"), ("t", "b", "test"))
    division = divide(items, SplitParams(method="predefined"))
    of_split = speakers_in(items, division)
    assert (len(of_split["val"]), len(of_split["train"]), of_split["test"]) == (2, 8, {"t"})
    assert not of_split["val"] & of_split["train"]
    assert division.val == "2 of 10 train speakers, by seed 0"


def test_validation_is_taken_from_train_by_clips_where_speakers_are_unknown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = [
        ("", label, split)
        for split in ("train", "train", "train", "train", "train", "test")
        for label in LABELS
    ]
    division = divide(given_items(*rows), SplitParams(method="predefined"))
    assert Counter(division.splits) == {"train": 8, "val": 2, "test": 2}
    assert not division.speaker_independent
    assert "speakers unknown" in division.val
    assert "may share speakers" in caplog.text


def test_a_predefined_split_without_test_is_one_line() -> None:
    items = given_items(*[(s, label, s) for s in ("train", "val") for label in LABELS])
    with pytest.raises(SplitError, match="no clip in test"):
        divide(items, SplitParams(method="predefined"))


def test_a_class_that_train_lacks_is_an_error_and_elsewhere_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = [("x", "a", "train"), ("y", "a", "val"), ("y", "b", "val"), ("z", "b", "test")]
    with pytest.raises(SplitError, match="no clip of class b in train"):
        divide(given_items(*rows), SplitParams(method="predefined"))
    divide(given_items(*rows, ("x", "b", "train")), SplitParams(method="predefined"))
    assert "no clip of class a in test" in caplog.text


@given(counts=st.tuples(st.integers(10, 40), st.integers(10, 40)), seed=st.integers(0, 5))
def test_random_is_stratified_and_its_folds_partition_the_clips(counts: tuple[int, int], seed: int) -> None:
    labels = [label for label, count in zip(LABELS, counts, strict=True) for _ in range(count)]
    items = [Item(f"c{n:03d}", "one", "", label) for n, label in enumerate(labels)]
    tested: Counter[str] = Counter()
    for fold in range(1, 6):
        division = divide(items, SplitParams(method="random", fold=fold, seed=seed))
        assert not division.speaker_independent
        pairs = Counter(zip(division.splits, labels, strict=True))
        tested.update(i.clip_id for i, split in zip(items, division.splits, strict=True) if split == "test")
        for label, count in zip(LABELS, counts, strict=True):
            assert abs(pairs["test", label] - count / 5) <= 1
            assert abs(pairs["val", label] - 0.2 * 0.8 * count) <= 2
    assert tested == Counter(item.clip_id for item in items)


@pytest.mark.parametrize(
    "wrong",
    [
        {"folds": 1},
        {"folds": "six"},
        {"fold": 0},
        {"val_share": 0},
        {"val_share": 1},
        {"method": "k"},
        {"seeds": 1},
    ],
)
def test_impossible_params_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SplitParams.model_validate(wrong)
