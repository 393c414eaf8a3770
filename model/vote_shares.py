"""Votes of several raters: how many chose each class, read from the columns of shards as shares."""

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from featurize.errors import TrainingError

NO_AGREEMENT = "no agreement"
"""In place of the label of a training clip for which no emotion has a majority; it follows the classes."""


def read_votes(cells: Sequence[str], labels: Sequence[str]) -> NDArray[np.float32]:
    """Share of each class in the votes for any class, (num_clips, K); NaN for a clip without such votes.

    Args:
        cells: of each clip, a JSON object of class → number of votes, or empty.
        labels: K names in class order.

    Raises:
        TrainingError: a vote is for another class.
    """
    votes = np.zeros((len(cells), len(labels)), dtype=np.float64)
    place = {label: index for index, label in enumerate(labels)}
    for row, cell in enumerate(cells):
        for label, number in (json.loads(cell) if cell else {}).items():
            if label not in place:
                raise TrainingError(
                    f"votes for {label!r}, which is not among {', '.join(labels)}; run manifest and featurize again"
                )
            votes[row, place[label]] = number
    total = votes.sum(axis=1, keepdims=True)
    shares = np.full(votes.shape, np.nan, dtype=np.float32)
    np.divide(votes, total, out=shares, where=total > 0, casting="same_kind")
    return shares
