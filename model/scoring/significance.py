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

from model.scoring.confusions import Counts, Floats, leave_each_out, score_confusions, speaker_confusions
from model.scoring.intervals import (
    MIN_SPEAKERS,
    NO_SPREAD,
    Interval,
    jackknife_error,
    rare_classes,
    t_quantile,
    why_no_intervals,
)

Classes = NDArray[np.int64]

MOST_SWAPS = 10_000
"""If there are at most this many of the 2^S ways to swap S speakers, all are counted; else this many are drawn."""
SEED = 0
"""Of those that are drawn."""


@dataclass(frozen=True)
class UarDifference:
    """UAR of the second minus that of the first."""

    difference: float
    """From -1 to 1."""
    interval: Interval | None
    """95 %, from the jackknife over speakers; None where they do not tell."""
    p: float | None
    """Two-sided; None with fewer than two speakers."""
    least_p: float | None
    """The smallest p possible with this number of speakers."""
    speakers: int
    """Number of speakers."""
    note: str
    """Why there is no interval, or empty."""


def compare_uar(
    truth: Classes, first: Classes, second: Classes, speakers: NDArray[Any], num_classes: int
) -> UarDifference:
    """Interval and p of a difference in UAR, over speakers.

    The interval is that of model/scoring/intervals.py, of the difference itself: both UARs are over the same speakers,
    so what makes a speaker hard for both cancels. The p is that of a permutation test, exact for any number of
    speakers: if first and second were equally good, their predictions for a speaker could be swapped, and p is the
    share of all such swaps with a difference at least as large. The interval takes the speakers' differences as about
    normal, which p does not: with few speakers, p may call chance what the interval would not.

    Args:
        truth: (n,) true classes, at least one clip.
        first: (n,) predicted classes.
        second: (n,) predicted classes.
        speakers: (n,) names, empty where unknown.
        num_classes: K.
    """
    confusions = np.stack(
        [speaker_confusions(truth, each, speakers, num_classes) for each in (first, second)]
    )  # (2, S, K, K)
    totals = score_confusions(confusions.sum(axis=1)).uar
    difference, num_speakers = float(totals[1] - totals[0]), confusions.shape[1]
    interval, note = None, why_no_intervals(speakers)
    if not note:
        interval, note = _difference_interval(difference, confusions)
    swappable = num_speakers > 1 and not (speakers == "").any()
    return UarDifference(
        difference=difference,
        interval=interval,
        p=swap_test(uar_parts(*confusions)) if swappable else None,
        least_p=2.0 / 2**num_speakers if swappable else None,
        speakers=num_speakers,
        note=note,
    )


def _difference_interval(difference: float, confusions: Counts) -> tuple[Interval | None, str]:
    """Interval of a difference in UAR of two runs (2, S, K, K), or None and why there is none."""
    if rare := rare_classes(confusions[0]):
        return None, f"{len(rare)} of the classes have test clips of fewer than {MIN_SPEAKERS} speakers"
    without: Floats = np.diff(score_confusions(leave_each_out(confusions)).uar, axis=0)[0]  # (S,)
    error = float(jackknife_error(without))
    if error < NO_SPREAD:
        return None, "it is the same for every speaker, so nothing tells how speakers differ"
    reach = t_quantile(len(without)) * error
    return (max(difference - reach, -1.0), min(difference + reach, 1.0)), ""


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
