"""Valence, arousal and dominance: read from the columns of shards, where an empty cell is unknown."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from featurize.errors import TrainingError

DIMENSIONS = ("valence", "arousal", "dominance")
"""Of affect (Russell and Mehrabian 1977), in the order of the network's outputs."""


def read_affect(columns: dict[str, NDArray[Any]], num_clips: int) -> NDArray[np.float32]:
    """The dimensions (num_clips, 3) of each clip, NaN where unknown; all NaN where the columns are absent.

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
