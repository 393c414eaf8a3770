"""From shards to padded batches.

The frames of a clip are read from the mapped shards only when its batch is built, so shards may be larger than memory.
training/sampling.py decides which clips form a batch.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.affect import read_affect
from model.views import Clips, View, lengths_of


@dataclass(frozen=True)
class Features:
    """The clips of one split."""

    views: Mapping[View, Clips]
    """The frames of each clip in each view, (num_frames, C) each."""
    labels: NDArray[np.int64]
    """(num_clips,), index into the list of label names."""
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    """The shards' columns, (num_clips,) each, such as clip_id and speaker."""
    standardised: bool = False
    """Whether each clip is standardised by the frames of its speaker or corpus."""
    votes: NDArray[np.float32] | None = None
    """(num_clips, K) share of each class in the raters' votes, NaN where unknown; None: of no clip."""

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def lengths(self) -> dict[View, NDArray[np.int64]]:
        """Frames of each clip in each view, (num_clips,)."""
        return {view: np.array(lengths_of(clips), dtype=np.int64) for view, clips in self.views.items()}

    @property
    def num_frames(self) -> NDArray[np.int64]:
        """Frames of each clip in the first view, (num_clips,)."""
        return next(iter(self.lengths.values()))

    @cached_property
    def original(self) -> NDArray[np.bool_]:
        """Which clips are no augmented copies, (num_clips,)."""
        copies = self.columns.get("augmentation")
        return np.full(len(self), True) if copies is None else np.asarray(copies == "", dtype=np.bool_)

    @cached_property
    def affect(self) -> NDArray[np.float32]:
        """Valence, arousal and dominance of each clip, (num_clips, 3), NaN where unknown."""
        return read_affect(self.columns, len(self))

    def name(self, index: int) -> str:
        """Name of a clip for messages: its clip_id, or its number."""
        return str(self.columns["clip_id"][index]) if "clip_id" in self.columns else f"clip {index}"


@dataclass(frozen=True)
class Batch:
    """Clips padded with zeros to the longest of them."""

    frames: dict[View, Tensor]
    """(B, C, T) float32 of each view."""
    num_frames: dict[View, Tensor]
    """(B,) int64 of each view."""
    labels: Tensor
    """(B,) int64."""
    index: Tensor
    """(B,) int64, indices of the clips in their Features."""
    affect: Tensor
    """(B, 3) float32, valence, arousal and dominance, NaN where unknown."""

    def to(self, device: str | torch.device) -> "Batch":
        """The same batch on a device."""
        frames, num_frames = (
            {view: values.to(device) for view, values in parts.items()}
            for parts in (self.frames, self.num_frames)
        )
        return Batch(
            frames, num_frames, self.labels.to(device), self.index.to(device), self.affect.to(device)
        )


def make_batch(features: Features, index: NDArray[np.int64]) -> Batch:
    """Pad the clips at `index` (B,) into one batch."""
    frames, num_frames = {}, {}
    for view, clips in features.views.items():
        chosen = [clips[i] for i in index]
        lengths = np.array([len(clip) for clip in chosen], dtype=np.int64)
        # As in the shards, (B, T, C) in memory: transposing a hundred thousand values a clip would take longer.
        padded = np.zeros((len(chosen), lengths.max(), chosen[0].shape[1]), dtype=np.float32)
        for row, clip in zip(padded, chosen, strict=True):
            row[: len(clip)] = clip
        frames[view], num_frames[view] = torch.from_numpy(padded).transpose(1, 2), torch.from_numpy(lengths)
    return Batch(
        frames,
        num_frames,
        torch.from_numpy(features.labels[index]),
        torch.from_numpy(index),
        torch.from_numpy(features.affect[index]),
    )


def evaluation_batches(features: Features, batch_size: int) -> Iterator[Batch]:
    """Every clip once, longest first; `Batch.index` maps back to the original order."""
    order = np.argsort(-features.num_frames, kind="stable")
    for start in range(0, len(order), batch_size):
        yield make_batch(features, order[start : start + batch_size])
