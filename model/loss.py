"""SERLoss: what training minimises. A module of its own, so that further terms find their place here."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from numpy.typing import NDArray
from torch import Tensor, nn


class SERLoss(nn.Module):
    """Cross-entropy with class weights and label smoothing.

    Args:
        class_weights: (K,) or None for equal weights; the mean is over weights, as in torch.
        label_smoothing: share of the target spread evenly over all classes, in [0, 1).

    Training needs logits that no temperature has divided: a network keeps 1 until it has been trained.
    """

    class_weights: Tensor | None

    def __init__(self, class_weights: Tensor | None = None, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("class_weights", class_weights)
        self.label_smoothing = label_smoothing

    def forward(self, output: dict[str, Tensor], labels: Tensor) -> Tensor:
        """Network output with "logits" (B, K), labels (B,) -> scalar."""
        return F.cross_entropy(
            output["logits"], labels, weight=self.class_weights, label_smoothing=self.label_smoothing
        )


def balanced_weights(labels: NDArray[np.int64], num_classes: int) -> Tensor:
    """Weights (K,) with which every class present counts the same; 1 on average over the clips."""
    counts = np.bincount(labels, minlength=num_classes)
    present = counts > 0
    weights = np.zeros(num_classes)
    weights[present] = len(labels) / (present.sum() * counts[present])
    return torch.from_numpy(weights).float()
