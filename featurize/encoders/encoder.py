"""The frames of a clip: hidden states of a frozen encoder, pooled over time, in float16."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from torch import Tensor

from featurize.audio import SAMPLE_RATE
from featurize.encoders.families import FRAME_SAMPLES, HiddenStates, load_family
from featurize.encoders.hub import EncoderFiles, find_encoder
from featurize.encoders.windows import windows
from featurize.errors import ParamsError

VERSION = "1"
"""Of the frames. Raise it with any change that moves one."""

_LARGEST = float(np.finfo(np.float16).max)


class EncodeParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """Which frozen encoder, and what is stored of it."""

    model: str = "none"
    """none | openai/whisper-base | facebook/hubert-base-ls960 | any name of the Hub | a folder."""
    layers: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Hidden states to store: 0 enters the first layer, n leaves the n-th; []: all."""
    frame_pooling: int = Field(2, gt=0, le=50)
    """Frames of 20 ms averaged into one: 2 stores 25 frames a second."""
    window_s: float = Field(20, ge=4, le=29.5)
    """Longer clips are encoded in overlapping windows of this length, in s."""
    overlap_s: float = Field(2, ge=0, le=2)
    """Overlap of neighbouring windows, in s."""
    copies: int = Field(0, ge=0, le=1000)
    """Augmented copies of each training clip to encode as well, at most augment.copies."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """fp32 | bf16: of the arithmetic; frames are stored in float16."""


class Encoder:
    """A frozen encoder, loaded once for many clips. A clip's frames depend on the clip alone.

    Args:
        params: of the frames; `model` is not "none".
        device: where it runs.

    Attributes:
        files: name and SHA-256 of the weights.
        layers: the stored hidden states.

    Raises:
        WeightsError: the encoder's files cannot be had or do not fit, or transformers is not installed.
        ParamsError: a layer that it does not have.
    """

    def __init__(self, params: EncodeParams, device: str | torch.device = "cpu") -> None:
        self.params, self.device = params, torch.device(device)
        self.files: EncoderFiles = find_encoder(params.model)
        self._states: HiddenStates = load_family(self.files, device)
        self.layers = params.layers or tuple(range(self._states.num_states))
        if max(self.layers) >= self._states.num_states:
            raise ParamsError(
                f"encode.layers: {self.files.name} has the hidden states 0 to {self._states.num_states - 1}, "
                f"not {max(self.layers)}"
            )
        self._states.stop_at(max(self.layers))

    @property
    def shape(self) -> tuple[int, int]:
        """Layers and values of one stored frame."""
        return len(self.layers), self._states.size

    @property
    def step(self) -> dict[str, Any]:
        """Settings, weights and version of the code: all that the frames depend on."""
        return self.params.model_dump(mode="json", exclude={"model", "copies"}) | {
            "sha256": self.files.sha256,
            "settings_sha256": self.files.settings_sha256,
            "layers": list(self.layers),
            "version": VERSION,
        }

    @torch.inference_mode()
    def __call__(self, waveform: Tensor) -> NDArray[np.float16]:
        """Encode one clip.

        Args:
            waveform: (num_samples,), 16 kHz, on the CPU.

        Returns:
            (num_frames, num_layers, size), `params.frame_pooling` x 20 ms a frame, at least one frame.
        """
        return np.concatenate(list(self._pieces(waveform)))

    def _pieces(self, waveform: Tensor) -> Iterator[NDArray[np.float16]]:
        params, frame = self.params, self.params.frame_pooling * FRAME_SAMPLES
        window, overlap = (round(seconds * SAMPLE_RATE) for seconds in (params.window_s, params.overlap_s))
        bf16 = params.precision == "bf16"
        for start, end, first, last in windows(len(waveform), window, overlap, frame):
            with torch.autocast(self.device.type, torch.bfloat16) if bf16 else nullcontext():
                states = self._states(waveform[start:end].float())
            chosen = torch.stack([states[layer].float() for layer in self.layers], dim=1)  # (T, L, size)
            pooled = pool(chosen, params.frame_pooling)[first:last]
            yield pooled.clamp(-_LARGEST, _LARGEST).to(torch.float16).cpu().numpy()


def pool(frames: Tensor, number: int) -> Tensor:
    """Means of `number` neighbouring frames (T, ...); the last one is the mean of those that are left."""
    whole = len(frames) // number * number
    means = frames[:whole].reshape(-1, number, *frames.shape[1:]).mean(1) if whole else frames[:0]
    rest = frames[whole:].mean(0, keepdim=True) if whole < len(frames) else frames[:0]
    return torch.cat([means, rest])
