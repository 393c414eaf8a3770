"""Agreement of predicted with true values of valence, arousal and dominance: Lin's concordance.

Lin 1989, "A concordance correlation coefficient to evaluate reproducibility", Biometrics 45. Unlike a correlation, it
falls where predictions have another mean or spread than the truth.

Its interval is that of model/scoring/intervals.py: a jackknife over speakers, here on the scale of Fisher's
z = artanh(CCC), which Lin recommends. As log u / (1 - u) is 2 z for u = (1 + CCC) / 2, that is `score_interval` of u.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.scoring.intervals import NO_SPREAD, Interval, jackknife_error, score_interval, why_no_intervals

Values = NDArray[np.floating[Any]]


def concordance(truth: Values, predicted: Values) -> float | None:
    """Concordance correlation coefficient, from -1 to 1, of the clips (n,) for which both values are finite.

    CCC = 2 cov(x, y) / (var x + var y + (mean x - mean y)²), all moments biased; 1 for two equal constants.
    None with fewer than two clips.
    """
    known = np.isfinite(truth) & np.isfinite(predicted)
    x, y = truth[known].astype(np.float64), predicted[known].astype(np.float64)
    if len(x) < 2:
        return None
    covariance = float(np.mean((x - x.mean()) * (y - y.mean())))
    denominator = float(x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    return 2 * covariance / denominator if denominator > 0 else 1.0


@dataclass(frozen=True)
class DimensionScore:
    """How well one dimension of affect is predicted."""

    ccc: float
    """Concordance correlation coefficient over all clips that have the dimension."""
    interval: Interval | None
    """95 %, over speakers."""
    clips: int
    """Number of clips that have the dimension."""
    speakers: int
    """Number of their known speakers."""
    note: str
    """Why there is no interval; else empty."""


def score_dimension(truth: Values, predicted: Values, speakers: NDArray[Any]) -> DimensionScore | None:
    """Concordance of one dimension, and its interval over speakers; None with fewer than two clips that have it.

    Args:
        truth: (n,), NaN where unknown.
        predicted: (n,).
        speakers: (n,) name of each clip's speaker, empty where unknown.
    """
    known = np.isfinite(truth) & np.isfinite(predicted)
    if (ccc := concordance(truth, predicted)) is None:
        return None
    names = sorted(set(speakers[known].tolist()) - {""})
    interval, note = None, why_no_intervals(speakers[known])
    if not note:
        interval, note = _interval(ccc, truth, predicted, np.where(known, speakers, ""), names)
    return DimensionScore(ccc, interval, int(known.sum()), len(names), note)


def _interval(
    ccc: float, truth: Values, predicted: Values, speakers: NDArray[Any], names: list[str]
) -> tuple[Interval | None, str]:
    others = [speakers != name for name in names]
    without = np.array([concordance(truth[rest], predicted[rest]) for rest in others], dtype=np.float64)
    if jackknife_error(without) < NO_SPREAD:
        return None, "leaving out any speaker changes nothing, so nothing tells how speakers differ"
    low, high = score_interval(np.array((1 + ccc) / 2), (1 + without) / 2)
    return (float(2 * low - 1), float(2 * high - 1)), ""
