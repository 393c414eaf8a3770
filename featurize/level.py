"""From the channels of a recording to one waveform at a level that means something.

The offset (the mean of each channel over the clip) is taken out first: one that is larger than the speech would set
the level, and hide the speech from the denoiser. The mean, and not a high-pass at `mfcc.f_min`: it leaves every other
frequency and the phase alone, has no transient at the clip's start, and is known exactly for any length.

The level is the peak, but not of a click: the peak of a frame of 10 ms counts at most as three times the fourth largest
among the eleven frames around it. In speech, periods of the voice that follow each other are alike, and the level is
the very peak; a click fills one frame or two. What is louder than the level is clipped.
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
"""How much louder than the frames around it a frame of speech may be."""

_FRAMES_PER_S, _AROUND, _RANK = 100, 11, 4
_COARSE, _FINE = 2.0**-7, 2.0**-15  # steps of 8 and of 16 bits
_STEPS = 2  # a level below so many steps is silence: the last bit's noise, -84 dB of full scale in 16 bits
_STRONG = 0.5  # of the strongest channel's power
_CANCELLED = 0.2  # of the power that the mean of unrelated channels has


@dataclass(frozen=True, eq=False)
class Survey:
    """What is known of a recording once all of it has been heard."""

    num_samples: int
    """Per channel."""
    offsets: NDArray[np.float64]
    """Mean of each channel, (num_channels,)."""
    powers: NDArray[np.float64]
    """Mean square of each channel without its offset, (num_channels,)."""
    mix_power: float
    """The same of the mean of the channels."""
    peak: float
    """max |x| over all channels, offsets included."""
    step: float
    """Of the amplitude, at least: 2^-7 if every sample is a multiple of it (8 bits), else 2^-15."""

    @property
    def cancelled(self) -> bool:
        """Whether the channels cancel each other in the mean."""
        num_channels = len(self.powers)
        return num_channels > 1 and self.mix_power < _CANCELLED * float(self.powers.mean()) / num_channels

    @property
    def silence(self) -> float:
        """The level below which there is nothing but the noise of the last bit."""
        return _STEPS * self.step

    def choose(self, channel: Channel) -> int | None:
        """The number of the channel to use; None: their mean.

        Where they cancel each other, as when one is wired the wrong way round, it is the first that is not much weaker
        than the strongest.
        """
        if len(self.powers) == 1:
            return 0
        if channel != "mix":
            return int(channel == "right")
        strong = self.powers > _STRONG * self.powers.max()
        return int(strong.argmax()) if self.cancelled else None


def survey(blocks: Iterable[NDArray[np.float32]]) -> Survey:
    """Hear a recording, given in blocks (num_channels, num_samples), to its end."""
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
    return Survey(
        number,
        offsets,
        np.maximum(0.0, squares / number - offsets**2),
        max(0.0, mix_squares / number - float(offsets.mean()) ** 2),
        peak,
        _COARSE if coarse else _FINE,
    )


def mono(samples: NDArray[np.float32], found: Survey, channel: int | None) -> Tensor:
    """One channel of (num_channels, num_samples), or the mean of all, without offset, in float64."""
    if channel is None:
        return torch.from_numpy(samples.mean(axis=0, dtype=np.float64) - found.offsets.mean())
    return torch.from_numpy(samples[channel].astype(np.float64) - found.offsets[channel])


def level(waveform: NDArray[Any], sample_rate: int, headroom: float = HEADROOM) -> float:
    """The peak of a waveform (num_samples,), clicks aside; of less than 0.11 s, the very peak.

    Args:
        waveform: (num_samples,).
        sample_rate: in Hz.
        headroom: how much louder than the frames around it a frame may be; 1 is for telling silence.
    """
    starts = np.arange(0, len(waveform), max(1, sample_rate // _FRAMES_PER_S))
    peaks = np.maximum(np.maximum.reduceat(waveform, starts), -np.minimum.reduceat(waveform, starts))
    if len(peaks) < _AROUND:
        return float(peaks.max())
    around = np.lib.stride_tricks.sliding_window_view(peaks, _AROUND)
    usual = np.partition(around, -_RANK, axis=1)[:, -_RANK]
    nearest = np.clip(np.arange(len(peaks)) - _AROUND // 2, 0, len(usual) - 1)
    return float(np.minimum(peaks, headroom * usual[nearest]).max())
