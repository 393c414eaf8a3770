"""Acoustics of the demo corpus: vocal effort, pink noise and mains hum, from seeded generators."""

import numpy as np
import numpy.typing as npt

from featurize.snr import noise_gain

Samples = npt.NDArray[np.float64]  # (num_samples,)

TILT_DB = 0.4  # per octave and dB of loudness


def vocal_effort(speech: Samples, loudness_db: float, sample_rate: int) -> Samples:
    """Tilt the spectrum around 500 Hz: a louder voice has a larger share of its energy at high frequencies.

    The level itself is normalised when a clip is loaded, so that only the tilt distinguishes vocal effort.

    Args:
        speech: (num_samples,).
        loudness_db: relative to the neutral voice.
        sample_rate: Hz.
    """
    n_fft = _fast_length(len(speech))
    octaves = np.log2(np.clip(np.fft.rfftfreq(n_fft, 1 / sample_rate), 125, 4000) / 500)
    gain = 10 ** (TILT_DB * loudness_db * octaves / 20)
    tilted: Samples = np.fft.irfft(np.fft.rfft(speech, n_fft) * gain)[: len(speech)]
    return scale_peak(tilted, 0.0)


def room_noise(num_samples: int, rng: np.random.Generator, sample_rate: int) -> Samples:
    """Pink noise with mains hum (50, 100 and 150 Hz) 6 dB below it: (num_samples,)."""
    n_fft = _fast_length(num_samples)
    frequency = np.fft.rfftfreq(n_fft, 1 / sample_rate)
    white = np.fft.rfft(rng.standard_normal(n_fft))
    pink = np.fft.irfft(white / np.sqrt(np.maximum(frequency, 20)))[:num_samples]
    time_s = np.arange(num_samples) / sample_rate
    hum = np.zeros(num_samples)
    for harmonic, phase in enumerate(rng.uniform(0, 2 * np.pi, size=3), start=1):
        hum += np.sin(2 * np.pi * 50 * harmonic * time_s + phase) / harmonic
    noise: Samples = pink / np.std(pink) + 0.5 * hum / np.std(hum)
    return noise


def mix(signal: Samples, noise: Samples, power: float, snr_db: float) -> Samples:
    """Add noise `snr_db` below `power`, the mean square of the speech without the silence around it.

    This power is known here, and need not be measured over active frames as in `snr.scale_noise`.
    """
    mixture: Samples = signal + noise_gain(power, float(np.mean(noise**2)), snr_db) * noise
    return mixture


def scale_peak(samples: Samples, peak_db: float) -> Samples:
    """Scale so that the largest magnitude is `peak_db` relative to full scale."""
    scaled: Samples = samples / np.abs(samples).max() * 10 ** (peak_db / 20)
    return scaled


def _fast_length(num_samples: int) -> int:
    """The next power of two: lengths with large prime factors cost the FFT five times as much."""
    return max(2, 1 << (num_samples - 1).bit_length())
