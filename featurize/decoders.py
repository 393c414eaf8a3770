"""Audio files: found in a folder by their endings, and decoded block by block, in memory independent of their length.

There are two decoders: soundfile (libsndfile), and PyAV (FFmpeg) for formats that libsndfile does not support. The
content of the file decides which is used, not its name. Memory is allocated for samples that were decoded, never for
the number that a header claims.
"""

import math
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NoReturn

import av
import numpy as np
import soundfile
from av.container import InputContainer
from numpy.typing import NDArray

from featurize.errors import AudioError, Reason

ENDINGS = frozenset(
    {".wav", ".flac", ".aif", ".aiff", ".aifc", ".au", ".caf"}
    | {".mp3", ".ogg", ".oga", ".opus", ".aac", ".wma"}
    | {".m4a", ".mp4", ".mka", ".mkv", ".mov", ".webm"}
)
"""Endings of the files of a folder that are audio files; those of the last six may be videos with sound."""

SEEKABLE = frozenset({"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"})
"""Codecs (soundfile's subtypes, FLAC among them) of which a part can be decoded without what precedes it."""

_BLOCK = 2**20  # samples over all channels: 4 MB, and more than a minute of 16 kHz mono
_LOWEST_RATE, _HIGHEST_RATE = 1_000, 1_000_000  # Hz; other rates are those of damaged headers
_UNKNOWN_LENGTH = 0x7FFF_0000  # bytes; programs that write WAV to a pipe put such a length into the header
_UNKNOWN_FRAMES = 2**62  # libsndfile reports 2**63 - 1 frames for a FLAC file without a length
_MALFORMED = 3  # libsndfile's SF_ERR_MALFORMED_FILE: a supported format, but damaged
# Playlists and session descriptions (m3u8, ffconcat, SDP) would make FFmpeg open the files and addresses in them.
_NO_OTHER_FILES = {"protocol_whitelist": "none"}

_OVERSHOOT_S = 0.1  # by which a part may end after the file: times in tables are rounded

Block = tuple[NDArray[np.float32], int]
"""Samples (num_channels, num_samples), full scale 1, and their rate in Hz."""


def find_audio(root: Path) -> list[PurePosixPath]:
    """Paths, relative to `root`, of all files in it with an audio ending, at any depth, sorted.

    Links to folders are followed, but no folder is visited twice.
    """
    return sorted(path for path in _walk(root) if path.suffix.lower() in ENDINGS)


def _walk(root: Path) -> Iterator[PurePosixPath]:
    seen: set[tuple[int, int]] = set()
    for folder, names, files in os.walk(root, followlinks=True):
        status = Path(folder).stat()
        if (status.st_dev, status.st_ino) in seen:
            names.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        relative = PurePosixPath(Path(folder).relative_to(root).as_posix())
        yield from (relative / file for file in files)


def decode_blocks(path: str | Path, start_s: float = 0.0, end_s: float = math.inf) -> Iterator[Block]:
    """Decode a file with soundfile (WAV, FLAC, OGG, MP3, AIFF...), else PyAV (M4A, MP4, WebM, AAC...).

    A truncated file is rejected if it can be detected: a WAV, AIFF or MP3 with less than 99 % of the samples stated
    in its header, a damaged FLAC, an MP4 or WebM that ends more than 0.25 s early. Where the format states no length
    (raw MP3 or AAC frames, Ogg), the clip is what the file holds.

    Args:
        path: the file.
        start_s: where the part to decode begins; what precedes it is skipped, or decoded where the codec needs it.
        end_s: where it ends; nothing behind it is read.

    Yields:
        At least one block: its samples, float32 and finite, and the rate, which is the same for all.

    Raises:
        AudioError: missing, directory, unreadable, empty, lfs-pointer, undecodable, non-finite, or bad-segment
            (the part ends after the file does); some of them only at the end, after valid blocks.
    """
    path = Path(path)
    check_file(path)
    empty = finite = True
    try:
        with path.open("rb") as file:
            for samples, rate in _part(file, path, start_s, end_s):
                if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
                    reject("undecodable", path, f"a sample rate of {rate} Hz")
                empty, finite = empty and not samples.size, finite and bool(np.isfinite(samples).all())
                if finite and samples.size:
                    yield samples, rate
    except AudioError:
        raise
    except Exception as error:  # third-party decoders raise anything on damaged bytes
        reject("undecodable", path, f"not audio that can be decoded ({error})", cause=error)
    if empty and (start_s, end_s) != (0, math.inf):
        reject("bad-segment", path, f"no sample between {start_s:g} s and {end_s:g} s")
    if empty:
        reject("empty", path, "a header, but no samples")
    if not finite:
        reject("non-finite", path, "NaN or infinite samples")


def reject(reason: Reason, path: Path, found: str, cause: Exception | None = None) -> NoReturn:
    """Raise an AudioError about a file, with a message of one line."""
    raise AudioError(reason, found, path) from cause


def check_file(path: Path) -> None:
    """Check that a path is a readable file with content, so that no decoder waits on a pipe.

    Raises:
        AudioError: missing, directory, unreadable, empty or lfs-pointer.
    """
    try:
        info = path.stat()
        if stat.S_ISDIR(info.st_mode):
            reject("directory", path, "a directory, not an audio file")
        if not stat.S_ISREG(info.st_mode):
            reject("unreadable", path, "a device or pipe, not an audio file")
        if info.st_size == 0:
            reject("empty", path, "zero bytes")
        with path.open("rb") as file:
            head = file.read(64)
    except PermissionError:
        reject("unreadable", path, "no permission to read it")
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL character in the name
        reject("missing", path, "no such file")
    except OSError as error:
        reject("unreadable", path, f"cannot be read ({error.strerror})")
    if head.startswith(b"version https://git-lfs"):
        reject("lfs-pointer", path, "a git-LFS pointer, not the audio itself; run `git lfs pull`")


def _open_soundfile(file: BinaryIO) -> soundfile.SoundFile | None:
    """Open a file with libsndfile; None if it does not support the format, or cannot determine the length."""
    try:
        sound = soundfile.SoundFile(file)
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: the name ends in .raw
        if getattr(error, "code", None) == _MALFORMED:
            raise
    else:
        if sound.frames < _UNKNOWN_FRAMES:
            return sound
        sound.close()
    file.seek(0)
    return None


def _part(file: BinaryIO, path: Path, start_s: float, end_s: float) -> Iterator[Block]:
    if (sound := _open_soundfile(file)) is None:
        return _cut(_pyav_blocks(file, path), 0, path, start_s, end_s)
    at, most = 0, _BLOCK // sound.channels
    if (start := round(start_s * sound.samplerate)) < sound.frames and sound.subtype in SEEKABLE:
        at = sound.seek(start) if start else 0
        most = int(min(most, (end_s - start_s) * sound.samplerate + 1))
    return _cut(_soundfile_blocks(sound, path, max(1, most)), at, path, start_s, end_s)


def _cut(blocks: Iterable[Block], at: int, path: Path, start_s: float, end_s: float) -> Iterator[Block]:
    """A part of blocks that follow each other from sample `at` on; asks for no block behind it."""
    rate, whole = 0, math.isinf(end_s)
    for samples, rate in blocks:
        start, begin, at = round(start_s * rate), at, at + samples.shape[1]
        stop = at + 1 if whole else round(end_s * rate)
        yield samples[:, max(0, start - begin) : max(0, stop - begin)], rate
        if at >= stop:
            return
    if rate and (start_s * rate >= max(at, 1) or (not whole and end_s > at / rate + _OVERSHOOT_S)):
        wanted = f"from {start_s:g} s to " + ("the end" if whole else f"{end_s:g} s")
        reject("bad-segment", path, f"the clip is {wanted}, but the file ends at {at / rate:.2f} s")


def _soundfile_blocks(sound: soundfile.SoundFile, path: Path, at_once: int) -> Iterator[Block]:
    """Blocks of `at_once` samples per channel, from where `sound` stands."""
    found = sound.tell()
    with sound:
        while len(samples := sound.read(at_once, dtype="float32", always_2d=True)):
            found += len(samples)
            yield samples.T, int(sound.samplerate)
        promised, unit = sound.frames, "samples"
        # WAV and AIFF: `frames` is the number of frames in the file; the header's number is only in the log.
        log = re.search(r"^\s*(?:data|SSND) : (\d+) \(should be (\d+)\)", sound.extra_info, re.MULTILINE)
        if log and int(log[1]) < _UNKNOWN_LENGTH:
            promised, unit, found = int(log[1]), "bytes of samples", int(log[2])
        if found < 0.99 * promised:
            reject("undecodable", path, f"truncated: header promises {promised} {unit}, file has {found}")


def _pyav_blocks(file: BinaryIO, path: Path) -> Iterator[Block]:
    """Blocks of the first audio stream."""
    num_samples, rate = 0, 0
    with av.open(file, mode="r", options=_NO_OTHER_FILES) as container:
        if not container.streams.audio:
            reject("undecodable", path, "a media file without an audio stream")
        for samples, rate in _gather(_pyav_frames(container)):
            num_samples += samples.shape[1]
            yield samples, rate
        if not num_samples:
            return
        promised_s, found_s = _promised_s(container), num_samples / rate
    if found_s < promised_s - 0.25:  # codecs with a delay may trim up to 0.13 s from the stated duration
        reject(
            "undecodable", path, f"truncated: header promises {promised_s:.2f} s, file has {found_s:.2f} s"
        )


def _pyav_frames(container: InputContainer) -> Iterator[Block]:
    """Frames decoded by FFmpeg, a few milliseconds each."""
    to_planar_float = av.AudioResampler(format="fltp")
    rate = 0
    for frame in container.decode(container.streams.audio[0]):
        for out in to_planar_float.resample(frame):
            rate = rate or out.sample_rate
            yield out.to_ndarray().astype(np.float32, copy=False), rate
    if rate:  # without a frame the resampler has nothing to flush and raises an error
        for out in to_planar_float.resample(None):
            yield out.to_ndarray().astype(np.float32, copy=False), rate


def _gather(frames: Iterable[Block]) -> Iterator[Block]:
    """Join small blocks into large ones."""
    parts: list[NDArray[np.float32]] = []
    size, rate = 0, 0
    for samples, rate in frames:
        parts.append(samples)
        size += samples.size
        if size >= _BLOCK:
            yield np.concatenate(parts, axis=1), rate
            parts, size = [], 0
    if parts:
        yield np.concatenate(parts, axis=1), rate


def _promised_s(container: InputContainer) -> float:
    """Duration of the audio stated in the header; 0 if FFmpeg only estimates it from the bit rate."""
    stream = container.streams.audio[0]
    if "mp4" in container.format.name and stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if "matroska" in container.format.name and len(container.streams) == 1:
        return (container.duration or 0) / av.time_base
    return 0.0
