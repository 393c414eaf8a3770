"""Layers that are exact on padded batches: frames after a clip's end do not influence valid frames.

B clips, C channels, T frames of the longest clip; `valid` (B, 1, T) is 1.0 within a clip and 0.0 after its end.
"""

from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

from model.network.batchnorm import MaskedBatchNorm
from model.network.dropout import Dropout


class ChannelAttention(nn.Module):
    """Multi-head two-stream channel attention: weighs the coefficients of a clip by how much they matter in it.

    Each head is a small MLP. It is applied to the average and to the maximum of each channel over valid frames, as in
    CBAM (Woo et al. 2018); a linear layer combines the heads, and a sigmoid makes weights of the result.

    Args:
        num_channels: C.
        num_heads: number of MLPs.
        reduction: hidden units of an MLP are C / reduction, at least 4.
    """

    def __init__(self, num_channels: int, num_heads: int, reduction: int = 4) -> None:
        super().__init__()
        hidden = max(num_channels // reduction, 4)
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(num_channels, hidden), nn.GELU(), nn.Linear(hidden, num_channels))
            for _ in range(num_heads)
        )
        self.combine = nn.Linear(num_heads * num_channels, num_channels)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Multiply each channel of x (B, C, T), zero where not valid, by its weight -> (B, C, T)."""
        return x * self.weights(x, valid)[:, :, None]

    def weights(self, x: Tensor, valid: Tensor) -> Tensor:
        """Weights (B, C) in (0, 1) for x (B, C, T), zero where not valid."""
        average = x.sum(dim=2) / valid.sum(dim=2)
        maximum = x.masked_fill(valid == 0, -torch.inf).amax(dim=2)
        streams = torch.stack([average, maximum])  # (2, B, C)
        heads = torch.cat([head(streams).sum(dim=0) for head in self.heads], dim=1)  # (B, heads · C)
        return torch.sigmoid(self.combine(heads))


class ResidualConvBlock(nn.Module):
    """Conv1D, batch norm, GELU, dropout, and a residual connection: (B, in_channels, T) -> (B, out_channels, T).

    The norm zeroes the frames after a clip's end and no bias is added behind it, so the convolution of the next block
    reads zeros there, as it reads its own zero padding after the longest clip of the batch.

    Args:
        in_channels, out_channels: if they differ, a 1x1 convolution projects the residual.
        kernel_size: odd, in frames.
        depthwise: depthwise-separable convolution instead of a regular one.
        dropout: probability.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, depthwise: bool, dropout: float
    ) -> None:
        super().__init__()
        padding = kernel_size // 2
        self.conv: nn.Module
        if depthwise:
            self.conv = nn.Sequential(
                nn.Conv1d(
                    in_channels, in_channels, kernel_size, padding=padding, groups=in_channels, bias=False
                ),
                nn.Conv1d(in_channels, out_channels, 1, bias=False),
            )
        else:
            self.conv = nn.Conv1d(in_channels, out_channels, kernel_size, padding=padding, bias=False)
        self.norm = MaskedBatchNorm(out_channels)
        self.dropout = Dropout(dropout)
        same = in_channels == out_channels
        self.project = nn.Identity() if same else nn.Conv1d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Map x (B, in_channels, T) -> (B, out_channels, T), both zero where not valid."""
        y = F.gelu(self.norm(self.conv(x), valid))
        return cast(Tensor, self.dropout(y) + self.project(x))
