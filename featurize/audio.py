"""Loading of audio files as waveforms in one format: mono, 16 kHz, without DC offset, peak 1, finite.

A file that cannot be loaded raises an `AudioError` with a reason, and no other exception: a corpus of ten thousand
clips usually contains a few files that are truncated, empty or not audio.
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

from featurize.containers.readable import check_file
from featurize.decoders import count_tracks, decode_blocks
from featurize.errors import reject
from featurize.level import Channel, SignalStats, level, measure_signal, mono
from featurize.resampling import resample, resample_blocks

__all__ = ["SAMPLE_RATE", "LoadParams", "decode", "dequantise", "load_audio", "probe", "quantise", "resample"]

VERSION = "3"
"""Version of loading: decoding, offset, channels, resampling, level, 16 bits. Raise it with any change that moves a
number."""

SAMPLE_RATE = 16_000
"""Sample rate of `load_audio`, DNS64, Silero VAD and the MFCCs, in Hz."""

log = logging.getLogger(__name__)

_INT16_MAX = 32_767
_PART = 2**20  # samples rounded at a time: 8 MB in float64


class LoadParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """The channel that is loaded, and the shortest clip."""

    channel: Channel = "mix"
    """mix: the mean of all channels | left | right; ignored for mono recordings."""
    min_clip_s: Annotated[float, Field(ge=0)] = 0.0
    """Shorter clips are rejected, in s."""


class SourceChannel(NamedTuple):
    """The audio track and the channel that a waveform was loaded from."""

    track: int
    """Number of the audio track, counted from 1."""
    channel: str
    """mono, mix (the mean of all), left, right, or the channel's number from 3."""


def load_audio(
    path: str | Path,
    sample_rate: int = SAMPLE_RATE,
    start_s: float = 0.0,
    end_s: float | None = None,
    params: LoadParams | None = None,
    on_source: Callable[[SourceChannel], None] | None = None,
    name: str | Path | None = None,
    track_file: Callable[[int], Path] | None = None,
) -> Tensor:
    """Decode a file or a part of it, mix its channels, remove its DC offset, resample it and scale its level to 1.

    The level is the peak without clicks (see `level`). If the channels cancel each other, one of the strongest is used
    instead of their mean. Of several audio tracks, the first that is not silent is used.

    A long file is decoded twice, block by block, and needs little more memory than its waveform, 230 MB per hour.
    Intermediate samples are float32; those of a short file (one block, see `decoders`) are float64.

    Args:
        path: an audio file, or a video file with sound; the format is detected from the content, not from the name.
        sample_rate: of the result, in Hz.
        start_s: start of the part.
        end_s: end of the part; None: the end of the file.
        params: channel and shortest duration; by default the mix, of any duration.
        on_source: called with the track and the channel that are used.
        name: of the file as the user knows it, for the log; by default `path`.
        track_file: returns a file with only the track of this number (from 1), decoded; None: `path` is decoded.

    Returns:
        Waveform (num_samples,), float32, finite, max |x| = 1.

    Raises:
        AudioError: as `decode_blocks`; also `too-short`, or `silent` if the level is that of the last bit's noise.
    """
    path, end = Path(path), math.inf if end_s is None else end_s
    params = params or LoadParams()
    track, tracks = 1, 1
    while True:
        file, number = (path, track) if track_file is None else (track_file(track), 1)
        waveform, stats, channel = _load_track(file, number, sample_rate, start_s, end, params)
        if waveform is not None:
            break
        tracks = count_tracks(path) if track == 1 else tracks
        if track >= tracks:
            reject("silent", path, f"nothing louder than the last bit, {stats.silence:.2g} of full scale")
        track += 1
    source, name = SourceChannel(track, _name(channel, len(stats.powers))), name or path
    if track > 1:
        log.warning("%s: track %d of %d is used, since the tracks before it are silent", name, track, tracks)
    if channel is not None and params.channel == "mix" and len(stats.powers) > 1:
        log.warning("%s: the channels cancel each other; channel %s is used", name, source.channel)
    if on_source is not None:
        on_source(source)
    return waveform


def _load_track(
    path: Path, track: int, sample_rate: int, start_s: float, end_s: float, params: LoadParams
) -> tuple[Tensor | None, SignalStats, int | None]:
    """The waveform of a track, None if it is silent; the statistics of its samples; the channel, None for the mean."""
    blocks = decode_blocks(path, start_s, end_s, track)
    first, rate = next(blocks)
    second = next(blocks, None)
    if second is None:
        stats = measure_signal([first])
        blocks = iter([(first, rate)])
    else:
        stats = measure_signal(samples for samples, _ in chain([(first, rate), second], blocks))
        blocks = decode_blocks(path, start_s, end_s, track)
    if stats.num_samples < params.min_clip_s * rate:
        seconds = stats.num_samples / rate
        what = f"{seconds:.3g} s long, shorter than corpus.min_clip_s ({params.min_clip_s:g} s)"
        reject("too-short", path, what)
    channel = stats.choose(params.channel)
    mixed = (mono(samples, stats, channel) for samples, _ in blocks)
    waveform = _level_to_1(resample_blocks(mixed, rate, sample_rate), stats, sample_rate, second is None)
    return waveform, stats, channel


def _name(channel: int | None, num_channels: int) -> str:
    if num_channels == 1:
        return "mono"
    return "mix" if channel is None else ("left", "right")[channel] if channel < 2 else str(channel + 1)


def decode(path: str | Path) -> tuple[Tensor, int]:
    """Decode a whole file into memory at its original sample rate and level.

    Returns:
        Samples (num_channels, num_samples), float32, finite, full scale 1, and their rate in Hz.

    Raises:
        AudioError: as `decode_blocks`.
    """
    samples, rates = zip(*decode_blocks(path), strict=True)
    return torch.from_numpy(np.concatenate(samples, axis=1)), rates[0]


def probe(path: str | Path) -> tuple[float, int, int]:
    """Duration, sample rate and channels of a file, found by decoding it: headers can be wrong or state no length.

    Returns:
        Duration in s, sample rate in Hz, number of channels; of the audio track that `load_audio` uses.

    Raises:
        AudioError: as `decode_blocks`.
    """
    path, track = Path(path), 1
    check_file(path)
    tracks = count_tracks(path)
    while track < tracks and _load_track(path, track, SAMPLE_RATE, 0.0, math.inf, LoadParams())[0] is None:
        track += 1
    shapes, rates = zip(
        *((samples.shape, rate) for samples, rate in decode_blocks(path, track=track)), strict=True
    )
    return sum(num_samples for _, num_samples in shapes) / rates[0], rates[0], shapes[0][0]


def quantise(waveform: Tensor) -> tuple[NDArray[np.int16], float]:
    """Round a waveform to 16 bits for storage: samples = round(x / peak * 32767).

    Rounding is part of Tier 0, so that the features of a file and of a shard are the same.

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
    """Invert `quantise`, with an error of at most half a step: x = samples / 32767 * peak, (num_samples,), float32."""
    values = np.empty(len(samples), dtype=np.float32)
    for start in range(0, len(samples), _PART):
        values[start : start + _PART] = samples[start : start + _PART].astype(np.float64) / _INT16_MAX * peak
    return torch.from_numpy(values)


def _level_to_1(blocks: Iterable[Tensor], stats: SignalStats, sample_rate: int, short: bool) -> Tensor | None:
    """Join float64 blocks into one float32 waveform of level 1; None if it is silent.

    Long recordings are joined as float32, to save memory, and divided by a power of two larger than all samples: this
    loses no precision, and keeps very large samples in the range of float32.
    """
    exponent = 0 if short else int(np.frexp(stats.peak)[1]) + 1
    joined: NDArray[Any] = np.empty(0, dtype=np.float64 if short else np.float32)
    length = 0
    for block in blocks:
        end = length + len(block)
        if end > len(joined):  # grow by an eighth; the operating system remaps the pages and copies nothing
            joined.resize(end + end // 8, refcheck=False)
        joined[length:end] = np.ldexp(block.numpy(), -exponent)
        length = end
    joined.resize(length, refcheck=False)
    if np.ldexp(level(joined, sample_rate, headroom=1), exponent) < stats.silence:
        return None
    joined /= joined.dtype.type(level(joined, sample_rate))
    np.clip(joined, -1, 1, out=joined)
    return torch.from_numpy(joined.astype(np.float32, copy=False))
