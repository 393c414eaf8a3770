"""Overlapping windows over a clip that is longer than an encoder takes at once.

Frames near the cut of a window have seen less of what surrounds them, so neighbouring windows overlap, and each gives
the frames up to the middle of the overlap. Windows begin at fixed places, so the frames do not depend on the machine.
"""

from collections.abc import Iterator
from typing import NamedTuple


class Window(NamedTuple):
    """A stretch of a clip, and which of its frames are kept."""

    start: int
    """In samples."""
    end: int
    """In samples."""
    first: int
    """Frame of the window from which on frames are kept."""
    last: int | None
    """Frame of the window before which frames are kept; None: up to the end."""


def windows(num_samples: int, window: int, overlap: int, frame: int) -> Iterator[Window]:
    """Windows whose kept frames, end to end, are those of the whole clip.

    Args:
        num_samples: length of the clip.
        window: longest window in samples.
        overlap: of neighbouring windows in samples, less than half a window.
        frame: samples per stored frame; windows begin, and are cut, at multiples of it.
    """
    window, half = window // frame * frame, overlap // (2 * frame) * frame
    start, first = 0, 0
    while start + window < num_samples:
        yield Window(start, start + window, first, (window - half) // frame)
        start += window - 2 * half
        first = half // frame
    yield Window(start, num_samples, first, None)
