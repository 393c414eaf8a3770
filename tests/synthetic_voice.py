"""A synthetic voice that Silero detects as speech: vowels that glide, fricatives, syllables, pauses."""

import numpy as np
from numpy.typing import NDArray

VOWELS_HZ = np.array([[730, 1090, 2440], [270, 2290, 3010], [300, 870, 2240], [530, 1840, 2480]], dtype=float)
"""First three formants of a, i, u, e (Peterson and Barney 1952)."""
FORMANTS = ((1.0, 60.0), (0.5, 80.0), (0.25, 120.0))
"""Gain and half bandwidth in Hz of each."""
SYLLABLES_PER_S = 3.5


def synthetic_voice(
    seed: int, seconds: float, sample_rate: int, pitch_hz: float = 120.0
) -> NDArray[np.float64]:
    """Two phrases in 5 s: (num_samples,), the same for the same seed, in [-1, 1]."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    pitch = pitch_hz * (1 + 0.15 * np.sin(2 * np.pi * 0.6 * time) + 0.05 * np.sin(2 * np.pi * 2.3 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / sample_rate
    syllable = time * SYLLABLES_PER_S
    vowel = syllable.astype(int) % len(VOWELS_HZ)
    glide = np.clip(2 * (syllable % 1) - 0.5, 0, 1)[:, None]
    formants = (1 - glide) * VOWELS_HZ[vowel] + glide * VOWELS_HZ[(vowel + 1) % len(VOWELS_HZ)]
    voiced = np.zeros(len(time))
    for harmonic in range(1, int(4000 / pitch_hz)):
        frequency = harmonic * pitch
        gain = sum(
            g / (1 + ((frequency - formants[:, k]) / width) ** 2) for k, (g, width) in enumerate(FORMANTS)
        )
        voiced += gain * np.sin(harmonic * phase) * (frequency < sample_rate / 2) / np.sqrt(harmonic)
    loud = np.sqrt(np.abs(np.sin(np.pi * syllable)))
    fricative = 0.3 * rng.standard_normal(len(time)) * np.abs(np.cos(np.pi * syllable)) ** 8
    phrase = np.sin(2 * np.pi * 0.4 * time) > -0.3
    samples = (voiced * loud + fricative) * phrase + 0.01 * rng.standard_normal(len(time))
    return np.asarray(samples / np.abs(samples).max())
