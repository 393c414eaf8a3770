"""WAV, AIFF and AU files whose header states a wrong number of samples.

A recorder writes the length at the end. If it was interrupted or wrote to a pipe, the header holds zero, a placeholder
or an earlier length, and libsndfile returns that number of samples without an error. Here the chunk sizes are compared
with the size of the file; if they differ, the decoder gets a header with the correct length before the same samples.

The rules are listed in `lengths`. Another header after the samples starts a second recording.
"""

import struct
from mmap import mmap
from pathlib import Path
from typing import NamedTuple

from featurize.containers.lengths import kind_of_rest, reject_text, require_whole, warn_of_more
from featurize.containers.pieces import Piece
from featurize.errors import reject

_RECORDINGS = (b"RIFF", b"RIFX", b"RF64", b"FORM")
_TAGS = (b"ID3", b"TAG", b"APETAGEX")
_CHUNKS = frozenset(
    b"data|fmt |fact|LIST|JUNK|junk|FLLR|PAD |bext|iXML|_PMX|cue |smpl|inst|PEAK|id3 |ID3 |ds64|afsp|acid".split(
        b"|"
    )
    + b"COMM|SSND|FVER|MARK|INST|NAME|AUTH|(c) |ANNO|APPL|CHAN|COMT|AESD".split(b"|")
)


class _Form(NamedTuple):
    """The differences between WAV and AIFF."""

    order: str
    """Byte order, as in `struct`."""
    samples: bytes
    """Name of the chunk with the samples."""
    skip: int
    """Bytes in that chunk before the samples."""


class _Found(NamedTuple):
    """The chunk with the samples."""

    begin: int
    """Offset of the samples."""
    promised: int
    """Size of the samples in the header, in bytes."""
    chunks: dict[bytes, tuple[int, int]]
    """The chunks before it: name → [start, end) of the content."""
    damaged: bool
    """Whether a chunk before it lacks its pad byte."""


def riff_recordings(content: mmap, path: Path) -> list[list[Piece]]:
    """The recordings in a WAV or AIFF file, usually one, each as pieces with a correct header.

    Raises:
        AudioError: undecodable, truncated, or followed by text.
    """
    recordings: list[list[Piece]] = []
    at: int | None = 0
    while at is not None:
        pieces, at = _recording(content, at, path)
        recordings.append(pieces)
    return recordings


def is_riff(content: mmap) -> bool:
    """Whether a file begins with a WAV or AIFF header."""
    return _begins(content, 0)


def _begins(content: mmap, at: int) -> bool:
    kind = content[at + 8 : at + 12]
    return content[at : at + 4] in _RECORDINGS and kind in (b"WAVE", b"AIFF", b"AIFC")


def au_recording(content: mmap, path: Path) -> list[Piece]:
    """The recording in an AU file, which extends to the end of the file, as pieces with a correct header.

    Raises:
        AudioError: truncated.
    """
    begin, promised = struct.unpack(">II", content[4:12].ljust(8, b"\0"))
    held = len(content) - begin
    require_whole(path, begin, promised, held)
    if promised == held or held <= 0:
        return [(0, len(content))]
    return [content[:8] + b"\xff\xff\xff\xff", (12, len(content))]


def _recording(content: mmap, at: int, path: Path) -> tuple[list[Piece], int | None]:
    """The pieces of the recording at offset `at`, and the offset of the next recording or None."""
    end = len(content)
    form = _Form(">", b"SSND", 8) if content[at : at + 4] == b"FORM" else _Form("<", b"data", 0)
    form = form._replace(order=">") if content[at : at + 4] == b"RIFX" else form
    if (found := _samples(content, at, form)) is None:
        return [(at, end)], None
    held, promised = end - found.begin, found.promised
    length = min(held, promised)
    following: int | None = None
    if promised > held:
        require_whole(path, found.begin - at, promised, held)
    elif promised < held:
        rest, following = _after_samples(content, found.begin + promised)
        if rest == "text":
            reject_text(path, promised, held)
        if rest == "samples":
            length = held
            warn_of_more(path, promised, held)
    if length == promised and not found.damaged:
        return [(at, end if following is None else following)], following
    head = _head(content, at, found, form, length)
    if head is None:
        reject("undecodable", path, f"header promises {promised} bytes of samples, file has {held}")
    return [head, (found.begin, found.begin + length)], following


def _samples(content: mmap, at: int, form: _Form) -> _Found | None:
    """Find the chunk with the samples; None if there is none."""
    chunks: dict[bytes, tuple[int, int]] = {}
    damaged = False
    at += 12
    while at + 8 <= len(content):
        name = content[at : at + 4]
        (size,) = struct.unpack(f"{form.order}I", content[at + 4 : at + 8])
        if name == form.samples:
            begin = at + 8 + form.skip
            if form.skip and len(content) >= begin:
                begin += struct.unpack(">I", content[at + 8 : at + 12])[0]
            promised = max(0, size - (begin - at - 8))
            if size == 0xFFFF_FFFF and b"ds64" in chunks:
                start = chunks[b"ds64"][0]
                promised = int.from_bytes(content[start + 8 : start + 16], "little")
            return _Found(begin, promised, chunks, damaged) if begin <= len(content) else None
        chunks[name] = (at + 8, at + 8 + size)
        following = _next_chunk(content, at, size)
        damaged |= following - at - 8 < size + size % 2
        at = following
    return None


def _next_chunk(content: mmap, at: int, size: int) -> int:
    """Offset of the next chunk: even, unless the pad byte is missing."""
    bare = at + 8 + size
    padded = bare + size % 2
    unpadded = content[bare : bare + 4] in _CHUNKS and content[padded : padded + 4] not in _CHUNKS
    return bare if unpadded else padded


def _after_samples(content: mmap, at: int) -> tuple[str, int | None]:
    """The content after the samples ("chunks" or as `kind_of_rest`), and the offset of another recording or None."""
    end = len(content)
    for start in (at + at % 2, at):
        place = start
        while place + 8 <= end:
            if _begins(content, place):
                return "chunks", place
            name, order = content[place : place + 4], ">" if content[:4] in (b"FORM", b"RIFX") else "<"
            (size,) = struct.unpack(f"{order}I", content[place + 4 : place + 8])
            if content[place : place + 3] in _TAGS or content[place : place + 8] in _TAGS:
                return "chunks", None
            if not _is_name(name) or (place + 8 + size > end + 1 and name not in _CHUNKS):
                break
            place = min(_next_chunk(content, place, size), end)
        if end - place < 8:
            return "chunks", None
    return kind_of_rest(content, at), None


def _is_name(name: bytes) -> bool:
    return all(32 <= byte < 127 for byte in name)


def _head(content: mmap, at: int, found: _Found, form: _Form, length: int) -> bytes | None:
    """A header for `length` bytes of samples; None for codecs whose number of samples is unknown."""
    if form.samples == b"SSND":
        return _aiff_head(content, at, found, length)
    start, end = found.chunks.get(b"fmt ", (0, 0))
    order, fmt = form.order, content[start:end]
    magic = content[at : at + 4] if form.order == ">" else b"RIFF"
    body = b"WAVE" + b"fmt " + struct.pack(f"{order}I", len(fmt)) + fmt + b"\0" * (len(fmt) % 2)
    if length < 0xFFFF_0000:
        return (
            magic
            + struct.pack(f"{order}I", len(body) + 8 + length)
            + body
            + b"data"
            + struct.pack(f"{order}I", length)
        )
    ds64 = struct.pack("<4sIQQQI", b"ds64", 28, len(body) + 44 + length, length, 0, 0)
    return b"RF64\xff\xff\xff\xffWAVE" + ds64 + body[4:] + b"data\xff\xff\xff\xff"


def _aiff_head(content: mmap, at: int, found: _Found, length: int) -> bytes | None:
    start, end = found.chunks.get(b"COMM", (0, 0))
    comm = content[start:end]
    if len(comm) < 18 or (
        len(comm) >= 22 and comm[18:22] not in (b"NONE", b"twos", b"sowt", b"fl32", b"fl64")
    ):
        return None
    channels, _, bits = struct.unpack(">HIH", comm[:8])
    frames = length // max(1, channels * ((bits + 7) // 8))
    comm = comm[:2] + struct.pack(">I", frames) + comm[6:]
    body = content[at + 8 : at + 12] + b"COMM" + struct.pack(">I", len(comm)) + comm + b"\0" * (len(comm) % 2)
    samples = b"SSND" + struct.pack(">III", length + 8, 0, 0)
    return b"FORM" + struct.pack(">I", len(body) + len(samples) + length) + body + samples
