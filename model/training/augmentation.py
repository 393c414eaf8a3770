"""Training-time augmentation of normalised coefficients: SpecAugment and mixup.

The masks and the mixing share of each clip depend on the seed, the epoch and the clip only, so neither the batch size
nor resuming changes them. Masked values become 0, the mean of the train split.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.training.hyperparameters import SpecAugmentParams, TrainParams
from model.views import View


@dataclass(frozen=True)
class Mix:
    """Which clips are mixed: `share` of each clip and 1 - `share` of its partner."""

    partner: Tensor
    """(B,) int64, indices in the batch."""
    share: Tensor
    """(B,) in [0, 1]."""

    def targets(self, values: Tensor) -> Tensor:
        """Mix the targets (B, K) in the same way; the result is NaN (unknown) if either is."""
        return self.share[:, None] * values + (1 - self.share[:, None]) * values[self.partner]


class Augmentation:
    """Augmentation of one batch in each of its views; all views of a clip are mixed with the same partner and share.

    Zhang et al. 2018, "mixup": x = s x_i + (1 - s) x_j, s drawn from Beta(alpha, alpha). A mixed clip is as long as
    the longer of the two; the shorter one is padded with 0, the mean.

    Args:
        params: of the run.
        index: (B,) indices of the clips in their split.
        epoch: each epoch has its own random draws.
        sizes: in each view, lengths (B,) before mixing, and values of a frame.
        device: where the batch is.

    Attributes:
        views: for each view, a function of normalised frames (B, C, T), zero after a clip's end, and num_frames (B,).
    """

    def __init__(
        self,
        params: TrainParams,
        index: NDArray[np.int64],
        epoch: int,
        sizes: Mapping[View, tuple[NDArray[np.int64], int]],
        device: torch.device,
    ) -> None:
        rngs = [np.random.default_rng([params.seed, epoch, int(clip)]) for clip in index]
        self.mix: Mix | None = None
        if params.mixup:
            share = torch.tensor([rng.beta(params.mixup, params.mixup) for rng in rngs], dtype=torch.float32)
            order = np.random.default_rng([params.seed, epoch, *index.tolist()]).permutation(len(index))
            self.mix = Mix(torch.from_numpy(order).to(device), share.to(device))
        self.views: dict[View, ViewAugmentation] = {}
        for view, (lengths, num_channels) in sizes.items():
            keep: Tensor | None = None
            if params.spec_augment.time_masks or params.spec_augment.freq_masks:
                # A mixed clip is masked over the longer of its two lengths.
                masked = np.maximum(lengths, lengths[order]) if self.mix is not None else lengths
                stripes = np.ones((len(index), num_channels, int(lengths.max())), dtype=np.float32)
                for row, rng, length in zip(stripes, rngs, masked, strict=True):
                    mask_stripes(row, int(length), params.spec_augment, rng)
                keep = torch.from_numpy(stripes).to(device)
            self.views[view] = ViewAugmentation(self.mix, keep)


@dataclass(frozen=True)
class ViewAugmentation:
    """What is done to one view of a batch."""

    mix: Mix | None
    keep: Tensor | None
    """(B, C, T): 0 where masked, else 1."""

    def __call__(self, frames: Tensor, num_frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return augmented frames (B, C, T) and num_frames (B,)."""
        if self.mix is not None:
            share = self.mix.share[:, None, None]
            frames = share * frames + (1 - share) * frames[self.mix.partner]
            num_frames = torch.maximum(num_frames, num_frames[self.mix.partner])
        return (frames if self.keep is None else frames * self.keep), num_frames


def mask_stripes(
    keep: NDArray[np.float32], num_frames: int, params: SpecAugmentParams, rng: np.random.Generator
) -> None:
    """Set stripes of keep (C, T) to 0, each of a random width up to its maximum, within the first num_frames frames."""
    widest = int(params.time_width * num_frames)
    for _ in range(params.time_masks):
        width = rng.integers(widest + 1)
        start = rng.integers(num_frames - width + 1)
        keep[:, start : start + width] = 0
    widest = min(params.freq_width, len(keep))
    for _ in range(params.freq_masks):
        width = rng.integers(widest + 1)
        start = rng.integers(len(keep) - width + 1)
        keep[start : start + width] = 0
