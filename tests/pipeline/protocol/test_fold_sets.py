"""Published folds: which set is chosen, and whether it keeps speakers apart."""

import pytest

from featurize.errors import SplitError
from pipeline.protocol.division import Item
from pipeline.protocol.fold_sets import FoldSet, find_fold_set, leave_one_out, shared_speakers
from pipeline.protocol.split_params import SplitParams
from pipeline.protocol.splits import divide

HONEST = FoldSet("theirs", "They 2020", (("a", "b"), ("c",)))
GIVEN = FoldSet("published-speaker-dependent", "They 2020")


def test_the_default_is_the_first_set_that_keeps_speakers_apart() -> None:
    assert find_fold_set("auto", [GIVEN, HONEST]) is HONEST
    assert find_fold_set("auto", [GIVEN]) is None
    assert find_fold_set("auto", [FoldSet("one", "They", (("a",),))]) is None, "it does not test on everybody"
    assert find_fold_set("published-speaker-dependent", [GIVEN, HONEST]) is GIVEN
    assert find_fold_set("loso", [HONEST]) is find_fold_set(5, [HONEST]) is None


def test_an_unknown_name_is_refused_with_those_that_exist() -> None:
    with pytest.raises(SplitError, match=r"no folds 'emobx'; it takes auto, .*, theirs"):
        find_fold_set("emobx", [HONEST])


def test_speakers_are_compared() -> None:
    assert shared_speakers(HONEST) == shared_speakers(leave_one_out("x", "y", "abc")) == []
    assert shared_speakers(FoldSet("x", "y", (("a", "b"), ("b",)))) == ["b"]
    assert shared_speakers(FoldSet("x", "y", (("a",), ("b",)), (("c",), ("b",)))) == ["b"]


def items_of(*clips: tuple[str, str]) -> list[Item]:
    """Two clips, one for each class, of each (speaker, given split or session)."""
    return [
        Item(f"{n}{label}", speaker, "", label, word if word in {"train", "val", "test"} else "", word)
        for n, (speaker, word) in enumerate(clips)
        for label in ("x", "y")
    ]


def test_a_set_without_speakers_is_the_split_of_the_clips_and_is_stamped_where_it_shares_speakers() -> None:
    params = SplitParams(folds=GIVEN.name)
    shared = divide(items_of(("a", "train"), ("a", "test"), ("b", "val")), params, [GIVEN])
    assert (shared.speaker_independent, shared.speakers_may_overlap) == (False, True)
    assert shared.folds is not None
    assert (shared.folds.kind, shared.folds.publisher) == ("published", "They 2020")
    apart = divide(items_of(("a", "train"), ("c", "test"), ("b", "val")), params, [GIVEN])
    assert apart.speaker_independent


def test_a_set_under_an_honest_name_does_not_allow_shared_speakers() -> None:
    given = FoldSet("partition", "They 2020")
    division = divide(items_of(("a", "train"), ("a", "test"), ("b", "val")), SplitParams(), [given])
    assert (division.speaker_independent, division.speakers_may_overlap) == (False, False)


def test_published_validation_speakers_are_used() -> None:
    folds = FoldSet("theirs", "They", (("a",),), (("b", "e"),))
    items = items_of(("a", ""), ("b", ""), ("c", ""), ("d", ""))
    division = divide(items, SplitParams(folds="theirs"), [folds])
    assert {i.speaker for i, s in zip(items, division.splits, strict=True) if s == "val"} == {"b"}
    assert division.val == "the 1 speaker published by They"


def test_a_session_is_left_out_with_all_its_speakers() -> None:
    items = items_of(("1f", "s1"), ("1m", "s1"), ("2f", "s2"), ("2m", "s2"), ("3f", "s3"))
    for fold, session in enumerate(("s1", "s2", "s3"), start=1):
        division = divide(items, SplitParams(folds="session", fold=fold))
        tested = {i.session for i, s in zip(items, division.splits, strict=True) if s == "test"}
        assert tested == {session}
        assert division.speaker_independent
        assert division.folds is not None
        assert (division.folds.kind, division.folds.number) == ("session", 3)


def test_sessions_that_share_a_speaker_are_refused() -> None:
    with pytest.raises(SplitError, match="1f spoke in several sessions"):
        divide(items_of(("1f", "s1"), ("1f", "s2"), ("2f", "s3"), ("2m", "s3")), SplitParams(folds="session"))
    with pytest.raises(SplitError, match="not every clip has a session"):
        divide(items_of(("1f", "s1"), ("2f", ""), ("2m", "")), SplitParams(folds="session"))
