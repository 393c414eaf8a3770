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
        self.features, self.device = features, device
        self.frames = {  # (sum T, C)
            view: torch.from_numpy(np.concatenate(list(clips))).to(device)
            for view, clips in features.views.items()
        }
        lengths = features.lengths
        self.num_frames = {view: torch.from_numpy(of_view).to(device) for view, of_view in lengths.items()}
        self.starts = {
            view: torch.from_numpy(np.cumsum(of_view) - of_view).to(device)
            for view, of_view in lengths.items()
        }
        self.labels = torch.from_numpy(features.labels).to(device)
        self.affect = torch.from_numpy(features.affect).to(device)

    def make_batch(self, index: NDArray[np.int64]) -> Batch:
        """The batch that `make_batch` returns for the clips at `index` (B,), gathered on the device."""
        rows = torch.from_numpy(index).to(self.device)
        frames, num_frames = {}, {}
        for view, values in self.frames.items():
            num_frames[view] = self.num_frames[view][rows]
            frame = torch.arange(int(self.features.lengths[view][index].max()), device=self.device)
            inside = frame < num_frames[view][:, None]  # (B, T)
            source = torch.where(inside, self.starts[view][rows][:, None] + frame, 0)
            frames[view] = (values[source] * inside[:, :, None]).transpose(1, 2).contiguous()
        return Batch(frames, num_frames, self.labels[rows], rows, self.affect[rows])


def fits_on_gpu(features: Features, device: torch.device) -> bool:
    """Whether the device is a GPU with enough free memory for the features and a network."""
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    size = sum(
        int(features.lengths[view].sum()) * clips[0].shape[1] * 4 for view, clips in features.views.items()
    )
    return bool(size < MEMORY_SHARE * free)
