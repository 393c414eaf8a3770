"""Scores of confidence: calibration, and the risk when a network predicts only the clips it is most confident of.

The confidence of a clip is its largest probability. None of these scores depends on the order of the clips.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

Floats = NDArray[np.floating[Any]]
Classes = NDArray[np.int64]

NUM_BINS = 15
POINTS = 100
"""Largest number of points of the risk-coverage curve: one per percent."""


@dataclass(frozen=True)
class CalibrationScores:
    """All three are better when lower."""

    nll: float
    brier: float
    ece: float


@dataclass(frozen=True)
class Bin:
    """Clips of similar confidence: their mean confidence, the share that is right, and how many they are."""

    confidence: float
    accuracy: float
    count: int


@dataclass(frozen=True)
class RiskCoverage:
    """Area under the curve, and its points (coverage, risk) from the surest clips to all."""

    aurc: float
    points: list[tuple[float, float]]


def score_calibration(logits: Floats, truth: Classes) -> CalibrationScores:
    """Negative log-likelihood, Brier score and expected calibration error.

        NLL   = -1/n sum_i log p_i[y_i]                       in nats; log K for uniform probabilities
        Brier = 1/n sum_i sum_k (p_i[k] - [k = y_i])^2        Brier 1950, over all classes: from 0 to 2
        ECE   = sum_b n_b/n |accuracy_b - confidence_b|       Guo et al. 2017, 15 bins of equal width

    Args:
        logits: (n, K), finite, divided by the temperature that is to be scored.
        truth: (n,) true classes.
    """
    log_probabilities = log_softmax(logits.astype(np.float64), axis=1)
    probabilities = np.exp(log_probabilities)
    target = np.arange(logits.shape[1]) == truth[:, None]
    bins = reliability_bins(probabilities, truth)
    return CalibrationScores(
        nll=float(-log_probabilities[target].mean()),
        brier=float(((probabilities - target) ** 2).sum(axis=1).mean()),
        ece=sum(b.count * abs(b.accuracy - b.confidence) for b in bins) / len(truth),
    )


def reliability_bins(probabilities: Floats, truth: Classes, num_bins: int = NUM_BINS) -> list[Bin]:
    """The reliability diagram of Guo et al. 2017: bins ((b - 1) / B, b / B] of confidence, without the empty ones.

    Args:
        probabilities: (n, K), rows that sum to 1.
        truth: (n,) true classes.
        num_bins: B, over all of [0, 1].
    """
    confidence = np.clip(probabilities.max(axis=1).astype(np.float64), 0.0, 1.0)
    right = probabilities.argmax(axis=1) == truth
    edges = np.linspace(0.0, 1.0, num_bins + 1)
    index = np.maximum(np.searchsorted(edges, confidence, side="left") - 1, 0)
    return [
        Bin(
            confidence=float(confidence[index == b].mean()),
            accuracy=float(right[index == b].mean()),
            count=int((index == b).sum()),
        )
        for b in np.unique(index)
    ]


def risk_coverage(confidence: Floats, right: NDArray[np.bool_]) -> RiskCoverage:
    """Share of errors (risk) among the most confident clips, as a function of their share of all clips (coverage).

    The area under the curve is the mean risk over coverages 1/n, 2/n, ..., 1 (Geifman and El-Yaniv 2017,
    "Selective Classification for Deep Neural Networks"). Clips of equal confidence have no order: the error of each
    is replaced by their mean error, which is the expectation over random orders.

    Args:
        confidence: (n,), at least one clip.
        right: (n,), whether the prediction is right.
    """
    n = len(confidence)
    _, place, count = np.unique(-confidence, return_inverse=True, return_counts=True)
    error = np.bincount(place, weights=~right) / count  # of each level of confidence, the highest first
    risk = np.cumsum(np.repeat(error, count)) / np.arange(1, n + 1)
    answered = np.unique(np.ceil(np.linspace(0, n, min(n, POINTS) + 1)[1:]).astype(int))
    return RiskCoverage(
        aurc=float(risk.mean()), points=[(float(i / n), float(risk[i - 1])) for i in answered]
    )
