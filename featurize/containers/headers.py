"""WAV and AIFF files whose header states another length than they have: where their samples really are.

A recorder writes the length last. If it dies before, or writes to a pipe, the header holds zero, a placeholder or an
early state, and libsndfile returns that many samples without a word. Here the chunks are walked and compared with the
file's size; where they disagree, the decoder gets a header with the right length in front of the same samples.

    the header states                 the file holds                           what is read
    more than there is                up to 1 % or the header's size less      all of it
    a placeholder                     anything                                 all of it
    more than there is                less                                     rejected as truncated
    less than there is, or nothing    chunks and tags behind the samples       as stated
    less than there is, or nothing    another header behind the samples        two recordings
    less than there is, or nothing    text behind the samples                  rejected
    less than there is, or nothing    anything else behind the samples         all of it, with a warning
"""

import logging
import struct
from mmap import mmap
from pathlib import Path
from typing import NamedTuple, NoReturn

from featurize.containers.pieces import Piece
from featurize.errors import reject

log = logging.getLogger(__name__)

_PLACEHOLDERS = (
    (0x7FFE_0000, 0x8001_0000),
    (0xFFFF_0000, 0xFFFF_FFFF),
)  # "until the end", as programs write it
_LARGE, _MULTIPLE = (
    2**28,
    64,
)  # bytes; a large size that is so many times the file's own is a placeholder as well
_JUNK = 4096  # bytes behind the samples that are ignored, if they are less than 1 % as well
_RECORDINGS = (b"RIFF", b"RIFX", b"RF64", b"FORM")
_TAGS = (b"ID3", b"TAG", b"APETAGEX")
_CHUNKS = frozenset(
    b"data|fmt |fact|LIST|JUNK|junk|FLLR|PAD |bext|iXML|_PMX|cue |smpl|inst|PEAK|id3 |ID3 |ds64|afsp|acid".split(
        b"|"
    )
    + b"COMM|SSND|FVER|MARK|INST|NAME|AUTH|(c) |ANNO|APPL|CHAN|COMT|AESD".split(b"|")
)


class _Form(NamedTuple):
    """What tells WAV from AIFF."""

    order: str
    """Of bytes, as in `struct`."""
    samples: bytes
    """Name of the chunk with the samples."""
    skip: int
    """Bytes in that chunk before the samples."""


class _Found(NamedTuple):
    """The chunk with the samples."""

    begin: int
    """Where the samples begin."""
    promised: int
    """Bytes of samples that the header states."""
    chunks: dict[bytes, tuple[int, int]]
    """Chunks before it, name to [start, end) of their content."""
    damaged: bool
    """Whether a chunk before it has no pad byte."""


def riff_recordings(content: mmap, path: Path) -> list[list[Piece]]:
    """The recordings in a WAV or AIFF file, usually one, each as pieces with a header that is right.

    Raises:
        AudioError: undecodable, truncated or followed by what is not audio.
    """
    recordings: list[list[Piece]] = []
    at: int | None = 0
    while at is not None:
        pieces, at = _recording(content, at, path)
        recordings.append(pieces)
    return recordings


def is_riff(content: mmap) -> bool:
    """Whether a file begins as WAV or AIFF do."""
    return _begins(content, 0)


def _begins(content: mmap, at: int) -> bool:
    kind = content[at + 8 : at + 12]
    return content[at : at + 4] in _RECORDINGS and kind in (b"WAVE", b"AIFF", b"AIFC")


def au_recording(content: mmap, path: Path) -> list[Piece]:
    """The same for the one recording of an AU file, which ends where the file does.

    Raises:
        AudioError: truncated.
    """
    begin, promised = struct.unpack(">II", content[4:12].ljust(8, b"\0"))
    held = len(content) - begin
    if (
        promised > held
        and promised - held > max(begin, 0.01 * promised)
        and not _is_placeholder(promised, held)
    ):
        _reject_truncated(path, promised, held)
    if promised == held or held <= 0:
        return [(0, len(content))]
    return [content[:8] + b"\xff\xff\xff\xff", (12, len(content))]


def _reject_truncated(path: Path, promised: int, held: int) -> NoReturn:
    reject("undecodable", path, f"truncated: header promises {promised} bytes of samples, file has {held}")


def _recording(content: mmap, at: int, path: Path) -> tuple[list[Piece], int | None]:
    """The pieces of the recording that starts at `at`, and where the next one starts."""
    end = len(content)
    form = _Form(">", b"SSND", 8) if content[at : at + 4] == b"FORM" else _Form("<", b"data", 0)
    form = form._replace(order=">") if content[at : at + 4] == b"RIFX" else form
    if (found := _samples(content, at, form)) is None:
        return [(at, end)], None
    held, promised = end - found.begin, found.promised
    length = min(held, promised)
    following: int | None = None
    if promised > held:
        if not _is_placeholder(promised, held) and promised - held > max(found.begin - at, 0.01 * promised):
            _reject_truncated(path, promised, held)
    elif promised < held:
        behind = found.begin + promised
        rest, following = _behind(content, behind)
        if rest == "text":
            reject(
                "undecodable", path, f"{held - promised} bytes of text follow the {promised} bytes of samples"
            )
        if rest == "samples":
            length = held
            if promised:
                told = "%s: the header states %d bytes of samples, the file has %d; all of them are read"
                log.warning(told, path, promised, held)
    if length == promised and not found.damaged:
        return [(at, end if following is None else following)], following
    head = _head(content, at, found, form, length)
    if head is None:
        reject("undecodable", path, f"header promises {promised} bytes of samples, file has {held}")
    return [head, (found.begin, found.begin + length)], following


def _samples(content: mmap, at: int, form: _Form) -> _Found | None:
    """Walk to the chunk with the samples; None: there is none that can be found."""
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
    """Where the chunk behind this one starts: at an even place, unless its writer forgot the pad byte."""
    bare = at + 8 + size
    padded = bare + size % 2
    unpadded = content[bare : bare + 4] in _CHUNKS and content[padded : padded + 4] not in _CHUNKS
    return bare if unpadded else padded


def _is_placeholder(promised: int, held: int) -> bool:
    known = any(low <= promised <= high for low, high in _PLACEHOLDERS)
    return known or (promised >= _LARGE and promised > _MULTIPLE * held)


def _behind(content: mmap, at: int) -> tuple[str, int | None]:
    """What follows the samples: "chunks", "text" or "samples"; and where another recording starts, if one does."""
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
    rest = content[at : at + _JUNK]
    if end - at <= _JUNK and (end - at <= 0.01 * at or not any(rest)):
        return "chunks", None
    if sum(32 <= byte < 127 or byte in b"\t\n\r" for byte in rest) >= 0.95 * len(rest):
        return "text", None
    return "samples", None


def _is_name(name: bytes) -> bool:
    return all(32 <= byte < 127 for byte in name)


def _head(content: mmap, at: int, found: _Found, form: _Form, length: int) -> bytes | None:
    """A header for `length` bytes of samples; None for codecs of which the number of samples is not known."""
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
