"""Time is counted once, for the innermost step."""

import json
from pathlib import Path

import pytest

from pipeline.extraction import stopwatch
from pipeline.extraction.stopwatch import Stopwatch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that the test sets."""
    now = [0.0]
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: now[0])
    return now


def test_a_step_inside_another_is_not_counted_twice(
    clock: list[float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = Stopwatch()
    clock[0] = 100.0  # nobody's time
    with watch("denoise"):
        clock[0] += 2
        with watch("decode"):
            clock[0] += 3
        clock[0] += 1
    clock[0] += 50
    with pytest.raises(RuntimeError), watch("write"):
        clock[0] += 4
        raise RuntimeError
    watch.audio_s = 60.0
    watch.report(tmp_path / "denoise.json")
    kept = json.loads((tmp_path / "denoise.json").read_text())
    assert kept == {"seconds": {"denoise": 3.0, "decode": 3.0, "write": 4.0}, "audio_s": 60.0}
    assert "40%" in capsys.readouterr().err
