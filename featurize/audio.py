"""Audio files to waveforms of one form: mono, 16 kHz, without offset, peak 1, finite.

A file that cannot be converted raises an `AudioError` with a reason, never another exception: a corpus of ten
thousand clips always contains a few that are truncated, empty or not audio at all.
"""

import logging
import math
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from torch import Tensor

from featurize.decoders import count_tracks, decode_blocks
from featurize.errors import reject
from featurize.level import Channel, Survey, level, mono, survey
from featurize.resampling import resample, resample_blocks

__all__ = ["SAMPLE_RATE", "LoadParams", "decode", "dequantise", "load_audio", "probe", "quantise", "resample"]

VERSION = "2"
"""Of loading: decoding, offset, channels, resampling, level, 16 bits. Raise it with any change that moves a number."""

SAMPLE_RATE = 16_000
"""Rate of every waveform after `load_audio`, in Hz: that of DNS64, Silero VAD and the MFCCs."""

log = logging.getLogger(__name__)

_INT16_MAX = 32_767
_PART = 2**20  # samples rounded at a time: 8 MB in float64


class LoadParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """Which recordings are loaded, and which channel of them."""

    channel: Channel = "mix"
    """mix: their mean | left | right; of a recording with one channel, that one."""
    min_clip_s: Annotated[float, Field(ge=0)] = 0.0
    """Shorter clips are rejected."""


class Heard(NamedTuple):
    """What a waveform was made of."""

    track: int
    """Number of the audio track, from 1."""
    channel: str
    """mono, mix (the mean), left, right, or a number from 3."""


def load_audio(
    path: str | Path,
    sample_rate: int = SAMPLE_RATE,
    start_s: float = 0.0,
    end_s: float | None = None,
    params: LoadParams | None = None,
    told: Callable[[Heard], None] | None = None,
) -> Tensor:
    """Decode a file or a part of it, average its channels, take out its offset, resample it and scale its level to 1.

    The level is the peak, clicks aside (see `level`). Where the channels cancel each other, the strongest one is used.
    Of several audio tracks, the first that is not silent is used.

    A long file is decoded block by block, twice, and needs little more memory than its result, 230 MB per hour. Its
    samples are stored as float32 on the way; those of a short file (one block, see `decoders`) as float64.

    Args:
        path: an audio file, or a video file with sound; the format is detected from the content, not from the name.
        sample_rate: of the result, in Hz.
        start_s: where the part begins.
        end_s: where it ends; None: at the file's end.
        params: channel and shortest length; by default the mix, of any length.
        told: called with the track and the channel that are used.

    Returns:
        Waveform (num_samples,), float32, finite, max |x| = 1.

    Raises:
        AudioError: as `decode_blocks`; `silent` if nothing is louder than the last bit, `too-short`.
    """
    path, end = Path(path), math.inf if end_s is None else end_s
    params = params or LoadParams()
    track, tracks = 0, 1
    waveform: Tensor | None = None
    while waveform is None:
        track += 1
        blocks = decode_blocks(path, start_s, end, track)
        first, rate = next(blocks)
        second = next(blocks, None)
        if second is None:
            found = survey([first])
            blocks = iter([(first, rate)])
        else:
            found = survey(samples for samples, _ in chain([(first, rate), second], blocks))
            blocks = decode_blocks(path, start_s, end, track)
        if found.num_samples < params.min_clip_s * rate:
            seconds = found.num_samples / rate
            what = f"{seconds:.3g} s of sound, less than the {params.min_clip_s:g} s of corpus.min_clip_s"
            reject("too-short", path, what)
        channel = found.choose(params.channel)
        mixed = (mono(samples, found, channel) for samples, _ in blocks)
        waveform = _level_to_1(resample_blocks(mixed, rate, sample_rate), found, sample_rate, second is None)
        if waveform is None and track == 1:
            tracks = count_tracks(path)
        if waveform is None and track >= tracks:
            reject("silent", path, f"nothing louder than the last bit, {found.silence:.2g} of full scale")
    heard = Heard(track, _name(channel, len(found.powers)))
    if track > 1:
        log.warning("%s: track %d of %d is used, for what precedes it is silent", path, track, tracks)
    if channel is not None and params.channel == "mix" and len(found.powers) > 1:
        log.warning("%s: the channels cancel each other; of them, %s is used", path, heard.channel)
    if told is not None:
        told(heard)
    return waveform


def _name(channel: int | None, num_channels: int) -> str:
    if num_channels == 1:
        return "mono"
    return "mix" if channel is None else ("left", "right")[channel] if channel < 2 else str(channel + 1)


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


def _level_to_1(blocks: Iterable[Tensor], found: Survey, sample_rate: int, short: bool) -> Tensor | None:
    """Join float64 blocks into one float32 waveform of level 1; None if it is silent.

    Long ones are joined as float32, with little more memory than the waveform, divided by a power of two above all
    samples: this costs no precision, and keeps very large samples in the range of float32.
    """
    exponent = 0 if short else int(np.frexp(found.peak)[1]) + 1
    joined: NDArray[Any] = np.empty(0, dtype=np.float64 if short else np.float32)
    length = 0
    for block in blocks:
        end = length + len(block)
        if end > len(joined):  # grow by an eighth; the operating system remaps the pages and copies nothing
            joined.resize(end + end // 8, refcheck=False)
        joined[length:end] = np.ldexp(block.numpy(), -exponent)
        length = end
    joined.resize(length, refcheck=False)
    if np.ldexp(level(joined, sample_rate, headroom=1), exponent) < found.silence:
        return None
    joined /= joined.dtype.type(level(joined, sample_rate))
    np.clip(joined, -1, 1, out=joined)
    return torch.from_numpy(joined.astype(np.float32, copy=False))
