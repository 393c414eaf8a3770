"""The channels of a recording mixed to one waveform, its DC offset removed and its level measured.

The DC offset (the mean of each channel over the clip) is removed first: an offset larger than the speech would
determine the level, and the denoiser would then remove the speech. Subtracting the mean is preferred to a high-pass
filter at `mfcc.f_min`, since it changes no other frequency and no phase, has no transient at the start of the clip, and
is exact for any length.

The level is the peak without clicks: the peak of each 10 ms frame is limited to three times the fourth largest peak of
the eleven frames around it. Consecutive pitch periods of speech have similar peaks, so the level of speech is its peak;
a click fills one or two frames. Samples above the level are clipped.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Channel = Literal["mix", "left", "right"]

HEADROOM = 3.0
"""Largest ratio of a frame's peak to the peaks of the frames around it."""

_FRAMES_PER_S, _AROUND, _RANK = 100, 11, 4
_COARSE, _FINE = 2.0**-7, 2.0**-15  # quantisation steps of 8 and of 16 bits
_STEPS = 2  # a level below this number of steps is silence: noise of the last bit, -84 dBFS at 16 bits
_STRONG = 0.5  # share of the strongest channel's power
_CANCELLED = 0.2  # share of the power that the mean of uncorrelated channels has


@dataclass(frozen=True, eq=False)
class SignalStats:
    """Statistics of the samples of a whole recording."""

    num_samples: int
    """Per channel."""
    offsets: NDArray[np.float64]
    """Mean of each channel, (num_channels,)."""
    powers: NDArray[np.float64]
    """Mean square of each channel after removal of its offset, (num_channels,)."""
    mix_power: float
    """Mean square of the mean of the channels after removal of its offset."""
    peak: float
    """max |x| over all channels, offsets included."""
    step: float
    """Quantisation step: 2^-7 if every sample is a multiple of it (8 bits), else 2^-15."""

    @property
    def cancelled(self) -> bool:
        """Whether the channels cancel each other in their mean."""
        num_channels = len(self.powers)
        return num_channels > 1 and self.mix_power < _CANCELLED * float(self.powers.mean()) / num_channels

    @property
    def silence(self) -> float:
        """The level below which a recording holds only the noise of the last bit."""
        return _STEPS * self.step

    def choose(self, channel: Channel) -> int | None:
        """The index of the channel to use; None: the mean of all.

        If the channels cancel each other, for example because one has inverted polarity, it is the first channel with
        more than half of the strongest channel's power.
        """
        if len(self.powers) == 1:
            return 0
        if channel != "mix":
            return int(channel == "right")
        strong = self.powers > _STRONG * self.powers.max()
        return int(strong.argmax()) if self.cancelled else None


def measure_signal(blocks: Iterable[NDArray[np.float32]]) -> SignalStats:
    """Compute the statistics of a recording given in blocks (num_channels, num_samples)."""
    number, peak, coarse = 0, 0.0, True
    sums: Any = 0.0
    squares: Any = 0.0
    mix_squares = 0.0
    for block in blocks:
        samples = block.astype(np.float64)
        number += samples.shape[1]
        sums = sums + samples.sum(axis=1)
        squares = squares + np.einsum("cn,cn->c", samples, samples)
        mix = samples.mean(axis=0)
        mix_squares += float(mix @ mix)
        peak = max(peak, float(samples.max()), -float(samples.min()))
        coarse = coarse and peak <= 1 and bool((np.remainder(samples, _COARSE) == 0).all())
    offsets = sums / number
    return SignalStats(
        number,
        offsets,
        np.maximum(0.0, squares / number - offsets**2),
        max(0.0, mix_squares / number - float(offsets.mean()) ** 2),
        peak,
        _COARSE if coarse else _FINE,
    )


def mono(samples: NDArray[np.float32], stats: SignalStats, channel: int | None) -> Tensor:
    """One channel of samples (num_channels, num_samples), or the mean of all, without its offset: float64."""
    if channel is None:
        return torch.from_numpy(samples.mean(axis=0, dtype=np.float64) - stats.offsets.mean())
    return torch.from_numpy(samples[channel].astype(np.float64) - stats.offsets[channel])


def level(waveform: NDArray[Any], sample_rate: int, headroom: float = HEADROOM) -> float:
    """The peak of a waveform without clicks; for a waveform below 0.11 s, max |x|.

    Args:
        waveform: (num_samples,).
        sample_rate: in Hz.
        headroom: largest ratio of a frame's peak to the peaks of the frames around it; 1 to detect silence.
    """
    starts = np.arange(0, len(waveform), max(1, sample_rate // _FRAMES_PER_S))
    peaks = np.maximum(np.maximum.reduceat(waveform, starts), -np.minimum.reduceat(waveform, starts))
    if len(peaks) < _AROUND:
        return float(peaks.max())
    around = np.lib.stride_tricks.sliding_window_view(peaks, _AROUND)
    usual = np.partition(around, -_RANK, axis=1)[:, -_RANK]
    nearest = np.clip(np.arange(len(peaks)) - _AROUND // 2, 0, len(usual) - 1)
    return float(np.minimum(peaks, headroom * usual[nearest]).max())
