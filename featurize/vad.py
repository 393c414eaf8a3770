"""Voice activity detection with Silero VAD: which parts of a clip are speech.

The network (https://github.com/snakers4/silero-vad, MIT) gives one speech probability per 512 samples
(32 ms); segments follow from the probabilities by two thresholds and minimum durations.

A clip passes through in blocks of 64 windows, whatever its length, and on the CPU never beside another clip: the
probability of a window has the same bits in every batch and in a clip of any length. They are not the bits of
Silero's own loop over single windows: there float32 sums run in another order, and the two lie up to about 1e-5
apart, the loop farther from the exact value.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from torch import Tensor

from featurize.audio import SAMPLE_RATE
from featurize.errors import AudioError
from featurize.vad_network import CONTEXT_SAMPLES, WINDOW_SAMPLES, SileroVad, State, from_torchscript

_num_threads = torch.get_num_threads()
import silero_vad  # noqa: E402

torch.set_num_threads(_num_threads)  # importing silero_vad sets 1 for the whole process: Demucs at half speed

VERSION = "1"
"""Of the segments that are found. Raise it with any change that moves one."""

BLOCK_WINDOWS = 64
"""Windows per call of the network, 2 s: enough to fill a core, few enough to stay in its cache."""


class VadParams(BaseModel, frozen=True, extra="forbid"):
    """How probabilities become segments; the defaults are Silero's own."""

    method: Literal["silero", "none"] = "silero"
    """none: the whole clip counts as speech."""
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


def load_vad(device: str | torch.device = "cpu") -> SileroVad:
    """Load Silero VAD onto `device`. It keeps no state, so threads may share it."""
    with warnings.catch_warnings():
        # silero_vad's own calls: importlib.resources.path and torch.jit.load, both deprecated.
        warnings.filterwarnings("ignore", message="path is deprecated", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=r".*torch\.jit\.load", category=DeprecationWarning)
        return from_torchscript(silero_vad.load_silero_vad()).to(device)


def speech_probabilities(waveform: Tensor, vad: SileroVad) -> Tensor:
    """Speech probability of each window of 512 samples; the last window is filled up with zeros.

    Args:
        waveform: (num_samples,), 16 kHz, peak about 1.
        vad: from `load_vad`.

    Returns:
        (ceil(num_samples / 512),), float32, on the CPU.
    """
    return _probabilities_of_batch([waveform], vad)[0]


def speech_probabilities_of(
    waveforms: Iterable[Tensor], vad: SileroVad, clips_per_batch: int | None = None
) -> Iterator[Tensor]:
    """`speech_probabilities` of one clip after another, several at a time where that is faster.

    Args:
        waveforms: (num_samples,) each, 16 kHz; taken as needed, never more than a batch ahead.
        vad: from `load_vad`.
        clips_per_batch: clips in one call; None: 64 on a GPU and 1 on the CPU, where a batch gains little
            and moves the last bits. Similar lengths fill a batch best.

    Yields:
        (ceil(num_samples / 512),) for each clip in order, float32, on the CPU.
    """
    on_cpu = next(vad.parameters()).device.type == "cpu"
    remaining = iter(waveforms)
    while batch := list(islice(remaining, clips_per_batch or (1 if on_cpu else 64))):
        yield from _probabilities_of_batch(batch, vad)


def _probabilities_of_batch(waveforms: Sequence[Tensor], vad: SileroVad) -> list[Tensor]:
    for waveform in waveforms:
        if waveform.ndim != 1:
            raise ValueError(f"waveform has shape {tuple(waveform.shape)}, not (num_samples,)")
    num_windows = [-(-len(waveform) // WINDOW_SAMPLES) for waveform in waveforms]
    longest_first = sorted(range(len(waveforms)), key=num_windows.__getitem__, reverse=True)
    device = next(vad.parameters()).device
    starts = range(0, max(num_windows), BLOCK_WINDOWS)
    rows = torch.zeros(len(waveforms), len(starts) * BLOCK_WINDOWS, device=device)  # longest clip first
    state: State | None = None
    with torch.inference_mode():
        for start in starts:
            unfinished = [i for i in longest_first if num_windows[i] > start]
            samples = torch.stack([_block(waveforms[i], start) for i in unfinished]).to(device)
            windows = samples.unfold(1, CONTEXT_SAMPLES + WINDOW_SAMPLES, WINDOW_SAMPLES)
            if state is not None:
                state = (state[0][:, : len(unfinished)], state[1][:, : len(unfinished)])
            rows[: len(unfinished), start : start + BLOCK_WINDOWS], state = vad(windows, state)
    of_clip = dict(zip(longest_first, rows.cpu(), strict=True))
    return [of_clip[i][:n].clone() for i, n in enumerate(num_windows)]


def _block(waveform: Tensor, start: int) -> Tensor:
    """Samples under a block of windows from window `start` on, zeros where the clip has none."""
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
        num_samples: length of the clip; segments end there at the latest.
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
    """`speech_segments` of a clip (num_samples,), without asking the network where params want no VAD."""
    params = params or VadParams()
    wanted = params.method == "silero"
    probabilities = speech_probabilities(waveform, vad) if wanted else torch.zeros(0)
    return speech_segments(probabilities, len(waveform), params)


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
    waveform: Tensor, vad: SileroVad | None = None, params: VadParams | None = None
) -> Tensor:
    """Keep only the speech of a clip.

    Args:
        waveform: (num_samples,), 16 kHz.
        vad: from `load_vad`; None takes one that is loaded once.
        params: thresholds, durations, and what to do without speech.

    Returns:
        (num_speech_samples,), the segments joined.

    Raises:
        AudioError: `no-speech`, if params say so.
    """
    params = params or VadParams()
    segments = find_speech(waveform, vad or _default_vad(), params)
    return keep_segments(waveform, segments, params.if_no_speech)


@lru_cache(maxsize=1)
def _default_vad() -> SileroVad:
    return load_vad()
