"""Parts of files: names, digests and overlap."""

import hashlib

import pytest

from featurize.errors import AudioError
from pipeline.span import Span, span_of


@pytest.mark.parametrize(
    ("row", "span"),
    [
        ({"start_s": "", "end_s": ""}, None),
        ({"start_s": "1.5", "end_s": ""}, Span(1.5, None)),
        ({"start_s": "0.0", "end_s": "2.0"}, Span(0.0, 2.0)),
        ({"path": "an older row"}, None),
    ],
)
def test_the_part_is_read_from_a_row(row: dict[str, str], span: Span | None) -> None:
    assert span_of(row) == span


def test_the_name_of_a_part_is_stable_and_unique() -> None:
    spans = [Span(1.5, 3.2), Span(1.5, 3.201), Span(1.5, None), Span(0.0, 0.000001)]
    assert [*map(str, spans)] == ["1.50-3.20", "1.50-3.201", "1.50-end", "0.00-0.000001"]


def test_the_digest_is_of_file_start_and_end() -> None:
    assert Span(1.5, 3.0).digest("abc") == hashlib.sha256(b"abc 1.5 3.0").hexdigest()
    assert len({Span(1.0, 2.0).digest("a"), Span(1.0, None).digest("a"), Span(1.0, 2.0).digest("b")}) == 3


@pytest.mark.parametrize("span", [Span(-1.0, 2.0), Span(2.0, 2.0), Span(2.0, 1.0)])
def test_impossible_times_are_a_bad_segment(span: Span) -> None:
    error = span.try_digest("abc", "x/a.wav")
    assert isinstance(error, AudioError)
    assert (error.reason, "x/a.wav" in error.detail) == ("bad-segment", True)


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        (Span(0, 1), Span(1, 2), False),
        (Span(0, 1.5), Span(1, 2), True),
        (Span(0, None), Span(5, 6), True),
        (Span(5, None), Span(0, 5), False),
        (Span(1, 2), Span(0, 9), True),
    ],
)
def test_parts_that_share_samples_overlap(one: Span, other: Span, overlap: bool) -> None:
    assert one.overlaps(other) is overlap
    assert other.overlaps(one) is overlap
