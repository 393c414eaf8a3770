"""Waveform augmentation: altered copies of a clip from which training learns what an emotion is not.

Another voice, slower or faster, higher or lower, noisier: each copy takes one of these. A copy is random, yet always
the same one: its generator is seeded by the parameters' seed, the clip's SHA-256 and the copy's number, and by nothing
else, so it depends neither on the clips beside it nor on their order. A voice is drawn by its speaker in place of the
clip: all copies of a speaker with the same number have the same one, and together make a speaker who was not there.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
import torchaudio
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, Field
from torch import Tensor

from featurize.audio import SAMPLE_RATE, load_audio
from featurize.errors import AudioError, ParamsError
from featurize.resampling import resample

VERSION = "1"
"""Of the copies' samples. Raise it with any change that moves one."""

_ENDINGS = {".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".opus", ".m4a", ".webm"}
_N_FFT = 1024  # 64 ms: the harmonics of a voice of 65 Hz and more fall into bins of their own
_LARGEST_TERM = 128  # of a pitch's frequency ratio as a fraction: at most 7 cents beside what was drawn
_SILENT = 0.01  # an excerpt 20 dB below its recording is a pause of it


def _in_order(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] > limits[1]:
        raise ValueError(f"a range is [lowest, highest], not [{limits[0]:g}, {limits[1]:g}]")
    return limits


_Rate = Annotated[float, Field(ge=0.5, le=2, allow_inf_nan=False)]
_Semitones = Annotated[float, Field(ge=-12, le=12, allow_inf_nan=False)]
_Decibels = Annotated[float, Field(ge=-20, le=60, allow_inf_nan=False)]
Method = Literal["voice", "stretch", "pitch", "noise"]
VOICE = "voice"
"""What the names of copies in another voice begin with, after the copy's number and a hyphen."""


class AugmentParams(BaseModel, frozen=True, extra="forbid"):
    """How many copies of each training clip, and what is done to them; every amount is drawn uniformly."""

    copies: int = Field(8, ge=0, le=20)
    """Altered copies of each clip."""
    methods: Annotated[tuple[Method, ...], Field(min_length=1)] = ("voice",)
    """A clip's copies take these in turn, each clip in an order of its own."""
    stretch_rate: Annotated[tuple[_Rate, _Rate], AfterValidator(_in_order)] = (0.8, 1.25)
    """Speed, of a voice too; 2 is twice as fast at the same pitch."""
    pitch_semitones: Annotated[tuple[_Semitones, _Semitones], AfterValidator(_in_order)] = (-4.0, 4.0)
    """Pitch, of a voice too, at the same duration."""
    snr_db: Annotated[tuple[_Decibels, _Decibels], AfterValidator(_in_order)] = (10.0, 30.0)
    """Speech, where there is any, over noise."""
    noise: str = Field("white", min_length=1)
    """white, or a folder of recordings."""
    seed: int = Field(0, ge=0)
    """Of everything that is drawn."""

    @property
    def noise_folder(self) -> Path | None:
        """Where noise is taken from, if it is and if any copy needs it."""
        needed = self.copies and "noise" in self.methods and self.noise != "white"
        return Path(self.noise) if needed else None


@dataclass(frozen=True)
class Noises:
    """Recordings to take noise from; none for white noise.

    Args:
        files: in a stable order.
        sha256: of their names and bytes; "" for white noise.
    """

    files: Sequence[Path] = ()
    sha256: str = ""


def find_noises(params: AugmentParams) -> Noises:
    """List and hash the noise folder, if the parameters need one.

    Raises:
        ParamsError: it does not exist, cannot be read, or holds no recording.
    """
    if (folder := params.noise_folder) is None:
        return Noises()
    if not folder.is_dir():
        raise ParamsError(f"augment.noise: {folder} is no folder; name one with recordings, or say white")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file())
    if not files:
        raise ParamsError(f"augment.noise: no audio file in {folder}; name another folder, or say white")
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise ParamsError(f"augment.noise: {path} cannot be read ({error.strerror})") from error
    return Noises(files, digest.hexdigest())


def augment(
    waveform: Tensor,
    segments: NDArray[np.int64],
    sha256: str,
    number: int,
    params: AugmentParams,
    noises: Noises | None = None,
    speaker: str = "",
) -> tuple[str, Tensor]:
    """Make one copy of a clip.

    Args:
        waveform: (num_samples,), 16 kHz.
        segments: (num_segments, 2), its speech as [start, end) in samples; without any, all of it counts.
        sha256: of the clip's audio file, in hex.
        number: of the copy, from 1.
        params: methods and ranges.
        noises: from `find_noises`; None is white noise.
        speaker: who speaks, by whatever tells speakers apart; "" for nobody known, whose clips each have voices
            of their own.

    Returns:
        A name such as "2-pitch+1.40" or "3-voice+1.40x0.93", and the copy (num_samples',), float32, with the peak of
        the original.

    Raises:
        ParamsError: a noise recording cannot be used.
    """
    order = np.random.default_rng([params.seed, int(sha256, 16)]).permutation(len(params.methods))
    method = params.methods[order[(number - 1) % len(order)]]
    rng = np.random.default_rng([params.seed, int(sha256, 16), number])
    if method == "voice":
        whose = hashlib.sha256(speaker.encode()).hexdigest() if speaker else sha256
        rng = np.random.default_rng([params.seed, int(whose, 16), number])
        semitones, rate = rng.uniform(*params.pitch_semitones), rng.uniform(*params.stretch_rate)
        name, copy = f"{VOICE}{semitones:+.2f}x{rate:.2f}", change_voice(waveform, semitones, rate)
    elif method == "stretch":
        rate = rng.uniform(*params.stretch_rate)
        name, copy = f"stretch{rate:.2f}", time_stretch(waveform, rate)
    elif method == "pitch":
        semitones = rng.uniform(*params.pitch_semitones)
        name, copy = f"pitch{semitones:+.2f}", pitch_shift(waveform, semitones)
    else:
        snr_db = rng.uniform(*params.snr_db)
        files = noises.files if noises else ()
        noise = _excerpt(files, len(waveform), rng) if files else _white(len(waveform), rng)
        name, copy = f"noise{snr_db:.0f}dB", add_noise(waveform, noise, snr_db, segments)
    loudest = copy.abs().max()
    return f"{number}-{name}", copy * (waveform.abs().max() / loudest) if loudest > 0 else copy


def time_stretch(waveform: Tensor, rate: float) -> Tensor:
    """Change the speed and keep the pitch, by torchaudio's phase vocoder (Flanagan and Golden, 1966).

    Args:
        waveform: (num_samples,).
        rate: 2 is twice as fast.

    Returns:
        (round(num_samples / rate),), or one sample where that is none, float32.
    """
    hop = _N_FFT // 4
    window = torch.hann_window(_N_FFT)
    # The zeros at the end give the last samples whole frames.
    padded = torch.nn.functional.pad(waveform.float(), (0, _N_FFT))
    spectrum = torch.stft(padded, _N_FFT, hop, window=window, pad_mode="constant", return_complex=True)
    advance = torch.linspace(0, math.pi * hop, _N_FFT // 2 + 1)[:, None]
    stretched = torchaudio.functional.phase_vocoder(spectrum, rate, advance)
    return torch.istft(stretched, _N_FFT, hop, window=window, length=max(1, round(len(waveform) / rate)))


def pitch_shift(waveform: Tensor, semitones: float) -> Tensor:
    """Change the pitch, and with it the formants, and keep the duration: `change_voice` at the same speed."""
    return change_voice(waveform, semitones, 1.0)


def change_voice(waveform: Tensor, semitones: float, rate: float) -> Tensor:
    """Change pitch and formants, as of a shorter or longer vocal tract, and speed: stretched, then resampled.

    The frequency ratio is rounded to a fraction of small terms. torchaudio's own `pitch_shift` resamples between
    rates such as 15,101 and 16,000 Hz, for which it tabulates 240 million taps.

    Args:
        waveform: (num_samples,).
        semitones: up, or down where negative.
        rate: 2 is twice as fast.

    Returns:
        (round(num_samples / rate),), or one sample where that is none, float32.
    """
    ratio = Fraction(2 ** (semitones / 12)).limit_denominator(_LARGEST_TERM)
    if ratio == 1:
        return waveform.float() if rate == 1 else time_stretch(waveform, rate)
    length = max(1, round(len(waveform) / rate))
    stretched = time_stretch(waveform, rate / float(ratio))
    shifted = resample(stretched, ratio.numerator, ratio.denominator)[:length]
    return torch.nn.functional.pad(shifted, (0, length - len(shifted)))


def add_noise(waveform: Tensor, noise: Tensor, snr_db: float, segments: NDArray[np.int64]) -> Tensor:
    """Add noise: 10 lg(P_speech / P_noise) = snr_db, the powers being means over speech and over the whole clip.

    Args:
        waveform: (num_samples,).
        noise: (num_samples,), of any level but silence.
        snr_db: in dB.
        segments: (num_segments, 2), speech as [start, end) in samples; without any, all of it counts.

    Returns:
        (num_samples,), float32.
    """
    active = torch.zeros(len(waveform), dtype=torch.bool)
    for start, end in segments.tolist() or [(0, len(waveform))]:
        active[start:end] = True
    speech_power = waveform[active].double().square().mean()
    gain = torch.sqrt(speech_power / noise.double().square().mean()) * 10 ** (-snr_db / 20)
    return (waveform + gain * noise).float()


def _white(num_samples: int, rng: np.random.Generator) -> Tensor:
    return torch.from_numpy(rng.standard_normal(num_samples, dtype=np.float32))


def _excerpt(files: Sequence[Path], num_samples: int, rng: np.random.Generator) -> Tensor:
    """A stretch (num_samples,) of one of the recordings, repeated where that is shorter, and not a pause of it."""
    path = files[int(rng.integers(len(files)))]
    try:
        recording = load_audio(path)
    except AudioError as error:
        raise ParamsError(f"augment.noise: {error.detail}; remove it, or name another folder") from error
    times = -(-num_samples // len(recording)) + 1
    start = int(rng.integers(len(recording)))
    excerpt = recording.repeat(times)[start : start + num_samples]
    if excerpt.square().mean() < _SILENT * recording.square().mean():
        start = max(0, int(recording.abs().argmax()) - min(SAMPLE_RATE, num_samples) // 2)
        excerpt = recording.repeat(times)[start : start + num_samples]
    return excerpt
