"""All of Tier 0 for one file, simple and slow: the reference that the faster paths are tested against."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from torch import Tensor

from featurize.audio import LoadParams, SourceChannel, dequantise, load_audio, quantise
from featurize.denoise import DenoiseParams, Denoiser, denoise_demucs, dns64, load_denoiser
from featurize.errors import AudioError
from featurize.mfcc import MfccParams, mfcc_40
from featurize.vad import VadParams, find_speech, keep_segments
from featurize.vad_network import InputSpeech, SileroVad, input_speech, load_vad


class Tier0Params(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """All parameters that the features of a clip depend on."""

    load: LoadParams = LoadParams()
    """Loading: which channel, how short a clip."""
    denoise: DenoiseParams = DenoiseParams()
    """The denoiser."""
    vad: VadParams = VadParams()
    """Voice activity detection."""
    mfcc: MfccParams = MfccParams()
    """The coefficients."""


@dataclass(frozen=True, eq=False)
class Tier0:
    """Every intermediate result of one clip."""

    source: SourceChannel
    """The audio track and the channel that were loaded."""
    waveform: Tensor
    """(num_samples,), as loaded: 16 kHz, peak 1."""
    denoised: Tensor
    """(num_samples,), after the denoiser and the rounding to 16 bits."""
    segments: NDArray[np.int64]
    """Speech as [start, end) in samples of `denoised`, (num_segments, 2)."""
    mfcc: Tensor
    """(n_mfcc, num_frames), of the joined segments, or of the whole clip if there are none."""

    @property
    def has_speech(self) -> bool:
        """Whether the VAD found speech; if not, the features are of the whole clip."""
        return len(self.segments) > 0


def tier0(
    path: str | Path,
    params: Tier0Params | None = None,
    denoiser: Denoiser | None = None,
    vad: SileroVad | None = None,
) -> Tier0:
    """Load, denoise, round to 16 bits, find the speech of the clip before and behind the denoiser, extract MFCCs.

    Args:
        path: audio file.
        params: of all steps.
        denoiser: `load_denoiser(params.denoise)`, to load it once for many files.
        vad: from `load_vad`, likewise.

    Raises:
        AudioError: the clip cannot be used; the message names the file.
        WeightsError: the weights of the denoiser cannot be found or downloaded.
    """
    params = params or Tier0Params()
    denoiser = denoiser or load_denoiser(params.denoise)
    vad = vad or load_vad()
    sources: list[SourceChannel] = []
    waveform = load_audio(path, params=params.load, on_source=sources.append)
    try:
        clean = denoise_demucs(waveform, denoiser=denoiser)
        before = None if clean is waveform else input_speech(waveform, vad)
        denoised = dequantise(*quantise(clean))
        segments, mfcc = speech_features(denoised, params, vad, before)
    except AudioError as error:  # functions of arrays cannot name the file
        raise error.of(path) from error
    return Tier0(sources[0], waveform, denoised, segments, mfcc)


def speech_features(
    denoised: Tensor, params: Tier0Params, vad: SileroVad, before: InputSpeech | None
) -> tuple[NDArray[np.int64], Tensor]:
    """The steps after the denoiser and the rounding: segments (num_segments, 2) and MFCC (n_mfcc, num_frames).

    Args:
        denoised: (num_samples,), 16 kHz.
        params: of voice activity detection and MFCC.
        vad: from `load_vad`.
        before: `input_speech` of the clip before the denoiser; None if the denoiser has not changed it.

    Raises:
        AudioError: `no-speech`, if the params reject such clips.
    """
    segments = find_speech(denoised, vad, params.vad, before)
    speech = keep_segments(denoised, segments, params.vad.if_no_speech)
    return segments, mfcc_40(speech, params=params.mfcc)


def tier0_to_mfcc(path: str | Path, device: str = "cpu", n_mfcc: int = 40) -> Tensor:
    """MFCCs of an audio file, denoised with DNS64 (not with `compact`, the default of `tier0`), else with defaults.

    Args:
        path: audio file.
        device: where DNS64 runs.
        n_mfcc: number of coefficients.

    Returns:
        (n_mfcc, num_frames), float32, on the CPU.

    Raises:
        AudioError: the clip cannot be used.
        WeightsError: the weights of DNS64 cannot be found or downloaded.
    """
    params = Tier0Params(denoise=DenoiseParams(model="dns64"), mfcc=MfccParams(n_mfcc=n_mfcc))
    return tier0(path, params, dns64(device)).mfcc
