"""Training-time augmentation of normalised coefficients: SpecAugment and mixup.

Each epoch, each clip draws its own masks and its own share from the seed alone, so neither the size of a batch nor a
resumed run changes them. What is hidden becomes 0, the mean of the train split.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.training.hyperparameters import SpecAugmentParams, TrainParams


@dataclass(frozen=True)
class Mix:
    """Which clips are mixed: each with its partner, `share` of itself and the rest of the other.

    Args:
        partner: (B,) int64, places in the batch.
        share: (B,) in [0, 1].
    """

    partner: Tensor
    share: Tensor

    def targets(self, values: Tensor) -> Tensor:
        """Mix the targets (B, K) as the clips are mixed; NaN (unknown) in either stays NaN."""
        return self.share[:, None] * values + (1 - self.share[:, None]) * values[self.partner]


class Augmentation:
    """What happens to one batch; call it with normalised mfcc (B, C, T), zero past a clip's end, and num_frames.

    Zhang et al. 2018, "mixup": x = s x_i + (1 - s) x_j, s drawn from Beta(alpha, alpha). A mixed clip is as long as
    the longer of the two; where the shorter has ended, it adds 0, the mean.

    Args:
        params: of the run.
        index: (B,) places of the batch's clips in their split.
        epoch: each draws anew.
        num_frames: (B,) lengths before mixing.
        num_coefficients: C.
        device: where the batch is.
    """

    def __init__(
        self,
        params: TrainParams,
        index: NDArray[np.int64],
        epoch: int,
        num_frames: NDArray[np.int64],
        num_coefficients: int,
        device: torch.device,
    ) -> None:
        rngs = [np.random.default_rng([params.seed, epoch, int(clip)]) for clip in index]
        self.mix: Mix | None = None
        if params.mixup:
            share = torch.tensor([rng.beta(params.mixup, params.mixup) for rng in rngs], dtype=torch.float32)
            order = np.random.default_rng([params.seed, epoch, *index.tolist()]).permutation(len(index))
            self.mix = Mix(torch.from_numpy(order).to(device), share.to(device))
        self.keep: Tensor | None = None
        if params.spec_augment.time_masks or params.spec_augment.freq_masks:
            # A mixed clip is masked over the longer of its two lengths.
            lengths = np.maximum(num_frames, num_frames[order]) if self.mix is not None else num_frames
            keep = np.ones((len(index), num_coefficients, int(num_frames.max())), dtype=np.float32)
            for row, rng, length in zip(keep, rngs, lengths, strict=True):
                hide(row, int(length), params.spec_augment, rng)
            self.keep = torch.from_numpy(keep).to(device)

    def __call__(self, mfcc: Tensor, num_frames: Tensor) -> tuple[Tensor, Tensor]:
        """Altered mfcc (B, C, T) and num_frames (B,)."""
        if self.mix is not None:
            share = self.mix.share[:, None, None]
            mfcc = share * mfcc + (1 - share) * mfcc[self.mix.partner]
            num_frames = torch.maximum(num_frames, num_frames[self.mix.partner])
        return (mfcc if self.keep is None else mfcc * self.keep), num_frames


def hide(
    keep: NDArray[np.float32], num_frames: int, params: SpecAugmentParams, rng: np.random.Generator
) -> None:
    """Set stripes of keep (C, T) to 0; each is up to its widest, uniformly, and within the clip's own frames."""
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
