"""Mean and deviation of clips one after the other are those of all frames together."""

from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.moments import Moments


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    level=st.sampled_from([0.0, 1.0, -300.0, 1e4]),
    scale=st.sampled_from([1e-2, 1.0, 50.0]),
    seed=st.integers(0, 99),
)
def test_parts_together_are_the_whole(lengths: list[int], level: float, scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    clips = [
        (level + scale * (rng.standard_normal((length, 3)) + rng.standard_normal(3))).astype(np.float32)
        for length in lengths
    ]
    whole = np.concatenate(clips).astype(np.float64)
    found = reduce(add, map(Moments.of, clips))
    turned = reduce(add, map(Moments.of, clips[::-1]))
    for moments in (found, turned):
        np.testing.assert_allclose(moments.statistics[0], whole.mean(axis=0), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(moments.square / len(whole), whole.var(axis=0), rtol=1e-9, atol=1e-12)
    by = (np.array([1.0, -2.0, level]), np.array([3.0, scale, 0.5]))
    mean, _ = found.standardised(by).statistics
    np.testing.assert_allclose(mean, ((whole - by[0]) / by[1]).mean(axis=0), rtol=1e-9, atol=1e-9)


def test_a_small_deviation_at_a_high_level_is_not_lost() -> None:
    """Where a mean of squares minus the square of the mean has no digit left."""
    rng = np.random.default_rng(0)
    clips = [np.float32(2**20) + rng.integers(0, 2, (50, 1)).astype(np.float32) for _ in range(200)]
    whole = np.concatenate(clips).astype(np.float64)
    found = reduce(add, map(Moments.of, clips))
    assert found.square / found.count == pytest.approx(whole.var(), rel=1e-9)


def test_a_constant_channel_has_a_deviation_of_1() -> None:
    clips = [np.full((length, 2), (-300.1, 0.0), dtype=np.float32) for length in (5, 1, 9)]
    mean, std = reduce(add, map(Moments.of, clips)).statistics
    assert mean == pytest.approx([-300.1, 0], rel=1e-6)
    assert std.tolist() == [1, 1]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_sum_shows_what_is_not_finite(value: float) -> None:
    clip = np.full((4, 2), np.finfo(np.float32).max)
    assert np.isfinite(Moments.of(clip).total).all()
    clip[2, 1] = value
    with np.errstate(invalid="ignore"):
        assert np.isfinite(Moments.of(clip).total).tolist() == [True, False]
