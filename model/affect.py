"""Valence and arousal: read from the columns of shards (an empty cell is unknown), and scored by concordance."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from featurize.errors import TrainingError

DIMENSIONS = ("valence", "arousal")


def read_affect(columns: dict[str, NDArray[Any]], num_clips: int) -> NDArray[np.float32]:
    """Valence and arousal (num_clips, 2), NaN where unknown; all NaN where the columns are absent.

    Raises:
        TrainingError: a cell is neither empty nor a finite number.
    """
    values = np.full((num_clips, len(DIMENSIONS)), np.nan, dtype=np.float32)
    for place, name in enumerate(DIMENSIONS):
        for row, cell in enumerate(columns.get(name, ())):
            if cell == "" or cell != cell:  # noqa: PLR0124 - NaN alone differs from itself
                continue
            try:
                values[row, place] = float(cell)
            except ValueError:
                values[row, place] = np.inf
            if not np.isfinite(values[row, place]):
                clip = columns["clip_id"][row] if "clip_id" in columns else f"clip {row}"
                raise TrainingError(
                    f"{clip}: {name} is {str(cell)!r}, not a number; correct the column {name} of the table"
                )
    return values


def concordance(truth: NDArray[np.floating[Any]], predicted: NDArray[np.floating[Any]]) -> float | None:
    """Concordance correlation coefficient of known values (n,); None with fewer than two of them.

    2 cov(x, y) / (var x + var y + (mean x - mean y)²), all moments biased (Lin 1989); 1 for two equal constants.
    """
    known = np.isfinite(truth)
    x, y = truth[known].astype(np.float64), predicted[known].astype(np.float64)
    if len(x) < 2:
        return None
    covariance = float(np.mean((x - x.mean()) * (y - y.mean())))
    denominator = float(x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    return 2 * covariance / denominator if denominator > 0 else 1.0
