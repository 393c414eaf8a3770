"""A file object made of pieces of another file, for decoding files whose header is replaced."""

import io
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, BinaryIO

Piece = bytes | tuple[int, int]
"""Bytes, or the part [start, end) of a file."""


class Pieces(io.RawIOBase):
    """The concatenation of pieces as a read-only, seekable file; nothing is copied.

    Args:
        file: the file of which the pieces are parts; it is not closed.
        pieces: in order.
    """

    def __init__(self, file: BinaryIO, pieces: Sequence[Piece]) -> None:
        self._file, self._pieces = file, [piece for piece in pieces if _length(piece)]
        self._starts = [0, *accumulate(map(_length, self._pieces))]
        self._at = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position."""
        self._at = offset + (0, self._at, self._starts[-1])[whence]
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any writable buffer
        """Fill the buffer, or read to the end."""
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view) and 0 <= self._at < self._starts[-1]:
            number = bisect_right(self._starts, self._at) - 1
            piece, offset = self._pieces[number], self._at - self._starts[number]
            most = min(len(view) - done, _length(piece) - offset)
            if isinstance(piece, bytes):
                part = piece[offset : offset + most]
            else:
                self._file.seek(piece[0] + offset)
                part = self._file.read(most)
            if not part:
                break
            view[done : done + len(part)] = part
            done += len(part)
            self._at += len(part)
        return done


class Steady:
    """A file that stays where it is when it is sent to an impossible place.

    libsndfile and FFmpeg do that in damaged files; an exception in their callbacks would be printed to stderr.

    Args:
        file: to read; it is not closed with this one.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.read, self.tell, self.name = file.read, file.tell, getattr(file, "name", "")
        self.readinto: Callable[[Any], int] = getattr(file, "readinto")  # noqa: B009 - BinaryIO lacks it

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position, and return it; or -1 if that is not possible."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError, OverflowError):
            return -1


def _length(piece: Piece) -> int:
    return len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]
