"""Splits: each speaker in one split, and each clip in a split."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from featurize.errors import SplitError
from pipeline.corpora.by_name.ravdess import RAVDESS
from pipeline.protocol.division import Division, Item
from pipeline.protocol.fold_sets import FoldSet
from pipeline.protocol.folds import FoldScheme
from pipeline.protocol.split_params import SPLITS, SplitParams
from pipeline.protocol.splits import divide
from tests.pipeline.made_up import confounded_items

LABELS = ("a", "b")
EMOBOX = RAVDESS.facts.fold_sets
EMOBOX_FOLDS = EMOBOX[0].test


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


@given(
    drawn=st.lists(st.sampled_from(["female", "male", ""]), min_size=4, max_size=14), seed=st.integers(0, 9)
)
def test_folds_of_like_speakers_are_even_in_speakers_and_gender(drawn: list[str], seed: int) -> None:
    genders = {f"s{number:02d}": gender for number, gender in enumerate(drawn)}
    items = items_of(dict.fromkeys(genders, 4), genders)
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
        division = divide(items, SplitParams(fold=fold), EMOBOX)
        assert speakers_in(items, division)["test"] == set(actors)
        assert division.folds == FoldScheme(kind="published", number=6, publisher="EmoBox")
    assert divide(items, SplitParams(folds=6), EMOBOX).folds == FoldScheme(kind="dealt", number=6)
    with pytest.raises(SplitError, match="7 is not one of the folds 1 to 6"):
        divide(items, SplitParams(fold=7), EMOBOX)


def test_published_folds_of_half_a_corpus() -> None:
    items = items_of({"01": 2, "02": 2, "04": 2, "05": 2})
    assert speakers_in(items, divide(items, SplitParams(fold=1), EMOBOX))["test"] == {"01"}
    with pytest.raises(SplitError, match=r"no speaker of fold 3, only of 1, 2"):
        divide(items, SplitParams(fold=3), EMOBOX)
    with pytest.raises(SplitError, match="lack the speakers 99"):
        divide(items_of({"01": 2, "02": 2, "99": 2}), SplitParams(), EMOBOX)


@pytest.mark.parametrize(
    ("clips", "params", "expected"),
    [
        ({"x": 2, "y": 2, "z": 2}, SplitParams(folds=4), "4 folds, but only 3 speakers"),
        ({"x": 2, "y": 2, "z": 2}, SplitParams(folds=3, fold=4), "4 is not one of the folds 1 to 3"),
        ({"x": 2, "y": 2, "z": 2}, SplitParams(folds="loso", fold=4), "4 is not one of the folds 1 to 3"),
        ({"x": 2, "y": 2}, SplitParams(), "2 speakers, but train, val and test need one each"),
        ({"x": 2, "y": 2}, SplitParams(), r"or set split\.method=random, which is stamped"),
        ({"x": 2, "y": 2}, SplitParams(folds="loso"), r"set split\.method=random split\.folds=auto, which"),
        ({"x": 2}, SplitParams(), "1 speaker, but train, val and test need one each"),
        (
            {"x": 2, "y": 2, "": 2},
            SplitParams(),
            r"2 of 6 clips have no speaker \(first: /0\).*fill the empty cells of the column speaker, or",
        ),
        (
            {"": 2},
            SplitParams(),
            r"2 of 2 clips .*add a column speaker \(or fill it, where it is there but empty or nan\), or",
        ),
        ({"x": 9}, SplitParams(method="predefined"), "9 of 9 clips have no split"),
        ({"x": 9}, SplitParams(method="random", folds="loso"), "which split.method random cannot"),
        ({"x": 9}, SplitParams(method="random", fold=6), "6 is not one of the folds 1 to 5"),
        ({"x": 2}, SplitParams(method="random"), "no clip in"),
    ],
)
def test_impossible_splits_are_errors(clips: dict[str, int], params: SplitParams, expected: str) -> None:
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


def test_a_class_missing_in_train_is_an_error_and_elsewhere_a_finding() -> None:
    rows = [("x", "a", "train"), ("y", "a", "val"), ("y", "b", "val"), ("z", "b", "test")]
    with pytest.raises(SplitError, match="no clip of b in train"):
        divide(given_items(*rows), SplitParams(method="predefined"))
    division = divide(given_items(*rows, ("x", "b", "train")), SplitParams(method="predefined"))
    assert division.missing == {"test": ["a"]}
    assert "split column" in division.remedy


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
        {"folds": ""},
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


def settings_in(advice: str) -> dict[str, object]:
    """The settings that a message tells to make, such as split.fold=2; of several values for one, the first."""
    found = reversed(re.findall(r"split\.(\w+)=(\w+)", advice))
    return {name: int(value) if value.isdigit() else value for name, value in found}


@pytest.mark.parametrize(
    ("clips", "params", "published"),
    [
        ({"x": 20}, {}, ()),
        ({"x": 20, "y": 20}, {}, ()),
        ({"x": 20, "y": 20}, {"folds": "loso", "fold": 2}, ()),
        ({"x": 20, "y": 20}, {"folds": 4}, ()),
        ({"x": 20}, {"method": "random", "folds": "loso"}, ()),
        ({"x": 2, "y": 2, "z": 2}, {"folds": 4}, ()),
        ({"x": 2, "y": 2, "z": 2, "": 8}, {}, ()),
        ({"01": 2, "02": 2, "99": 2}, {}, EMOBOX_FOLDS),
        ({"01": 2, "02": 2, "03": 2, "04": 2}, {"fold": 2}, (("01",), ("02", "03", "04"))),
    ],
)
def test_advice_can_be_followed(
    clips: dict[str, int], params: dict[str, object], published: tuple[tuple[str, ...], ...]
) -> None:
    items, sets = items_of(clips), [FoldSet("emobox", "EmoBox", published)] if published else []
    with pytest.raises(SplitError) as error:
        divide(items, SplitParams.model_validate(params), sets)
    followed = SplitParams.model_validate(params | settings_in(str(error.value)))
    division = divide(items, followed, sets)
    assert set(division.splits) == set(SPLITS)
    if followed.method == "random" and "method" not in params:
        assert "stamped speaker-dependent" in str(error.value)
        assert not division.speaker_independent


def test_advice_on_two_folds_of_three_speakers_can_be_followed() -> None:
    items = items_of({"x": 2, "y": 2, "z": 2})
    advice = []
    for fold in (1, 2):
        try:
            divide(items, SplitParams(folds=2, fold=fold))
        except SplitError as error:
            advice.append(str(error))
    assert len(advice) == 1, "the test fold of two speakers leaves one"
    assert set(divide(items, SplitParams.model_validate(settings_in(advice[0]))).splits) == set(SPLITS)


def test_advice_on_validation_from_one_train_speaker_can_be_followed() -> None:
    rows = [("x", label, "train") for label in LABELS] + [("z", label, "test") for label in LABELS]
    more = [("y", label, "train") for label in LABELS]
    params = SplitParams(method="predefined")
    with pytest.raises(SplitError, match="only speaker is x; mark another speaker's clips val"):
        divide(given_items(*rows), params)
    marked = [(speaker, label, "val") for speaker, label, _ in more]
    assert set(divide(given_items(*rows, *marked), params).splits) == set(SPLITS)
    assert set(divide(given_items(*rows, *more), params).splits) == set(SPLITS)


def test_speakers_with_one_class_each_leave_no_split_without_a_class() -> None:
    items = confounded_items()
    one_class = Counter(
        len({i.label for i in items if i.speaker == name}) for name in {i.speaker for i in items}
    )
    assert (len(items), one_class) == (400, {1: 26, 2: 3})
    for fold in range(1, 6):
        division = divide(items, SplitParams(fold=fold))
        assert division.missing == {}
        clips = Counter(division.splits)
        assert abs(clips["test"] - 80) <= 8
        assert abs(clips["val"] - 64) <= 16


def test_the_fold_that_has_every_class_is_named() -> None:
    items = confounded_items()
    alone = divide(items, SplitParams(folds="loso"))
    assert len(alone.missing["test"]) >= 2
    followed = SplitParams.model_validate(settings_in(alone.remedy))
    assert divide(items, followed).missing == {}
    of_three = [Item(f"{n}", f"s{n % 12:02d}", "", "b" if n % 12 < 3 else "a") for n in range(120)]
    divisions = {fold: divide(of_three, SplitParams(folds=4, fold=fold)) for fold in range(1, 5)}
    lacking = [fold for fold, division in divisions.items() if division.missing]
    assert len(lacking) == 1, "three speakers say b, and there are four folds"
    good = settings_in(divisions[lacking[0]].remedy)
    assert divisions[int(str(good["fold"]))].missing == {}


def test_a_class_of_two_speakers_cannot_be_in_every_split() -> None:
    items = [Item(f"{n}", f"s{n % 8}", "", "b" if n % 8 < 2 else "a") for n in range(80)]
    divisions = [divide(items, SplitParams(folds=4, fold=fold)) for fold in range(1, 5)]
    assert all("train" not in division.missing for division in divisions)
    assert {tuple(division.missing) for division in divisions} <= {
        ("val",),
        ("test",),
        ("test", "val"),
        ("val", "test"),
    }
    assert all("b has 2" in division.remedy for division in divisions)
    single = [Item(f"{n}", f"s{n % 8}", "", "b" if n % 8 < 1 else "a") for n in range(80)]
    outcomes = []
    for fold in range(1, 5):
        try:
            outcomes.append("b" in divide(single, SplitParams(folds=4, fold=fold)).missing["test"])
        except SplitError as error:
            outcomes.append("no clip of b in train" in str(error))
    assert outcomes == [True] * 4


THREE = [
    Item(f"{corpus}/{speaker}/{number}", f"{corpus}/{speaker}", "", LABELS[number % 2], corpus=corpus)
    for corpus, speakers in (("x", 10), ("y", 6), ("z", 5))
    for speaker in range(speakers)
    for number in range(4)
]


def corpora_in(division: Division) -> dict[str, set[str]]:
    return {
        split: {item.corpus for item, name in zip(THREE, division.splits, strict=True) if name == split}
        for split in SPLITS
    }


@pytest.mark.parametrize(("fold", "corpus"), [(1, "x"), (2, "y"), (3, "z")])
def test_one_corpus_is_left_out_or_trained_on(fold: int, corpus: str) -> None:
    left_out = divide(THREE, SplitParams(method="corpus", fold=fold))
    others = {"x", "y", "z"} - {corpus}
    assert corpora_in(left_out) == {"train": others, "val": others, "test": {corpus}}
    assert left_out.folds == FoldScheme(kind="corpus", number=3)
    alone = divide(THREE, SplitParams(method="one-corpus", fold=fold))
    assert corpora_in(alone) == {"train": {corpus}, "val": {corpus}, "test": {"x", "y", "z"}}
    for division in (left_out, alone):
        splits = list(speakers_in(THREE, division).values())
        assert sum(map(len, splits)) == 21
        assert len(set.union(*splits)) == 21
        assert division.speaker_independent


def test_speakers_of_every_corpus_are_in_every_split() -> None:
    division = divide(THREE, SplitParams(folds=4))
    assert corpora_in(division) == {split: {"x", "y", "z"} for split in SPLITS}


def test_leaving_out_needs_several_corpora_with_speakers() -> None:
    one = [item for item in THREE if item.corpus == "x"]
    with pytest.raises(SplitError, match=r"there are clips of x alone; name them in corpus\.members"):
        divide(one, SplitParams(method="corpus"))
    with pytest.raises(SplitError, match="4 is not one of the folds 1 to 3"):
        divide(THREE, SplitParams(method="corpus", fold=4))
    few = [item for item in THREE if item.corpus != "z" or item.speaker in {"z/0", "z/1"}]
    with pytest.raises(SplitError, match="1 speaker beside those tested on"):
        divide(few, SplitParams(method="one-corpus", fold=3))
