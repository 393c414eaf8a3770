"""Doubling and halving the sample rate as Demucs does it, on windows of a longer signal.

Demucs works at two or four times 16 kHz. Its filter is a windowed sinc of 112 taps (Smith and Gossett, "A flexible
sampling-rate conversion method", ICASSP 1984). Here it is one matrix product over overlapping windows, and it returns
only samples whose whole context is available, so that a stream can be cut anywhere.
"""

import torch
from denoiser.resample import kernel_upsample2
from torch import Tensor

SIDE = 56
"""Samples of context that each doubling or halving needs on both sides, at the lower rate."""
TAPS = 2 * SIDE
"""Length of the filter."""
BLOCK = 64
"""Results per window."""


class SincResampler:
    """The filter, as a matrix for windows of `BLOCK` results.

    Args:
        like: a tensor of the precision and device to work in.
    """

    def __init__(self, like: Tensor) -> None:
        kernel = kernel_upsample2(SIDE).flatten().to(like)
        self.windows_to_block = torch.zeros(BLOCK + TAPS - 1, BLOCK, dtype=like.dtype, device=like.device)
        for column in range(BLOCK):
            self.windows_to_block[column : column + TAPS, column] = kernel

    def _filter(self, x: Tensor) -> Tensor:
        """(batch, N) → (batch, N - 111): result i is the sum over j of kernel[j] * x[i + j]."""
        count = x.shape[1] - TAPS + 1
        padded = torch.nn.functional.pad(x, (0, -count % BLOCK))
        windows = padded.unfold(1, BLOCK + TAPS - 1, BLOCK)
        return (windows @ self.windows_to_block).flatten(1)[:, :count]

    def double(self, x: Tensor) -> Tensor:
        """(batch, N) → (batch, 2 (N - 112)); the first result is at x[56]."""
        between = self._filter(x)[:, 1:]
        return torch.stack([x[:, SIDE:-SIDE], between], dim=2).flatten(1)

    def halve(self, x: Tensor) -> Tensor:
        """(batch, N), N even → (batch, N / 2 - 112); the first result is at x[112]."""
        return (x[:, ::2][:, SIDE:-SIDE] + self._filter(x[:, 1::2])[:, :-1]) * 0.5
