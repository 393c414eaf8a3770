"""The frames of an encoder for one clip, as facts and as a picture: do they change with the sound, are they finite?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from torch import Tensor

from featurize.audio import SAMPLE_RATE
from featurize.encoders.encoder import Encoder
from model.views import FRAME_SAMPLES, speech_frames

DEVIATIONS = 3.0
"""Colours of the picture end at so many standard deviations of a value over time."""


@dataclass(frozen=True, eq=False)
class EncoderFrames:
    """What an encoder makes of one clip."""

    encoder: Encoder
    frames: NDArray[np.float32]
    """(num_frames, L, D), of the whole clip."""
    speech: NDArray[np.bool_]
    """(num_frames,) which of them are speech; all where there is none."""

    @property
    def frame_s(self) -> float:
        """Length of a frame, in s."""
        return self.encoder.params.frame_pooling * FRAME_SAMPLES / SAMPLE_RATE


def encode_clip(encoder: Encoder, denoised: Tensor, segments: NDArray[np.int64]) -> EncoderFrames:
    """The frames of a clip.

    Args:
        encoder: makes them.
        denoised: (num_samples,), rounded to 16 bits.
        segments: of speech, (num_segments, 2).
    """
    frames = encoder(denoised).astype(np.float32)
    size = encoder.params.frame_pooling * FRAME_SAMPLES
    return EncoderFrames(encoder, frames, speech_frames(segments, len(frames), size))


def describe_frames(found: EncoderFrames) -> list[tuple[str, str]]:
    """Name and text of each fact."""
    files, (num_frames, num_states, size) = found.encoder.files, found.frames.shape
    return [
        ("encoder", f"{files.name}, SHA-256 {files.sha256[:8]}"),
        ("frames", f"{num_frames} × {num_states} hidden states × {size} values"),
        ("rate", f"{1 / found.frame_s:g} frames/s, {int(found.speech.sum())} of speech"),
    ]


def tabulate_states(found: EncoderFrames) -> Table:
    """One row for each hidden state.

    Norm: the mean length of a frame. Std: of a value over time, the mean over all values. Neighbours: the mean cosine
    of a frame and the next one, without the mean frame. Largest: of all values. Values that are no number show as nan.
    """
    table = Table("hidden state", "norm", "std", "neighbours", "largest", box=None, pad_edge=False)
    for column in table.columns:
        column.justify = "right"
    for place, state in enumerate(found.encoder.layers):
        table.add_row(str(state), *(f"{fact:.2f}" for fact in _facts(found.frames[:, place])))
    return table


def _facts(frames: NDArray[np.float32]) -> tuple[float, float, float, float]:
    """See `tabulate_states`; frames (num_frames, D)."""
    x = frames.astype(np.float64)
    moving = x - x.mean(axis=0)
    products = (moving[1:] * moving[:-1]).sum(axis=1)
    lengths = np.linalg.norm(moving, axis=1)
    cosines = products / np.maximum(lengths[1:] * lengths[:-1], 1e-9)
    alike = float(cosines.mean()) if len(cosines) else np.nan
    return float(np.linalg.norm(x, axis=1).mean()), float(x.std(axis=0).mean()), alike, float(np.abs(x).max())


def draw_frames(found: EncoderFrames, axes: Any, segments: NDArray[np.int64]) -> None:
    """Draw the mean of the hidden states, each value standardised over time, with the speech marked."""
    mean = found.frames.mean(axis=1)  # (num_frames, D)
    shown = ((mean - mean.mean(axis=0)) / np.maximum(mean.std(axis=0), 1e-9)).T
    edges = (0, len(mean) * found.frame_s, -0.5, len(shown) - 0.5)
    axes.imshow(
        shown,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=edges,
        cmap="RdBu_r",
        vmin=-DEVIATIONS,
        vmax=DEVIATIONS,
    )
    for start, end in segments / SAMPLE_RATE:
        # Above the frames, as a shade over them would change their colours.
        axes.axvspan(start, end, ymin=0.97, color="tab:orange")
    states = ", ".join(map(str, found.encoder.layers))
    title = f"{found.encoder.files.name}, mean of the hidden states {states}, speech marked above"
    axes.set(xlabel="time (s)", ylabel="value of a frame", title=title)
