"""The page of a real run: complete, reproducible, and with the denoised audio."""

import base64
import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from ruamel.yaml import YAML

from featurize.shards import Shard, list_shards
from pipeline.runs.workspace import ROBUSTNESS
from pipeline.stages.report import report


def waveform_of(data: Path, clip: str) -> Any:
    for path in list_shards(data / "denoised"):
        shard = Shard(path)
        for row, name in enumerate(shard.columns["clip_id"]):
            if name == clip:
                return shard.data(row)
    return None


def test_the_audio_of_the_page_is_the_denoised_waveform(small_run: Any) -> None:
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


def test_dvc_waits_for_no_robustness_and_shows_it_once_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a fresh clone, after `ser robustness`, and in a temporary experiment: the project's own dep and .gitignore."""
    root = Path(__file__).resolve().parents[3]
    deps = YAML(typ="safe").load(root / "dvc.yaml")["stages"]["report"]["deps"]
    folder = ROBUSTNESS.parent
    assert f"reports/{folder}" in deps
    source = tmp_path / "source"
    (source / "reports" / folder).mkdir(parents=True)
    shutil.copy(root / "reports" / folder / ".gitkeep", source / "reports" / folder)
    shutil.copy(root / ".gitignore", source)
    stage = f"{{cmd: 'ls reports/{folder} > reports/index.html', deps: [reports/{folder}], outs: [reports/index.html]}}"
    (source / "dvc.yaml").write_text(f"stages: {{report: {stage}}}\n")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "t")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "t@example.org")

    def call(*command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def repro() -> str:
        call("dvc", "repro", "-q")
        return Path("reports/index.html").read_text().strip()

    monkeypatch.chdir(source)
    call("git", "init", "-q")
    call("dvc", "init", "-q")
    call("git", "add", "-A")
    call("git", "commit", "-qm", "Baseline")
    call("git", "clone", "-q", str(source), str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    assert repro() == ""
    call("git", "add", "-A")
    call("git", "commit", "-qm", "Reproduced")
    file = Path("reports") / ROBUSTNESS
    file.write_text("{}")
    assert call("git", "status", "--porcelain") == ""
    assert repro() == file.name
    call("dvc", "exp", "run", "-q", "--temp", "--force", "--name", "beside")
    assert "beside" in call("dvc", "exp", "list", "--name-only")
    assert Path("reports/index.html").read_text().strip() == file.name
