"""A bidirectional LSTM over padded clips, exact and without packed sequences.

Four fifths of a training step on the CPU are spent here, at three quarters of the speed of plain matrix products.
A time loop in Python would cost more than the remaining quarter, so torch's own LSTM is used.
"""

from typing import Any, cast

import torch
from torch import Tensor, nn

from model.network.dropout import Dropout


class _Permute(torch.autograd.Function):
    """Reorder the rows of a matrix by an order that is its own inverse.

    The gradient is then the same gather; plain indexing has a scatter as its gradient, which is slow on the CPU
    and not deterministic on a GPU.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, order: Tensor) -> Tensor:
        """Rows (N, F), order (N,) -> rows[order]."""
        ctx.save_for_backward(order)
        return rows.index_select(0, order)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """Apply the same gather to the gradient."""
        (order,) = ctx.saved_tensors
        return grads[0].index_select(0, order), None


def reversal_order(num_frames: Tensor, length: int) -> Tensor:
    """Order of rows (T · B,) that reverses each clip of a (T, B, F) tensor within the clip's length.

    Padded frames keep their position, so the order is its own inverse.
    """
    batch_size = num_frames.shape[0]
    frame = torch.arange(length, device=num_frames.device)[:, None]  # (T, 1)
    source = torch.where(frame < num_frames, num_frames - 1 - frame, frame)  # (T, B)
    return (source * batch_size + torch.arange(batch_size, device=num_frames.device)).flatten()


def reverse(x: Tensor, order: Tensor) -> Tensor:
    """Reverse each clip of x (T, B, F) within its length; order from `reversal_order`."""
    rows = cast(Tensor, _Permute.apply(x.reshape(-1, x.shape[2]), order))  # type: ignore[no-untyped-call]
    return rows.view_as(x)


class BiLSTM(nn.Module):
    """Bidirectional LSTM without packed sequences: (T, B, F) -> (T, B, 2H), forward direction first.

    The backward direction is a second forward LSTM over each clip reversed within its length. Padding comes last
    in both directions and cannot influence a valid frame; the result is that of packed sequences, which take seven
    times as long on a CPU.

    Args:
        input_size: F.
        hidden_size: H of each direction.
        num_layers: stacked layers; the input of each is both directions of the one below.
        dropout: between layers.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int, dropout: float) -> None:
        super().__init__()
        sizes = [input_size] + [2 * hidden_size] * (num_layers - 1)
        self.forwards = nn.ModuleList(nn.LSTM(size, hidden_size) for size in sizes)
        self.backwards = nn.ModuleList(nn.LSTM(size, hidden_size) for size in sizes)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, num_frames: Tensor) -> Tensor:
        """Run x (T, B, F), num_frames (B,) -> (T, B, 2H); values after a clip's end are undefined."""
        order = reversal_order(num_frames, x.shape[0])
        for layer, (forwards, backwards) in enumerate(zip(self.forwards, self.backwards, strict=True)):
            x = self.dropout(x) if layer else x
            ahead, _ = forwards(x)
            behind, _ = backwards(reverse(x, order))
            x = torch.cat([ahead, reverse(behind, order)], dim=2)
        return x
