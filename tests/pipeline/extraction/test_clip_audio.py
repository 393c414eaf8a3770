"""Files of clips are opened once for all of their parts, in any format."""

import hashlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from featurize.audio import LoadParams, SourceChannel, decode, load_audio
from featurize.decoders import decode_blocks
from featurize.errors import AudioError
from pipeline.extraction import clip_audio
from pipeline.extraction.clip_audio import Recordings
from pipeline.extraction.loading import load_ahead
from pipeline.span import Span
from tests.featurize.sounds import encode_tracks

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

    def count_decode(path: Path, **track: Any) -> Any:
        counts[f"decoded {path.name}"] += 1
        return decode(path, **track)

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
            copy = recording.part["track_file"](1)
        assert copy != path == recording.path
        assert copy.exists()
        with recordings.open(clips[1]) as recording:
            assert recording.part["track_file"](1) == copy
        assert not copy.exists()
        with recordings.open(clips[0]) as recording:  # once more than was said: only slower
            assert torch.equal(load_audio(recording.path, **recording.part), load_audio(path, end_s=1.0))
        copy = recording.part["track_file"](1)
    assert not copy.exists()


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


@pytest.mark.parametrize("content", [b"", b"no audio", b"OggS" + bytes(100), None])
@pytest.mark.parametrize("name", ["a.wav", "a.ogg"])
def test_a_file_that_has_become_unusable_has_changed(
    tmp_path: Path, name: str, content: bytes | None
) -> None:
    path = write(tmp_path / name)
    clips = [clip(path, 0.0, 1.0), clip(path, 1.0, 2.0), clip(path)]
    if content is None:  # cut short
        content = path.read_bytes()[:200]
    path.write_bytes(content)
    results = dict(load_ahead(enumerate(clips)))
    assert [getattr(result, "reason", None) for result in results.values()] == ["changed"] * 3
    path.unlink()
    results = dict(load_ahead(enumerate(clips)))
    assert [getattr(result, "reason", None) for result in results.values()] == ["missing"] * 3


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


def noted(sources: dict[int, SourceChannel]) -> Callable[[int, torch.Tensor, SourceChannel], None]:
    """Fills a dictionary with the track and the channel of each clip."""
    return lambda index, _, source: sources.update({index: source})


@pytest.mark.parametrize(("name", "codec"), [("two.mkv", "pcm_s16le"), ("two.mp4", "aac")])
def test_each_part_has_the_first_track_that_is_not_silent_there(
    tmp_path: Path, name: str, codec: str, caplog: pytest.LogCaptureFixture
) -> None:
    """And what is used does not depend on how many parts of the file are used."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(0, 0.1, (2, 1, 6 * RATE)).astype(np.float32)
    first[:, : 3 * RATE] = 0
    path = encode_tracks(tmp_path / name, codec, RATE, first, second)
    clips = [clip(path, start, start + 0.5) for start in (0.5, 1.5, 3.5, 4.5)]
    sources: dict[int, SourceChannel] = {}
    loaded = dict(load_ahead(enumerate(clips), also=noted(sources)))
    assert [sources[index].track for index in range(4)] == [2, 2, 1, 1]
    assert f"{path}: track 2 of 2 is used" in caplog.text
    assert "track-" not in caplog.text
    for index, start in enumerate((0.5, 1.5, 3.5, 4.5)):
        waveform = loaded[index]
        assert isinstance(waveform, torch.Tensor), waveform
        assert torch.equal(waveform, load_audio(path, start_s=start, end_s=start + 0.5))
        (alone,) = dict(load_ahead([(0, clips[index])])).values()
        assert isinstance(alone, torch.Tensor)
        assert torch.equal(waveform, alone)


def test_a_track_is_decoded_when_it_is_asked_for(tmp_path: Path, decoded: Counter[str]) -> None:
    rng = np.random.default_rng(0)
    tracks = rng.normal(0, 0.1, (3, 1, 2 * RATE)).astype(np.float32)
    tracks[0] = 0
    path = encode_tracks(tmp_path / "three.mka", "pcm_s16le", RATE, *tracks)
    clips = [clip(path, start / 10, start / 10 + 0.2) for start in range(10)]
    assert all(isinstance(waveform, torch.Tensor) for _, waveform in load_ahead(enumerate(clips)))
    assert decoded["decoded three.mka"] == 2


@pytest.mark.parametrize("name", ["two.ogg", "two.mp3"])
def test_the_channel_is_chosen_for_each_part(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Left and right cancel each other in the second half."""
    time_s = np.arange(4 * RATE)[:, None] / RATE
    voice = sum(0.1 * np.sin(2 * np.pi * hz * time_s) * np.sin(hz * time_s / 40) for hz in (210, 370, 530))
    both = np.concatenate([voice, voice * np.where(np.arange(4 * RATE) < 2 * RATE, 0.5, -1)[:, None]], axis=1)
    path = tmp_path / name
    with soundfile.SoundFile(path, "w", RATE, 2) as file:
        for start in range(0, len(both), RATE):
            file.write(both[start : start + RATE])
    clips = [clip(path, start, start + 1.0) for start in (0.5, 2.5)]
    for channel, expected in (("mix", ["mix", "left"]), ("right", ["right", "right"])):
        sources: dict[int, SourceChannel] = {}
        loading = LoadParams(channel=channel)
        loaded = dict(load_ahead(enumerate(clips), loading=loading, also=noted(sources)))
        assert [sources[index].channel for index in range(2)] == expected
        for index, start in enumerate((0.5, 2.5)):
            alone = load_audio(path, start_s=start, end_s=start + 1.0, params=loading)
            waveform = loaded[index]
            assert isinstance(waveform, torch.Tensor)
            assert torch.equal(waveform, alone)
    assert f"{path}: the channels cancel each other" in caplog.text


@pytest.mark.parametrize("name", ["long.mp3", "long.ogg"])
def test_parts_far_into_a_long_file_are_to_the_sample_what_the_whole_holds(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of many blocks, and with the reservoir of bits that a frame of MP3 borrows from those before it."""
    path = write(tmp_path / name, seconds=240)
    whole = decode(path)[0].numpy()
    assert abs(whole.shape[1] - 240 * RATE) <= 1152
    parts = [(0.0, 0.7), (64.123456, 66.0), (131.0, 131.072), (199.99, 201.5), (238.5, 240.0)]
    clips = [clip(path, *part) for part in parts]
    loaded = dict(load_ahead(enumerate(clips)))
    for index, (start, end) in enumerate(parts):
        direct = np.concatenate([block for block, _ in decode_blocks(path, start, end)], axis=1)
        np.testing.assert_array_equal(direct, whole[:, round(start * RATE) : round(end * RATE)])
        waveform = loaded[index]
        assert isinstance(waveform, torch.Tensor)
        assert torch.equal(waveform, load_audio(path, start_s=start, end_s=end))
    assert capfd.readouterr().err == ""
