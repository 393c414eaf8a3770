"""From feature shards to padded batches.

The frames of a clip are read from the mapped shard only when its batch is built, so shards may be larger than memory.
training/sampling.py decides which clips form a batch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from featurize.errors import TrainingError
from featurize.shards import Shard
from model.affect import read_affect


@dataclass(frozen=True)
class Features:
    """The clips of one split."""

    clips: Sequence[NDArray[np.float32]]
    """MFCCs, (num_frames, n_mfcc) each."""
    labels: NDArray[np.int64]
    """(num_clips,), index into the list of label names."""
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)
    """The shards' columns, (num_clips,) each, such as clip_id and speaker."""

    def __len__(self) -> int:
        return len(self.clips)

    @cached_property
    def num_frames(self) -> NDArray[np.int64]:
        """Length of each clip in frames, (num_clips,)."""
        return np.array([len(clip) for clip in self.clips], dtype=np.int64)

    @cached_property
    def original(self) -> NDArray[np.bool_]:
        """Which clips are no augmented copies, (num_clips,)."""
        copies = self.columns.get("augmentation")
        return np.full(len(self), True) if copies is None else np.asarray(copies == "", dtype=np.bool_)

    @cached_property
    def affect(self) -> NDArray[np.float32]:
        """Valence and arousal of each clip, (num_clips, 2), NaN where unknown."""
        return read_affect(self.columns, len(self))

    def name(self, index: int) -> str:
        """Name of a clip for messages: its clip_id, or its number."""
        return str(self.columns["clip_id"][index]) if "clip_id" in self.columns else f"clip {index}"


def load_features(shards: Sequence[str | Path], labels: Sequence[str], split: str) -> Features:
    """The clips of one split ("train", "val" or "test") from MFCC shards, in shard order.

    Args:
        shards: files written by the featurize stage.
        labels: names in class order.
        split: rows of this split are loaded.

    Raises:
        ShardError: a shard is damaged, see `Shard`.
        TrainingError: a shard does not hold MFCC, or holds a label that is not in `labels`.
    """
    classes = {name: index for index, name in enumerate(labels)}
    clips: list[NDArray[np.float32]] = []
    targets: list[int] = []
    columns: list[dict[str, NDArray[Any]]] = []
    for path in shards:
        shard = Shard(path)
        if shard.kind != "mfcc":
            raise TrainingError(
                f"{path}: holds {shard.kind}, not mfcc; pass the shards of the featurize stage"
            )
        rows = np.flatnonzero(shard.columns["split"] == split)
        names = shard.columns["label"][rows].tolist()
        unknown = sorted({str(name) for name in names} - set(classes))
        if unknown:
            raise TrainingError(
                f"{path}: label {unknown[0]!r} is not among {', '.join(labels)}; "
                "run manifest and featurize again"
            )
        # As a plain array: slicing an np.memmap takes twenty times as long as slicing an array.
        clips.extend(np.asarray(shard.data(int(row))) for row in rows)
        targets.extend(classes[name] for name in names)
        columns.append({name: values[rows] for name, values in shard.columns.items()})
    shared = [name for name in columns[0] if all(name in each for each in columns)] if columns else []
    merged = {name: np.concatenate([each[name] for each in columns]) for name in shared}
    return Features(clips, np.array(targets, dtype=np.int64), merged)


@dataclass(frozen=True)
class Batch:
    """Clips padded with zeros to the longest of them."""

    mfcc: Tensor
    """(B, C, T) float32."""
    num_frames: Tensor
    """(B,) int64."""
    labels: Tensor
    """(B,) int64."""
    index: Tensor
    """(B,) int64, indices of the clips in their Features."""
    affect: Tensor
    """(B, 2) float32, valence and arousal, NaN where unknown."""

    def to(self, device: str | torch.device) -> "Batch":
        """The same batch on a device."""
        parts = (self.mfcc, self.num_frames, self.labels, self.index, self.affect)
        return Batch(*(part.to(device) for part in parts))


def make_batch(features: Features, index: NDArray[np.int64]) -> Batch:
    """Pad the clips at `index` (B,) into one batch."""
    clips = [features.clips[i] for i in index]
    num_frames = np.array([len(clip) for clip in clips], dtype=np.int64)
    mfcc = np.zeros((len(clips), clips[0].shape[1], num_frames.max()), dtype=np.float32)
    for row, clip in zip(mfcc, clips, strict=True):
        row[:, : len(clip)] = clip.T
    return Batch(
        torch.from_numpy(mfcc),
        torch.from_numpy(num_frames),
        torch.from_numpy(features.labels[index]),
        torch.from_numpy(index),
        torch.from_numpy(features.affect[index]),
    )


def evaluation_batches(features: Features, batch_size: int) -> Iterator[Batch]:
    """Every clip once, longest first; `Batch.index` maps back to the original order."""
    order = np.argsort(-features.num_frames, kind="stable")
    for start in range(0, len(order), batch_size):
        yield make_batch(features, order[start : start + batch_size])
