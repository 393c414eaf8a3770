"""Votes of several raters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpora.votes import majority, parse_votes, share, tally, votes_by_class, votes_text


def test_a_rater_may_choose_several_emotions_each_once() -> None:
    votes = tally([["sad", "sad", "angry"], ["sad"], ["neutral"]])
    assert votes == {"sad": 2.0, "angry": 1.0, "neutral": 1.0}
    assert majority(votes) == "sad"
    assert share(votes, 3, "sad") == pytest.approx(2 / 3)
    assert share(votes, None, "sad") == 0.5
    assert (share(votes, 3, "happy"), share({}, 3, "sad")) == (0.0, None)


def test_a_tie_has_no_majority() -> None:
    assert majority({"sad": 2.0, "angry": 2.0, "fear": 1.0}) == majority({}) == ""


@pytest.mark.parametrize(
    ("text", "votes"),
    [
        ("", {}),
        ("angry:3; neutral:1", {"angry": 3, "neutral": 1}),
        ("angry=3|neutral=0.5", {"angry": 3, "neutral": 0.5}),
        ('{"pleasant surprise": 2}', {"pleasant surprise": 2}),
    ],
)
def test_votes_of_a_table(text: str, votes: dict[str, float]) -> None:
    assert parse_votes(text) == votes


@pytest.mark.parametrize("text", ["angry", "angry:x", "{", '{"angry": -1}', '{"angry": 1e999}'])
def test_what_is_no_list_of_votes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"votes|float|Expecting"):
        parse_votes(text)


@given(st.dictionaries(st.text(min_size=1), st.floats(0, 1e6)))
def test_what_is_written_is_read(votes: dict[str, float]) -> None:
    assert parse_votes(votes_text(votes)) == votes


def test_votes_for_emotions_of_one_class_are_added() -> None:
    votes = {"fear": 1.0, "sad": 2.0, "other": 4.0, "angry": 0.0}
    assert votes_by_class(votes, {"fear": "sad", "sad": "sad", "angry": "angry"}) == {"sad": 3.0}
    assert votes_by_class({}, {"sad": "sad"}) == {}
