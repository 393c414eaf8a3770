"""From feature shards to padded batches.

A clip's frames stay mapped to its shard until its batch is built: shards may be larger than memory. Which clips
form a batch is told in sampling.py.
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
    """The clips of one split.

    Args:
        clips: per clip (num_frames, n_mfcc) float32.
        labels: (num_clips,) int64, index into the list of label names.
        columns: the shards' columns, (num_clips,) each, such as clip_id and speaker.
    """

    clips: Sequence[NDArray[np.float32]]
    labels: NDArray[np.int64]
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)

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
        """What to call a clip in a message."""
        return str(self.columns["clip_id"][index]) if "clip_id" in self.columns else f"clip {index}"


def load_features(shards: Sequence[str | Path], labels: Sequence[str], split: str) -> Features:
    """The clips of one split ("train", "val" or "test") from MFCC shards, in shard order.

    Args:
        shards: files written by the featurize stage.
        labels: names in class order.
        split: which rows to take.

    Raises:
        ShardError: a shard is damaged, see `Shard`.
        TrainingError: a shard holds no MFCC, or a label that is not among the names.
    """
    classes = {name: index for index, name in enumerate(labels)}
    clips: list[NDArray[np.float32]] = []
    targets: list[int] = []
    columns: list[dict[str, NDArray[Any]]] = []
    for path in shards:
        shard = Shard(path)
        if shard.kind != "mfcc":
            raise TrainingError(
                f"{path}: holds {shard.kind}, not mfcc; give the shards of the featurize stage"
            )
        rows = np.flatnonzero(shard.columns["split"] == split)
        names = shard.columns["label"][rows].tolist()
        unknown = sorted({str(name) for name in names} - set(classes))
        if unknown:
            raise TrainingError(
                f"{path}: label {unknown[0]!r} is not among {', '.join(labels)}; "
                "run manifest and featurize again"
            )
        # A plain view of the mapped file: each further view of a memmap would cost twenty times as much.
        clips.extend(np.asarray(shard.data(int(row))) for row in rows)
        targets.extend(classes[name] for name in names)
        columns.append({name: values[rows] for name, values in shard.columns.items()})
    shared = [name for name in columns[0] if all(name in each for each in columns)] if columns else []
    merged = {name: np.concatenate([each[name] for each in columns]) for name in shared}
    return Features(clips, np.array(targets, dtype=np.int64), merged)


@dataclass(frozen=True)
class Batch:
    """Clips padded with zeros to the longest of them.

    Args:
        mfcc: (B, C, T) float32.
        num_frames: (B,) int64.
        labels: (B,) int64.
        index: (B,) int64, places of the clips in their Features.
        affect: (B, 2) float32, valence and arousal, NaN where unknown.
    """

    mfcc: Tensor
    num_frames: Tensor
    labels: Tensor
    index: Tensor
    affect: Tensor

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
    """Every clip once, longest first; `Batch.index` leads back to the original order."""
    order = np.argsort(-features.num_frames, kind="stable")
    for start in range(0, len(order), batch_size):
        yield make_batch(features, order[start : start + batch_size])
