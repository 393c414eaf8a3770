"""Scores of predicted classes. The main one is the unweighted average recall (UAR): every class counts the same.

For a class without test clips, recall and F1 are None, and the averages are over the other classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support


@dataclass(frozen=True)
class ClassMetrics:
    """Of one class. Precision is 0 where the class was never predicted; recall and F1 need clips of it."""

    precision: float
    recall: float | None
    f1: float | None
    support: int


class Metrics(BaseModel, frozen=True):
    """Metrics of one set of predictions."""

    accuracy: float
    """Share of clips that are right."""
    uar: float
    """Recall, averaged over the classes present among the true labels."""
    macro_precision: float
    """Precision, averaged over the same classes."""
    macro_recall: float
    """The UAR under its other name."""
    macro_f1: float
    """F1, averaged over the same classes."""
    per_class: dict[str, ClassMetrics]
    """By label name, in class order."""
    confusion: list[list[int]]
    """(K, K) counts, rows true, columns predicted."""
    labels: list[str]
    """Names in class order."""
    n_clips: int


def compute_metrics(truth: NDArray[np.int64], predicted: NDArray[np.int64], labels: Sequence[str]) -> Metrics:
    """Compare predicted with true classes.

    Args:
        truth: (num_clips,) true classes, at least one clip.
        predicted: (num_clips,) predicted classes.
        labels: names in class order; classes are indices into it.

    Raises:
        ValueError: no clips, or a class outside the labels.
    """
    classes = np.arange(len(labels))
    if len(truth) == 0:
        raise ValueError("no clips to score")
    if not np.isin(truth, classes).all() or not np.isin(predicted, classes).all():
        raise ValueError(f"a class is not among the {len(labels)} labels")
    # zero_division: the precision of a class without predictions is 0, without a warning.
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, predicted, labels=classes, zero_division=0.0
    )
    present = support > 0
    uar = float(recall[present].mean())
    return Metrics(
        accuracy=float(accuracy_score(truth, predicted)),
        uar=uar,
        macro_precision=float(precision[present].mean()),
        macro_recall=uar,
        macro_f1=float(f1[present].mean()),
        per_class={
            name: ClassMetrics(
                precision=float(precision[k]),
                recall=float(recall[k]) if present[k] else None,
                f1=float(f1[k]) if present[k] else None,
                support=int(support[k]),
            )
            for k, name in enumerate(labels)
        },
        confusion=confusion_matrix(truth, predicted, labels=classes).tolist(),
        labels=list(labels),
        n_clips=len(truth),
    )


@dataclass(frozen=True)
class GroupScore:
    """Scores of the clips of one speaker, or of one gender; the UAR is over the classes that it has clips of."""

    n_clips: int
    accuracy: float
    uar: float
    recall: dict[str, float | None]
    """By label name, in class order; None where the group has no clip of the class."""


def score_groups(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], groups: NDArray[Any], labels: Sequence[str]
) -> dict[str, GroupScore]:
    """Scores within each group, by its name, sorted.

    Args:
        truth: (num_clips,) true classes.
        predicted: (num_clips,) predicted classes.
        groups: (num_clips,) name of each clip's group; clips with an empty name belong to none.
        labels: names in class order.
    """
    scores = {}
    for group in sorted(set(groups.tolist()) - {""}):
        members = groups == group
        metrics = compute_metrics(truth[members], predicted[members], labels)
        scores[group] = GroupScore(
            n_clips=metrics.n_clips,
            accuracy=metrics.accuracy,
            uar=metrics.uar,
            recall={name: own.recall for name, own in metrics.per_class.items()},
        )
    return scores
