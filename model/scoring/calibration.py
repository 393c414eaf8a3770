"""Temperature scaling, which calibrates the confidence of a network.

Guo et al. 2017, "On Calibration of Modern Neural Networks": divide the logits by one number, chosen on
validation data to minimise the negative log-likelihood. The predicted class does not change.
"""

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

BOUNDS = (0.05, 20.0)
"""Lowest and highest temperature."""


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """Find the temperature within BOUNDS that fits held-out logits best.

    With b = 1 / temperature the loss is convex in b, and its slope is the mean over clips of
    sum_k (softmax(b z)_k - target_k) z_k: bisection finds its zero.

    Targets are those of Platt 1999, with a share 1 / (n + 2) of each spread over the classes. Without it, the best
    temperature for clips that are all classified correctly would be 0, however few they are.

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
    # bounds of log b
    low, high = (
        -torch.log(torch.tensor(bound, dtype=torch.float64, device=z.device)) for bound in BOUNDS[::-1]
    )
    for _ in range(60):
        middle = (low + high) / 2
        slope = ((torch.softmax(middle.exp() * z, dim=1) - target) * z).sum(dim=1).mean()
        low, high = (middle, high) if slope < 0 else (low, middle)
    return float(torch.exp(-(low + high) / 2))
