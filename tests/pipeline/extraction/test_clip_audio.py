"""Files of clips are opened once for all of their parts, in any format."""

import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from featurize.audio import load_audio
from featurize.errors import AudioError
from pipeline.extraction import clip_audio
from pipeline.extraction.clip_audio import Recordings
from pipeline.span import Span
from pipeline.stages.denoise import load_ahead

RATE = 16_000


def write(path: Path, seconds: int = 4) -> Path:
    noise = np.random.default_rng(0).normal(0, 0.1, seconds * RATE) * np.linspace(0.1, 1, seconds * RATE)
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        for second in noise.reshape(seconds, RATE):
            file.write(second)
    return path


def clip(path: Path, start_s: float | None = None, end_s: float | None = None) -> dict[str, Any]:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
    times = {"start_s": "" if start_s is None else str(start_s), "end_s": "" if end_s is None else str(end_s)}
    sha256 = sha256 if start_s is None else Span(start_s, end_s).digest(sha256)
    return {"clip_id": f"{path.name}@{start_s}-{end_s}", "path": str(path), "sha256": sha256, **times}


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts how often each file is decoded as a whole, and hashed."""
    counts: Counter[str] = Counter()
    decode, digest = clip_audio.decode_blocks, hashlib.file_digest

    def count_decode(path: Path) -> Any:
        counts[f"decoded {path.name}"] += 1
        return decode(path)

    def count_digest(file: Any, name: str) -> Any:
        counts[f"hashed {Path(file.name).name}"] += 1
        return digest(file, name)

    monkeypatch.setattr(clip_audio, "decode_blocks", count_decode)
    monkeypatch.setattr(clip_audio.hashlib, "file_digest", count_digest)
    return counts


@pytest.mark.parametrize("name", ["long.wav", "long.flac", "long.ogg", "long.mp3"])
def test_many_parts_cost_one_decoding_and_one_hash(tmp_path: Path, name: str, decoded: Counter[str]) -> None:
    path = write(tmp_path / name)
    clips = [clip(path, start / 10, start / 10 + 0.3) for start in range(30)]
    loaded = dict(load_ahead(enumerate(clips)))
    for index, waveform in loaded.items():
        assert isinstance(waveform, torch.Tensor), waveform
        assert torch.equal(waveform, load_audio(path, start_s=index / 10, end_s=index / 10 + 0.3))
    whole = {f"decoded {name}": 1} if name.endswith(("ogg", "mp3")) else {}
    assert decoded == {f"hashed {name}": 1, **whole}


def test_a_file_is_dropped_after_its_last_part(tmp_path: Path) -> None:
    path = write(tmp_path / "long.ogg")
    clips = [clip(path, 0.0, 1.0), clip(path, 1.0, 2.0)]
    with Recordings(clips) as recordings:
        with recordings.open(clips[0]) as recording:
            copy = recording.path
        assert copy != path
        assert copy.exists()
        with recordings.open(clips[1]) as recording:
            assert recording.path == copy
        assert not copy.exists()
        with recordings.open(clips[0]) as recording:  # once more than was said: only slower
            assert torch.equal(load_audio(recording.path, **recording.part), load_audio(path, end_s=1.0))
    assert not recording.path.exists()


def test_threads_share_a_file(tmp_path: Path, decoded: Counter[str]) -> None:
    path = write(tmp_path / "long.ogg")
    clips = [clip(path, start / 10, start / 10 + 0.2) for start in range(30)]

    def load(recordings: Recordings, index: int) -> torch.Tensor:
        with recordings.open(clips[index]) as recording:
            return load_audio(recording.path, **recording.part)

    with Recordings(clips) as recordings, ThreadPoolExecutor(8) as threads:
        waveforms = list(threads.map(lambda index: load(recordings, index), reversed(range(30))))
    assert all(len(waveform) == 3200 for waveform in waveforms)
    assert decoded["decoded long.ogg"] == 1


def test_a_changed_file_is_noticed_in_every_part(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav")
    clips = [clip(path, 0.0, 1.0), clip(path, 1.0, 2.0), clip(path)]
    write(path, seconds=3)
    results = dict(load_ahead(enumerate(clips)))
    assert [getattr(result, "reason", None) for result in results.values()] == ["changed"] * 3


def test_errors_name_the_clips_own_path_and_come_for_every_part(tmp_path: Path) -> None:
    broken, missing, good = tmp_path / "broken.ogg", tmp_path / "missing.wav", write(tmp_path / "good.ogg")
    broken.write_bytes(b"no audio")
    clips = [clip(path, *part) for path in (broken, missing, good) for part in ((0.0, 1.0), (1.0, 99.0))]
    results = [result for _, result in load_ahead(enumerate(clips))]
    errors = [result if isinstance(result, AudioError) else None for result in results]
    assert [error.reason if error else None for error in errors] == [
        *("undecodable", "undecodable", "missing", "missing", None, "bad-segment")
    ]
    for error, row in zip(errors, clips, strict=True):
        assert error is None or row["path"] in error.detail
