"""Noisy training examples, generated during training; each is determined by its seed, and none is used twice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft
from scipy.signal import fftconvolve, resample_poly

from featurize.audio import SAMPLE_RATE
from featurize.noise import draw_segment
from featurize.snr import Samples, scale_noise
from recipes.compact_denoiser.data import Bank
from recipes.compact_denoiser.params import MixParams

SPEEDS = ((10, 9), (20, 19), (20, 21), (10, 11))  # (up, down): slower and lower ... faster and higher
NOISE_SPEEDS = (*SPEEDS, (4, 3), (5, 7), (3, 2))

Rng = np.random.Generator


def fit(x: Samples, length: int, rng: Rng) -> Samples:
    """A random segment of x, or x at a random position in silence: (length,)."""
    if len(x) >= length:
        start = int(rng.integers(len(x) - length + 1))
        return x[start : start + length]
    before = int(rng.integers(length - len(x) + 1))
    return np.pad(x, (before, length - len(x) - before))


def draw_noise(bank: Bank, length: int, rng: Rng, group: int | None = None) -> Samples:
    """A random segment, not a pause, of a recording of a random noise class or of class number `group`: (length,)."""
    rows = bank.rows_by_group[rng.integers(len(bank.rows_by_group)) if group is None else group]
    row = int(rng.choice(rows))
    return draw_segment(bank.recording(row), float(bank.power[row]), length, rng)


def equalise(x: Samples, spread_db: float, rng: Rng) -> Samples:
    """Filter x with a random smooth frequency response: normal gains at eight points from 60 Hz to 8 kHz."""
    spectrum = rfft(x)
    points = np.geomspace(60, SAMPLE_RATE / 2, 8)
    frequencies = np.linspace(1, SAMPLE_RATE / 2, len(spectrum))
    gains_db = np.interp(frequencies, points, rng.normal(0, spread_db, len(points)))
    equalised = irfft(spectrum * (10 ** (gains_db / 20)).astype(np.float32), len(x))
    return np.asarray(equalised, dtype=np.float32)


def synthetic_noise(length: int, rng: Rng) -> Samples:
    """Gaussian noise of random colour; with probability 0.5 modulated in level at 1 to 8 Hz."""
    noise = equalise(rng.standard_normal(length, np.float32), 12.0, rng)
    if rng.random() < 0.5:
        knots = max(2, int(length / SAMPLE_RATE * rng.uniform(1, 8)) + 1)
        level_db = np.interp(np.linspace(0, knots - 1, length), np.arange(knots), rng.normal(0, 8, knots))
        noise *= (10 ** (level_db / 20)).astype(np.float32)
    return noise


def room_response(rng: Rng) -> Samples:
    """A simple room response: direct sound, and noise 0 to 15 dB below it that decays by 60 dB in 0.1 to 0.5 s."""
    decay_s = rng.uniform(0.1, 0.5)
    time_s = np.arange(int(decay_s * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / decay_s)
    tail[: SAMPLE_RATE // 500] = 0  # no reflections within 2 ms
    tail *= np.sqrt(10 ** (-rng.uniform(0, 15) / 10) / np.sum(tail**2))
    tail[0] = 1.0
    return tail.astype(np.float32)


@dataclass(frozen=True)
class Mixer:
    """Makes training examples from a speech bank and a noise bank."""

    speech: Bank
    noise: Bank
    params: MixParams

    @property
    def length(self) -> int:
        """Number of samples in an example."""
        return int(self.params.segment_s * SAMPLE_RATE)

    def batch(self, size: int, seed: tuple[int, ...]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Noisy and clean examples, each (size, num_samples), determined by the seed."""
        rng = np.random.default_rng(seed)
        pairs = [self.example(rng) for _ in range(size)]
        return np.stack([noisy for noisy, _ in pairs]), np.stack([clean for _, clean in pairs])

    def example(self, rng: Rng) -> tuple[Samples, Samples]:
        """Noisy and clean (num_samples,); the standard deviation of the mixture is 1, changed by up to gain_db.

        The target includes the reverberation: the network is trained to remove noise only.
        """
        clean = self._draw_speech(rng)
        noisy = clean
        if rng.random() >= self.params.clean_share:
            noisy = clean + scale_noise(clean, self._draw_noise(rng), rng.uniform(*self.params.snr_db))
        gain = 10 ** (rng.uniform(-self.params.gain_db, self.params.gain_db) / 20) * rng.choice((-1.0, 1.0))
        scale = np.float32(gain / (noisy.std() + 1e-6))
        return noisy * scale, clean * scale

    def _draw_speech(self, rng: Rng, tries: int = 8) -> Samples:
        piece: Samples = np.zeros(self.length, np.float32)
        for _ in range(tries):
            row = int(rng.integers(len(self.speech)))
            clip = self.speech.clip(row, self.length * 9 // 8, rng)
            if rng.random() < self.params.speed_share:
                clip = resample_poly(clip, *SPEEDS[rng.integers(len(SPEEDS))]).astype(np.float32)
            piece = fit(clip, self.length, rng)
            if np.mean(piece**2) > 0.05 * self.speech.power[row]:  # else mostly silence around the speech
                break
        if rng.random() < self.params.reverb_share:
            piece = fftconvolve(piece, room_response(rng))[: self.length].astype(np.float32)
        return piece

    def _draw_noise(self, rng: Rng) -> Samples:
        noise = self._one_noise(rng)
        if rng.random() < self.params.second_noise_share:
            second = self._one_noise(rng)
            noise = noise + second * np.float32(
                (noise.std() + 1e-6) / (second.std() + 1e-6) * 10 ** (rng.uniform(-10, 10) / 20)
            )
        return noise

    def _one_noise(self, rng: Rng) -> Samples:
        if rng.random() < self.params.synthetic_noise_share:
            return synthetic_noise(self.length, rng)
        noise = draw_noise(self.noise, self.length * 3 // 2, rng)
        if rng.random() < self.params.speed_share:
            noise = resample_poly(noise, *NOISE_SPEEDS[rng.integers(len(NOISE_SPEEDS))]).astype(np.float32)
        noise = fit(noise, self.length, rng)
        if rng.random() < 0.5:
            noise = noise[::-1]
        if rng.random() < self.params.equaliser_share:
            noise = equalise(noise, 6.0, rng)
        return noise
