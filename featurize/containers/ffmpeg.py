"""Formats that libsndfile does not support (M4A, MP4, WebM, AAC...), decoded by FFmpeg through PyAV."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from featurize.containers.pieces import Steady
from featurize.errors import reject

# Playlists and session descriptions (m3u8, ffconcat, SDP) make FFmpeg open the files and addresses in them.
_NO_OTHER_FILES = {"protocol_whitelist": "none"}

Block = tuple[NDArray[np.float32], int]
"""Samples (num_channels, num_samples), full scale 1, and their rate in Hz."""


def ffmpeg_blocks(file: BinaryIO, path: Path, size: int, track: int = 0) -> Iterator[Block]:
    """Decode one audio track in blocks of about `size` samples over all channels.

    Raises:
        AudioError: undecodable. Exceptions of PyAV are not translated.
    """
    num_samples, rate = 0, 0
    with av.open(Steady(file), mode="r", options=_NO_OTHER_FILES) as container:
        if not container.streams.audio:
            reject("undecodable", path, "a media file without an audio stream")
        for samples, rate in _gather(_frames(container, track), size):
            num_samples += samples.shape[1]
            yield samples, rate
        if not num_samples:
            return
        promised_s, found_s = _promised_s(container, track), num_samples / rate
    if found_s < promised_s - 0.25:  # codecs with a delay may trim up to 0.13 s from the stated duration
        reject(
            "undecodable", path, f"truncated: header promises {promised_s:.2f} s, file has {found_s:.2f} s"
        )


def count_ffmpeg_tracks(file: BinaryIO) -> int:
    """Number of audio tracks of a file that FFmpeg can open."""
    with av.open(Steady(file), mode="r", options=_NO_OTHER_FILES) as container:
        return len(container.streams.audio)


def _frames(container: InputContainer, track: int) -> Iterator[Block]:
    """Frames decoded by FFmpeg, a few milliseconds each."""
    to_planar_float = av.AudioResampler(format="fltp")
    rate = 0
    for frame in container.decode(container.streams.audio[track]):
        for out in to_planar_float.resample(frame):
            rate = rate or out.sample_rate
            yield out.to_ndarray().astype(np.float32, copy=False), rate
    if rate:  # without a frame the resampler has nothing to flush and raises an error
        for out in to_planar_float.resample(None):
            yield out.to_ndarray().astype(np.float32, copy=False), rate


def _gather(frames: Iterable[Block], most: int) -> Iterator[Block]:
    """Join small blocks into large ones."""
    parts: list[NDArray[np.float32]] = []
    size, rate = 0, 0
    for samples, rate in frames:
        parts.append(samples)
        size += samples.size
        if size >= most:
            yield np.concatenate(parts, axis=1), rate
            parts, size = [], 0
    if parts:
        yield np.concatenate(parts, axis=1), rate


def _promised_s(container: InputContainer, track: int) -> float:
    """Duration stated in the header, in s; 0 if FFmpeg only estimates it from the bit rate."""
    stream = container.streams.audio[track]
    if "mp4" in container.format.name and stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if "matroska" in container.format.name and len(container.streams) == 1:
        return (container.duration or 0) / av.time_base
    return 0.0
