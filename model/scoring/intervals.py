"""Confidence intervals of scores: a bootstrap over speakers, not over clips.

The clips of one speaker resemble each other, so resampling clips would give intervals that are far too narrow.
Here whole speakers are drawn with replacement, as many as there are (the cluster bootstrap of Davison and
Hinkley 1997, "Bootstrap Methods and their Application", section 3.8), and a score is computed from the clips of
the speakers drawn. An interval reaches from the 2.5th to the 97.5th percentile of the draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Interval = tuple[float, float]

LEVEL = 0.95
DRAWS = 1000
SEED = 0
FEW_SPEAKERS = 10
"""With fewer speakers the intervals are too narrow (measured in tests/model/scoring/test_intervals.py)."""


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


def draw_speakers(num_speakers: int, draws: int = DRAWS, seed: int = SEED) -> Counts:
    """How often each speaker occurs in each draw: (draws, S), rows that sum to S."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(num_speakers, np.full(num_speakers, 1 / num_speakers), size=draws)


def percentile_interval(values: Floats, level: float = LEVEL) -> Interval:
    """The central interval with a share `level` of the draws; draws with an undefined score (NaN) are ignored."""
    defined = values[~np.isnan(values)]
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@dataclass(frozen=True)
class Intervals:
    """95 % intervals; `recall` holds the classes that have test clips."""

    level: float
    draws: int
    speakers: int
    uar: Interval
    accuracy: Interval
    macro_f1: Interval
    recall: dict[str, Interval]


def speaker_intervals(confusion: Counts, labels: Sequence[str], draws: int = DRAWS) -> Intervals:
    """Bootstrap intervals over speakers.

    Args:
        confusion: (S, K, K), one matrix per speaker, from `speaker_confusions`.
        labels: K names in class order.
        draws: number of bootstrap draws.

    Raises:
        ValueError: fewer than two speakers; check `why_no_intervals` first.
    """
    num_speakers = len(confusion)
    if num_speakers < 2:
        raise ValueError("a bootstrap over speakers needs at least two speakers")
    scores = score_confusions(np.tensordot(draw_speakers(num_speakers, draws), confusion, axes=1))
    has_clips = confusion.sum(axis=(0, 2)) > 0
    return Intervals(
        level=LEVEL,
        draws=draws,
        speakers=num_speakers,
        uar=percentile_interval(scores.uar),
        accuracy=percentile_interval(scores.accuracy),
        macro_f1=percentile_interval(scores.macro_f1),
        recall={
            label: percentile_interval(scores.recall[:, k]) for k, label in enumerate(labels) if has_clips[k]
        },
    )


def why_no_intervals(speakers: NDArray[Any]) -> str:
    """One line that says why there are no intervals for clips of these speakers; empty if there are."""
    known = sorted(set(speakers.tolist()) - {""})
    if unknown := int((speakers == "").sum()):
        return f"{unknown} of {len(speakers)} test clips name no speaker to draw"
    if len(known) == 1:
        return f"all test clips are of one speaker ({known[0]}), so nothing tells how speakers differ"
    return ""


def doubt_about(num_speakers: int) -> str:
    """One line that warns of intervals from fewer than FEW_SPEAKERS speakers, else empty."""
    if num_speakers >= FEW_SPEAKERS:
        return ""
    return f"only {num_speakers} test speakers: the intervals are likely too narrow"
