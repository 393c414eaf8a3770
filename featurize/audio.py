"""Audio files to waveforms of one form: mono, 16 kHz, peak 1, finite.

A file that cannot be converted raises an `AudioError` with a reason, never another exception: a corpus of ten
thousand clips always contains a few that are truncated, empty or not audio at all.
"""

import math
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from featurize.decoders import decode_blocks, reject
from featurize.resampling import resample, resample_blocks

__all__ = ["SAMPLE_RATE", "decode", "dequantise", "load_audio", "probe", "quantise", "resample"]

VERSION = "1"
"""Of loading: decoding, mixing down, resampling, level, 16 bits. Raise it with any change that moves a number."""

SAMPLE_RATE = 16_000
"""Rate of every waveform after `load_audio`, in Hz: that of DNS64, Silero VAD and the MFCCs."""

_INT16_MAX = 32_767
_PART = 2**20  # samples rounded at a time: 8 MB in float64


def load_audio(
    path: str | Path, sample_rate: int = SAMPLE_RATE, start_s: float = 0.0, end_s: float | None = None
) -> Tensor:
    """Decode a file or a part of it, average its channels, resample it and scale its peak to 1.

    A long file is decoded block by block and needs little more memory than its result, 230 MB per hour. Its
    samples are stored as float32 on the way; those of a short file (one block, see `decoders`) as float64.

    Args:
        path: an audio file, or a video file with sound; the format is detected from the content, not from the name.
        sample_rate: of the result, in Hz.
        start_s: where the part begins.
        end_s: where it ends; None: at the file's end.

    Returns:
        Waveform (num_samples,), float32, finite, max |x| = 1.

    Raises:
        AudioError: as `decode_blocks`, and `silent` if every sample is zero.
    """
    blocks = decode_blocks(path, start_s, math.inf if end_s is None else end_s)
    first, rate = next(blocks)
    second = next(blocks, None)
    if second is None:
        waveform = _scale_to_peak(_mono(first), path)
        if rate != sample_rate:
            waveform = _scale_to_peak(resample(waveform, rate, sample_rate), path)
        return waveform.float()
    mono = (_mono(samples) for samples, _ in chain([(first, rate), second], blocks))
    return _join_and_scale(resample_blocks(mono, rate, sample_rate), path)


def decode(path: str | Path) -> tuple[Tensor, int]:
    """Decode a whole file into memory, at its own sample rate and level; `decode_blocks` does it block by block.

    Returns:
        Samples (num_channels, num_samples), float32, finite, full scale 1, and their rate in Hz.

    Raises:
        AudioError: as `decode_blocks`.
    """
    samples, rates = zip(*decode_blocks(path), strict=True)
    return torch.from_numpy(np.concatenate(samples, axis=1)), rates[0]


def probe(path: str | Path) -> tuple[float, int, int]:
    """Measure a file by decoding it: headers can be wrong, and some formats state no length.

    Returns:
        Duration in s, sample rate in Hz, number of channels.

    Raises:
        AudioError: as `decode_blocks`.
    """
    shapes, rates = zip(*((samples.shape, rate) for samples, rate in decode_blocks(path)), strict=True)
    return sum(num_samples for _, num_samples in shapes) / rates[0], rates[0], shapes[0][0]


def quantise(waveform: Tensor) -> tuple[NDArray[np.int16], float]:
    """Round a waveform to 16 bits for storage: samples = round(x / peak * 32767).

    Tier 0 includes this rounding by definition, so that the features of a file and of a shard are the same.

    Args:
        waveform: (num_samples,), finite.

    Returns:
        Samples (num_samples,), int16, and peak = max |x|, or 1.0 if that is 0.
    """
    values = waveform.detach().cpu().numpy()
    peak = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0))) or 1.0
    samples = np.empty(len(values), dtype=np.int16)
    for start in range(0, len(values), _PART):
        part = values[start : start + _PART].astype(np.float64)
        samples[start : start + _PART] = np.round(part / peak * _INT16_MAX)
    return samples, peak


def dequantise(samples: NDArray[np.int16], peak: float) -> Tensor:
    """Invert `quantise` to within half a step: x = samples / 32767 * peak, (num_samples,), float32."""
    values = np.empty(len(samples), dtype=np.float32)
    for start in range(0, len(samples), _PART):
        values[start : start + _PART] = samples[start : start + _PART].astype(np.float64) / _INT16_MAX * peak
    return torch.from_numpy(values)


def _mono(samples: NDArray[np.float32]) -> Tensor:
    """Average the channels of (num_channels, num_samples) in float64."""
    channels = torch.from_numpy(np.ascontiguousarray(samples)).double()
    return channels[0] if len(channels) == 1 else channels.mean(dim=0)


def _scale_to_peak(waveform: Tensor, path: str | Path) -> Tensor:
    """Divide float64 samples by their peak; exact even for subnormal and very large float32 samples."""
    peak = waveform.abs().max()
    if peak == 0:
        reject("silent", Path(path), "every sample is zero")
    return waveform / peak


def _join_and_scale(blocks: Iterable[Tensor], path: str | Path) -> Tensor:
    """Join float64 blocks into one float32 waveform of peak 1, with little more memory than the waveform.

    The peak is known only at the end. Until then, samples are stored divided by a power of two above all of them,
    which costs no precision and keeps samples of any level, subnormal or very large, in the range of float32.
    """
    joined = np.empty(0, dtype=np.float32)
    length, peak, exponent = 0, 0.0, 0  # peak: of the original samples; exponent: of the power of two
    for block in blocks:
        loudest = float(block.abs().max()) if len(block) else 0.0
        if loudest > peak:
            before, exponent = exponent, int(np.frexp(loudest)[1])
            if peak and exponent != before:
                joined[:length] *= np.float32(2.0 ** (before - exponent))
            peak = loudest
        end = length + len(block)
        if end > len(joined):  # grow by an eighth; the operating system remaps the pages and copies nothing
            joined.resize(end + end // 8, refcheck=False)
        joined[length:end] = np.ldexp(block.numpy(), -exponent)
        length = end
    if peak == 0:
        reject("silent", Path(path), "every sample is zero")
    joined.resize(length, refcheck=False)
    joined /= np.float32(np.ldexp(peak, -exponent))
    return torch.from_numpy(joined)
