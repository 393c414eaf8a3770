"""Waveform augmentation: copies of a training clip with another voice, speed or pitch, or with added noise.

Each copy is made with one of these methods. Its random generator is seeded with the parameters' seed, the SHA-256 of
the clip and the number of the copy only, so a copy depends neither on other clips nor on their order. For the method
`voice` the speaker replaces the clip in the seed: all copies of a speaker with the same number have the same changed
voice, and so form one additional, artificial speaker.
"""

import hashlib
import math
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
import torch
import torchaudio
from pydantic import AfterValidator, BaseModel, Field
from torch import Tensor

from featurize.noise import NoiseFolder, add_noise
from featurize.resampling import resample
from featurize.snr import Samples

VERSION = "3"
"""Version of the copies' samples. Raise it with any change that moves one."""

_N_FFT = 1024  # 64 ms: resolves the harmonics of voices from 65 Hz
_LARGEST_TERM = 128  # largest denominator of the pitch ratio: at most 7 cents from the value drawn


def _in_order(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] > limits[1]:
        raise ValueError(f"a range is [lowest, highest], not [{limits[0]:g}, {limits[1]:g}]")
    return limits


_Rate = Annotated[float, Field(ge=0.5, le=2, allow_inf_nan=False)]
_Semitones = Annotated[float, Field(ge=-12, le=12, allow_inf_nan=False)]
_Decibels = Annotated[float, Field(ge=-20, le=60, allow_inf_nan=False)]
Method = Literal["voice", "stretch", "pitch", "noise"]


class AugmentParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """Number and methods of the copies of each training clip; every amount is drawn uniformly."""

    copies: int = Field(8, ge=0, le=20)
    """Copies of each training clip; the length of an epoch does not depend on it."""
    methods: Annotated[tuple[Method, ...], Field(min_length=1)] = ("voice",)
    """In turn: voice (pitch and speed, one per speaker and number) | stretch | pitch | noise."""
    stretch_rate: Annotated[tuple[_Rate, _Rate], AfterValidator(_in_order)] = (0.8, 1.25)
    """Range of the speed (stretch, voice); 2 is twice as fast, at the same pitch."""
    pitch_semitones: Annotated[tuple[_Semitones, _Semitones], AfterValidator(_in_order)] = (-4.0, 4.0)
    """Range of the shift of pitch and formants (pitch, voice), at the same duration."""
    snr_db: Annotated[tuple[_Decibels, _Decibels], AfterValidator(_in_order)] = (10.0, 30.0)
    """Range of the SNR over active speech: 20 ms frames at most 35 dB below the loudest."""
    noise: str = Field("white", min_length=1)
    """white | folder of noise recordings; its subfolders are noise classes, drawn equally often."""
    seed: int = Field(0, ge=0)
    """Seed of all random draws."""


class Copy(NamedTuple):
    """A copy of a clip."""

    name: str
    """Number and method of the copy, such as "2-pitch+1.40" or "3-voice+1.40x0.93"."""
    voice: str
    """The changed voice, such as "3+1.40x0.93", the same in all copies of the speaker with that number; "" if the
    voice is the original's."""
    waveform: Tensor
    """(num_samples,), float32, with the peak of the original."""


def open_noise(params: AugmentParams) -> NoiseFolder | None:
    """The noise folder if the parameters need one, else None.

    Raises:
        ParamsError: it does not exist, cannot be read, or holds no recording.
    """
    needed = params.copies and "noise" in params.methods and params.noise != "white"
    return NoiseFolder(Path(params.noise), "augment.noise") if needed else None


def augment(
    waveform: Tensor,
    sha256: str,
    number: int,
    params: AugmentParams,
    noises: NoiseFolder | None = None,
    speaker: str = "",
) -> Copy:
    """Make one copy of a clip.

    Args:
        waveform: (num_samples,), 16 kHz.
        sha256: of the clip's audio file, in hex.
        number: of the copy, from 1.
        params: methods and ranges.
        noises: from `open_noise`; None is white noise.
        speaker: unique name of the speaker; if it is "" (unknown), each clip gets a different voice.

    Raises:
        ParamsError: a noise recording cannot be used.
    """
    order = np.random.default_rng([params.seed, int(sha256, 16)]).permutation(len(params.methods))
    method = params.methods[order[(number - 1) % len(order)]]
    rng = np.random.default_rng([params.seed, int(sha256, 16), number])
    voice = ""
    if method == "voice":
        seed = hashlib.sha256(speaker.encode()).hexdigest() if speaker else sha256
        rng = np.random.default_rng([params.seed, int(seed, 16), number])
        semitones, rate = rng.uniform(*params.pitch_semitones), rng.uniform(*params.stretch_rate)
        change = f"{semitones:+.2f}x{rate:.2f}"
        name, voice, copy = f"voice{change}", f"{number}{change}", change_voice(waveform, semitones, rate)
    elif method == "stretch":
        rate = rng.uniform(*params.stretch_rate)
        name, copy = f"stretch{rate:.2f}", time_stretch(waveform, rate)
    elif method == "pitch":
        semitones = rng.uniform(*params.pitch_semitones)
        name, copy = f"pitch{semitones:+.2f}", pitch_shift(waveform, semitones)
    else:
        snr_db = rng.uniform(*params.snr_db)
        noise = noises.draw(len(waveform), rng) if noises else _white(len(waveform), rng)
        noisy = add_noise(waveform.numpy(), noise, snr_db)
        name, copy = f"noise{snr_db:.0f}dB", torch.from_numpy(noisy)
    loudest = copy.abs().max()
    scaled = copy * (waveform.abs().max() / loudest) if loudest > 0 else copy
    return Copy(f"{number}-{name}", voice, scaled)


def time_stretch(waveform: Tensor, rate: float) -> Tensor:
    """Change the speed and keep the pitch, by torchaudio's phase vocoder (Flanagan and Golden, 1966).

    Args:
        waveform: (num_samples,).
        rate: 2 is twice as fast.

    Returns:
        (max(1, round(num_samples / rate)),), float32.
    """
    hop = _N_FFT // 4
    window = torch.hann_window(_N_FFT)
    # The zeros complete the frames of the last samples.
    padded = torch.nn.functional.pad(waveform.float(), (0, _N_FFT))
    spectrum = torch.stft(padded, _N_FFT, hop, window=window, pad_mode="constant", return_complex=True)
    advance = torch.linspace(0, math.pi * hop, _N_FFT // 2 + 1)[:, None]
    stretched = torchaudio.functional.phase_vocoder(spectrum, rate, advance)
    return torch.istft(stretched, _N_FFT, hop, window=window, length=max(1, round(len(waveform) / rate)))


def pitch_shift(waveform: Tensor, semitones: float) -> Tensor:
    """Change pitch and formants and keep the duration: `change_voice` with rate 1."""
    return change_voice(waveform, semitones, 1.0)


def change_voice(waveform: Tensor, semitones: float, rate: float) -> Tensor:
    """Change pitch and formants (as a shorter or longer vocal tract does) and speed: time stretch, then resampling.

    The frequency ratio is rounded to a fraction with a small denominator. torchaudio's `pitch_shift` resamples between
    rates such as 15,101 and 16,000 Hz, for which it tabulates 240 million taps.

    Args:
        waveform: (num_samples,).
        semitones: up, or down where negative.
        rate: 2 is twice as fast.

    Returns:
        (max(1, round(num_samples / rate)),), float32.
    """
    ratio = Fraction(2 ** (semitones / 12)).limit_denominator(_LARGEST_TERM)
    if ratio == 1:
        return waveform.float() if rate == 1 else time_stretch(waveform, rate)
    length = max(1, round(len(waveform) / rate))
    stretched = time_stretch(waveform, rate / float(ratio))
    shifted = resample(stretched, ratio.numerator, ratio.denominator)[:length]
    return torch.nn.functional.pad(shifted, (0, length - len(shifted)))


def _white(num_samples: int, rng: np.random.Generator) -> Samples:
    return rng.standard_normal(num_samples, dtype=np.float32)
