"""Agreement of predicted with true values of valence, arousal and dominance: Lin's concordance.

Lin 1989, "A concordance correlation coefficient to evaluate reproducibility", Biometrics 45. Unlike a correlation, it
falls where predictions have another mean or spread than the truth.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

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
