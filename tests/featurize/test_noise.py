"""Noise segments depend on the generator only, are not pauses, and have the requested level."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from featurize import noise as module
from featurize.audio import load_audio, quantise
from featurize.errors import ParamsError
from featurize.noise import NoiseFolder, add_noise, draw_segment
from featurize.snr import active_power, mean_power


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three noise classes: two recordings of hiss, one hum, one knock that is mostly digital silence."""
    root = tmp_path_factory.mktemp("noise")
    rng = generator()
    knock = np.zeros(80_000)
    knock[40_000:40_800] = rng.normal(0, 0.3, 800)
    sounds = {
        "hiss/1.wav": rng.normal(0, 0.1, 8_000),
        "hiss/2.wav": rng.normal(0, 0.1, 20_000),
        "hum/1.wav": 0.1 * np.sin(np.arange(16_000) / 25),
        "knock/1.wav": knock,
    }
    for name, samples in sounds.items():
        (root / name).parent.mkdir(exist_ok=True)
        soundfile.write(root / name, samples, 16_000)
    (root / "hiss" / "about.txt").write_text("not audio")
    (root / "hiss" / "._1.wav").write_bytes(bytes.fromhex("00051607"))
    return root


@pytest.fixture(scope="module")
def opened(recordings: Path) -> NoiseFolder:
    """A folder shared by tests that do not depend on the state of its cache."""
    return NoiseFolder(recordings, "--noise")


@pytest.fixture
def folder(recordings: Path) -> NoiseFolder:
    return NoiseFolder(recordings, "--noise")


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are decoded."""
    names: list[str] = []

    def spy(path: Path) -> object:
        names.append(path.name)
        return load_audio(path)

    monkeypatch.setattr(module, "load_audio", spy)
    return names


def test_a_segment_depends_on_the_generator_only(folder: NoiseFolder, recordings: Path) -> None:
    segments = [folder.draw(9_000, generator(seed)) for seed in range(20)]
    again = [NoiseFolder(recordings, "x").draw(9_000, generator(seed)) for seed in reversed(range(20))]
    for one, other in zip(segments, reversed(again), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len({segment.tobytes() for segment in segments}) == 20


@given(seed=st.integers(0, 1000), num_samples=st.integers(1, 40_000))
def test_segments_have_any_length_and_are_not_silent(
    opened: NoiseFolder, seed: int, num_samples: int
) -> None:
    segment = opened.draw(num_samples, generator(seed))
    assert segment.shape == (num_samples,)
    assert segment.dtype == np.float32
    assert np.abs(segment).max() > 0


def test_noise_classes_are_drawn_equally_often(folder: NoiseFolder) -> None:
    rng = generator()
    segments = [folder.draw(16_000, rng) for _ in range(300)]
    knocks = sum(
        np.mean(np.abs(segment) < 1e-3) > 0.9 for segment in segments
    )  # its silence, less the offset
    assert 70 < knocks < 130
    assert "4 recordings (hiss, hum, knock; sha256 " in str(folder)


def test_only_recordings_that_are_too_short_are_repeated() -> None:
    recording = np.arange(1, 1001, dtype=np.int16)
    rng = generator()
    for num_samples in (1, 10, 999, 1000):
        segment = np.round(draw_segment(recording, 0.0, num_samples, rng) * 32_767)
        np.testing.assert_array_equal(np.diff(segment), 1)
    long = np.round(draw_segment(recording, 0.0, 2500, rng) * 32_767)
    np.testing.assert_array_equal(long, 1 + np.arange(long[0] - 1, long[0] + 2499) % 1000)


@pytest.mark.parametrize("num_samples", [50, 4000, 20_000, 100_000])
@pytest.mark.parametrize("place", [0, 30_000, 63_990])
def test_no_segment_is_a_pause(num_samples: int, place: int) -> None:
    recording = np.ones(64_000, np.int16)
    recording[place : place + 10] = 20_000
    power = active_power(recording / np.float32(32_767))
    audible = [draw_segment(recording, power, num_samples, generator(seed)) for seed in range(50)]
    assert all(np.abs(segment).max() > 0.5 for segment in audible)


def test_a_recording_is_decoded_once(folder: NoiseFolder, decoded: list[str]) -> None:
    rng = generator()
    for _ in range(40):
        folder.draw(1000, rng)
    assert sorted(decoded) == ["1.wav", "1.wav", "1.wav", "2.wav"]


def test_the_cache_is_bounded_and_keeps_the_last_used(
    folder: NoiseFolder, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CACHE_BYTES", 2 * (16_000 + 20_000))
    hiss, hum, knock = (
        folder.root / "hiss" / "2.wav",
        folder.root / "hum" / "1.wav",
        folder.root / "knock" / "1.wav",
    )
    for path in (hiss, hum, hiss, hum):  # both fit
        folder._recording(path)
    assert len(decoded) == 2
    folder._recording(knock)  # larger than all that may be kept: it stays alone
    folder._recording(knock)
    assert len(decoded) == 3
    assert list(folder._kept) == [knock]
    assert folder._kept_bytes == 160_000
    folder._recording(hum)
    folder._recording(hiss)
    folder._recording(hum)
    assert len(decoded) == 5
    assert list(folder._kept) == [hiss, hum]
    assert folder._kept_bytes == 72_000


def test_segments_of_a_cached_recording_are_those_of_the_file(folder: NoiseFolder, recordings: Path) -> None:
    only = NoiseFolder(recordings / "hum", "--noise")
    waveform = load_audio(recordings / "hum" / "1.wav")
    samples, _ = quantise(waveform)
    for seed in range(3):
        rng = generator(seed)
        rng.integers(1), rng.integers(1)  # the kind and the recording
        expected = draw_segment(samples, active_power(waveform.numpy()), 5000, rng)
        np.testing.assert_array_equal(only.draw(5000, generator(seed)), expected)
        np.testing.assert_array_equal(only.draw(5000, generator(seed)), expected)


@pytest.mark.parametrize("snr_db", [-5.0, 5.0, 20.0])
def test_the_mixture_has_the_snr_and_the_peak_of_the_clip(folder: NoiseFolder, snr_db: float) -> None:
    clip = np.concatenate([np.zeros(16_000), generator(1).normal(0, 0.1, 16_000)]).astype(np.float32)
    noise = folder.draw(32_000, generator())
    noisy = add_noise(clip, noise, snr_db)
    assert noisy.dtype == np.float32
    assert np.abs(noisy).max() == pytest.approx(np.abs(clip).max())
    # The mixture is a clip + b noise: find both, and compare their powers.
    (a, b), *_ = np.linalg.lstsq(
        np.stack([clip, noise], axis=1).astype(float), noisy.astype(float), rcond=None
    )
    ratio = mean_power(a * clip[16_000:]) / mean_power(
        b * noise
    )  # the silence before the sound does not count
    assert 10 * np.log10(ratio) == pytest.approx(snr_db, abs=0.02)


def test_silence_stays_silence(folder: NoiseFolder) -> None:
    silence = np.zeros(4000, np.float32)
    assert not add_noise(silence, folder.draw(4000, generator()), 0.0).any()


def test_the_digest_follows_names_and_bytes(folder: NoiseFolder, tmp_path: Path) -> None:
    def copy(root: Path, change: Callable[[str, bytes], tuple[str, bytes]]) -> str:
        for path in folder.root.rglob("*.wav"):
            name, content = change(path.relative_to(folder.root).as_posix(), path.read_bytes())
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        return NoiseFolder(root, "--noise").sha256

    assert copy(tmp_path / "same", lambda name, content: (name, content)) == folder.sha256
    renamed = copy(tmp_path / "renamed", lambda name, content: (name.replace("hum", "hymn"), content))
    changed = copy(tmp_path / "changed", lambda name, content: (name, content[:-2] + b"\1\1"))
    assert len({renamed, changed, folder.sha256}) == 3


def test_folders_without_noise_are_refused(recordings: Path, tmp_path: Path) -> None:
    for root, message in [
        (tmp_path, "no audio file in"),
        (tmp_path / "absent", "does not exist"),
        (recordings / "hum" / "1.wav", "is a file"),
    ]:
        with pytest.raises(ParamsError, match=rf"--noise: .*{message}"):
            NoiseFolder(root, "--noise")


def test_unusable_noise_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.wav").write_bytes(b"not audio at all")
    with pytest.raises(ParamsError, match=r"augment\.noise: .*broken\.wav.*; remove it"):
        NoiseFolder(tmp_path, "augment.noise").draw(100, generator())

    def locked(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(hashlib, "file_digest", locked)
    with pytest.raises(ParamsError, match=r"broken\.wav cannot be read"):
        NoiseFolder(tmp_path, "augment.noise")
