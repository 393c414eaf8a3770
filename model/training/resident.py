"""The features of a split in GPU memory, so that the GPU does not wait for batches to be copied to it."""

import numpy as np
import torch
from numpy.typing import NDArray

from model.batches import Batch, Features

MEMORY_SHARE = 0.5
"""Share of a GPU's free memory that features may use; the rest is for the activations of the network."""


class ResidentFeatures:
    """Features on a device, concatenated as in a shard, from which batches are gathered.

    Args:
        features: of one split.
        device: that the features are copied to.
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
        """The batch that `make_batch` returns for the clips at `index` (B,), gathered on the device."""
        rows = torch.from_numpy(index).to(self.device)
        length = int(self.features.num_frames[index].max())
        frame = torch.arange(length, device=self.device)
        inside = frame < self.num_frames[rows][:, None]  # (B, T)
        source = torch.where(inside, self.starts[rows][:, None] + frame, 0)
        mfcc = (self.frames[source] * inside[:, :, None]).transpose(1, 2).contiguous()
        return Batch(mfcc, self.num_frames[rows], self.labels[rows], rows, self.affect[rows])


def fits_on_gpu(features: Features, device: torch.device) -> bool:
    """Whether the device is a GPU with enough free memory for the features and a network."""
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    size = int(features.num_frames.sum()) * features.clips[0].shape[1] * 4
    return bool(size < MEMORY_SHARE * free)
