"""Confidence intervals of scores: a jackknife over speakers, not over clips.

The clips of one speaker resemble each other, so counting clips would give intervals that are far too narrow. Here each
of n speakers is left out once, and the scores θ₍ᵢ₎ of the others tell how much a score depends on who was tested:

    SE² = (n - 1)/n · Σ (θ₍ᵢ₎ - mean of θ₍ᵢ₎)²

(Tukey's variance, which tends to be too large rather than too small: Efron and Stein 1981, "The jackknife estimate of
variance", Annals of Statistics 9). An interval is θ ± t · SE with the t distribution of n - 1 degrees of freedom, as
MacKinnon, Nielsen and Webb 2023 advise for few clusters ("Fast and reliable jackknife and bootstrap methods for
cluster-robust inference", Journal of Applied Econometrics 38). It is taken on the scale of log θ/(1 - θ), where the
standard error is SE / (θ (1 - θ)), so that its ends stay between 0 and 1. benchmarks/intervals.py measures how often
it holds the truth.

Where leaving out any speaker changes nothing, as with a score of 0 or 1, there is no spread to go by. Then each speaker
counts as a single clip, and the interval is that of Clopper and Pearson 1934 for n trials. For a recall of 1 it begins
at (2.5 %)^(1/n), which is safe however speakers differ: n of them are all without an error at most with probability
(mean recall)^n.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, expit, logit, stdtrit

from featurize.errors import counted
from model.scoring.confusions import Counts, Floats, leave_each_out, score_confusions

Interval = tuple[float, float]

LEVEL = 0.95
METHOD = "jackknife over speakers, t distribution, logit scale"
MIN_SPEAKERS = 3
"""Of all clips, and of each class: with two, the t distribution has one degree of freedom and says next to nothing."""
FEW_SPEAKERS = 10
"""With fewer, intervals are so wide that it is said."""
MOST_OF_ONE = 0.5
"""Where one speaker has more of the clips, about 90 % of the intervals hold the truth (benchmarks/intervals.py)."""
NO_SPREAD = 1e-12
"""Standard errors below this are rounding."""


def jackknife_error(without: Floats) -> Floats:
    """Standard error (...) of a score, from the scores (..., n) without each of n speakers."""
    n = without.shape[-1]
    error: Floats = np.sqrt((n - 1) * without.var(axis=-1))
    return error


def t_quantile(num_speakers: int, level: float = LEVEL) -> float:
    """How many standard errors an interval reaches to either side."""
    return float(stdtrit(num_speakers - 1, (1 + level) / 2))


def score_interval(
    score: Floats, without: Floats, level: float = LEVEL, trials: int | None = None
) -> tuple[Floats, Floats]:
    """Both ends (...) of the interval of a score between 0 and 1.

    Args:
        score: (...) over all n speakers.
        without: (..., n) over all speakers but one.
        level: share of intervals that are to hold the truth.
        trials: how many speakers count where leaving one out changes nothing; n unless given.
    """
    error = jackknife_error(without)
    alike = error < NO_SPREAD
    inside = np.where(alike, 0.5, np.clip(score, NO_SPREAD, 1 - NO_SPREAD))  # the scale below ends at 0 and 1
    reach = t_quantile(without.shape[-1], level) * error / (inside * (1 - inside))
    low, high = expit(logit(inside) - reach), expit(logit(inside) + reach)
    least, most = _one_trial_each(score, trials or without.shape[-1], level)
    return np.where(alike, least, low), np.where(alike, most, high)


def _one_trial_each(score: Floats, trials: int, level: float) -> tuple[Floats, Floats]:
    """Clopper and Pearson's interval, also for a number of successes that is not whole."""
    tail, right, wrong = (1 - level) / 2, trials * score, trials * (1 - score)
    # betaincinv has no value where nothing was right, or wrong: there the interval begins at 0, or ends at 1.
    low = np.where(right > 0, betaincinv(np.maximum(right, NO_SPREAD), wrong + 1, tail), 0.0)
    high = np.where(wrong > 0, betaincinv(right + 1, np.maximum(wrong, NO_SPREAD), 1 - tail), 1.0)
    return low, high


@dataclass(frozen=True)
class Intervals:
    """95 % intervals of scores."""

    level: float
    """Share of intervals that are to hold the truth."""
    method: str
    """How they were computed, in words."""
    speakers: int
    """Number of test speakers."""
    degrees_of_freedom: int
    """Of the t distribution: speakers - 1; for a recall, those who have clips of the class - 1."""
    uar: Interval | None
    """None where a class has test clips of fewer than MIN_SPEAKERS speakers; so is that of macro F1."""
    accuracy: Interval
    macro_f1: Interval | None
    recall: dict[str, Interval]
    """Of the classes that at least MIN_SPEAKERS speakers have test clips of."""


def speaker_intervals(confusion: Counts, labels: Sequence[str]) -> Intervals:
    """Jackknife intervals over speakers.

    Args:
        confusion: (..., S, K, K), one matrix per speaker, from `speaker_confusions`. Leading axes are runs over the
            same clips, such as training seeds: the intervals are then those of the mean of their scores.
        labels: K names in class order.

    Raises:
        ValueError: fewer than MIN_SPEAKERS speakers; check `why_no_intervals` first.
    """
    runs = confusion.reshape(-1, *confusion.shape[-3:])  # (R, S, K, K)
    if runs.shape[1] < MIN_SPEAKERS:
        raise ValueError(f"intervals over speakers need at least {MIN_SPEAKERS} speakers")
    every, without = score_confusions(runs.sum(axis=1)), score_confusions(leave_each_out(runs))
    has_class = runs[0].sum(axis=-1) > 0  # (S, K)
    speakers_of = has_class.sum(axis=0)
    fewest = int(speakers_of[speakers_of > 0].min())

    def of(score: Floats, others: Floats, trials: int | None = None) -> Interval:
        low, high = score_interval(score.mean(axis=0), others.mean(axis=0), trials=trials)
        return float(low), float(high)

    return Intervals(
        level=LEVEL,
        method=METHOD,
        speakers=runs.shape[1],
        degrees_of_freedom=runs.shape[1] - 1,
        uar=of(every.uar, without.uar, fewest) if fewest >= MIN_SPEAKERS else None,
        accuracy=of(every.accuracy, without.accuracy),
        macro_f1=of(every.macro_f1, without.macro_f1, fewest) if fewest >= MIN_SPEAKERS else None,
        recall={
            label: of(every.recall[:, k], without.recall[:, has_class[:, k], k])
            for k, label in enumerate(labels)
            if speakers_of[k] >= MIN_SPEAKERS
        },
    )


def why_no_intervals(speakers: NDArray[Any]) -> str:
    """One line that says why there are no intervals for clips of these speakers; empty if there are."""
    known = sorted(set(speakers.tolist()) - {""})
    if unknown := int((speakers == "").sum()):
        of = f"of {counted(len(speakers), 'test clip')} "
        return f"{counted(unknown, of + 'names', of + 'name')} no speaker"
    if len(known) == 1:
        return f"all test clips are of one speaker ({known[0]}), so nothing tells how speakers differ"
    if len(known) < MIN_SPEAKERS:
        names = " and ".join(map(str, known))
        return f"all test clips are of {names}, and an interval over speakers needs {MIN_SPEAKERS} speakers"
    return ""


def rare_classes(confusion: Counts) -> list[int]:
    """Classes with clips of some of the speakers in `confusion` (S, K, K), but of fewer than MIN_SPEAKERS."""
    speakers_of = (confusion.sum(axis=-1) > 0).sum(axis=0)
    return np.flatnonzero((speakers_of > 0) & (speakers_of < MIN_SPEAKERS)).tolist()


def doubts_about(confusion: Counts, labels: Sequence[str]) -> str:
    """What is to be held against `speaker_intervals` of these speakers (S, K, K), in one line; empty if nothing."""
    doubts = []
    if len(confusion) < FEW_SPEAKERS:
        doubts.append(f"only {counted(len(confusion), 'test speaker')}: the intervals are wide")
    clips = confusion.sum(axis=(1, 2))
    if (share := clips.max() / clips.sum()) > MOST_OF_ONE:
        doubts.append(f"one speaker has {share:.0%} of the test clips: the intervals may be too narrow")
    if rare := rare_classes(confusion):
        named = ", ".join(labels[k] for k in rare)
        doubts.append(
            f"fewer than {MIN_SPEAKERS} speakers have test clips of {named}: no interval of its recall, UAR or macro F1"
        )
    return "; ".join(doubts)
