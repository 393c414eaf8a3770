"""A file made of pieces of another: what a decoder reads in place of a header that is wrong."""

import io
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import BinaryIO

Piece = bytes | tuple[int, int]
"""Bytes, or the part [start, end) of the file."""


class Pieces(io.RawIOBase):
    """Pieces end to end, as a file that is read and sought in; nothing is copied.

    Args:
        file: that the pieces are parts of; it is not closed with this one.
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
        """Read as much as fits, unless the end comes first."""
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


def _length(piece: Piece) -> int:
    return len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]
