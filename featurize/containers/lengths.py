"""The number of bytes of samples in a file whose header may state a wrong one.

The stated number is compared with what the file holds:

    length in the header      content of the file                                  result
    too large                 shorter by at most 1 % or the size of the header     all samples
    a placeholder             anything                                             all samples
    too large                 shorter by more                                      rejected as truncated
    too small, or zero        chunks and tags after the samples                    the stated samples
    too small, or zero        text after the samples                               rejected
    too small, or zero        other bytes after the samples                        all of them, with a warning
"""

import logging
from collections.abc import Callable
from mmap import mmap
from pathlib import Path

from featurize.errors import reject

log = logging.getLogger(__name__)

_PLACEHOLDERS = (
    (0x7FFE_0000, 0x8001_0000),
    (0xFFFF_0000, 0xFFFF_FFFF),
)  # sizes that programs write for an unknown length
_LARGE, _MULTIPLE = (
    2**28,
    64,
)  # sizes from _LARGE bytes and above _MULTIPLE times the file's size are placeholders as well
_JUNK = 4096  # bytes after the samples that are ignored if they are also less than 1 %


def held_length(
    content: mmap, begin: int, promised: int, are_chunks: Callable[[int], bool], path: Path
) -> int:
    """Bytes of samples of a recording that ends where the file does.

    Args:
        content: the file.
        begin: where the samples begin.
        promised: bytes of samples that the header states.
        are_chunks: whether chunks of the format follow each other from a place to the end of the file.
        path: of the file, for messages.

    Raises:
        AudioError: undecodable: truncated, or followed by text.
    """
    held = len(content) - begin
    if promised >= held:
        require_whole(path, 0, promised, held)
        return held
    if are_chunks(begin + promised) or (rest := kind_of_rest(content, begin + promised)) == "junk":
        return promised
    if rest == "text":
        reject_text(path, promised, held)
    warn_of_more(path, promised, held)
    return held


def require_whole(path: Path, header: int, promised: int, held: int) -> None:
    """Refuse a file that holds less than it states, unless the difference is small or the number a placeholder.

    Args:
        path: of the file, for the message.
        header: length of the header in bytes, which programs count by mistake; 0: none does.
        promised: bytes of samples that the header states.
        held: bytes that the file holds.

    Raises:
        AudioError: undecodable.
    """
    if promised - held > max(header, 0.01 * promised) and not is_placeholder(promised, held):
        what = f"truncated: header promises {promised} bytes of samples, file has {held}"
        reject("undecodable", path, what)


def is_placeholder(promised: int, held: int) -> bool:
    """Whether the stated number stands for one that was not known."""
    known = any(low <= promised <= high for low, high in _PLACEHOLDERS)
    return known or (promised >= _LARGE and promised > _MULTIPLE * held)


def kind_of_rest(content: mmap, at: int) -> str:
    """What is from here to the end of the file, if it is no chunk: "junk", "text" or "samples"."""
    rest, end = content[at : at + _JUNK], len(content)
    if end - at <= _JUNK and (end - at <= 0.01 * at or not any(rest)):
        return "junk"
    if sum(32 <= byte < 127 or byte in b"\t\n\r" for byte in rest) >= 0.95 * len(rest):
        return "text"
    return "samples"


def reject_text(path: Path, promised: int, held: int) -> None:
    """Refuse a file in which text follows the samples.

    Raises:
        AudioError: undecodable.
    """
    reject("undecodable", path, f"{held - promised} bytes of text follow the {promised} bytes of samples")


def warn_of_more(path: Path, promised: int, held: int) -> None:
    """Say that all samples are read, although the header states fewer; nothing if it states none."""
    if promised:
        what = "%s: the header states %d bytes of samples, the file has %d; all of them are read"
        log.warning(what, path, promised, held)
