"""The concordance is Lin's, and its interval the jackknife over speakers on the scale of Fisher's z."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torchmetrics.functional import concordance_corrcoef

from model.scoring.concordance import concordance, score_dimension


def test_concordance_of_a_case_worked_by_hand() -> None:
    # means 2 and 3, variances 2/3 each, covariance 2/3: 2 · 2/3 / (4/3 + 1) = 4/7
    assert concordance(np.array([1.0, 2, 3]), np.array([2.0, 3, 4])) == pytest.approx(4 / 7)
    assert concordance(np.array([1.0, np.nan, 2, 3]), np.array([2.0, 99, 3, 4])) == pytest.approx(4 / 7)
    assert concordance(np.array([1.0, 1]), np.array([1.0, 1])) == 1.0
    assert concordance(np.array([1.0, np.nan]), np.array([1.0, 1])) is None


def test_concordance_is_that_of_torchmetrics() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.standard_normal(50), 0.5 + rng.standard_normal(50)
    predicted += truth
    expected = concordance_corrcoef(torch.from_numpy(predicted), torch.from_numpy(truth))
    # torchmetrics takes unbiased variances beside its unbiased covariance: at 50 clips nearly the same
    assert concordance(truth, predicted) == pytest.approx(float(expected), abs=0.02)


def rated(seed: int, num_speakers: int, per_speaker: int = 9) -> tuple[Any, Any, Any]:
    """True and predicted values of speakers who differ, a few of them unknown, and the speakers."""
    rng = np.random.default_rng(seed)
    speakers = np.repeat([f"s{n}" for n in range(num_speakers)], per_speaker).astype(object)
    own, scale = np.repeat(rng.normal(0, 0.5, (2, num_speakers)), per_speaker, axis=1)
    truth = rng.normal(3, 1, len(speakers))
    predicted = 3 + np.exp(scale - 0.5) * (truth - 3) + own + rng.normal(0, 0.5, len(speakers))
    truth[rng.random(len(truth)) < 0.1] = np.nan
    return truth, predicted, speakers


def test_the_interval_is_the_formula_of_the_literature() -> None:
    """Each speaker's clips are put aside in turn; z = artanh(CCC) has a standard error of SE / (1 - CCC²)."""
    truth, predicted, speakers = rated(0, 6)
    found = score_dimension(truth, predicted, speakers)
    known = ~np.isnan(truth)
    x, y, names = truth[known], predicted[known], speakers[known]

    def ccc(rows: Any) -> float:
        (vx, cov), (_, vy) = np.cov(x[rows], y[rows], bias=True)
        return float(2 * cov / (vx + vy + (x[rows].mean() - y[rows].mean()) ** 2))

    whole, without = ccc(names != ""), [ccc(names != name) for name in sorted(set(names))]
    error = (5 / 6 * sum((one - np.mean(without)) ** 2 for one in without)) ** 0.5
    reach = stats.t(5).ppf(0.975) * error / (1 - whole**2)
    expected = [np.tanh(np.arctanh(whole) + sign * reach) for sign in (-1, 1)]
    assert found is not None
    assert found.interval == pytest.approx(expected)
    assert found.ccc == pytest.approx(whole)
    assert (found.clips, found.speakers, found.note) == (int(known.sum()), 6, "")


@given(seed=st.integers(0, 10_000), num_speakers=st.integers(3, 8), order=st.randoms(use_true_random=False))
def test_an_interval_contains_its_score_whatever_the_order_and_the_unit(
    seed: int, num_speakers: int, order: Any
) -> None:
    truth, predicted, speakers = rated(seed, num_speakers)
    found = score_dimension(truth, predicted, speakers)
    assert found is not None
    assert found.interval is not None
    assert -1 <= found.interval[0] < found.ccc < found.interval[1] <= 1
    rows = list(range(len(truth)))
    order.shuffle(rows)
    again = score_dimension(5 + 2 * truth[rows], 5 + 2 * predicted[rows], speakers[rows])
    assert again is not None
    assert again.interval == pytest.approx(found.interval, abs=1e-6)


@pytest.mark.parametrize("num_speakers", [4, 10])
def test_intervals_of_concordance_have_their_coverage(num_speakers: int) -> None:
    worlds = [score_dimension(*rated(seed, num_speakers)) for seed in range(1000)]
    truth = concordance(*rated(0, 20_000)[:2])
    assert truth is not None
    ends = [world.interval for world in worlds if world is not None and world.interval is not None]
    assert len(ends) == len(worlds)
    assert 0.92 < np.mean([low <= truth <= high for low, high in ends]) < 0.98


def test_why_there_is_no_interval_is_said() -> None:
    truth, predicted, speakers = rated(0, 3)
    two = score_dimension(np.where(speakers == "s2", np.nan, truth), predicted, speakers)
    assert two is not None
    assert (two.interval, two.speakers) == (None, 2)
    assert "of s0 and s1, and an interval over speakers needs 3 speakers" in two.note
    constant = score_dimension(truth, np.full(len(truth), 3.0), speakers)
    assert constant is not None
    assert (constant.ccc, constant.interval) == (pytest.approx(0), None)
    assert "leaving out any speaker changes nothing" in constant.note
    assert score_dimension(np.full(len(truth), np.nan), predicted, speakers) is None
