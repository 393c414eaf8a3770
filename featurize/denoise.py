"""Speech denoising with Demucs (Défossez, Synnaeve and Adi, Interspeech 2020): the costly step of Tier 0.

Around the network stands what keeps it from doing harm: a gate that leaves clean clips alone, and a share of the
input that is mixed back.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain, islice
from typing import Any, TypeVar

import torch
from denoiser.demucs import Demucs
from pydantic import BaseModel, Field
from torch import Tensor

from featurize.demucs.layout import can_stream
from featurize.demucs.products import Precision
from featurize.demucs.streams import SLOTS, DemucsStreams
from featurize.errors import AudioError, WeightsError
from featurize.snr import estimate_snr_db
from featurize.spectral_gate import SpectralGate
from featurize.weights import load_module

Key = TypeVar("Key")
Clip = tuple[Any, Tensor]
Network = Callable[[Iterable[Clip]], Iterator[Clip]]

VERSION = "1"
"""Of denoising: Demucs, the gate and its SNR, the spectral gate. Raise it with any change that moves a number."""

MIN_SAMPLES = 2
"""A clip of one sample has no standard deviation to normalise by; it passes as it is."""
GPU_SLOTS = 256
"""Clips that are denoised together on a GPU."""
FEW_CLIPS = {1: 1, 8: 4, 32: 16}
"""Up to so many clips, fewer slots of a CPU: less of a step is spent on empty ones. The results are the same."""


class DenoiseParams(BaseModel, frozen=True, extra="forbid"):
    """Which denoiser, where its weights are, and how much of it is let through."""

    model: str = Field("compact", min_length=1)
    """none, compact, dns64, dns48, master64, noisereduce, or the path of a checkpoint of the Demucs class."""
    weights: str | None = None
    """Local file with the weights of a named model; without it torch's hub cache, then a download."""
    precision: Precision = "fp32"
    """fp32, tf32 or bf16: of its products."""
    dry: float = Field(0.0, ge=0, le=1)
    """Share of the input mixed back: dry * input + (1 - dry) * denoised."""
    gate_snr_db: float | None = Field(None, allow_inf_nan=False)
    """A clip whose estimated SNR is above this passes untouched; None denoises every clip."""


@dataclass(frozen=True)
class Denoiser:
    """A denoiser ready to run.

    Attributes:
        name: as in `denoise.model`, or the file name of a checkpoint.
        sha256: of the weights file; "" for "none".
        module: Demucs in eval mode, or spectral gating; None for "none".
        device: where the module is.
        trained_on: speakers ("corpus/speaker") or data sets that it has heard, as far as is known.
        edge: samples of silence that the network wants before and after a clip.
        precision: of its products.
        dry: share of the input mixed back.
        gate_snr_db: clips estimated to be cleaner pass untouched.
    """

    name: str
    sha256: str
    module: Demucs | SpectralGate | None
    device: torch.device
    trained_on: tuple[str, ...] = ()
    edge: int = 0
    precision: Precision = "fp32"
    dry: float = 0.0
    gate_snr_db: float | None = None

    def leaves(self, waveform: Tensor) -> bool:
        """Whether a clip (num_samples,) passes as it is: for its length, its estimated SNR, or by all settings."""
        if self.module is None or self.dry == 1 or len(waveform) < MIN_SAMPLES:
            return True
        return self.gate_snr_db is not None and estimate_snr_db(waveform) > self.gate_snr_db

    def mix(self, waveform: Tensor, clean: Tensor) -> Tensor:
        """Mix the share `dry` of the input back in; all (num_samples,)."""
        return torch.lerp(clean, waveform.to(clean), self.dry) if self.dry else clean


def load_denoiser(params: DenoiseParams, device: str | torch.device = "cpu") -> Denoiser:
    """Load a denoiser, ready to run.

    A published model's file is taken from `params.weights`, else from torch's hub cache, else downloaded into
    that cache. From the cache and the network only the published file is accepted, by its SHA-256; a file
    named in `params.weights` is the user's choice, and its SHA-256 is in the result.

    Another checkpoint holds a plain state_dict (its architecture is read off the shapes; `stride` and
    `resample` leave no trace there and are 4), or a dict with the state under `state` or `model` and Demucs'
    keyword arguments under `kwargs` or `args`, as in denoiser's own best.th.

    Args:
        params: which one, and how much of it.
        device: where it will run, such as "cpu" or "cuda"; spectral gating runs on the CPU.

    Raises:
        WeightsError: weights that cannot be had, are damaged, or belong to another network; or the package
            noisereduce was asked for and is not installed.
    """
    device = torch.device(device)
    settings: dict[str, Any] = {"dry": params.dry, "gate_snr_db": params.gate_snr_db}
    if params.model == "none":
        return Denoiser("none", "", None, device, **settings)
    if params.model == "noisereduce":
        gate = SpectralGate()
        return Denoiser(gate.name, "", gate, torch.device("cpu"), **settings)
    loaded = load_module(params.model, params.weights)
    if params.precision != "fp32" and not can_stream(loaded.module):
        raise WeightsError(
            f"{loaded.name}: not causal, so it runs in fp32 only; set denoise.precision to fp32"
        )
    module = loaded.module.to(device)
    kept = (loaded.trained_on, loaded.edge, params.precision)
    return Denoiser(loaded.name, loaded.sha256, module, device, *kept, **settings)


def denoise_demucs(
    waveform: Tensor, device: str | torch.device = "cpu", denoiser: Denoiser | None = None
) -> Tensor:
    """Remove noise from one clip: to the bit what `denoise_clips` makes of it among others.

    Args:
        waveform: (num_samples,), 16 kHz, finite.
        device: where DNS64 runs if no denoiser is given.
        denoiser: from `load_denoiser`, on its own device; None takes dns64, loaded once.

    Returns:
        (num_samples,), float32, finite, on the waveform's device. A clip that the denoiser leaves alone comes
        back as the object that it is: all clips with "none", those past the gate, those of one sample.

    Raises:
        WeightsError: dns64 was asked for by default and its weights cannot be had.
        AudioError: `non-finite`, if the network overflows.
    """
    if waveform.ndim != 1:
        raise ValueError(f"waveform has shape {tuple(waveform.shape)}, not (num_samples,)")
    denoiser = denoiser or dns64(str(device))
    if denoiser.leaves(waveform):
        return waveform
    assert denoiser.module is not None  # noqa: S101 - else it leaves every clip
    [(_, clean)] = denoise_clips([(None, waveform)], denoiser)
    if not torch.isfinite(clean).all():
        raise AudioError("non-finite", f"the denoiser {denoiser.name} gave NaN or infinite samples")
    return clean.clone().to(waveform.device)  # made outside inference mode: an ordinary tensor


@lru_cache(maxsize=4)
def dns64(device: str = "cpu") -> Denoiser:
    """DNS64 with its published weights, loaded once per device; errors as `load_denoiser`."""
    return load_denoiser(DenoiseParams(model="dns64"), device)


def denoise_clips(clips: Iterable[tuple[Key, Tensor]], denoiser: Denoiser) -> Iterator[tuple[Key, Tensor]]:
    """Denoise many clips together: several times faster than one by one, and the same result for each, to the bit.

    Args:
        clips: key and waveform (num_samples,), 16 kHz, finite; read as they are needed.
        denoiser: from `load_denoiser`.

    Yields:
        Key and denoised waveform (num_samples,) on the CPU, in the order in which they are done. Not finite if the
        network overflows: one bad clip does not cost its neighbours. A clip that the denoiser leaves alone waits for
        the next one that it does not.
    """
    if denoiser.module is None:
        yield from clips
        return
    clips = iter(clips)
    first = deque(islice(clips, max(FEW_CLIPS) + 1))
    network = _network(denoiser, _slots(len(first), denoiser.device))
    taken = (first.popleft() for _ in range(len(first)))  # a clip that is done with must not be held here
    yield from _denoise(chain(taken, clips), denoiser, network)


def _network(denoiser: Denoiser, slots: int) -> Network:
    """What denoises padded clips."""
    if isinstance(denoiser.module, Demucs) and can_stream(denoiser.module):
        return DemucsStreams(denoiser.module, slots, precision=denoiser.precision)
    return partial(_one_by_one, denoiser)


def _slots(num_clips: int, device: torch.device) -> int:
    """Clips to denoise together."""
    if device.type != "cpu":
        return GPU_SLOTS
    return next((slots for few, slots in FEW_CLIPS.items() if num_clips <= few), SLOTS)


def _denoise(clips: Iterable[Clip], denoiser: Denoiser, network: Network) -> Iterator[Clip]:
    """Everything around the network: the gate, silence at the edges, and the input that is mixed back."""
    edge = denoiser.edge
    left_alone: list[Clip] = []
    waiting: dict[Any, Tensor] = {}

    def to_denoise() -> Iterator[Clip]:
        for key, waveform in clips:
            if denoiser.leaves(waveform):
                left_alone.append((key, waveform))
                continue
            if denoiser.dry:
                waiting[key] = waveform
            padded = torch.nn.functional.pad(waveform, (edge, edge))
            del waveform  # hours of audio are held only once
            yield key, padded

    for key, padded in network(to_denoise()):
        clean = padded.cpu()[edge : len(padded) - edge]
        yield key, denoiser.mix(waiting.pop(key), clean) if denoiser.dry else clean
        yield from left_alone
        left_alone.clear()
    yield from left_alone


@torch.inference_mode()
def _one_by_one(denoiser: Denoiser, clips: Iterable[Clip]) -> Iterator[Clip]:
    """A denoiser that is not streamed, as it comes."""
    for key, waveform in clips:
        if isinstance(denoiser.module, SpectralGate):
            yield key, denoiser.module(waveform)
        else:
            assert denoiser.module is not None  # noqa: S101 - else it leaves every clip
            yield key, denoiser.module(waveform.to(denoiser.device, torch.float32)[None])[0, 0]
