"""Scores from confusion matrices: one matrix per speaker, and what the others score without one of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class ConfusionScores:
    """Scores of confusion matrices (..., K, K), rows true: one value, or one per class, for each matrix.

    A class without clips has a recall of NaN and does not count in the averages of that matrix.
    """

    accuracy: Floats
    uar: Floats
    macro_f1: Floats
    recall: Floats


def score_confusions(confusion: NDArray[Any]) -> ConfusionScores:
    """Accuracy, UAR, macro F1 and recall (..., K) of many confusion matrices (..., K, K) at once."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1).astype(np.float64)  # (..., K)
    support, predicted = confusion.sum(axis=-1), confusion.sum(axis=-2)
    present = support > 0
    recall = np.divide(hits, support, out=np.full(hits.shape, np.nan), where=present)
    # The support of a present class is positive, and so is the denominator of its F1.
    f1 = np.divide(2 * hits, support + predicted, out=np.zeros(hits.shape), where=present)
    num_present = present.sum(axis=-1)
    return ConfusionScores(
        accuracy=hits.sum(axis=-1) / support.sum(axis=-1),
        uar=np.where(present, recall, 0.0).sum(axis=-1) / num_present,
        macro_f1=f1.sum(axis=-1) / num_present,
        recall=recall,
    )


def speaker_confusions(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], speakers: NDArray[Any], num_classes: int
) -> Counts:
    """One confusion matrix (K, K) per speaker, sorted by name: (S, K, K)."""
    names, index = np.unique(speakers.astype(str), return_inverse=True)
    confusion = np.zeros((len(names), num_classes, num_classes), dtype=np.int64)
    np.add.at(confusion, (index, truth, predicted), 1)
    return confusion


def leave_each_out(confusion: Counts) -> Counts:
    """Confusion matrices of all speakers but one, for each that is left out: (..., S, K, K), as `confusion` is."""
    others: Counts = confusion.sum(axis=-3, keepdims=True) - confusion
    return others
