"""Pooling over time: to fewer frames, and to one vector per clip; padded frames have no weight.

T frames, B clips, F features; `valid` (B, 1, T) is 1.0 within a clip and 0.0 after its end.
"""

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

MIN_VARIANCE = 1e-5
"""Lower limit of the variance, so that the gradient of its square root stays finite."""


def pool_frames(x: Tensor, num_frames: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Average every `width` frames into one; the last average of a clip is over the frames that are left.

    Args:
        x: (B, F, T), zero after a clip's end.
        num_frames: (B,).
        width: in frames.

    Returns:
        (B, F, ceil(T / width)), zero after a clip's end, and the new lengths of the clips (B,).
    """
    batch_size, channels, length = x.shape
    pooled_length = -(-length // width)
    windows = F.pad(x, (0, pooled_length * width - length)).view(batch_size, channels, pooled_length, width)
    first = width * torch.arange(pooled_length, device=x.device)
    members = (num_frames[:, None] - first).clamp(1, width)  # (B, T')
    return windows.sum(dim=3) / members[:, None], (num_frames + width - 1) // width


def moments(x: Tensor, valid: Tensor) -> Tensor:
    """Mean and standard deviation over the valid frames of x (B, C, T), zero where not valid -> (B, 2C)."""
    count = valid.sum(dim=2)  # (B, 1)
    mean = x.sum(dim=2) / count
    variance = (x * x).sum(dim=2) / count - mean * mean
    return torch.cat([mean, variance.clamp(min=MIN_VARIANCE).sqrt()], dim=1)


class AttentionPooling(nn.Module):
    """Average over valid frames with learned weights: the softmax over time of one linear score per frame."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.score = nn.Linear(size, 1)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Pool x (T, B, F), valid (B, 1, T) -> (B, F)."""
        return torch.einsum("tb,tbf->bf", self.weights(x, valid), x)

    def weights(self, x: Tensor, valid: Tensor) -> Tensor:
        """Weights (T, B) for x (T, B, F), valid (B, 1, T); they sum to 1 over the frames of each clip."""
        score = self.score(x).squeeze(2).float().masked_fill(valid[:, 0].T == 0, -torch.inf)
        return torch.softmax(score, dim=0).to(x.dtype)


class StatisticsPooling(AttentionPooling):
    """Mean and standard deviation with the same learned weights: (B, 2F).

    Okabe et al. 2018, "Attentive Statistics Pooling for Deep Speaker Embedding".
    """

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Pool x (T, B, F), valid (B, 1, T) -> (B, 2F), means first."""
        weights = self.weights(x, valid)
        mean = torch.einsum("tb,tbf->bf", weights, x)
        variance = torch.einsum("tb,tbf->bf", weights, x * x) - mean * mean
        return torch.cat([mean, variance.clamp(min=MIN_VARIANCE).sqrt()], dim=1)


class MeanPooling(nn.Module):
    """Plain average over valid frames."""

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Pool x (T, B, F), valid (B, 1, T) -> (B, F)."""
        return torch.einsum("tb,tbf->bf", valid[:, 0].T / valid.sum(dim=2).T, x)
