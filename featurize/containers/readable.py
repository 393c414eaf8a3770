"""Checks of a file before it is decoded: missing, a directory or pipe, empty, or text."""

import codecs
import stat
from pathlib import Path

from featurize.errors import reject

LFS_POINTER = b"version https://git-lfs"
"""The first bytes of a file that Git LFS has left in place of another."""
_HEAD = 4096  # number of bytes that are checked; a SPHERE file begins with 1024 bytes of text
_CONTROL = bytes({*range(32), 127} - {*b"\t\n\r\f"})


def check_file(path: Path) -> None:
    """Check that a path is a readable file that is not empty and not text.

    So no decoder waits for a pipe, or tries to decode a web page or a Git LFS pointer.

    Raises:
        AudioError: missing, directory, unreadable, empty, lfs-pointer, or undecodable (text).
    """
    try:
        info = path.stat()
        if stat.S_ISDIR(info.st_mode):
            reject("directory", path, "a directory, not an audio file")
        if not stat.S_ISREG(info.st_mode):
            reject("unreadable", path, "a device or pipe, not an audio file")
        if info.st_size == 0:
            reject("empty", path, "an empty file (zero bytes)")
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except PermissionError:
        reject("unreadable", path, "no permission to read it")
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL character in the name
        reject("missing", path, "no such file")
    except OSError as error:
        reject("unreadable", path, f"cannot be read ({error.strerror})")
    if head.startswith(b"\x00\x05\x16\x07"):
        reject(
            "undecodable", path, "attributes that macOS keeps beside a file (AppleDouble), not the recording"
        )
    if head.startswith(LFS_POINTER):
        reject("lfs-pointer", path, "a git-LFS pointer, not the audio itself; run `git lfs pull`")
    if _is_text(head):
        reject("undecodable", path, "not audio, but text")


def _is_text(head: bytes) -> bool:
    """Whether the first bytes of a file are UTF-8 without control characters, as those of no audio format are."""
    if len(head.translate(None, _CONTROL)) < len(head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # whose last character may be cut
    except UnicodeDecodeError:
        return False
    return True
