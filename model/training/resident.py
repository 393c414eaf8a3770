"""The frames of a split in the memory of a device, so that a GPU never waits for a batch to arrive."""

import numpy as np
import torch
from numpy.typing import NDArray

from model.batches import Batch, Features

# Share of a GPU's free memory that features may take; the rest is for the network's activations.
MEMORY_SHARE = 0.5


class ResidentFeatures:
    """Features on a device, end to end as in a shard; batches are cut from them there.

    Args:
        features: of one split.
        device: where to.
    """

    def __init__(self, features: Features, device: torch.device) -> None:
        lengths = features.num_frames
        self.features, self.device = features, device
        self.frames = torch.from_numpy(np.concatenate(features.clips)).to(device)  # (sum T, C)
        self.num_frames = torch.from_numpy(lengths).to(device)
        self.starts = torch.from_numpy(np.cumsum(lengths) - lengths).to(device)
        self.labels = torch.from_numpy(features.labels).to(device)
        self.affect = torch.from_numpy(features.affect).to(device)

    def make_batch(self, index: NDArray[np.int64]) -> Batch:
        """What `make_batch` makes of the clips at `index` (B,), without leaving the device."""
        rows = torch.from_numpy(index).to(self.device)
        length = int(self.features.num_frames[index].max())
        frame = torch.arange(length, device=self.device)
        inside = frame < self.num_frames[rows][:, None]  # (B, T)
        source = torch.where(inside, self.starts[rows][:, None] + frame, 0)
        mfcc = (self.frames[source] * inside[:, :, None]).transpose(1, 2).contiguous()
        return Batch(mfcc, self.num_frames[rows], self.labels[rows], rows, self.affect[rows])


def fits(features: Features, device: torch.device) -> bool:
    """Whether a CUDA device has room for the features beside a network."""
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    size = int(features.num_frames.sum()) * features.clips[0].shape[1] * 4
    return bool(size < MEMORY_SHARE * free)
