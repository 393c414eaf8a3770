"""Files with several recordings one after the other: chained Ogg, and concatenated MP3 and FLAC files.

libsndfile decodes only the first recording, without an error. Here the file is divided into its recordings, and each
is decoded separately. From MP3 files, data between frames is removed, since libmpg123 writes messages about it to
stderr. (stderr is not redirected while decoding: file descriptor 2 belongs to the whole process, so output of other
threads would be lost.)
"""

import mmap
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path

from featurize.containers.pieces import Piece
from featurize.errors import reject

_FLAC = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")
_FLAC_MARK, _WINDOW = 8, 2**24  # bytes: length of the pattern, and searched at a time
_FLAC_FRAME = re.compile(rb"\xff[\xf8\xf9]")
_FLAC_BLOCKS = {
    1: 192,
    2: 576,
    3: 1152,
    4: 2304,
    5: 4608,
    **{code: 256 << (code - 8) for code in range(8, 16)},
}
_KBPS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBPS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MOST_JUNK = 1024  # largest number of bytes skipped between frames, as in libmpg123


def joined(content: mmap.mmap, path: Path) -> list[list[Piece]]:
    """The recordings in an Ogg, FLAC or MP3 file, each as pieces for the decoder; any other file as one recording.

    Raises:
        AudioError: undecodable.
    """
    if content[:4] == b"OggS":
        return _between(_ogg_starts(content), len(content))
    if _FLAC.match(content):
        return _flac(content)
    return _mp3(content, path) or [[(0, len(content))]]


def _between(starts: list[int], end: int) -> list[list[Piece]]:
    return [[(start, stop)] for start, stop in zip(starts, [*starts[1:], end], strict=True)]


def _ogg_starts(content: mmap.mmap) -> list[int]:
    """Offsets of recordings: pages that begin a stream and do not follow another such page (RFC 3533, section 4)."""
    starts, at, began = [0], 0, True
    while at >= 0 and at + 27 <= len(content):
        if content[at : at + 4] != b"OggS":
            at = content.find(b"OggS", at)
            continue
        begins = bool(content[at + 5] & 2)
        if begins and not began:
            starts.append(at)
        began = begins
        num_segments = content[at + 26]
        at += 27 + num_segments + sum(content[at + 27 : at + 27 + num_segments])
    return starts


def _flac(content: mmap.mmap) -> list[list[Piece]]:
    """Divide the file at each stream; if the last frame of a stream is after its stated length, set it to unknown."""
    starts = _flac_starts(content)
    found: list[list[Piece]] = []
    for start, end in zip(starts, [*starts[1:], len(content)], strict=True):
        stated = int.from_bytes(content[start + 18 : start + 26], "big") & (2**36 - 1)
        if stated and _flac_last_frame(content, start, end) >= stated:
            unknown = bytes([content[start + 21] & 0xF0]) + bytes(4)
            found.append([(start, start + 21), unknown, (start + 26, end)])
        else:
            found.append([(start, end)])
    return found


def _flac_starts(content: mmap.mmap) -> list[int]:
    """Offsets of the streams; the parts of a large file that have been searched do not stay in memory."""
    starts: list[int] = []
    for at in range(0, len(content), _WINDOW):
        end = min(at + _WINDOW, len(content))
        starts += [match.start() for match in _FLAC.finditer(content, at, end + _FLAC_MARK - 1)]
        if hasattr(content, "madvise"):  # not on Windows
            content.madvise(mmap.MADV_DONTNEED, at, end - at)
    return starts


def _flac_last_frame(content: mmap.mmap, start: int, end: int) -> int:
    """Number of the first sample of the last frame, from its header (RFC 9639, section 9.1); 0 if not found."""
    block = int.from_bytes(content[start + 10 : start + 12], "big")
    tail = content[max(start + 42, end - 2**16) : end]
    for match in reversed(list(_FLAC_FRAME.finditer(tail))):
        head = tail[match.start() : match.start() + 16]
        if len(head) < 16 or head[3] & 1 or head[2] >> 4 == 0 or head[2] & 15 == 15:
            continue
        num_bytes = 8 - (head[4] ^ 0xFF).bit_length() if head[4] & 0x80 else 1
        if num_bytes not in (1, 2, 3, 4, 5, 6, 7):
            continue
        size = 4 + num_bytes + {6: 1, 7: 2}.get(head[2] >> 4, 0) + {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
        if size >= 16 or _crc8(head[:size]) != head[size]:
            continue
        number = head[4] & (0xFF >> (num_bytes + 1) if num_bytes > 1 else 0x7F)
        for byte in head[5 : 4 + num_bytes]:
            number = number << 6 | byte & 0x3F
        return number if head[1] & 1 else number * block
    return 0


def _crc8(content: bytes) -> int:
    """FLAC's CRC of a frame header: x^8 + x^2 + x + 1."""
    value = 0
    for byte in content:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ (7 if value & 0x80 else 0)) & 0xFF
    return value


@dataclass
class _Frames:
    """The frames of one MP3 recording."""

    spans: list[tuple[int, int]] = field(default_factory=list)
    number: int = 0
    stated: int = 0
    """Number of frames stated in the first one, without itself; 0 if it states none."""

    def add(self, start: int, end: int) -> None:
        if self.spans and self.spans[-1][1] == start:
            self.spans[-1] = (self.spans[-1][0], end)
        else:
            self.spans.append((start, end))


def _mp3(content: mmap.mmap, path: Path) -> list[list[Piece]]:
    """Divide an MP3 file into the frames of each recording; empty if the file is not MP3.

    A recording begins at an ID3v2 tag, at a frame that states a length (Xing, Info, VBRI), or after the number of
    frames stated by such a frame.
    """
    at = _behind_id3(content, 0)
    if not (_frame_length(content, at) and _frame_length(content, at + _frame_length(content, at))):
        return []
    kind = content[at + 1] & 0xFE, content[at + 2] & 0x0C  # version, layer and sample rate
    found, junk = [_Frames()], 0
    while at < len(content):
        length = _frame_length(content, at)
        if length and (content[at + 1] & 0xFE, content[at + 2] & 0x0C) == kind:
            states, now = _frames_stated(content[at : at + 64]), found[-1]
            if now.number and (states is not None or (now.stated and now.number > now.stated)):
                found.append(now := _Frames())
            now.stated = states or now.stated
            now.number += 1
            now.add(at, min(at + length, len(content)))
            junk = 0
        elif behind := _behind_tag(content, at):
            length = behind - at
            if content[at : at + 3] == b"ID3" and found[-1].number:
                found.append(_Frames())
        else:
            length = max(1, _next_sync(content, at + 1) - at)
            junk += length
            if at + length < len(content) and junk > _MOST_JUNK:
                reject(
                    "undecodable",
                    path,
                    f"damaged: no MP3 frame in the {junk} bytes before byte {at + length}",
                )
        at += length
    return [_mp3_pieces(content, frames, path) for frames in found if frames.number]


def _mp3_pieces(content: mmap.mmap, frames: _Frames, path: Path) -> list[Piece]:
    """The frames, preceded by one that states their number: otherwise libsndfile estimates it from the bit rate."""
    if frames.number - 1 < 0.99 * frames.stated:
        what = f"truncated: header promises {frames.stated} frames, file has {frames.number - 1}"
        reject("undecodable", path, what)
    if frames.stated:
        return [*frames.spans]
    start = frames.spans[0][0]
    head = bytes([0xFF, content[start + 1] | 1, 0x90 | content[start + 2] & 0x0C, content[start + 3]])
    mpeg1, mono = head[1] & 8, head[3] >> 6 == 3
    info = (
        bytes((17 if mono else 32) if mpeg1 else (9 if mono else 17))
        + b"Info"
        + struct.pack(">II", 1, frames.number)
    )
    return [(head + info).ljust(_frame_length(head, 0), b"\0"), *frames.spans]


def _next_sync(content: mmap.mmap, at: int) -> int:
    """Offset of the next frame that is followed by another frame; or the end of the file."""
    while (at := content.find(b"\xff", at)) >= 0:
        length = _frame_length(content, at)
        if length and (_frame_length(content, at + length) or at + length >= len(content)):
            return at
        at += 1
    return len(content)


def _behind_id3(content: mmap.mmap, at: int) -> int:
    while (behind := _behind_tag(content, at)) and content[at : at + 3] == b"ID3":
        at = behind
    return at


def _behind_tag(content: mmap.mmap, at: int) -> int:
    """End of the tag at offset `at`; 0 if there is none."""
    if content[at : at + 3] == b"ID3" and at + 10 <= len(content) and max(content[at + 6 : at + 10]) < 128:
        size = 0
        for byte in content[at + 6 : at + 10]:
            size = size << 7 | byte
        return at + 10 + size + (10 if content[at + 5] & 0x10 else 0)
    if content[at : at + 8] == b"APETAGEX":
        size = int.from_bytes(content[at + 12 : at + 16], "little")
        return at + 32 + (size if content[at + 23] & 0x20 else 0)
    if content[at : at + 3] == b"TAG":
        return at + 128
    return 0


def _frame_length(content: mmap.mmap | bytes, at: int) -> int:
    """Size in bytes of the MPEG layer 3 frame at offset `at`; 0 if there is none."""
    head = content[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version, bitrate, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or bitrate in (0, 15) or rate == 3:
        return 0
    hz = (44_100, 48_000, 32_000)[rate] >> (0 if version == 3 else 1 if version == 2 else 2)
    kbps, samples = (_KBPS_1[bitrate], 1152) if version == 3 else (_KBPS_2[bitrate], 576)
    return samples // 8 * kbps * 1000 // hz + (head[2] >> 1 & 1)


def _frames_stated(frame: bytes) -> int | None:
    """Number of frames stated in a first frame; 0 if it is a header without that number, None if it is audio."""
    for name in (b"Xing", b"Info"):
        if (at := frame.find(name, 4, 48)) >= 0:
            return int.from_bytes(frame[at + 8 : at + 12], "big") if frame[at + 7] & 1 else 0
    return 0 if frame[36:40] == b"VBRI" else None
