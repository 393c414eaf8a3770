"""The closing line of a stage says what was done, and no rate where nothing was."""

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
