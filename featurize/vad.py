"""Voice activity detection with Silero VAD: which parts of a clip are speech.

The network (https://github.com/snakers4/silero-vad, MIT) gives one speech probability per 512 samples
(32 ms); segments follow from the probabilities by two thresholds and minimum durations.
"""

import threading
import warnings
from typing import Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from torch import Tensor

from featurize.audio import SAMPLE_RATE
from featurize.errors import AudioError

_num_threads = torch.get_num_threads()
import silero_vad  # noqa: E402

torch.set_num_threads(_num_threads)  # importing silero_vad sets 1 for the whole process: Demucs at half speed

WINDOW_SAMPLES = 512
"""Samples per speech probability at 16 kHz, fixed by the network."""

_of_thread = threading.local()


class VadParams(BaseModel, frozen=True, extra="forbid"):
    """How probabilities become segments; the defaults are Silero's own."""

    threshold: float = Field(0.5, gt=0, lt=1)
    """Speech starts at this probability, and ends 0.15 below it."""
    min_speech_ms: float = Field(250, ge=0, allow_inf_nan=False)
    """Shorter segments are dropped."""
    min_silence_ms: float = Field(100, ge=0, allow_inf_nan=False)
    """Shorter pauses stay inside a segment."""
    pad_ms: float = Field(30, ge=0, allow_inf_nan=False)
    """Each segment grows by this much on both sides."""
    if_no_speech: Literal["keep", "reject"] = "keep"
    """A clip without speech: keep the whole of it, or reject it."""


def load_vad() -> torch.jit.ScriptModule:
    """Load Silero VAD's TorchScript model. It keeps state: one per thread or process."""
    with warnings.catch_warnings():
        # silero_vad's own calls: importlib.resources.path and torch.jit.load, both deprecated.
        warnings.filterwarnings("ignore", message="path is deprecated", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=r".*torch\.jit\.load", category=DeprecationWarning)
        return cast(torch.jit.ScriptModule, silero_vad.load_silero_vad())


def speech_probabilities(waveform: Tensor, vad: torch.jit.ScriptModule) -> Tensor:
    """Speech probability of each window of 512 samples; the last window is filled up with zeros.

    Args:
        waveform: (num_samples,), 16 kHz, peak about 1.
        vad: from `load_vad`; its state is reset first, so that no clip depends on the one before.

    Returns:
        (ceil(num_samples / 512),), float32, on the CPU.
    """
    if waveform.ndim != 1:
        raise ValueError(f"waveform has shape {tuple(waveform.shape)}, not (num_samples,)")
    if len(waveform) == 0:
        return torch.zeros(0)
    whole = torch.nn.functional.pad(waveform.detach().cpu().float(), (0, -len(waveform) % WINDOW_SAMPLES))
    with torch.inference_mode():
        vad.reset_states()
        probabilities = cast(Tensor, vad.audio_forward(whole[None], SAMPLE_RATE))[0]
    return probabilities.clone()  # outside inference mode: an ordinary tensor again


def speech_segments(
    probabilities: Tensor, num_samples: int, params: VadParams | None = None
) -> NDArray[np.int64]:
    """Turn probabilities into segments with Silero's own rules.

    Args:
        probabilities: (num_windows,), from `speech_probabilities`.
        num_samples: length of the clip; segments end there at the latest.
        params: thresholds and durations.

    Returns:
        (num_segments, 2), int64: [start, end) in samples, in order, disjoint.
    """
    params = params or VadParams()
    found = silero_vad.get_speech_timestamps_from_probs(
        probabilities.tolist(),
        sampling_rate=SAMPLE_RATE,
        threshold=params.threshold,
        min_speech_duration_ms=params.min_speech_ms,
        min_silence_duration_ms=params.min_silence_ms,
        speech_pad_ms=params.pad_ms,
        audio_length_samples=num_samples,
    )
    return np.array([(s["start"], s["end"]) for s in found], dtype=np.int64).reshape(-1, 2)


def keep_segments(
    waveform: Tensor, segments: NDArray[np.int64], if_no_speech: Literal["keep", "reject"] = "keep"
) -> Tensor:
    """Cut the segments out and join them.

    Args:
        waveform: (num_samples,).
        segments: (num_segments, 2), from `speech_segments`.
        if_no_speech: without a segment, return the whole clip ("keep") or raise ("reject").

    Returns:
        (num_speech_samples,).

    Raises:
        AudioError: `no-speech`.
    """
    if len(segments) == 0:
        if if_no_speech == "reject":
            seconds = len(waveform) / SAMPLE_RATE
            raise AudioError("no-speech", f"no speech found in {seconds:.2f} s (vad.if_no_speech: reject)")
        return waveform
    return torch.cat([waveform[start:end] for start, end in segments.tolist()])


def vad_silero_keep_speech(
    waveform: Tensor, vad: torch.jit.ScriptModule | None = None, params: VadParams | None = None
) -> Tensor:
    """Keep only the speech of a clip.

    Args:
        waveform: (num_samples,), 16 kHz.
        vad: from `load_vad`; None takes one that is loaded once per thread.
        params: thresholds, durations, and what to do without speech.

    Returns:
        (num_speech_samples,), the segments joined.

    Raises:
        AudioError: `no-speech`, if params say so.
    """
    params = params or VadParams()
    probabilities = speech_probabilities(waveform, vad or _vad_of_this_thread())
    return keep_segments(waveform, speech_segments(probabilities, len(waveform), params), params.if_no_speech)


def _vad_of_this_thread() -> torch.jit.ScriptModule:
    if not hasattr(_of_thread, "vad"):
        _of_thread.vad = load_vad()
    return cast(torch.jit.ScriptModule, _of_thread.vad)
