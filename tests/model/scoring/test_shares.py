"""Top-k accuracy by hand, and the divergence is SciPy's."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import entropy

from model.scoring.shares import score_votes, top_k_accuracy


@given(seed=st.integers(0, 10_000), clips=st.integers(1, 20), temperature=st.floats(0.2, 5))
def test_the_divergence_is_that_of_scipy_and_never_negative(
    seed: int, clips: int, temperature: float
) -> None:
    rng = np.random.default_rng(seed)
    logits, votes = rng.normal(size=(clips, 4)) / temperature, rng.dirichlet(np.full(4, 0.3), clips)
    votes[0] = [0, 0, 1, 0]
    found = score_votes(logits, votes)
    assert found is not None
    assert found.kl == pytest.approx(np.mean(entropy(votes, softmax(logits, axis=1), axis=1)), abs=1e-9)
    assert found.kl >= 0
    equal = score_votes(np.log(votes + 1e-300), votes)
    assert equal is not None
    assert equal.kl == pytest.approx(0, abs=1e-9)


def test_only_clips_with_votes_count_and_certainty_is_finite() -> None:
    logits, votes = np.array([[2000.0, 0], [0, 0]]), np.array([[0, 1.0], [np.nan, np.nan]])
    found = score_votes(logits, votes)
    assert found is not None
    assert (found.kl, found.clips) == (2000, 1)
    assert score_votes(logits[1:], votes[1:]) is None


def slow_top_k(truth: Any, probabilities: Any, k: int) -> Any:
    best = [sorted(range(len(row)), key=lambda c: -row[c])[:k] for row in probabilities]
    return np.mean([true in own for true, own in zip(truth, best, strict=True)])


@pytest.mark.parametrize("k", [2, 3])
def test_top_k_counts_clips_whose_class_is_among_the_k_most_probable(k: int) -> None:
    rng = np.random.default_rng(0)
    truth, probabilities = rng.integers(0, 5, 60), rng.dirichlet(np.ones(6), 60)  # no clip of the last class
    assert top_k_accuracy(truth, probabilities, k) == pytest.approx(slow_top_k(truth, probabilities, k))
    assert top_k_accuracy(truth % k, probabilities[:, :k], k) is None
