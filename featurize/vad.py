"""Voice activity detection with Silero VAD: which parts of a clip are speech.

The network (https://github.com/snakers4/silero-vad, MIT) computes one speech probability per 512 samples
(32 ms); two thresholds and minimum durations turn the probabilities into segments.

Each clip is processed alone, in blocks of 64 windows, so the probability of a window has the same bits in a clip of
any length. They differ by up to about 1e-5 from those of Silero's own loop over single windows, which adds float32
numbers in another order and ends up farther from the exact value.
"""

import warnings
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from torch import Tensor

from featurize.audio import SAMPLE_RATE
from featurize.errors import AudioError
from featurize.vad_network import CONTEXT_SAMPLES, WINDOW_SAMPLES, SileroVad, State, from_torchscript

# Importing silero_vad sets one thread for the whole process, which halves the speed of Demucs.
_num_threads = torch.get_num_threads()
import silero_vad  # noqa: E402

torch.set_num_threads(_num_threads)

VERSION = "1"
"""Of the segments that are found. Raise it with any change that moves one."""

BLOCK_WINDOWS = 64
"""Windows per call of the network (2 s): enough to keep a core busy, few enough for its cache."""


class VadParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """How speech is found: the rules that turn probabilities into segments, with Silero's own defaults."""

    method: Literal["silero", "none"] = "silero"
    """silero | none: the whole clip counts as speech."""
    threshold: float = Field(0.5, gt=0, lt=1)
    """Speech probability at which a segment starts; it ends 0.15 below."""
    min_speech_ms: float = Field(250, ge=0, allow_inf_nan=False)
    """Shorter segments are dropped."""
    min_silence_ms: float = Field(100, ge=0, allow_inf_nan=False)
    """Shorter pauses stay in the segment."""
    pad_ms: float = Field(30, ge=0, allow_inf_nan=False)
    """Added to both ends of a segment."""
    if_no_speech: Literal["keep", "reject"] = "keep"
    """keep: use the whole clip, flagged | reject."""


def load_vad(device: str | torch.device = "cpu") -> SileroVad:
    """Load Silero VAD onto `device`. It keeps no state between calls, so threads can share it."""
    with warnings.catch_warnings():
        # silero_vad's own calls: importlib.resources.path and torch.jit.load, both deprecated.
        warnings.filterwarnings("ignore", message="path is deprecated", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=r".*torch\.jit\.load", category=DeprecationWarning)
        return from_torchscript(silero_vad.load_silero_vad()).to(device)


def speech_probabilities(waveform: Tensor, vad: SileroVad) -> Tensor:
    """Speech probability of each window of 512 samples; the last window is padded with zeros.

    Args:
        waveform: (num_samples,), 16 kHz, peak about 1.
        vad: from `load_vad`.

    Returns:
        (ceil(num_samples / 512),), float32, on the CPU.
    """
    if waveform.ndim != 1:
        raise ValueError(f"waveform has shape {tuple(waveform.shape)}, not (num_samples,)")
    num_windows = -(-len(waveform) // WINDOW_SAMPLES)
    device = next(vad.parameters()).device
    starts = range(0, num_windows, BLOCK_WINDOWS)
    probabilities = torch.zeros(len(starts) * BLOCK_WINDOWS, device=device)
    state: State | None = None
    with torch.inference_mode():
        for start in starts:
            windows = (
                _block(waveform, start).to(device).unfold(0, CONTEXT_SAMPLES + WINDOW_SAMPLES, WINDOW_SAMPLES)
            )
            block, state = vad(windows[None], state)
            probabilities[start : start + BLOCK_WINDOWS] = block[0]
    return probabilities[:num_windows].cpu()


def _block(waveform: Tensor, start: int) -> Tensor:
    """Samples of the windows from `start` on, with their context; zeros before and after the clip."""
    first = start * WINDOW_SAMPLES - CONTEXT_SAMPLES
    end = (start + BLOCK_WINDOWS) * WINDOW_SAMPLES
    inside = waveform[max(0, first) : end].float()
    before = max(0, -first)
    return torch.nn.functional.pad(inside, (before, end - first - before - len(inside)))


def speech_segments(
    probabilities: Tensor, num_samples: int, params: VadParams | None = None
) -> NDArray[np.int64]:
    """Turn probabilities into segments with Silero's own rules.

    Args:
        probabilities: (num_windows,), from `speech_probabilities`.
        num_samples: length of the clip; no segment extends beyond it.
        params: thresholds and durations.

    Returns:
        (num_segments, 2), int64: [start, end) in samples, in order, disjoint.
    """
    params = params or VadParams()
    if params.method == "none":
        return np.array([[0, num_samples]], dtype=np.int64)
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


def find_speech(waveform: Tensor, vad: SileroVad, params: VadParams | None = None) -> NDArray[np.int64]:
    """`speech_segments` of a clip (num_samples,); runs the network only if `params.method` is silero."""
    params = params or VadParams()
    probabilities = speech_probabilities(waveform, vad) if params.method == "silero" else torch.zeros(0)
    return speech_segments(probabilities, len(waveform), params)


def keep_segments(
    waveform: Tensor, segments: NDArray[np.int64], if_no_speech: Literal["keep", "reject"] = "keep"
) -> Tensor:
    """Cut the segments out and join them.

    Args:
        waveform: (num_samples,).
        segments: (num_segments, 2), from `speech_segments`.
        if_no_speech: what to do if there are no segments: return the whole clip ("keep") or raise ("reject").

    Returns:
        (num_speech_samples,).

    Raises:
        AudioError: `no-speech`, if there are no segments and `if_no_speech` is "reject".
    """
    if len(segments) == 0:
        if if_no_speech == "reject":
            seconds = len(waveform) / SAMPLE_RATE
            raise AudioError("no-speech", f"no speech found in {seconds:.2f} s (vad.if_no_speech: reject)")
        return waveform
    return torch.cat([waveform[start:end] for start, end in segments.tolist()])


def vad_silero_keep_speech(
    waveform: Tensor, vad: SileroVad | None = None, params: VadParams | None = None
) -> Tensor:
    """Keep only the speech of a clip.

    Args:
        waveform: (num_samples,), 16 kHz.
        vad: from `load_vad`; None: a shared one on the CPU.
        params: thresholds, durations, and what to do with a clip without speech.

    Returns:
        (num_speech_samples,), the segments joined.

    Raises:
        AudioError: `no-speech`, if the clip has none and `params.if_no_speech` is "reject".
    """
    params = params or VadParams()
    segments = find_speech(waveform, vad or _default_vad(), params)
    return keep_segments(waveform, segments, params.if_no_speech)


@lru_cache(maxsize=1)
def _default_vad() -> SileroVad:
    return load_vad()
