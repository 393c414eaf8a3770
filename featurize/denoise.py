"""Speech denoising with Demucs (Défossez, Synnaeve and Adi, Interspeech 2020): the costly step of Tier 0.

Two settings keep the network from doing harm: clips that are already clean bypass it (`gate_snr_db`), and a share of
the input can be mixed back into its output (`dry`).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain, islice
from typing import Any, Protocol, TypeVar

import torch
from denoiser.demucs import Demucs
from pydantic import BaseModel, Field
from torch import Tensor

from featurize.demucs.layout import can_stream
from featurize.demucs.products import Precision
from featurize.demucs.streams import SLOTS, DemucsStreams
from featurize.demucs.weights import load_module
from featurize.errors import AudioError, WeightsError
from featurize.snr import estimate_snr_db
from featurize.spectral_gate import SpectralGate

Key = TypeVar("Key")
Clip = tuple[Any, Tensor]
"""The caller's key and a waveform (num_samples,)."""

VERSION = "1"
"""Of denoising: Demucs, the gate and its SNR, the spectral gate. Raise it with any change that moves a number."""
MIN_SAMPLES = 2
"""A clip of one sample has no standard deviation to normalise by; it bypasses the denoiser."""
GPU_SLOTS = 256
"""Clips that are denoised together on a GPU."""
FEW_CLIPS = {1: 1, 8: 4, 32: 16}
"""CPU slots for at most so many clips: empty slots cost time. The number of slots does not change the results."""


class DenoiseParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """Which denoiser to run, where its weights are, and how much of the input to keep."""

    model: str = Field("compact", min_length=1)
    """none | compact (built in) | dns64 | dns48 | master64 | noisereduce | path of a checkpoint."""
    weights: str | None = None
    """Local file with the weights of a named model; null: torch's hub cache, else a download."""
    precision: Precision = "fp32"
    """Of the matrix products: fp32 | tf32 (on a GPU) | bf16."""
    dry: float = Field(0.0, ge=0, le=1)
    """Share of the input mixed back, 0 to 1: dry * input + (1 - dry) * denoised."""
    gate_snr_db: float | None = Field(None, allow_inf_nan=False)
    """Clips with an estimated SNR above this bypass the denoiser; null: none does."""


class Method(Protocol):
    """A way to run a network on clips; `denoise_clips` adds the gate, the edges and the dry share to all of them."""

    def __call__(self, clips: Iterable[Clip], num_clips: int) -> Iterator[Clip]:
        """Denoise clips of at least MIN_SAMPLES samples; num_clips is exact up to max(FEW_CLIPS), else larger."""


@dataclass(frozen=True)
class Streamed:
    """Many clips at once through a causal Demucs, each with the result that it would have alone."""

    module: Demucs
    precision: Precision = "fp32"

    def __call__(self, clips: Iterable[Clip], num_clips: int) -> Iterator[Clip]:
        """Denoise clips together, in the order in which they end."""
        on_cpu = next(self.module.parameters()).device.type == "cpu"
        few = next((slots for limit, slots in FEW_CLIPS.items() if num_clips <= limit), SLOTS)
        slots = few if on_cpu else GPU_SLOTS
        return DemucsStreams(self.module, slots, precision=self.precision)(clips)


@dataclass(frozen=True)
class OneByOne:
    """One clip after the other, through a function of a waveform (num_samples,)."""

    denoise: Callable[[Tensor], Tensor]

    @torch.inference_mode()
    def __call__(self, clips: Iterable[Clip], num_clips: int) -> Iterator[Clip]:
        """Denoise clips in the given order."""
        for key, waveform in clips:
            yield key, self.denoise(waveform)


def method_for(module: Demucs, precision: Precision = "fp32") -> Method:
    """The fastest exact way to run a Demucs in evaluation mode, on the device that it is on."""
    return Streamed(module, precision) if can_stream(module) else OneByOne(partial(_whole_clip, module))


def _whole_clip(module: Demucs, waveform: Tensor) -> Tensor:
    clean: Tensor = module(waveform.to(next(module.parameters()))[None])[0, 0]
    return clean


@dataclass(frozen=True)
class Denoiser:
    """A denoiser, loaded and ready to run."""

    name: str
    """As in `denoise.model`, or the file name of a checkpoint."""
    sha256: str
    """Of the weights file; "" where there is none."""
    method: Method
    trained_on: tuple[str, ...] = ()
    """Speakers ("corpus/speaker") or data sets in its training data, as far as is known."""
    edge: int = 0
    """Samples of silence that the network needs before and after a clip."""
    dry: float = 0.0
    """Share of the input mixed back; 1: every clip bypasses the denoiser."""
    gate_snr_db: float | None = None
    """Clips with an estimated SNR above this bypass the denoiser."""

    def bypasses(self, waveform: Tensor) -> bool:
        """Whether a clip (num_samples,) is returned unchanged: by the settings, its length or its estimated SNR."""
        if self.dry == 1 or len(waveform) < MIN_SAMPLES:
            return True
        return self.gate_snr_db is not None and estimate_snr_db(waveform) > self.gate_snr_db

    def mix(self, waveform: Tensor, clean: Tensor) -> Tensor:
        """Mix the share `dry` of the input back in; all (num_samples,)."""
        return torch.lerp(clean, waveform.to(clean), self.dry) if self.dry else clean


def load_denoiser(params: DenoiseParams, device: str | torch.device = "cpu") -> Denoiser:
    """Load a denoiser.

    The weights of a published model are read from `params.weights`, else from torch's hub cache, else downloaded into
    that cache. From the cache and the network only the published file is accepted, by its SHA-256; a file
    named in `params.weights` is the user's choice, and its SHA-256 is in the result.

    Another checkpoint holds a plain state_dict (the shapes determine the architecture; `stride` and `resample` are 4),
    or a dict with the state under `state` or `model` and Demucs' arguments under `kwargs` or `args`.

    Args:
        params: the model and its settings.
        device: where it will run, such as "cpu" or "cuda"; spectral gating runs on the CPU.

    Raises:
        WeightsError: the weights cannot be found or downloaded, are damaged, or belong to another network; or the
            package noisereduce is needed and not installed.
    """
    settings: dict[str, Any] = {"dry": params.dry, "gate_snr_db": params.gate_snr_db}
    if params.model == "none":
        return Denoiser("none", "", OneByOne(lambda waveform: waveform), dry=1.0)
    if params.model == "noisereduce":
        gate = SpectralGate()
        return Denoiser(gate.name, "", OneByOne(gate), **settings)
    loaded = load_module(params.model, params.weights)
    if params.precision != "fp32" and not can_stream(loaded.module):
        raise WeightsError(
            f"{loaded.name}: not causal, so it runs in fp32 only; set denoise.precision to fp32"
        )
    method = method_for(loaded.module.to(device), params.precision)
    return Denoiser(loaded.name, loaded.sha256, method, loaded.trained_on, loaded.edge, **settings)


def denoise_demucs(
    waveform: Tensor, device: str | torch.device = "cpu", denoiser: Denoiser | None = None
) -> Tensor:
    """Remove noise from one clip. The result is bit for bit that of `denoise_clips` on many.

    Args:
        waveform: (num_samples,), 16 kHz, finite.
        device: where DNS64 runs if no denoiser is given.
        denoiser: from `load_denoiser`, on the device that it was loaded to; None: DNS64, loaded once.

    Returns:
        (num_samples,), float32, finite, on the waveform's device. A clip that bypasses the denoiser is returned as
        the same object.

    Raises:
        WeightsError: no denoiser is given and the weights of DNS64 cannot be found or downloaded.
        AudioError: `non-finite`, if the network overflows.
    """
    if waveform.ndim != 1:
        raise ValueError(f"waveform has shape {tuple(waveform.shape)}, not (num_samples,)")
    denoiser = denoiser or dns64(str(device))
    [(_, clean, changed)] = denoise_clips([(None, waveform)], denoiser)
    if not changed:
        return waveform
    if not torch.isfinite(clean).all():
        raise AudioError("non-finite", f"the denoiser {denoiser.name} gave NaN or infinite samples")
    return clean.clone().to(waveform.device)  # made outside inference mode: an ordinary tensor


@lru_cache(maxsize=4)
def dns64(device: str = "cpu") -> Denoiser:
    """DNS64 with its published weights, loaded once per device; errors as `load_denoiser`."""
    return load_denoiser(DenoiseParams(model="dns64"), device)


def denoise_clips(
    clips: Iterable[tuple[Key, Tensor]], denoiser: Denoiser
) -> Iterator[tuple[Key, Tensor, bool]]:
    """Denoise many clips together: several times faster than one at a time, with bit for bit the same results.

    Args:
        clips: key and waveform (num_samples,), 16 kHz, finite; read as they are needed.
        denoiser: from `load_denoiser`.

    Yields:
        Key, denoised waveform (num_samples,) on the CPU, and whether it was changed: a clip that bypasses the denoiser
        comes back as the same object, with False. Clips come in the order in which they are done. Samples are not
        finite where the network overflows; other clips are not affected.
    """
    if denoiser.dry == 1:
        yield from map(_unchanged, clips)  # not a loop, which would keep the last clip in memory
        return
    clips = iter(clips)
    first = deque(islice(clips, max(FEW_CLIPS) + 1))
    num_clips = len(first)
    popped = (
        first.popleft() for _ in range(num_clips)
    )  # popped, so that finished clips are not kept in memory
    yield from _denoise(chain(popped, clips), num_clips, denoiser)


def _denoise(clips: Iterable[Clip], num_clips: int, denoiser: Denoiser) -> Iterator[tuple[Any, Tensor, bool]]:
    """Run the method, with the gate, silence at the edges and the dry share around it."""
    edge = denoiser.edge
    bypassed: list[Clip] = []
    inputs: dict[Any, Tensor] = {}

    def to_denoise() -> Iterator[Clip]:
        for key, waveform in clips:
            if denoiser.bypasses(waveform):
                bypassed.append((key, waveform))
                continue
            if denoiser.dry:
                inputs[key] = waveform
            padded = torch.nn.functional.pad(waveform, (edge, edge))
            del waveform  # hours of audio are kept in memory only once
            yield key, padded

    for key, padded in denoiser.method(to_denoise(), num_clips):
        clean = padded.cpu()[edge : len(padded) - edge]
        yield key, denoiser.mix(inputs.pop(key), clean) if denoiser.dry else clean, True
        yield from map(_unchanged, bypassed)
        bypassed.clear()
    yield from map(_unchanged, bypassed)


def _unchanged(clip: tuple[Key, Tensor]) -> tuple[Key, Tensor, bool]:
    return *clip, False
