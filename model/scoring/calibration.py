"""Temperature scaling: confidence that means something.

Guo et al. 2017, "On Calibration of Modern Neural Networks": divide the logits by one number, chosen on
validation data to minimise the negative log-likelihood. The predicted class never changes.
"""

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

BOUNDS = (0.05, 20.0)


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The temperature that fits held-out logits best, within BOUNDS.

    With b = 1 / temperature the loss is convex in b, and its slope is the mean over clips of
    sum_k (softmax(b z)_k - target_k) z_k: bisection finds where it crosses zero.

    Targets are those of Platt 1999, a share 1 / (n + 2) of each spread over the classes: without it, n clips
    that are all classified correctly would ask for a temperature of 0, however few they are.

    Args:
        logits: (n, K), not yet divided by a temperature.
        labels: (n,) true classes.

    Raises:
        ValueError: no clips, or logits that are not finite.
    """
    if len(logits) == 0 or not torch.isfinite(logits).all():
        raise ValueError("a temperature needs finite logits of at least one clip")
    z = logits.detach().double()
    spread = 1 / (len(z) + 2)
    target = F.one_hot(labels, z.shape[1]) * (1 - spread) + spread / z.shape[1]
    # log b, from the smallest to the largest
    low, high = (
        -torch.log(torch.tensor(bound, dtype=torch.float64, device=z.device)) for bound in BOUNDS[::-1]
    )
    for _ in range(60):
        middle = (low + high) / 2
        slope = ((torch.softmax(middle.exp() * z, dim=1) - target) * z).sum(dim=1).mean()
        low, high = (middle, high) if slope < 0 else (low, middle)
    return float(torch.exp(-(low + high) / 2))
