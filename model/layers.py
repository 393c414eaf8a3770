"""The network's parts, each exact on padded batches: frames past a clip's end never reach a valid frame.

Throughout, B clips, C channels, T frames of the longest clip, H the hidden size of one LSTM direction;
`valid` (B, 1, T) is 1.0 within a clip and 0.0 past its end.
"""

from typing import Any, cast

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

from model.batchnorm import MaskedBatchNorm


class ChannelAttention(nn.Module):
    """Multi-head two-stream channel attention: which coefficients matter in this clip.

    The average and the maximum of each channel over valid frames pass through each head's small MLP, shared
    by both streams as in CBAM (Woo et al. 2018); a linear layer combines the heads; weights are sigmoids.

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
        """Weigh each channel of x (B, C, T), zero where not valid -> (B, C, T)."""
        return x * self.weights(x, valid)[:, :, None]

    def weights(self, x: Tensor, valid: Tensor) -> Tensor:
        """From x (B, C, T), zero where not valid, weights (B, C) in (0, 1)."""
        average = x.sum(dim=2) / valid.sum(dim=2)
        maximum = x.masked_fill(valid == 0, -torch.inf).amax(dim=2)
        streams = torch.stack([average, maximum])  # (2, B, C)
        heads = torch.cat([head(streams).sum(dim=0) for head in self.heads], dim=1)  # (B, heads · C)
        return torch.sigmoid(self.combine(heads))


class ResidualConvBlock(nn.Module):
    """Conv1D, batch norm, GELU, dropout, and the input added: (B, in_channels, T) -> (B, out_channels, T).

    Nothing adds a bias after the norm has zeroed the frames past a clip's end, so the next block's
    convolution meets zeros there, just as it meets its own padding after a clip that ends the batch.

    Args:
        in_channels, out_channels: where they differ, the residual passes a 1x1 projection.
        kernel_size: odd, in frames.
        depthwise: depthwise-separable convolution in place of a regular one.
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
        self.dropout = nn.Dropout(dropout)
        same = in_channels == out_channels
        self.project = nn.Identity() if same else nn.Conv1d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Map x (B, in_channels, T) -> (B, out_channels, T), both zero where not valid."""
        y = F.gelu(self.norm(self.conv(x), valid))
        return cast(Tensor, self.dropout(y) + self.project(x))


class _Permute(torch.autograd.Function):
    """Rows of a matrix in another order, for an order that is its own inverse.

    The gradient is then the same gather; that of plain indexing would be a scatter, which is slow on the CPU
    and not deterministic on a GPU.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, order: Tensor) -> Tensor:
        """Rows (N, F), order (N,) -> rows[order]."""
        ctx.save_for_backward(order)
        return rows.index_select(0, order)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """The same gather of the gradient."""
        (order,) = ctx.saved_tensors
        return grads[0].index_select(0, order), None


def reversal_order(num_frames: Tensor, length: int) -> Tensor:
    """Order of rows (T · B,) that reverses each clip within its own length in a (T, B, F) tensor.

    Padded frames stay where they are, so the order is its own inverse.
    """
    batch_size = num_frames.shape[0]
    frame = torch.arange(length, device=num_frames.device)[:, None]  # (T, 1)
    source = torch.where(frame < num_frames, num_frames - 1 - frame, frame)  # (T, B)
    return (source * batch_size + torch.arange(batch_size, device=num_frames.device)).flatten()


def reverse(x: Tensor, order: Tensor) -> Tensor:
    """Reverse each clip of x (T, B, F) within its own length; order from `reversal_order`."""
    rows = cast(Tensor, _Permute.apply(x.reshape(-1, x.shape[2]), order))  # type: ignore[no-untyped-call]
    return rows.view_as(x)


class BiLSTM(nn.Module):
    """Bidirectional LSTM without packed sequences: (T, B, F) -> (T, B, 2H), forward direction first.

    The backward direction is a second forward LSTM over each clip reversed within its own length. Padding
    comes last in both and can reach no valid frame; the answer is that of packed sequences, which cost
    seven times as much on a CPU.

    Args:
        input_size: F.
        hidden_size: H of each direction.
        num_layers: stacked layers; each sees both directions of the one below.
        dropout: between layers.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int, dropout: float) -> None:
        super().__init__()
        sizes = [input_size] + [2 * hidden_size] * (num_layers - 1)
        self.forwards = nn.ModuleList(nn.LSTM(size, hidden_size) for size in sizes)
        self.backwards = nn.ModuleList(nn.LSTM(size, hidden_size) for size in sizes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, num_frames: Tensor) -> Tensor:
        """Run x (T, B, F), num_frames (B,) -> (T, B, 2H); what stands past a clip's end means nothing."""
        order = reversal_order(num_frames, x.shape[0])
        for layer, (forwards, backwards) in enumerate(zip(self.forwards, self.backwards, strict=True)):
            x = self.dropout(x) if layer else x
            ahead, _ = forwards(x)
            behind, _ = backwards(reverse(x, order))
            x = torch.cat([ahead, reverse(behind, order)], dim=2)
        return x


class AttentionPooling(nn.Module):
    """Average over valid frames with learned weights: softmax over time of a linear score per frame."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.score = nn.Linear(size, 1)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Pool x (T, B, F), valid (B, 1, T) -> (B, F)."""
        return torch.einsum("tb,tbf->bf", self.weights(x, valid), x)

    def weights(self, x: Tensor, valid: Tensor) -> Tensor:
        """From x (T, B, F), valid (B, 1, T), weights (T, B) that sum to 1 over each clip's frames."""
        score = self.score(x).squeeze(2).masked_fill(valid[:, 0].T == 0, -torch.inf)
        return torch.softmax(score, dim=0)


class MeanPooling(nn.Module):
    """Plain average over valid frames."""

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Pool x (T, B, F), valid (B, 1, T) -> (B, F)."""
        return torch.einsum("tb,tbf->bf", valid[:, 0].T / valid.sum(dim=2).T, x)
