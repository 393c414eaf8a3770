"""Scores of whole distributions over the classes, where a prediction may be near the truth without being it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, xlogy
from sklearn.metrics import top_k_accuracy_score


@dataclass(frozen=True)
class VoteScores:
    """How near predictions are to the votes of raters."""

    kl: float
    """Mean divergence KL(votes || prediction) in nats; 0 where they are equal."""
    clips: int
    """Number of clips that have votes."""


def score_votes(logits: NDArray[np.floating[Any]], votes: NDArray[np.floating[Any]]) -> VoteScores | None:
    """Mean Kullback-Leibler divergence of predictions from votes; None where no clip has votes.

    KL(p || q) = sum_k p_k log(p_k / q_k), q the softmax of the logits.

    Args:
        logits: (n, K), finite, divided by the temperature that is to be scored.
        votes: (n, K) share of each class in the votes, NaN for a clip without any.
    """
    known = np.isfinite(votes).all(axis=1)
    if not known.any():
        return None
    p = votes[known].astype(np.float64)
    divergence = (xlogy(p, p) - p * log_softmax(logits[known].astype(np.float64), axis=1)).sum(axis=1)
    return VoteScores(float(divergence.mean()), int(known.sum()))


def top_k_accuracy(
    truth: NDArray[np.int64], probabilities: NDArray[np.floating[Any]], k: int
) -> float | None:
    """Share of clips whose true class is among the k most probable ones; None where there are no more than k classes.

    Args:
        truth: (n,) true classes.
        probabilities: (n, K).
        k: at least 2.
    """
    num_classes = probabilities.shape[1]
    if num_classes <= k:
        return None
    return float(top_k_accuracy_score(truth, probabilities, k=k, labels=np.arange(num_classes)))
