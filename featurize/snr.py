"""Signal-to-noise ratio (SNR): its definition, scaling of noise to a given SNR, and blind estimation from a clip.

Everywhere in this project the SNR is the mean power of the active speech divided by the mean power of the noise. Active
frames are the 20 ms frames at most 35 dB below the loudest: corpora differ in the amount of silence around the speech,
so with the power of the whole clip the same SNR would mean different noise levels in different corpora.
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
"""Below 0.2 s a clip has no pause in which to measure the noise."""
FLOOR_QUANTILE = 0.1
ABOVE_FLOOR_DB = 3.0
LOWEST_DB = -20.0
DIGITAL_SILENCE = 1e-9
"""Share of the loudest frame's power, -90 dB: below the noise floor of any microphone."""

Samples = NDArray[np.float32]


def frame_power(waveform: Samples) -> NDArray[np.float64]:
    """Mean square of each whole 20 ms frame: (num_samples,) → (num_samples // 320,)."""
    frames = waveform[: len(waveform) // FRAME * FRAME].reshape(-1, FRAME)
    power: NDArray[np.float64] = np.mean(frames.astype(np.float64) ** 2, axis=1)
    return power


def mean_power(waveform: Samples) -> float:
    """Mean square of a waveform (num_samples,)."""
    return float(np.mean(waveform.astype(np.float64) ** 2))


def active_frames(waveform: Samples) -> NDArray[np.bool_]:
    """Mask of the frames of clean speech at most 35 dB below the loudest: (num_frames,)."""
    power = frame_power(waveform)
    return np.asarray(power >= power.max(initial=0.0) * 10 ** (-ACTIVE_BELOW_PEAK_DB / 10))


def active_power(waveform: Samples) -> float:
    """Mean square of clean speech over its active frames, or over the whole clip if it is shorter than a frame."""
    if len(waveform) < FRAME:
        return mean_power(waveform)
    return float(frame_power(waveform)[active_frames(waveform)].mean())


def scale_noise(speech: Samples, noise: Samples, snr_db: float) -> Samples:
    """Scale noise so that active speech is `snr_db` above it; silent noise is unchanged. Both (num_samples,)."""
    noise_power = mean_power(noise)
    if noise_power == 0.0:
        return noise
    return noise * np.float32(noise_gain(active_power(speech), noise_power, snr_db))


def noise_gain(speech_power: float, noise_power: float, snr_db: float) -> float:
    """The factor for noise of power `noise_power` that puts it `snr_db` below speech of power `speech_power`."""
    return math.sqrt(speech_power / noise_power) * float(10 ** (-snr_db / 20))


def estimate_snr_db(waveform: "Tensor") -> float:
    """Estimate a clip's SNR from the distribution of its frame powers.

    The noise power is the 10 % quantile of the frame powers; the speech power is the mean of the frames at least 3 dB
    above it, minus the noise power. Percentiles of short-time energy are also used by NIST's `stnr` (Speech Quality
    Assurance package, 1991) and the envelope followers compared by Ris and Dupont (Speech Communication 34, 2001).
    Frames of digital silence are ignored. Of the amplitude-based methods, WADA-SNR (Kim and Stern, Interspeech 2008)
    assumes continuous speech, but acted sentences are surrounded by silence.

    Median error ± standard deviation in dB, measured on 60 RAVDESS and 40 EMO-DB clips with added noise:

        SNR          0 dB        10 dB       20 dB        30 dB
        white        +4.3 ± 0.8  +1.5 ± 0.5  +0.4 ± 0.6   -0.1 ± 2.4
        rain         +4.9 ± 0.6  +2.0 ± 0.6  +1.0 ± 1.0   +0.7 ± 3.0
        helicopter   +5.8 ± 2.5  +2.6 ± 2.1  +1.1 ± 2.5   +0.9 ± 4.5
        baby cry      +20 ± 7     +12 ± 8     +7 ± 9       +4 ± 10
        dog bark      +33 ± 16    +25 ± 15   +21 ± 15     +15 ± 15

    So the estimate is accurate for stationary noise, too high at low SNRs, and wrong for sounds with pauses. Without
    added noise it is 47 to 69 dB for RAVDESS clips and 24 to 40 dB for EMO-DB clips (10 % to 90 % quantiles).

    Args:
        waveform: (num_samples,), 16 kHz, finite.

    Returns:
        SNR in dB, from -20 to 90; NaN for a clip with less than 0.2 s of sound.
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
