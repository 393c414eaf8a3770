"""Finding audio files in a folder, and decoding them block by block, with memory that does not depend on their length.

There are two decoders: soundfile (libsndfile), and PyAV (FFmpeg) for formats that libsndfile does not support. The
content of the file decides which one is used, not its name. Memory is allocated for decoded samples, never for the
number stated in a header, and headers are first compared with the content of the file (`containers`).
"""

import math
import mmap
import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from featurize.containers.contents import recordings
from featurize.containers.ffmpeg import Block, count_ffmpeg_tracks, ffmpeg_blocks
from featurize.containers.libsndfile import open_sound, sound_blocks
from featurize.containers.pieces import Piece, Pieces
from featurize.containers.readable import check_file
from featurize.errors import AudioError, SerError, reject

ENDINGS = frozenset(
    {".wav", ".flac", ".aif", ".aiff", ".aifc", ".au", ".caf"}
    | {".mp3", ".ogg", ".oga", ".opus", ".aac", ".wma"}
    | {".m4a", ".mp4", ".mka", ".mkv", ".mov", ".webm", ".avi"}
)
"""Endings of audio files; files with the last seven may be videos with sound."""

_BLOCK = 2**20  # samples over all channels: 4 MB, and more than a minute of 16 kHz mono
_LOWEST_RATE, _HIGHEST_RATE = 1_000, 1_000_000  # Hz; other rates are from damaged headers
_OVERSHOOT_S = 0.1  # a part may end this much after the file: times in tables are rounded


def find_audio(root: Path, setting: str, advice: str, error: type[SerError]) -> list[PurePosixPath]:
    """Paths, relative to `root`, of all files that `walk_audio` yields, sorted.

    Args:
        root: the folder.
        setting: the parameter or option that names it, for the message.
        advice: what to do, for the message.
        error: the exception that is raised if `root` is not a folder or holds no audio file.
    """
    if not root.is_dir():
        raise error(f"{setting}: {root} {'is a file' if root.exists() else 'does not exist'}; {advice}")
    if not (found := sorted(walk_audio(root))):
        raise error(f"{setting}: no audio file in {root}; {advice}")
    return found


def walk_audio(root: Path) -> Iterator[PurePosixPath]:
    """Yield the paths, relative to `root`, of all audio files in it, at any depth, folder by folder.

    Names that begin with a dot are skipped: hidden files and folders, and the `._` files that macOS puts beside
    recordings. Links to folders are followed, but no folder is visited twice.
    """
    seen: set[tuple[int, int]] = set()
    for folder, names, files in os.walk(root, followlinks=True):
        try:
            status = Path(folder).stat()
        except OSError:  # removed in the meantime
            continue
        names[:] = sorted(name for name in names if name[0] != ".")
        if (status.st_dev, status.st_ino) in seen:
            names.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        relative = PurePosixPath(Path(folder).relative_to(root).as_posix())
        for file in sorted(files):
            if file[0] != "." and PurePosixPath(file).suffix.lower() in ENDINGS:
                yield relative / file


def decode_blocks(
    path: str | Path, start_s: float = 0.0, end_s: float = math.inf, track: int = 1
) -> Iterator[Block]:
    """Decode a file with soundfile (WAV, FLAC, OGG, MP3, AIFF...), else PyAV (M4A, MP4, WebM, AAC...).

    A truncated file is rejected if it can be detected: a WAV, AIFF or MP3 with less than 99 % of the samples stated
    in its header, a damaged FLAC, an MP4 or WebM that ends more than 0.25 s early. Where the format states no length
    (raw MP3 or AAC frames, Ogg), truncation is not detected. If the file holds more samples than its header states,
    or several recordings, all of them are decoded.

    Args:
        path: the file.
        start_s: start of the part to decode; the samples before it are skipped, or decoded if the codec needs them.
        end_s: end of the part; nothing after it is read.
        track: number of the audio track, from 1.

    Yields:
        At least one block: samples, float32 and finite, and the sample rate, the same for all blocks.

    Raises:
        AudioError: missing, directory, unreadable, empty, lfs-pointer, undecodable, non-finite, or bad-segment
            (the part ends after the file does); some of them only at the end, after valid blocks.
    """
    path = Path(path)
    check_file(path)
    empty = finite = True
    try:
        with path.open("rb") as file:
            blocks = _part(file, path, start_s, end_s, track)
            for samples, rate in blocks if (start_s, end_s) == (0, math.inf) else _even(blocks):
                if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
                    reject("undecodable", path, f"a sample rate of {rate} Hz")
                empty, finite = empty and not samples.size, finite and bool(np.isfinite(samples).all())
                if finite and samples.size:
                    yield samples, rate
    except AudioError:
        raise
    except Exception as error:  # third-party decoders raise anything on damaged bytes
        reject("undecodable", path, "damaged, or not audio that can be decoded", cause=error)
    if empty and (start_s, end_s) != (0, math.inf):
        reject("bad-segment", path, f"no sample between {start_s:g} s and {end_s:g} s")
    if empty:
        reject("empty", path, "a header, but no samples")
    if not finite:
        reject("non-finite", path, "NaN or infinite samples")


def count_tracks(path: Path) -> int:
    """Number of audio tracks of a file that can be decoded; formats that libsndfile decodes have one."""
    try:
        with path.open("rb") as file:
            if (sound := open_sound(file)) is None:
                return count_ffmpeg_tracks(file)
            sound.close()
    except Exception:  # a header that `decode_blocks` repairs, and that neither library reads as it is
        return 1
    return 1


def _part(file: BinaryIO, path: Path, start_s: float, end_s: float, track: int) -> Iterator[Block]:
    info = path.stat()
    found = _recordings(path, info.st_ino, info.st_size, info.st_mtime_ns)
    if len(found) > 1:
        blocks = chain.from_iterable(_all_blocks(_file_of(file, pieces), path) for pieces in found)
        return _cut(_of_one_form(blocks, path), 0, path, start_s, end_s)
    file = _file_of(file, found[0])
    if (sound := open_sound(file)) is None:
        return _cut(ffmpeg_blocks(file, path, _BLOCK, track - 1), 0, path, start_s, end_s)
    at, most = 0, _BLOCK // sound.channels
    if (start := round(start_s * sound.samplerate)) < sound.frames and sound.seekable():
        at = sound.seek(start) if start else 0
        most = int(min(most, (end_s - start_s) * sound.samplerate + 1))
    return _cut(sound_blocks(sound, path, max(1, most)), at, path, start_s, end_s)


@lru_cache(maxsize=64)
def _recordings(path: Path, _inode: int, _size: int, _mtime_ns: int) -> list[list[Piece]]:
    """The recordings in a file; cached, since many parts of one file may be decoded."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return recordings(content, path)


def _file_of(file: BinaryIO, pieces: list[Piece]) -> BinaryIO:
    """A file object for pieces of a file: the file itself if they are the whole file."""
    whole = pieces == [(0, os.fstat(file.fileno()).st_size)]
    return file if whole else cast(BinaryIO, Pieces(file, pieces))


def _all_blocks(file: BinaryIO, path: Path) -> Iterator[Block]:
    sound = open_sound(file)
    return (
        ffmpeg_blocks(file, path, _BLOCK)
        if sound is None
        else sound_blocks(sound, path, max(1, _BLOCK // sound.channels))
    )


def _of_one_form(blocks: Iterable[Block], path: Path) -> Iterator[Block]:
    """The blocks of several recordings in a file, which must have the same sample rate and channels."""
    first: tuple[int, int] | None = None
    for samples, rate in blocks:
        first = first or (len(samples), rate)
        if (len(samples), rate) != first:
            reject("undecodable", path, "several recordings with different sample rates or channels")
        yield samples, rate


def _cut(blocks: Iterable[Block], at: int, path: Path, start_s: float, end_s: float) -> Iterator[Block]:
    """The part [start_s, end_s) of consecutive blocks, the first of which begins at sample `at`."""
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


def _even(blocks: Iterable[Block]) -> Iterator[Block]:
    """The same samples in blocks of one size, so that a part is the same, to the bit, wherever it comes from."""
    held: list[NDArray[np.float32]] = []
    number, rate = 0, 0
    for samples, rate in blocks:
        held.append(samples)
        number += samples.shape[1]
        most = max(1, _BLOCK // len(samples))
        while number >= most:
            joined = np.concatenate(held, axis=1)
            yield joined[:, :most], rate
            held, number = [joined[:, most:]], number - most
    if number:
        yield np.concatenate(held, axis=1), rate
