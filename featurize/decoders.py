"""Audio files: found by their endings, and decoded block by block, in the same memory whatever their length.

Two decoders take turns: soundfile (libsndfile), and PyAV (FFmpeg) for what it does not know. The content
decides which, not the name. What a header says is never believed with memory: nothing is allocated for
samples that have not been read.
"""

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

from featurize.errors import AudioError

ENDINGS = frozenset(
    {".wav", ".flac", ".aif", ".aiff", ".aifc", ".au", ".caf"}
    | {".mp3", ".ogg", ".oga", ".opus", ".aac", ".wma"}
    | {".m4a", ".mp4", ".mka", ".mkv", ".mov", ".webm"}
)
"""Which files of a folder are taken for audio; the last six may hold a video's."""

_BLOCK = 2**20  # samples over all channels: 4 MB, and more than a minute of 16 kHz mono
_LOWEST_RATE, _HIGHEST_RATE = 1_000, 1_000_000  # Hz; a header outside is damaged, and would cost gigabytes
_UNKNOWN_LENGTH = 0x7FFF_0000  # bytes; a writer into a pipe states such a length, since it cannot know it
_UNKNOWN_FRAMES = 2**62  # libsndfile's count for a FLAC file whose writer left it open is 2**63 - 1
_MALFORMED = 3  # libsndfile's SF_ERR_MALFORMED_FILE: a format that it reads, but damaged
# Playlists and session descriptions (m3u8, ffconcat, SDP) make FFmpeg open what they name, on disk or net.
_NO_OTHER_FILES = {"protocol_whitelist": "none"}

Block = tuple[NDArray[np.float32], int]
"""Samples (num_channels, num_samples), full scale 1, and their rate in Hz."""


def find_audio(root: Path) -> list[PurePosixPath]:
    """Paths, relative to `root`, of every file in it with an audio ending, at any depth, in a stable order.

    Links to folders are followed, once each.
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


def decode_blocks(path: str | Path) -> Iterator[Block]:
    """Decode a file as it is: soundfile (WAV, FLAC, OGG, MP3, AIFF...), else PyAV (M4A, MP4, WebM, AAC...).

    A clip that is cut short is refused where that can be told: a WAV, AIFF or MP3 that holds less than 99 %
    of the samples its header promises, a damaged FLAC, an MP4 or WebM that ends more than 0.25 s early. Where
    the format carries no length (raw MP3 or AAC frames, Ogg), what is there is taken as the clip.

    Yields:
        At least one block: its samples, float32 and finite, and the rate, which is the same for all.

    Raises:
        AudioError: missing, directory, unreadable, empty, lfs-pointer, undecodable or non-finite; some of
            them show only at the end, after blocks that were good.
    """
    path = Path(path)
    _check_file(path)
    empty = finite = True
    try:
        with path.open("rb") as file:
            sound = _open_soundfile(file)
            for samples, rate in (
                _pyav_blocks(file, path) if sound is None else _soundfile_blocks(sound, path)
            ):
                if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
                    reject("undecodable", path, f"a sample rate of {rate} Hz")
                empty, finite = False, finite and bool(np.isfinite(samples).all())
                if finite:
                    yield samples, rate
    except AudioError:
        raise
    except Exception as error:  # third-party decoders raise anything on damaged bytes
        reject("undecodable", path, f"not audio that can be decoded ({error})", cause=error)
    if empty:
        reject("empty", path, "a header, but no samples")
    if not finite:
        reject("non-finite", path, "NaN or infinite samples")


def reject(reason: str, path: Path, found: str, cause: Exception | None = None) -> NoReturn:
    """Raise the AudioError of a file, on one line."""
    raise AudioError(reason, " ".join(f"{path}: {found}".split())) from cause


def _check_file(path: Path) -> None:
    """Refuse what is no file with content, before a decoder words it worse (or waits on a pipe)."""
    try:
        info = path.stat()
        if stat.S_ISDIR(info.st_mode):
            reject("directory", path, "a directory, not an audio file")
        if not stat.S_ISREG(info.st_mode):
            reject("undecodable", path, "a device or pipe, not an audio file")
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
    """None for a format that libsndfile does not know, or a length: it fails at the end of such a file."""
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


def _soundfile_blocks(sound: soundfile.SoundFile, path: Path) -> Iterator[Block]:
    found = 0
    with sound:
        at_once = max(1, _BLOCK // sound.channels)
        while len(samples := sound.read(at_once, dtype="float32", always_2d=True)):
            found += len(samples)
            yield samples.T, int(sound.samplerate)
        promised, unit = sound.frames, "samples"
        # WAV and AIFF: `frames` already counts what is there; only the log tells what the header said.
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
    """Frames as FFmpeg decodes them, a few milliseconds each."""
    to_planar_float = av.AudioResampler(format="fltp")
    rate = 0
    for frame in container.decode(container.streams.audio[0]):
        for out in to_planar_float.resample(frame):
            rate = rate or out.sample_rate
            yield out.to_ndarray().astype(np.float32, copy=False), rate
    if rate:  # without a frame the resampler has nothing to flush, and says so by an error
        for out in to_planar_float.resample(None):
            yield out.to_ndarray().astype(np.float32, copy=False), rate


def _gather(frames: Iterable[Block]) -> Iterator[Block]:
    """Join small blocks to large ones."""
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
    """Duration of the audio that the header states; 0 where FFmpeg only estimates one from the bit rate."""
    stream = container.streams.audio[0]
    if "mp4" in container.format.name and stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if "matroska" in container.format.name and len(container.streams) == 1:
        return (container.duration or 0) / av.time_base
    return 0.0
