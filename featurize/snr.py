"""Signal-to-noise ratio: what it means here, how noise is added at a given one, and how it is guessed from a clip.

Everywhere in this project the SNR is the mean power of the active speech over the mean power of the noise. Active
are the 20 ms frames at most 35 dB below the loudest: corpora differ in how much silence surrounds the words, and a
level over the whole clip would make 0 dB mean something else for each.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # the demo corpus is made without torch
    from torch import Tensor

FRAME = 320
"""20 ms at 16 kHz."""
ACTIVE_BELOW_PEAK_DB = 35.0
MIN_FRAMES = 10
"""Below 0.2 s there is no pause to hear the noise in."""
FLOOR_QUANTILE = 0.1
ABOVE_FLOOR_DB = 3.0
LOWEST_DB = -20.0
DIGITAL_SILENCE = 1e-9
"""Of the loudest frame's power, 90 dB below it: nothing that a microphone hears."""

Samples = NDArray[np.float32]


def frame_power(waveform: Samples) -> NDArray[np.float64]:
    """Mean square of each whole 20 ms frame: (num_samples,) → (num_samples // 320,)."""
    frames = waveform[: len(waveform) // FRAME * FRAME].reshape(-1, FRAME)
    power: NDArray[np.float64] = np.mean(frames.astype(np.float64) ** 2, axis=1)
    return power


def mean_power(waveform: Samples) -> float:
    """Mean square of (num_samples,)."""
    return float(np.mean(waveform.astype(np.float64) ** 2))


def active_frames(waveform: Samples) -> NDArray[np.bool_]:
    """Which frames of clean speech are at most 35 dB below the loudest: (num_frames,)."""
    power = frame_power(waveform)
    return np.asarray(power >= power.max(initial=0.0) * 10 ** (-ACTIVE_BELOW_PEAK_DB / 10))


def active_power(waveform: Samples) -> float:
    """Mean square of clean speech over its active frames; of a clip shorter than a frame, over all of it."""
    if len(waveform) < FRAME:
        return mean_power(waveform)
    return float(frame_power(waveform)[active_frames(waveform)].mean())


def scale_noise(speech: Samples, noise: Samples, snr_db: float) -> Samples:
    """Noise at the level that gives `snr_db` over the active speech; silence stays silence. Both (num_samples,)."""
    noise_power = mean_power(noise)
    if noise_power == 0.0:
        return noise
    return noise * np.float32(noise_gain(active_power(speech), noise_power, snr_db))


def noise_gain(speech_power: float, noise_power: float, snr_db: float) -> float:
    """What noise of one power is multiplied by, to lie `snr_db` below speech of another."""
    return math.sqrt(speech_power / noise_power) * float(10 ** (-snr_db / 20))


def estimate_snr_db(waveform: "Tensor") -> float:
    """Guess a clip's SNR from the spread of its frames' powers.

    Noise is the 10 % quantile of the frames' powers, speech the mean of the frames 3 dB above it, less the noise:
    percentiles of short-time energy, as NIST's `stnr` (Speech Quality Assurance package, 1991) and the envelope
    followers compared by Ris and Dupont (Speech Communication 34, 2001) use them. Digital silence is no frame.
    Of the amplitude-based methods, WADA-SNR (Kim and Stern, Interspeech 2008) expects speech from end to end, which
    acted sentences between silences are not.

    Measured on 60 RAVDESS and 40 EMO-DB clips with noise added, median error ± its standard deviation in dB:

        added at     0 dB        10 dB       20 dB        30 dB
        white        +4.3 ± 0.8  +1.5 ± 0.5  +0.4 ± 0.6   -0.1 ± 2.4
        rain         +4.9 ± 0.6  +2.0 ± 0.6  +1.0 ± 1.0   +0.7 ± 3.0
        helicopter   +5.8 ± 2.5  +2.6 ± 2.1  +1.1 ± 2.5   +0.9 ± 4.5
        baby cry      +20 ± 7     +12 ± 8     +7 ± 9       +4 ± 10
        dog bark      +33 ± 16    +25 ± 15   +21 ± 15     +15 ± 15

    So steady noise is heard well, low SNRs are flattered, and sudden sounds that leave pauses are not heard at all.
    As they come, RAVDESS clips are at 47 to 69 dB and EMO-DB's at 24 to 40 dB (10 % to 90 %).

    Args:
        waveform: (num_samples,), 16 kHz, finite.

    Returns:
        dB, from -20 to 90; NaN for a clip with less than 0.2 s of sound, in which no pause can be told.
    """
    power = frame_power(waveform.cpu().numpy())
    loudest = power.max(initial=0.0)
    power = power[power > loudest * DIGITAL_SILENCE]
    if len(power) < MIN_FRAMES:
        return math.nan
    floor = float(np.quantile(power, FLOOR_QUANTILE))
    lowest = max(loudest * 10 ** (-ACTIVE_BELOW_PEAK_DB / 10), floor * 10 ** (ABOVE_FLOOR_DB / 10))
    active = power[power >= lowest]
    if len(active) == 0:
        return LOWEST_DB
    return max(LOWEST_DB, 10 * math.log10((float(active.mean()) - floor) / floor))
