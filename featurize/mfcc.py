"""Mel-frequency cepstral coefficients, the features of the classifier.

Power spectrum of Hamming-windowed frames, mel filters (HTK scale), decibels, orthonormal DCT-II
(Davis and Mermelstein, 1980), computed by torchaudio, one clip at a time: in a batch, the 80 dB floor of every clip
would be relative to the loudest one.
"""

from functools import lru_cache
from itertools import pairwise
from typing import Literal, Self, cast

import torch
import torchaudio
from pydantic import BaseModel, Field, model_validator
from torch import Tensor

from featurize.audio import SAMPLE_RATE

VERSION = "1"
"""Of the coefficients. Raise it with any change that moves one."""

_WINDOWS = {"hamming": torch.hamming_window, "hann": torch.hann_window}


class MfccParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """Analysis at 16 kHz: frames of 25 ms every 10 ms, 64 mel bands from 20 Hz to 8 kHz, 40 coefficients."""

    n_mfcc: int = Field(40, ge=1)
    """Coefficients per frame."""
    n_fft: int = Field(512, ge=2)
    """Samples per FFT."""
    hop_length: int = Field(160, ge=1)
    """Samples from one frame to the next; 160 are 10 ms."""
    win_length: int = Field(400, ge=1)
    """Samples under the window, at most n_fft; 400 are 25 ms."""
    f_min: float = Field(20.0, ge=0)
    """Lower edge of the lowest mel band, in Hz."""
    f_max: float = Field(8000.0, gt=0, le=SAMPLE_RATE / 2)
    """Upper edge of the highest mel band, in Hz."""
    n_mels: int = Field(64, ge=1)
    """Mel bands; with n_fft 512, more than about 80 leave low bands without an FFT bin."""
    window: Literal["hamming", "hann"] = "hamming"
    """hamming | hann."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.n_mfcc > self.n_mels:
            raise ValueError(f"n_mfcc ({self.n_mfcc}) cannot exceed n_mels ({self.n_mels})")
        if self.win_length > self.n_fft:
            raise ValueError(f"win_length ({self.win_length}) cannot exceed n_fft ({self.n_fft})")
        if self.f_min >= self.f_max:
            raise ValueError(f"f_min ({self.f_min:g} Hz) must be below f_max ({self.f_max:g} Hz)")
        return self

    @property
    def min_samples(self) -> int:
        """Length that shorter clips are zero-padded to: the shortest that can be reflected at both ends."""
        return self.n_fft // 2 + 1

    def num_frames(self, num_samples: int) -> int:
        """Frames of a clip: 1 + max(num_samples, min_samples) // hop_length."""
        return 1 + max(num_samples, self.min_samples) // self.hop_length


BLOCK = 6000
"""Frames of a long clip that are computed at a time: a minute at 10 ms."""


def mfcc_40(waveform: Tensor, n_mfcc: int | None = None, params: MfccParams | None = None) -> Tensor:
    """MFCCs of one clip; frame t is centred on sample t * hop_length, and the clip is reflected at its ends.

    Args:
        waveform: (num_samples,), 16 kHz; if shorter than params.min_samples, it is zero-padded at its end.
        n_mfcc: number of coefficients, instead of params.n_mfcc.
        params: of the analysis.

    Returns:
        (n_mfcc, num_frames), float32, on the waveform's device. Band energies are limited from below to -100 dB, and
        to 80 dB below the largest one of the clip.

    Raises:
        ValueError: n_mfcc exceeds the number of mel bands.
    """
    if waveform.ndim != 1:
        raise ValueError(f"waveform has shape {tuple(waveform.shape)}, not (num_samples,)")
    params = params or MfccParams()
    if n_mfcc is not None:
        params = MfccParams(**{**params.model_dump(), "n_mfcc": n_mfcc})
    missing = max(0, params.min_samples - len(waveform))
    padded = torch.nn.functional.pad(waveform.float(), (0, missing)) if missing else waveform.float()
    if params.num_frames(len(padded)) < 2 * BLOCK:
        return cast(Tensor, _transform(params, str(waveform.device))(padded))
    return _in_blocks(padded, params)


def _in_blocks(waveform: Tensor, params: MfccParams) -> Tensor:
    """MFCCs of a long clip, whose whole spectrum would take several times the memory of the clip."""
    transform = _transform(params, str(waveform.device))
    frames = params.num_frames(len(waveform))
    starts = range(0, frames - BLOCK + 1, BLOCK)  # the last block is the longest
    blocks = list(pairwise([*starts, frames]))
    db = torch.empty(params.n_mels, frames, device=waveform.device)
    for start, stop in blocks:
        db[:, start:stop] = transform.MelSpectrogram.mel_scale(_spectrum(waveform, start, stop, params))
    to_db = transform.amplitude_to_DB
    db.clamp_(min=to_db.amin).log10_().mul_(to_db.multiplier)
    db.clamp_(min=float(db.max()) - to_db.top_db)
    mfcc = torch.empty(params.n_mfcc, frames, device=waveform.device)
    for start, stop in blocks:
        mfcc[:, start:stop] = transform.dct_mat.T @ db[:, start:stop]
    return mfcc


def _spectrum(waveform: Tensor, start: int, stop: int, params: MfccParams) -> Tensor:
    """Power spectrum of frames [start, stop), (n_fft // 2 + 1, frames); reflected at the ends of the clip only."""
    half = params.n_fft // 2
    first, last = start * params.hop_length - half, (stop - 1) * params.hop_length + params.n_fft - half
    inside = waveform[max(first, 0) : last]
    ends = max(-first, 0), max(last - len(waveform), 0)
    if any(ends):
        inside = torch.nn.functional.pad(inside[None], ends, mode="reflect")[0]
    window = _transform(params, str(waveform.device)).MelSpectrogram.spectrogram.window
    spectrum: Tensor = torchaudio.functional.spectrogram(
        inside,
        pad=0,
        window=window,
        n_fft=params.n_fft,
        hop_length=params.hop_length,
        win_length=params.win_length,
        power=2.0,
        normalized=False,
        center=False,
    )
    return spectrum


@lru_cache(maxsize=16)
def _transform(params: MfccParams, device: str) -> torchaudio.transforms.MFCC:
    return torchaudio.transforms.MFCC(
        sample_rate=SAMPLE_RATE,
        n_mfcc=params.n_mfcc,
        melkwargs={
            "n_fft": params.n_fft,
            "win_length": params.win_length,
            "hop_length": params.hop_length,
            "f_min": params.f_min,
            "f_max": params.f_max,
            "n_mels": params.n_mels,
            "window_fn": _WINDOWS[params.window],
        },
    ).to(device)
