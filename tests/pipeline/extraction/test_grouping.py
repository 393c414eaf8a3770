"""Clips are grouped into shards by number and by duration, not by the size of their file."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.extraction import grouping
from pipeline.extraction.grouping import group_clips


def sizes(clips: list[dict[str, Any]]) -> list[int]:
    return [len(group.clips) for group in group_clips(clips)]


def test_parts_count_by_their_duration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(bytes(320_000))
    parts = [{"path": str(path), "start_s": f"{n}.0", "end_s": f"{n + 1}.0"} for n in range(10)]
    monkeypatch.setattr(grouping, "BYTES_PER_SHARD", 160_000)
    assert sizes(parts) == [5, 5]
    assert sizes([{"path": str(path)}] * 3) == [1, 1, 1]
    assert sizes([{"path": str(path), "start_s": "1.0", "end_s": ""}] * 2) == [1, 1]
    assert sizes([{"path": str(path), "start_s": "0.0", "end_s": "9999.0"}] * 2) == [1, 1]
    monkeypatch.setattr(grouping, "CLIPS_PER_SHARD", 4)
    assert sizes(parts) == [4, 4, 2]
