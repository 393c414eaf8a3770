"""Tests of whether one of two sets of predictions for the same clips is better than the other.

`compare_uar` tests whether the difference in UAR would hold for other speakers. `mcnemar` tests whether the predictions
differ on these clips; it assumes that clips are independent, which those of one speaker are not, so its p is too small
where speakers differ.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, permutation_test

from model.scoring.intervals import (
    SEED,
    Interval,
    draw_speakers,
    percentile_interval,
    score_confusions,
    speaker_confusions,
    why_no_intervals,
)

Classes = NDArray[np.int64]

MOST_SWAPS = 10_000
"""If there are at most this many of the 2^S ways to swap S speakers, all are counted; else this many are drawn."""


@dataclass(frozen=True)
class UarDifference:
    """UAR of the second minus that of the first."""

    difference: float
    """From -1 to 1."""
    interval: Interval | None
    """95 %, from the paired bootstrap over speakers; None with fewer than two speakers."""
    p: float | None
    """Two-sided; None with fewer than two speakers."""
    least_p: float | None
    """The smallest p possible with this number of speakers."""
    speakers: int
    """Number of speakers."""
    note: str
    """Why there is neither interval nor p, or empty."""


def compare_uar(
    truth: Classes, first: Classes, second: Classes, speakers: NDArray[Any], num_classes: int
) -> UarDifference:
    """Interval and p of a difference in UAR, over speakers.

    The interval is a paired bootstrap: both UARs of a draw are over the same speakers. The p is that of a permutation
    test, exact for any number of speakers: if first and second were equally good, their predictions for a speaker
    could be swapped, and p is the share of all such swaps with a difference at least as large. With few speakers, a p
    computed from the bootstrap is too small: tests/model/scoring/test_significance.py compares the two.

    Args:
        truth: (n,) true classes, at least one clip.
        first: (n,) predicted classes.
        second: (n,) predicted classes.
        speakers: (n,) names, empty where unknown.
        num_classes: K.
    """
    confusions = [speaker_confusions(truth, each, speakers, num_classes) for each in (first, second)]
    totals = [score_confusions(each.sum(axis=0)) for each in confusions]
    difference = float(totals[1].uar - totals[0].uar)
    num_speakers = len(confusions[0])
    if note := why_no_intervals(speakers):
        return UarDifference(difference, None, None, None, num_speakers, note)
    weights = draw_speakers(num_speakers)
    drawn = [score_confusions(np.tensordot(weights, each, axes=1)).uar for each in confusions]
    parts = uar_parts(*confusions)
    return UarDifference(
        difference=difference,
        interval=percentile_interval(drawn[1] - drawn[0]),
        p=swap_test(parts),
        least_p=min(1.0, 2.0 / 2**num_speakers),
        speakers=num_speakers,
        note="",
    )


def uar_parts(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
    """Contribution of each speaker to the difference in UAR, (S,); their sum is the difference.

    Args:
        first: (S, K, K) confusion matrices of the speakers.
        second: (S, K, K), for the same clips.
    """
    support = first.sum(axis=(0, 2))  # (K,)
    present = support > 0
    gained = np.diagonal(second - first, axis1=1, axis2=2)[:, present]  # (S, K')
    parts: NDArray[np.float64] = (gained / support[present]).mean(axis=1)
    return parts


def swap_test(parts: NDArray[np.float64]) -> float:
    """Two-sided p of the sum of `parts` (S,), if the sign of each were random."""
    result = permutation_test(
        (parts,),
        lambda x, axis: x.sum(axis=axis),
        permutation_type="samples",
        n_resamples=MOST_SWAPS - 1,  # scipy adds the observed one
        vectorized=True,
        rng=np.random.default_rng(SEED),
    )
    return float(result.pvalue)


@dataclass(frozen=True)
class McNemar:
    """Result of McNemar's test."""

    only_first: int
    """Clips that only the first predicts correctly."""
    only_second: int
    """Clips that only the second predicts correctly."""
    p: float
    """Two-sided."""


def mcnemar(truth: Classes, first: Classes, second: Classes) -> McNemar:
    """McNemar's exact test: under the null hypothesis, either is right in half of the discordant clips.

    McNemar 1947, "Note on the sampling error of the difference between correlated proportions or percentages".
    """
    only_first = int(((first == truth) & (second != truth)).sum())
    only_second = int(((first != truth) & (second == truth)).sum())
    discordant = only_first + only_second
    return McNemar(
        only_first, only_second, float(binomtest(only_first, discordant).pvalue) if discordant else 1.0
    )
