"""Noise is added at the exact SNR; estimates are as accurate as documented."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from featurize.audio import load_audio
from featurize.snr import active_power, estimate_snr_db, scale_noise


def syllables(num_samples: int = 32_000) -> np.ndarray:
    """Bursts with pauses between them: (num_samples,) float32."""
    rng = np.random.default_rng(0)
    loudness = np.clip(np.sin(2 * np.pi * 2 * np.arange(num_samples) / 16_000), 0, None)
    return (0.1 * rng.standard_normal(num_samples) * loudness).astype(np.float32)


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 12.3])
def test_noise_is_added_at_the_snr_over_active_speech(snr_db: float) -> None:
    speech = syllables()
    noise = np.random.default_rng(1).standard_normal(len(speech)).astype(np.float32)
    scaled = scale_noise(speech, noise, snr_db)
    # By hand: the power of the frames that are not silence.
    power = (speech.reshape(-1, 320).astype(float) ** 2).mean(axis=1)
    active = power[power >= power.max() / 10**3.5].mean()
    assert 10 * math.log10(active / (scaled.astype(float) ** 2).mean()) == pytest.approx(snr_db, abs=1e-4)


def test_silence_around_speech_changes_neither_level_nor_estimate() -> None:
    speech = syllables()
    padded = np.pad(speech, 32_000)
    assert active_power(padded) == pytest.approx(active_power(speech), rel=0.02)
    noise = 1e-3 * np.random.default_rng(1).standard_normal(len(speech)).astype(np.float32)
    noisy = speech + noise
    padded = np.pad(noisy, 32_000)  # digital silence, as an editor adds it
    assert estimate_snr_db(torch.from_numpy(padded)) == pytest.approx(
        estimate_snr_db(torch.from_numpy(noisy)), abs=0.1
    )


def test_silent_noise_is_unchanged_and_clips_below_a_frame_have_a_power() -> None:
    assert not scale_noise(syllables(), np.zeros(32_000, np.float32), 0.0).any()
    assert active_power(np.full(100, 0.5, np.float32)) == pytest.approx(0.25)


def test_more_noise_lowers_the_estimate_and_steady_noise_is_estimated_well(ravdess_clips: list[Path]) -> None:
    levels = [0.0, 10.0, 20.0, 30.0]
    errors = []
    for number, path in enumerate(ravdess_clips):
        clean = load_audio(path).numpy()
        noise = np.random.default_rng(number).standard_normal(len(clean)).astype(np.float32)
        estimates = [
            estimate_snr_db(torch.from_numpy(clean + scale_noise(clean, noise, level))) for level in levels
        ]
        assert estimates == sorted(estimates)
        assert estimates[-1] < estimate_snr_db(torch.from_numpy(clean))
        errors.append(np.subtract(estimates, levels))
    # Medians of the docstring's table: +4.3, +1.5, +0.4 and -0.1 dB.
    np.testing.assert_allclose(np.median(errors, axis=0), [4.3, 1.5, 0.4, -0.1], atol=1.5)


def test_noise_alone_has_the_lowest_snr_and_a_very_short_clip_none() -> None:
    noise = np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    assert estimate_snr_db(torch.from_numpy(noise)) == -20.0
    for clip in (noise[:3_000], noise[:0], np.zeros(16_000, np.float32)):
        assert math.isnan(estimate_snr_db(torch.from_numpy(clip)))


@given(gain=st.floats(1e-6, 1e6), seed=st.integers(0, 20))
def test_the_estimate_does_not_depend_on_the_level(gain: float, seed: int) -> None:
    noise = np.random.default_rng(seed).standard_normal(32_000)
    clip = torch.from_numpy(syllables() + 1e-3 * noise)  # float64: nothing is lost in the scaling
    assert estimate_snr_db(clip * gain) == pytest.approx(estimate_snr_db(clip), abs=1e-6)
