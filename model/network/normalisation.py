"""Normalisation of the coefficients before the network, and delta coefficients.

Coefficients are standardised by the statistics of the train split ("global"), of each clip ("clip"), or of all
clips of a speaker ("speaker") or a corpus ("corpus"). The last two are transductive, since they use all clips of a test
speaker or corpus before the first is classified; the protocol of such scores says so.
"""

from typing import Literal, TypeGuard

import torch
from torch import Tensor

Group = Literal["speaker", "corpus"]
"""Whose clips share statistics."""
Normalisation = Literal["global", "clip", "speaker", "corpus"]

MIN_STD = 1e-2
"""Smallest standard deviation that a clip is divided by, in units of the train split's."""
REACH = 2
"""Frames on either side that a slope is fitted to."""


def is_group(normalisation: Normalisation) -> TypeGuard[Group]:
    """Whether clips are standardised together with others of their split, before the network."""
    return normalisation in {"speaker", "corpus"}


def normalise_clips(x: Tensor, valid: Tensor) -> Tensor:
    """Standardise each clip of x (B, C, T), zero where not valid (B, 1, T), over its valid frames."""
    count = valid.sum(dim=2, keepdim=True)
    centred = (x - x.sum(dim=2, keepdim=True) / count) * valid
    std = ((centred**2).sum(dim=2, keepdim=True) / count).sqrt()
    return centred / std.clamp(min=MIN_STD)


def add_deltas(x: Tensor, num_frames: Tensor, orders: int) -> Tensor:
    """Append delta coefficients, the slopes over time: x (B, C, T) -> (B, C (1 + orders), T).

    d[t] = sum_n n (x[t + n] - x[t - n]) / (2 sum_n n²), n = 1 to 2, with the first and last frame of a clip repeated
    (Young et al., "The HTK Book", 5.9). The second order is the slope of the first. Padded frames hold the last
    slope of the clip; the caller masks them.
    """
    frame = torch.arange(x.shape[2], device=x.device)
    last = num_frames[:, None] - 1  # (B, 1)
    norm = 2 * sum(n * n for n in range(1, REACH + 1))
    parts = [x]
    for _ in range(orders):
        slope = torch.zeros_like(x)
        for n in range(1, REACH + 1):
            for sign in (1, -1):
                source = torch.minimum((frame + sign * n).clamp(min=0), last)[:, None].expand_as(x)
                slope.add_(parts[-1].gather(2, source), alpha=sign * n / norm)
        parts.append(slope)
    return torch.cat(parts, dim=1)
