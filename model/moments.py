"""Mean and deviation of many frames, in one pass over the clips.

The squared deviations from the mean of the whole are those from the means of its parts, and what lies between these
(Chan, Golub and LeVeque 1983, "Algorithms for Computing the Sample Variance"):

    square = square_a + square_b + (mean_b - mean_a)² count_a count_b / (count_a + count_b)

All terms are positive, so that it is as exact as a second pass.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Statistics = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Mean and standard deviation, (C,) each."""


@dataclass(frozen=True)
class Moments:
    """Moments of frames of C channels."""

    count: int
    """Of the frames."""
    total: NDArray[np.float64]
    """(C,) their sum."""
    square: NDArray[np.float64]
    """(C,) sum of the squared deviations from their mean."""

    @classmethod
    def of(cls, frames: NDArray[np.float32]) -> Self:
        """Those of a clip (num_frames, C), at least one frame; the sum is finite if and only if all values are."""
        total = frames.sum(axis=0, dtype=np.float64)
        centred = frames - total / len(frames)
        return cls(len(frames), total, np.einsum("tc,tc->c", centred, centred))

    def __add__(self, other: Self) -> Self:
        """Those of both together."""
        count = self.count + other.count
        gap = other.total / other.count - self.total / self.count
        between = gap**2 * (self.count * other.count / count)
        return type(self)(count, self.total + other.total, self.square + other.square + between)

    def standardised(self, by: Statistics) -> Self:
        """Those of the same frames, minus a mean and divided by a deviation."""
        mean, std = by
        return type(self)(self.count, (self.total - self.count * mean) / std, self.square / std**2)

    @property
    def statistics(self) -> Statistics:
        """Mean and standard deviation; 1 for the deviation of a constant channel."""
        mean = self.total / self.count
        std = np.sqrt(self.square / self.count)
        std[std < 1e-6 * np.maximum(np.abs(mean), 1)] = 1
        return mean, std
