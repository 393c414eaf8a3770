"""The kept frames of all windows, end to end, are those of the clip."""

from hypothesis import given
from hypothesis import strategies as st

from featurize.encoders.windows import windows

FRAME = 640


@given(num_samples=st.integers(1, 500_000), window=st.integers(20, 100), overlap=st.integers(0, 18))
def test_every_frame_is_kept_once(num_samples: int, window: int, overlap: int) -> None:
    kept: list[int] = []
    previous_end = 0
    for start, end, first, last in windows(num_samples, window * FRAME, overlap * FRAME, FRAME):
        assert start % FRAME == 0 and start <= previous_end
        assert end - start <= window * FRAME
        frames = range(start // FRAME, -(-end // FRAME))
        kept += frames[first:last]
        previous_end = end
    assert previous_end == num_samples
    assert kept == list(range(-(-num_samples // FRAME)))


@given(num_samples=st.integers(1, 64_000))
def test_a_clip_of_one_window_is_whole(num_samples: int) -> None:
    assert list(windows(num_samples, 64_000, 6_400, FRAME)) == [(0, num_samples, 0, None)]
