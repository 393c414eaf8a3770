"""A clip's noise is a matter of its name and the seed; it is never silent and exactly as loud as asked for."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from featurize.errors import CorpusError
from featurize.snr import active_power
from pipeline.experiments.noise import NoiseFolder, add_noise


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three kinds: two recordings of hiss, one hum, one knock that is nearly all digital silence."""
    root = tmp_path_factory.mktemp("noise")
    rng = np.random.default_rng(0)
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
    return root


def test_the_same_clip_gets_the_same_noise(recordings: Path) -> None:
    pieces = [NoiseFolder(recordings, seed).piece("ravdess/a", 9_000) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(pieces[0], pieces[1])
    assert not np.array_equal(pieces[0], pieces[2])
    assert not np.array_equal(pieces[0], NoiseFolder(recordings, 0).piece("ravdess/b", 9_000))


@given(clip_id=st.text(max_size=20), num_samples=st.integers(1, 40_000))
def test_any_clip_gets_as_much_as_it_needs_and_no_silence(
    recordings: Path, clip_id: str, num_samples: int
) -> None:
    piece = NoiseFolder(recordings, 0).piece(clip_id, num_samples)
    assert piece.shape == (num_samples,)
    assert piece.dtype == np.float32
    assert np.abs(piece).max() > 0


def test_every_kind_is_drawn_as_often_however_many_recordings_it_has(recordings: Path) -> None:
    folder = NoiseFolder(recordings, 0)
    pieces = [folder.piece(f"clip {number}", 16_000) for number in range(300)]
    knocks = sum(np.mean(piece == 0) > 0.9 for piece in pieces)
    assert 70 < knocks < 130
    assert "4 recordings (hiss, hum, knock; list " in str(folder)


def test_the_mixture_has_the_snr_and_the_peak_of_a_loaded_file(recordings: Path) -> None:
    clip = np.random.default_rng(1).normal(0, 0.1, 16_000).astype(np.float32)
    noise = NoiseFolder(recordings, 0).piece("clip", 16_000)
    noisy = add_noise(clip, noise, 5.0)
    assert noisy.dtype == np.float32
    assert np.abs(noisy).max() == pytest.approx(1)
    # The mixture is a clip + b noise: find both, and compare their powers.
    (a, b), *_ = np.linalg.lstsq(
        np.stack([clip, noise], axis=1).astype(float), noisy.astype(float), rcond=None
    )
    ratio = active_power(a * clip) / np.mean((b * noise) ** 2)
    assert 10 * np.log10(ratio) == pytest.approx(5.0, abs=1e-3)


def test_folders_without_noise_are_one_line(recordings: Path, tmp_path: Path) -> None:
    for folder, message in [
        (tmp_path, "no audio file in it"),
        (tmp_path / "absent", "does not exist"),
        (recordings / "hum" / "1.wav", "is a file"),
    ]:
        with pytest.raises(CorpusError, match=f"--noise .*{message}; give a folder"):
            NoiseFolder(folder, 0)
