"""The closing line of a stage says what was done, and no rate where nothing was; where there is no bar, lines do."""

from collections.abc import Callable

import pytest

from pipeline import progress
from pipeline.progress import clip_progress

Report = tuple[float, int, int, int]


@pytest.fixture
def closing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The line that ends a stage of 2 s after such reports (audio_s, clips, rejected, standing)."""

    def line(*reports: Report, unusable: str = "rejected") -> str:
        times = iter([10.0, *([11.0] * len(reports)), 12.0])
        monkeypatch.setattr(progress.time, "perf_counter", lambda: next(times))
        with clip_progress("denoise", 9, unusable) as advance:
            for audio_s, clips, rejected, standing in reports:
                advance(audio_s, clips, rejected, standing=standing)
        return capsys.readouterr().err.strip()

    return line


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ([(8.0, 4, 0, 0)], "4 clips, 2.0 clips/s, 4 × real time"),
        ([(2.0, 1, 0, 0)], "1 clip, 0.5 clips/s, 1 × real time"),
        ([(8.0, 4, 0, 0), (0.0, 2, 2, 0)], "6 clips, 3.0 clips/s, 4 × real time, 2 rejected"),
        ([(0.0, 30, 0, 30), (8.0, 4, 0, 0)], "34 clips (30 stood already), 2.0 clips/s, 4 × real time"),
        ([(0.0, 30, 0, 30)], "nothing to do: 30 clips stand"),
        ([(0.0, 1, 0, 1)], "nothing to do: 1 clip stands"),
        ([(0.0, 30, 0, 30), (0.0, 1, 1, 0)], "nothing to do: 30 clips stand, 1 rejected"),
        ([(0.0, 3, 3, 0)], "3 clips, 3 rejected"),
        ([], "0 clips"),
    ],
)
def test_rates_are_of_the_work_that_was_done(
    closing: Callable[..., str], reports: list[Report], expected: str
) -> None:
    assert closing(*reports) == f"denoise: {expected}"


def test_a_rejected_clip_can_be_called_otherwise(closing: Callable[..., str]) -> None:
    said = closing((8.0, 4, 0, 0), (0.0, 1, 1, 0), unusable="without a fingerprint")
    assert said.endswith("× real time, 1 without a fingerprint")


def lines(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    seconds_per_clip: float,
    num_clips: int,
) -> list[str]:
    """What is said, without a terminal, of a stage that takes so long; each clip has 2 s of audio."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    with clip_progress("encode", num_clips) as advance:
        for _ in range(num_clips):
            now[0] += seconds_per_clip
            advance(2.0)
    return capsys.readouterr().err.splitlines()


def test_a_tenth_is_a_line_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = lines(monkeypatch, capsys, 0.5, 300)
    assert len(said) == 10
    assert said[0] == "encode: 30 of 300 clips, 2.0 clips/s, 4 × real time, 0:02:15 left"
    assert said[8] == "encode: 270 of 300 clips, 2.0 clips/s, 4 × real time, 0:00:15 left"
    assert said[9] == "encode: 300 clips, 2.0 clips/s, 4 × real time"


@pytest.mark.parametrize(
    ("seconds_per_clip", "num_clips", "between"), [(0.001, 9000, None), (0.1, 200, 10.0)]
)
def test_a_short_stage_is_not_talked_about(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    seconds_per_clip: float,
    num_clips: int,
    between: float | None,
) -> None:
    said = lines(monkeypatch, capsys, seconds_per_clip, num_clips)
    assert len(said) == (1 if between is None else seconds_per_clip * num_clips / between)


def test_a_long_stage_says_something_each_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = lines(monkeypatch, capsys, 1.0, 3600)
    assert len(said) == 60
    assert said[29] == "encode: 1800 of 3600 clips, 1.0 clips/s, 2 × real time, 0:30:00 left"


def test_what_stood_already_takes_no_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    with clip_progress("encode", 300) as advance:
        now[0] = 20.0
        advance(0.0, 200, standing=200)
        now[0] = 40.0
        advance(8.0, 40)
    assert capsys.readouterr().err.splitlines()[:2] == [
        "encode: 200 of 300 clips, 0.0 clips/s, 0 × real time",
        "encode: 240 of 300 clips, 1.0 clips/s, 0 × real time, 0:01:00 left",
    ]
