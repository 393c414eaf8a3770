"""Votes become shares of the classes."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurize.errors import TrainingError
from featurize.shards import Row, write_shard
from model.feature_splits import load_features
from model.vote_shares import read_votes

LABELS = ["happy", "sad", "angry"]


def test_shares_are_in_class_order_and_nan_without_votes() -> None:
    cells = ['{"sad": 3.0, "happy": 1.0}', "", '{"angry": 0.0}', '{"angry": 2.5}']
    nothing = [np.nan] * 3
    expected = [[0.25, 0.75, 0], nothing, nothing, [0, 0, 1]]
    np.testing.assert_array_equal(read_votes(cells, LABELS), np.array(expected, np.float32))


def test_a_vote_for_another_class_is_named() -> None:
    with pytest.raises(TrainingError, match=r"votes for 'calm', which is not among happy, sad, angry; run"):
        read_votes(['{"calm": 1}'], LABELS)


@given(st.lists(st.dictionaries(st.sampled_from(LABELS), st.floats(0.01, 50)), min_size=1))
def test_shares_sum_to_one_and_only_their_ratios_count(votes: list[dict[str, float]]) -> None:
    shares = read_votes([json.dumps(each) if each else "" for each in votes], LABELS)
    assert shares.sum(axis=1) == pytest.approx([1 if each else np.nan for each in votes], nan_ok=True)
    twice = [json.dumps({label: 2 * number for label, number in each.items()}) for each in votes]
    np.testing.assert_allclose(read_votes(twice, LABELS), shares, rtol=1e-6)


def test_a_split_has_the_votes_of_its_shards(tmp_path: Path) -> None:
    def rows(*cells: str) -> list[Row]:
        fields = {"label": "sad", "split": "train"}
        return [Row({**fields, "class_votes": cell}, np.zeros((2, 3), np.float32)) for cell in cells]

    write_shard(tmp_path / "a.h5", "mfcc", rows('{"sad": 1}', ""), {})
    write_shard(tmp_path / "b.h5", "mfcc", rows('{"sad": 1, "angry": 1}'), {})
    features = load_features([tmp_path / "a.h5", tmp_path / "b.h5"], LABELS, "train")
    assert features.votes is not None
    assert np.isfinite(features.votes[:, 0]).tolist() == [True, False, True]
    assert features.votes[2].tolist() == [0, 0.5, 0.5]
