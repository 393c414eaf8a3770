"""Speech denoising with Demucs (Défossez, Synnaeve and Adi, Interspeech 2020): the costly step of Tier 0."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import TypeVar

import torch
from denoiser.demucs import Demucs
from pydantic import BaseModel, Field
from torch import Tensor

from featurize.demucs import SLOTS, DemucsStreams
from featurize.demucs_layout import can_stream
from featurize.errors import AudioError, WeightsError
from featurize.products import Precision
from featurize.weights import load_module

Key = TypeVar("Key")

MIN_SAMPLES = 2
"""A clip of one sample has no standard deviation to normalise by; it passes as it is."""
GPU_SLOTS = 256
"""Clips that are denoised together on a GPU."""
FEW_CLIPS = {8: 4, 32: 16}
"""Up to so many clips, fewer slots of a CPU: less of a step is spent on empty ones. The results are the same."""


class DenoiseParams(BaseModel, frozen=True, extra="forbid"):
    """Which denoiser, and where its weights are."""

    model: str = Field("none", min_length=1)
    """none, compact, dns64, dns48, master64, or the path of a checkpoint of the Demucs class."""
    weights: str | None = None
    """Local file with the weights of a named model; without it torch's hub cache, then a download."""
    precision: Precision = "fp32"
    """fp32, tf32 or bf16: of its products."""


@dataclass(frozen=True)
class Denoiser:
    """A denoiser ready to run.

    Attributes:
        name: as in `denoise.model`, or the file name of a checkpoint.
        sha256: of the weights file; "" for "none".
        module: Demucs in eval mode; None for "none".
        device: where the module is.
        trained_on: speakers ("corpus/speaker") or data sets that it has heard, as far as is known.
        edge: samples of silence that the network wants before and after a clip.
        precision: of its products.
    """

    name: str
    sha256: str
    module: Demucs | None
    device: torch.device
    trained_on: tuple[str, ...] = ()
    edge: int = 0
    precision: Precision = "fp32"


def load_denoiser(params: DenoiseParams, device: str | torch.device = "cpu") -> Denoiser:
    """Load a denoiser, ready to run.

    A published model's file is taken from `params.weights`, else from torch's hub cache, else downloaded into
    that cache. From the cache and the network only the published file is accepted, by its SHA-256; a file
    named in `params.weights` is the user's choice, and its SHA-256 is in the result.

    Another checkpoint holds a plain state_dict (its architecture is read off the shapes; `stride` and
    `resample` leave no trace there and are 4), or a dict with the state under `state` or `model` and Demucs'
    keyword arguments under `kwargs` or `args`, as in denoiser's own best.th.

    Args:
        params: which one.
        device: where it will run, such as "cpu" or "cuda".

    Raises:
        WeightsError: weights that cannot be had, are damaged, or belong to another network.
    """
    device = torch.device(device)
    if params.model == "none":
        return Denoiser("none", "", None, device)
    loaded = load_module(params.model, params.weights)
    if params.precision != "fp32" and not can_stream(loaded.module):
        raise WeightsError(
            f"{loaded.name}: not causal, so it runs in fp32 only; set denoise.precision to fp32"
        )
    module = loaded.module.to(device)
    return Denoiser(
        loaded.name, loaded.sha256, module, device, loaded.trained_on, loaded.edge, params.precision
    )


def denoise_demucs(
    waveform: Tensor, device: str | torch.device = "cpu", denoiser: Denoiser | None = None
) -> Tensor:
    """Remove noise from one clip: to the bit what `denoise_clips` makes of it among others.

    Args:
        waveform: (num_samples,), 16 kHz, finite.
        device: where DNS64 runs if no denoiser is given.
        denoiser: from `load_denoiser`, on its own device; None takes dns64, loaded once.

    Returns:
        (num_samples,), float32, finite, on the waveform's device. The denoiser "none" returns the waveform
        itself, and so does a clip of one sample, which has no standard deviation to normalise by.

    Raises:
        WeightsError: dns64 was asked for by default and its weights cannot be had.
        AudioError: `non-finite`, if the network overflows.
    """
    if waveform.ndim != 1:
        raise ValueError(f"waveform has shape {tuple(waveform.shape)}, not (num_samples,)")
    denoiser = denoiser or dns64(str(device))
    if denoiser.module is None or len(waveform) < MIN_SAMPLES:
        return waveform
    streams = _alone(denoiser.module, denoiser.precision) if can_stream(denoiser.module) else None
    [(_, clean)] = _denoise([(None, waveform)], denoiser, streams)
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
        network overflows: one bad clip does not cost its neighbours.
    """
    if denoiser.module is None:
        yield from clips
        return
    streams = None
    if can_stream(denoiser.module):
        clips = iter(clips)
        first = list(islice(clips, max(FEW_CLIPS) + 1))
        slots = _slots(len(first), denoiser.device)
        streams = DemucsStreams(denoiser.module, slots, precision=denoiser.precision)
        clips = chain(first, clips)
    yield from _denoise(clips, denoiser, streams)


def _denoise(
    clips: Iterable[tuple[Key, Tensor]], denoiser: Denoiser, streams: DemucsStreams | None
) -> Iterator[tuple[Key, Tensor]]:
    """Through streams, or where the network has another shape as it comes; in both with silence at the edges."""
    edge = denoiser.edge
    too_short: list[tuple[Key, Tensor]] = []
    padded = _all_but(too_short, clips, edge)
    for key, clean in streams(padded) if streams else _one_by_one(padded, denoiser):
        yield key, clean[edge : len(clean) - edge].cpu()
    yield from too_short


@lru_cache(maxsize=2)
def _alone(module: Demucs, precision: Precision) -> DemucsStreams:
    """For single clips: its weights are packed once."""
    return DemucsStreams(module, min(FEW_CLIPS.values()), precision=precision)


@torch.inference_mode()
def _one_by_one(clips: Iterable[tuple[Key, Tensor]], denoiser: Denoiser) -> Iterator[tuple[Key, Tensor]]:
    assert denoiser.module is not None  # noqa: S101
    for key, waveform in clips:
        yield key, denoiser.module(waveform.to(denoiser.device, torch.float32)[None])[0, 0]


def _slots(num_clips: int, device: torch.device) -> int:
    """Clips to denoise together."""
    if device.type != "cpu":
        return GPU_SLOTS
    return next((slots for few, slots in FEW_CLIPS.items() if num_clips <= few), SLOTS)


def _all_but(
    too_short: list[tuple[Key, Tensor]], clips: Iterable[tuple[Key, Tensor]], edge: int
) -> Iterator[tuple[Key, Tensor]]:
    """Pass clips on with silence around them; put those that have no standard deviation aside."""
    for key, waveform in clips:
        if len(waveform) < MIN_SAMPLES:
            too_short.append((key, waveform))
        else:
            yield key, torch.nn.functional.pad(waveform, (edge, edge))
