"""W64 and CAF, the formats for files above 4 GiB, whose header states another length than they have.

libsndfile reads a W64 file to its end, whatever follows the samples, and a CAF file up to the stated length, or not at
all where that is -1, which the format allows for "until the end". Here the decoder gets what the file holds.

Sources: Sony Wave64 (the chunks of RIFF with 16-byte names and 64-bit sizes, which count their own 24 bytes, at
multiples of 8); Apple Core Audio Format Specification 1.0 (4-byte names, 64-bit sizes, big-endian).
"""

import struct
from mmap import mmap
from pathlib import Path

from featurize.containers.lengths import held_length
from featurize.containers.pieces import Piece

_SUFFIX = bytes.fromhex("f3acd3118cd100c04f8edb8a")
W64 = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
"""How a W64 file begins."""
CAF = b"caff"
"""How a CAF file begins."""
_PLAIN = (b"lpcm", b"ulaw", b"alaw")  # codecs of CAF whose samples end where the chunk does


def w64_recording(content: mmap, path: Path) -> list[Piece]:
    """The recording in a W64 file, without what follows its samples.

    Raises:
        AudioError: undecodable: truncated, or followed by text.
    """
    at = 40
    while at + 24 <= len(content):
        (size,) = struct.unpack("<Q", content[at + 16 : at + 24])
        if content[at : at + 16] == b"data" + _SUFFIX:
            begin, promised = at + 24, max(0, size - 24)
            length = held_length(content, begin, promised, lambda place: _w64_chunks(content, place), path)
            return [(0, begin + length)]
        if size < 24:
            break
        at += -(-size // 8) * 8
    return [(0, len(content))]


def _w64_chunks(content: mmap, at: int) -> bool:
    at, end = -(-at // 8) * 8, len(content)
    while at + 24 <= end:
        (size,) = struct.unpack("<Q", content[at + 16 : at + 24])
        if not 24 <= size <= end - at:
            return False
        at += -(-size // 8) * 8
    return True


def caf_recording(content: mmap, path: Path) -> list[Piece]:
    """The recording in a CAF file, with the length of its samples in the header.

    Raises:
        AudioError: undecodable: truncated, or followed by text.
    """
    at, codec = 8, b""
    while at + 12 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 12], "big")
        if name == b"desc":
            codec = content[at + 20 : at + 24]
        if name == b"data":
            begin = at + 16  # behind the number of edits
            promised = max(0, size - 4)
            if codec not in _PLAIN and size < 2**63:
                break
            length = held_length(content, begin, promised, lambda place: _caf_chunks(content, place), path)
            if length == promised:
                break
            return [(0, at + 4), struct.pack(">q", length + 4), (at + 12, begin + length)]
        if size >= 2**63:
            break
        at += 12 + size
    return [(0, len(content))]


def _caf_chunks(content: mmap, at: int) -> bool:
    end = len(content)
    while at + 12 <= end:
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 12], "big")
        if not all(32 <= byte < 127 for byte in name) or size > end - at - 12:
            return False
        at += 12 + size
    return True
