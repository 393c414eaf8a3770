"""Noise has the stated level and colour; vocal effort tilts the spectrum."""

import numpy as np
import pytest

from pipeline.corpora.synthetic import acoustics

RATE = 22_050


def band_db(samples: np.ndarray, low: float, high: float) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequency = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(10 * np.log10(power[(frequency >= low) & (frequency < high)].sum()))


def test_noise_is_pink() -> None:
    noise = acoustics.room_noise(RATE * 20, np.random.default_rng(0), RATE)
    octaves = [band_db(noise, low, 2 * low) for low in (250, 500, 1000, 2000, 4000)]
    assert np.ptp(octaves) < 1.0  # the same power in every octave


def test_noise_has_mains_hum() -> None:
    noise = acoustics.room_noise(RATE * 20, np.random.default_rng(0), RATE)
    assert band_db(noise, 49.5, 50.5) > band_db(noise, 52, 53) + 10


def test_the_mixture_has_the_requested_snr() -> None:
    rng = np.random.default_rng(1)
    signal, noise = rng.standard_normal(10_000), 7 * rng.standard_normal(10_000)
    mixture = acoustics.mix(signal, noise, float(np.mean(signal**2)), snr_db=12.0)
    rest = mixture - signal
    assert 10 * np.log10(np.mean(signal**2) / np.mean(rest**2)) == pytest.approx(12.0)


def test_a_loud_voice_has_more_energy_at_high_frequencies() -> None:
    speech = np.random.default_rng(2).standard_normal(12_345)
    balance = [
        band_db(voice, 2000, 4000) - band_db(voice, 125, 500)
        for voice in (acoustics.vocal_effort(speech, loudness_db, RATE) for loudness_db in (-5, 0, 5))
    ]
    assert balance[0] < balance[1] < balance[2]


def test_effort_of_zero_changes_the_level_only() -> None:
    speech = np.random.default_rng(3).standard_normal(999)
    np.testing.assert_allclose(
        acoustics.vocal_effort(speech, 0.0, RATE), speech / np.abs(speech).max(), atol=1e-9
    )


@pytest.mark.parametrize("num_samples", [1, 2, 3, 1024, 1025])
def test_the_length_is_kept(num_samples: int) -> None:
    speech = np.ones(num_samples)
    assert acoustics.vocal_effort(speech, 3.0, RATE).shape == (num_samples,)
    noise = acoustics.room_noise(num_samples + 10, np.random.default_rng(0), RATE)
    assert noise.shape == (num_samples + 10,)
