"""No clip is processed twice: not after a kill, nor if other clips are added or labels change."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from featurize.denoise import DenoiseParams
from featurize.errors import SerError
from featurize.shards import Shard, list_shards
from pipeline.extraction import grouping, loading
from pipeline.protocol.manifest_file import read_manifest
from pipeline.stages.denoise import denoise
from tests.pipeline.made_up import write_noise_corpus

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Clips that the stage has really decoded."""
    paths: list[str] = []

    def spy(path: Path, **options: Any) -> Any:
        paths.append(path.name)
        return original(path, **options)

    original = loading.load_audio
    monkeypatch.setattr(loading, "load_audio", spy)
    return paths


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_second_run_does_nothing(tmp_path: Path, loaded: list[str]) -> None:
    write_noise_corpus(tmp_path, 5)
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    before = (tmp_path / "denoised" / "part-00000.h5").stat().st_mtime_ns
    loaded.clear()
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    assert loaded == []
    assert (tmp_path / "denoised" / "part-00000.h5").stat().st_mtime_ns == before


def test_a_new_clip_is_the_only_one_processed(
    tmp_path: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "CLIPS_PER_SHARD", 3)
    table = write_noise_corpus(tmp_path, 8)
    table.drop(index=0).to_csv(tmp_path / "manifest.csv", index=False)
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    loaded.clear()
    table.to_csv(tmp_path / "manifest.csv", index=False)
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    assert loaded == ["0.wav"]
    taken_over = contents(tmp_path / "denoised")
    for path in list_shards(tmp_path / "denoised"):
        path.unlink()
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    assert contents(tmp_path / "denoised") == taken_over


def test_a_changed_label_is_updated_without_processing(tmp_path: Path, loaded: list[str]) -> None:
    table = write_noise_corpus(tmp_path, 4)
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    loaded.clear()
    table["label"] = "sad"
    table.to_csv(tmp_path / "manifest.csv", index=False)
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    assert loaded == []
    assert set(Shard(list_shards(tmp_path / "denoised")[0]).columns["label"]) == {"sad"}


def test_rows_of_another_denoiser_are_not_reused(tmp_path: Path, loaded: list[str]) -> None:
    import torch
    from denoiser.demucs import Demucs

    write_noise_corpus(tmp_path, 2)
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    size = {"hidden": 2, "depth": 2}
    torch.save({"kwargs": size, "state": Demucs(**size).state_dict()}, tmp_path / "d.pt")
    loaded.clear()
    denoise(DenoiseParams(model=str(tmp_path / "d.pt")), tmp_path, tmp_path / "reports", 0.0)
    assert sorted(loaded) == ["0.wav", "1.wav"]


@pytest.mark.parametrize("damage", ["truncated", "flipped byte", "other version"])
def test_a_damaged_shard_is_named_and_made_anew(
    tmp_path: Path, damage: str, loaded: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    import h5py

    write_noise_corpus(tmp_path, 3)
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    path = tmp_path / "denoised" / "part-00000.h5"
    whole = path.read_bytes()
    loaded.clear()
    if damage == "truncated":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "flipped byte":
        place = whole.index(Shard(path).data(1).tobytes()) + 10
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    else:
        with h5py.File(path, "a") as file:
            file.attrs["version"] = "0"
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    assert len(loaded) == 3
    assert path.read_bytes() == whole
    assert "part-00000.h5" in caplog.text
    assert "made anew" in caplog.text


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_noise_corpus(tmp_path, 3)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SerError, match=r"part-00000\.h5: cannot be written \(No space left on device\)"):
        denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    assert list((tmp_path / "denoised").rglob("*.h5*")) == []


MORTAL_RUN = """
import os, signal, sys
from pathlib import Path
from featurize.denoise import DenoiseParams
from pipeline.extraction import grouping, loading, shard_writer
from pipeline.stages.denoise import denoise
data, where, last = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
shard_writer.SECONDS_PER_PIECE = 0.0
grouping.CLIPS_PER_SHARD = 15
loading.CLIPS_AHEAD = 4
calls = []
def mortal(original, place):
    def call(argument, **options):
        if place == "decode":
            with open(data / "log", "a") as log:
                print(argument.name, file=log, flush=True)
        if place == where:
            calls.append(argument)
            if len(calls) == last:
                os.kill(os.getpid(), signal.SIGKILL)
        return original(argument, **options)
    return call
loading.load_audio = mortal(loading.load_audio, "decode")
os.fsync = mortal(os.fsync, "save")
denoise(DenoiseParams(model="none"), data, data / "reports", 0.0)
"""


def test_a_killed_run_continues_to_the_same_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number, deaths = 30, [("decode", 6), ("save", 5), ("decode", 1), ("save", 6)]
    write_noise_corpus(tmp_path, number)

    def run(where: str, last: int) -> int:
        command = [sys.executable, "-c", MORTAL_RUN, tmp_path, where, str(last)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode

    for death in deaths:
        assert run(*death) == -signal.SIGKILL
        for path in (tmp_path / "denoised").rglob("*.h5"):
            Shard(path)
    assert run("nowhere", 0) == 0
    decoded = len((tmp_path / "log").read_text().split())
    # A death costs the clips that were loaded ahead and the one that was being saved.
    assert decoded <= number + len(deaths) * 5
    ended = contents(tmp_path / "denoised")

    monkeypatch.setattr(grouping, "CLIPS_PER_SHARD", 15)
    for path in (tmp_path / "denoised").rglob("*.h5"):
        path.unlink()
    denoise(DenoiseParams(model="none"), tmp_path, tmp_path / "reports", 0.0)
    assert contents(tmp_path / "denoised") == ended
    assert len(read_manifest(tmp_path / "manifest.csv")) == number
