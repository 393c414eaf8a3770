"""Whether one of two sets of predictions for the same clips is better, or whether that may be chance.

Two questions, two tests. Would it hold for other speakers? Interval and p over speakers, for the UAR. Do the two
differ on these clips? McNemar's test, which takes clips as independent; those of one speaker are not, so its p is too
small wherever speakers differ.
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
"""All 2^S ways of swapping S speakers are counted up to this many; beyond, this many are drawn."""


@dataclass(frozen=True)
class UarDifference:
    """UAR of the second minus that of the first.

    Args:
        difference: from -1 to 1.
        interval: 95 %, of the paired bootstrap over speakers; None without at least two speakers.
        p: two-sided; None likewise.
        least_p: the smallest p that so few speakers can give.
        speakers: how many there are.
        note: why there is neither interval nor p, or empty.
    """

    difference: float
    interval: Interval | None
    p: float | None
    least_p: float | None
    speakers: int
    note: str


def compare_uar(
    truth: Classes, first: Classes, second: Classes, speakers: NDArray[Any], num_classes: int
) -> UarDifference:
    """Interval and p of a difference in UAR, over speakers.

    The interval is a paired bootstrap: in every draw, both UARs are of the same speakers. The p is exact for any
    number of speakers: if first and second were equally good, then swapping them for a speaker would be as likely
    as not, and p is the share of all such swaps that give a difference at least as large. A p read off the
    bootstrap finds differences where there are none with few speakers: tests/model/test_significance.py compares.

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
    """What each speaker adds to the difference in UAR, (S,): hits are counted over clips that do not change.

    Args:
        first: (S, K, K) confusion matrices of the speakers.
        second: (S, K, K), of the same clips.
    """
    support = first.sum(axis=(0, 2))  # (K,)
    present = support > 0
    gained = np.diagonal(second - first, axis1=1, axis2=2)[:, present]  # (S, K')
    parts: NDArray[np.float64] = (gained / support[present]).mean(axis=1)
    return parts


def swap_test(parts: NDArray[np.float64]) -> float:
    """Two-sided p of the sum of `parts` (S,), each of whose signs could as well have been the other."""
    result = permutation_test(
        (parts,),
        lambda x, axis: x.sum(axis=axis),
        permutation_type="samples",
        n_resamples=MOST_SWAPS - 1,  # to which scipy adds what was observed
        vectorized=True,
        rng=np.random.default_rng(SEED),
    )
    return float(result.pvalue)


@dataclass(frozen=True)
class McNemar:
    """Clips that only one of the two has right, and the two-sided p of so uneven a share."""

    only_first: int
    only_second: int
    p: float


def mcnemar(truth: Classes, first: Classes, second: Classes) -> McNemar:
    """McNemar's test in its exact form, for any number of clips: a fair coin decides each discordant pair.

    McNemar 1947, "Note on the sampling error of the difference between correlated proportions or percentages".
    """
    only_first = int(((first == truth) & (second != truth)).sum())
    only_second = int(((first != truth) & (second == truth)).sum())
    discordant = only_first + only_second
    return McNemar(
        only_first, only_second, float(binomtest(only_first, discordant).pvalue) if discordant else 1.0
    )
