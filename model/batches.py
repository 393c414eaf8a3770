"""From feature shards to padded batches.

Clips of similar length share a batch, so little of it is padding; which ones, and in which order, depends on
the seed and the epoch alone. A clip's frames stay mapped to its shard until its batch is built.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from featurize.errors import TrainingError
from featurize.shards import Shard

# Shuffled clips are sorted by length within pools of this many batches: enough for little padding, few enough
# that a clip meets other neighbours in each epoch.
POOL_BATCHES = 16


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

    @property
    def num_frames(self) -> NDArray[np.int64]:
        """Length of each clip in frames, (num_clips,)."""
        return np.array([len(clip) for clip in self.clips], dtype=np.int64)

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
    """

    mfcc: Tensor
    num_frames: Tensor
    labels: Tensor
    index: Tensor

    def to(self, device: str | torch.device) -> "Batch":
        """The same batch on a device."""
        return Batch(
            self.mfcc.to(device), self.num_frames.to(device), self.labels.to(device), self.index.to(device)
        )


def make_batch(features: Features, index: NDArray[np.int64]) -> Batch:
    """Pad the clips at `index` (B,) into one batch."""
    clips = [features.clips[i] for i in index]
    num_frames = np.array([len(clip) for clip in clips], dtype=np.int64)
    mfcc = np.zeros((len(clips), clips[0].shape[1], num_frames.max()), dtype=np.float32)
    for row, clip in zip(mfcc, clips, strict=True):
        row[:, : len(clip)] = clip.T
    labels = torch.from_numpy(features.labels[index])
    return Batch(torch.from_numpy(mfcc), torch.from_numpy(num_frames), labels, torch.from_numpy(index))


def batch_order(
    num_frames: NDArray[np.int64], batch_size: int, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """Which clips form which batch in one epoch of training: every clip once, similar lengths together.

    Args:
        num_frames: (num_clips,) lengths.
        batch_size: clips in a batch; one batch may be smaller.
        seed: of the run.
        epoch: each has its own order.
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(num_frames))
    pool = batch_size * POOL_BATCHES
    batches: list[NDArray[np.int64]] = []
    for start in range(0, len(order), pool):
        members = order[start : start + pool]
        members = members[np.argsort(num_frames[members], kind="stable")]
        batches.extend(members[i : i + batch_size] for i in range(0, len(members), batch_size))
    return [batches[i] for i in rng.permutation(len(batches))]


def training_batches(features: Features, batch_size: int, seed: int, epoch: int) -> Iterator[Batch]:
    """The batches of one epoch of training; see `batch_order`."""
    for index in batch_order(features.num_frames, batch_size, seed, epoch):
        yield make_batch(features, index)


def evaluation_batches(features: Features, batch_size: int) -> Iterator[Batch]:
    """Every clip once, longest first; `Batch.index` leads back to the original order."""
    order = np.argsort(-features.num_frames, kind="stable")
    for start in range(0, len(order), batch_size):
        yield make_batch(features, order[start : start + batch_size])
