"""Audio files: found in a folder by their endings, and decoded block by block, in memory independent of their length.

There are two decoders: soundfile (libsndfile), and PyAV (FFmpeg) for formats that libsndfile does not support. The
content of the file decides which is used, not its name. Memory is allocated for samples that were decoded, never for
the number that a header claims, and what a header claims is first compared with the file (`headers`, `joined`).
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
import soundfile

from featurize.containers.ffmpeg import Block, count_ffmpeg_tracks, ffmpeg_blocks
from featurize.containers.joined import recordings
from featurize.containers.pieces import Piece, Pieces
from featurize.containers.readable import check_file
from featurize.errors import AudioError, reject

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
_UNKNOWN_FRAMES = 2**62  # libsndfile reports 2**63 - 1 frames for a FLAC file without a length
_MALFORMED = 3  # libsndfile's SF_ERR_MALFORMED_FILE: a supported format, but damaged
_OVERSHOOT_S = 0.1  # by which a part may end after the file: times in tables are rounded


def find_audio(root: Path) -> list[PurePosixPath]:
    """Paths, relative to `root`, of all files that `walk_audio` yields, sorted."""
    return sorted(walk_audio(root))


def walk_audio(root: Path) -> Iterator[PurePosixPath]:
    """Yield the paths, relative to `root`, of all files in it with an audio ending, at any depth, folder by folder.

    Names that begin with a dot are left out: hidden files and folders, and the `._` files that macOS puts beside
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
    (raw MP3 or AAC frames, Ogg), the clip is what the file holds. Where the file holds more than its header states,
    or several recordings end to end, all of it is decoded.

    Args:
        path: the file.
        start_s: where the part to decode begins; what precedes it is skipped, or decoded where the codec needs it.
        end_s: where it ends; nothing behind it is read.
        track: number of the audio track, from 1.

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
            for samples, rate in _part(file, path, start_s, end_s, track):
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
            if (sound := _open_soundfile(file)) is None:
                return count_ffmpeg_tracks(file)
            sound.close()
    except Exception:  # a header that `decode_blocks` repairs, and that neither library reads as it is
        return 1
    return 1


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


def _part(file: BinaryIO, path: Path, start_s: float, end_s: float, track: int) -> Iterator[Block]:
    info = path.stat()
    found = _recordings(path, info.st_ino, info.st_size, info.st_mtime_ns)
    if len(found) > 1:
        blocks = chain.from_iterable(_all_blocks(_file_of(file, pieces), path) for pieces in found)
        return _cut(_of_one_form(blocks, path), 0, path, start_s, end_s)
    file = _file_of(file, found[0])
    if (sound := _open_soundfile(file)) is None:
        return _cut(ffmpeg_blocks(file, path, _BLOCK, track - 1), 0, path, start_s, end_s)
    at, most = 0, _BLOCK // sound.channels
    if (start := round(start_s * sound.samplerate)) < sound.frames and sound.subtype in SEEKABLE:
        at = sound.seek(start) if start else 0
        most = int(min(most, (end_s - start_s) * sound.samplerate + 1))
    return _cut(_soundfile_blocks(sound, path, max(1, most)), at, path, start_s, end_s)


@lru_cache(maxsize=64)
def _recordings(path: Path, _inode: int, _size: int, _mtime_ns: int) -> list[list[Piece]]:
    """What lies end to end in a file; remembered, for a file may be asked for many parts."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return recordings(content, path)


def _file_of(file: BinaryIO, pieces: list[Piece]) -> BinaryIO:
    """The file itself, if there is but one piece of it."""
    whole = pieces == [(0, os.fstat(file.fileno()).st_size)]
    return file if whole else cast(BinaryIO, Pieces(file, pieces))


def _all_blocks(file: BinaryIO, path: Path) -> Iterator[Block]:
    sound = _open_soundfile(file)
    return (
        ffmpeg_blocks(file, path, _BLOCK)
        if sound is None
        else _soundfile_blocks(sound, path, max(1, _BLOCK // sound.channels))
    )


def _of_one_form(blocks: Iterable[Block], path: Path) -> Iterator[Block]:
    """The blocks of recordings that are end to end in a file, if their rates and channels are the same."""
    first: tuple[int, int] | None = None
    for samples, rate in blocks:
        first = first or (len(samples), rate)
        if (len(samples), rate) != first:
            reject(
                "undecodable", path, "several recordings with different sample rates or channels, end to end"
            )
        yield samples, rate


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
        if found < 0.99 * sound.frames:
            what = f"truncated: header promises {sound.frames} samples, file has {found}"
            reject("undecodable", path, what)
