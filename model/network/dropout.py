"""Dropout with masks that take a fifth of the time of torch's on the CPU, which took a tenth of a training step.

torch draws one uniform number per element, serially. Here one 64-bit draw decides on four elements, 16 bits each:
the probability is rounded to a multiple of 1/65536, and the kept elements are scaled accordingly.
"""

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

LEVELS = 1 << 16


class Dropout(nn.Module):
    """In training mode, zero each element with a probability and scale the others so that the mean is unchanged.

    Args:
        probability: in [0, 1).
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        """Apply to x of any shape; draws from torch's global random state."""
        if not self.training or self.probability == 0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.probability)
        dropped = round(self.probability * LEVELS)
        return x * keep_mask(x.numel(), dropped).view(x.shape).to(x.dtype).mul_(LEVELS / (LEVELS - dropped))


def keep_mask(num_elements: int, dropped: int) -> Tensor:
    """Booleans (num_elements,), each False with probability `dropped` / 65536."""
    words = torch.empty(-(-num_elements // 4), dtype=torch.int64).random_(-(1 << 63), None)
    return words.view(torch.int16)[:num_elements] >= dropped - LEVELS // 2
