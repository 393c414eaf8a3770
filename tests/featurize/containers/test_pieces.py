"""Pieces are read as their concatenation."""

import io
import os

from hypothesis import given
from hypothesis import strategies as st

from featurize.containers.pieces import Pieces, Steady

CONTENT = bytes(range(200))


@given(
    spans=st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=4),
    head=st.binary(max_size=9),
    moves=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 90)), max_size=8),
)
def test_like_a_file_of_the_same_bytes(
    spans: list[tuple[int, int]], head: bytes, moves: list[tuple[int, int]]
) -> None:
    parts = [(start, start + length) for start, length in spans]
    expected = io.BytesIO(head + b"".join(CONTENT[start:end] for start, end in parts))
    file = Pieces(io.BytesIO(CONTENT), [head, *parts])
    for at, length in moves:
        assert file.seek(at) == expected.seek(at)
        assert file.read(length) == expected.read(length)
        assert file.tell() == expected.tell()
    assert file.seek(-3, os.SEEK_END) == len(expected.getvalue()) - 3
    assert file.seek(2, os.SEEK_CUR) == len(expected.getvalue()) - 1


def test_an_impossible_place_is_not_gone_to() -> None:
    file = Steady(io.BytesIO(CONTENT))
    assert file.seek(20) == 20
    for place, whence in ((-1, os.SEEK_SET), (2**80, os.SEEK_SET)):
        assert file.seek(place, whence) == -1
        assert file.tell() == 20
    assert file.read(2) == CONTENT[20:22]
