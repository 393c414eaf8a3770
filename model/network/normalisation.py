"""Normalisation of the coefficients before the network, and delta coefficients.

Coefficients are standardised by the statistics of the train split ("global"), of each clip ("clip"), or of all
clips of a speaker ("speaker"). The last is transductive, since it uses all clips of a test speaker before the first
is classified; the protocol of such scores says so.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from featurize.errors import TrainingError
from model.batches import Features
from model.views import Clips, LazyClips, View, lengths_of

MIN_STD = 1e-2
"""Smallest standard deviation that a clip is divided by, in units of the train split's."""
REACH = 2
"""Frames on either side that a slope is fitted to."""


Statistics = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Mean and standard deviation, (C,) each."""


class StandardisedClips(LazyClips):
    """Clips standardised on access.

    Args:
        clips: (num_frames, C) each.
        statistics: of each clip.
    """

    def __init__(self, clips: Clips, statistics: Sequence[Statistics]) -> None:
        self._clips, self._statistics = clips, statistics
        self.lengths = lengths_of(clips)

    def clip(self, index: int) -> NDArray[np.float32]:
        """One standardised clip, float32."""
        mean, std = self._statistics[index]
        return ((self._clips[index] - mean) / std).astype(np.float32)


def frame_statistics(clips: Clips) -> Statistics:
    """Mean and standard deviation (C,) over all frames of clips (num_frames, C); 1 for the deviation of a constant."""
    count = sum(lengths_of(clips))
    mean = sum((clip.sum(axis=0, dtype=np.float64) for clip in clips), np.zeros(clips[0].shape[1])) / count
    square = sum((((clip - mean) ** 2).sum(axis=0) for clip in clips), np.zeros(len(mean))) / count
    std = np.sqrt(square)
    std[std < 1e-6 * np.maximum(np.abs(mean), 1)] = 1
    return mean, std


def normalise_speakers(features: Features) -> Features:
    """Standardise each clip by the frames of all clips of its speaker in these features.

    A voice made by augmentation counts as another speaker, since in the test split every speaker has mean 0; other
    copies are standardised by the statistics of their originals.

    Raises:
        TrainingError: a clip has no speaker.
    """
    speakers = features.columns.get("speaker")
    if speakers is None or not all(speakers):
        raise TrainingError(
            "network.normalisation speaker needs the speaker of every clip; choose global or clip"
        )
    voices = features.columns.get("voice", np.full(len(features), "", dtype=object))
    rows_of: dict[tuple[str, str], list[int]] = {}
    for row, voice in enumerate(zip(speakers.tolist(), voices.tolist(), strict=True)):
        rows_of.setdefault(voice, []).append(row)
    views: dict[View, Clips] = {}
    for view, clips in features.views.items():
        statistics: list[Statistics] = [(np.zeros(0), np.zeros(0))] * len(features)
        for rows in rows_of.values():
            originals = [row for row in rows if features.original[row]]
            found = frame_statistics([clips[row] for row in originals or rows])
            for row in rows:
                statistics[row] = found
        views[view] = StandardisedClips(clips, statistics)
    return Features(views, features.labels, features.columns)


def normalise_clips(x: Tensor, valid: Tensor) -> Tensor:
    """Standardise each clip of x (B, C, T), zero where not valid (B, 1, T), over its valid frames."""
    count = valid.sum(dim=2, keepdim=True)
    centred = (x - x.sum(dim=2, keepdim=True) / count) * valid
    std = ((centred**2).sum(dim=2, keepdim=True) / count).sqrt()
    return centred / std.clamp(min=MIN_STD)


def add_deltas(x: Tensor, num_frames: Tensor, orders: int) -> Tensor:
    """Append delta coefficients, the slopes over time: x (B, C, T) -> (B, C (1 + orders), T).

    d[t] = sum_n n (x[t + n] - x[t - n]) / (2 sum_n n²), n = 1 to 2, with the first and last frame of a clip repeated
    (Young et al., "The HTK Book", 5.9). The second order is the slope of the first. Padded frames hold the last
    slope of the clip; the caller masks them.
    """
    frame = torch.arange(x.shape[2], device=x.device)
    last = num_frames[:, None] - 1  # (B, 1)
    norm = 2 * sum(n * n for n in range(1, REACH + 1))
    parts = [x]
    for _ in range(orders):
        slope = torch.zeros_like(x)
        for n in range(1, REACH + 1):
            for sign in (1, -1):
                source = torch.minimum((frame + sign * n).clamp(min=0), last)[:, None].expand_as(x)
                slope.add_(parts[-1].gather(2, source), alpha=sign * n / norm)
        parts.append(slope)
    return torch.cat(parts, dim=1)
