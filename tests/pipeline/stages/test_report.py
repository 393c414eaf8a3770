"""A real run's page: complete, the same each time, and its sounds are what the network heard."""

import base64
import io
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile

from featurize.shards import Shard, list_shards
from pipeline.stages.report import report


def waveform_of(data: Path, clip: str) -> Any:
    for path in list_shards(data / "denoised"):
        shard = Shard(path)
        for row, name in enumerate(shard.columns["clip_id"]):
            if name == clip:
                return shard.data(row)
    return None


def test_what_is_played_is_what_was_denoised(small_run: Any) -> None:
    html = (small_run.reports / "index.html").read_text(encoding="utf-8")
    predictions = pd.read_csv(small_run.reports / "predictions.csv")
    played = re.findall(r'data-clip="([^"]+)".*?src="data:audio/flac;base64,([^"]+)"', html, re.DOTALL)
    wrong = predictions.loc[~predictions["correct"], "clip_id"]
    assert {clip for clip, _ in played} <= set(wrong)
    assert len(played) == min(len(wrong), 12)
    for clip, sound in played:
        waveform, rate = soundfile.read(io.BytesIO(base64.b64decode(sound)), dtype="int16")
        assert rate == 16_000
        assert np.array_equal(waveform, waveform_of(small_run.data, clip))


def test_same_run_same_bytes_and_nothing_else_is_written(small_run: Any, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    shutil.copytree(small_run.reports, reports)
    before = {path: path.read_bytes() for path in reports.rglob("*") if path.is_file()}
    assert report(small_run.data, reports) == reports / "index.html"
    assert {path: path.read_bytes() for path in reports.rglob("*") if path.is_file()} == before
