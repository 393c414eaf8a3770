"""SERLoss: cross-entropy over emotions, optionally with a second term for valence, arousal and dominance."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from numpy.typing import NDArray
from torch import Tensor, nn

from model.affect import DIMENSIONS
from model.distributed import sum_over_processes, sum_with_gradient, world_size
from model.training.hyperparameters import AffectLoss


class SERLoss(nn.Module):
    """Cross-entropy with class weights and label smoothing, plus a weight times a loss of affect: SmoothL1, or 1 - CCC.

    Args:
        class_weights: (K,), or None for equal weights; the loss is the weighted mean, as in torch.
        label_smoothing: share of the target spread evenly over all classes, in [0, 1).
        affect_weight: weight of the second term.
        affect_std: (3,) units in which errors of valence, arousal and dominance are measured.
        affect_loss: the second term, of the values that are known in the batch: the mean SmoothL1, or 1 - CCC, averaged
            over the dimensions that at least two of its clips have.

    The logits must not be divided by a fitted temperature; that of a network is 1 until it is trained.
    If a batch is split over processes, the means are over the whole batch: each process returns its part of the loss
    times the number of processes, so that DistributedDataParallel's average of the gradients is that of the whole.
    """

    class_weights: Tensor | None
    affect_std: Tensor

    def __init__(
        self,
        class_weights: Tensor | None = None,
        label_smoothing: float = 0.0,
        affect_weight: float = 0.0,
        affect_std: Tensor | None = None,
        affect_loss: AffectLoss = "smooth-l1",
    ) -> None:
        super().__init__()
        self.register_buffer("class_weights", class_weights)
        self.register_buffer("affect_std", torch.ones(len(DIMENSIONS)) if affect_std is None else affect_std)
        self.label_smoothing = label_smoothing
        self.affect_weight, self.affect_loss = affect_weight, affect_loss

    def forward(self, output: dict[str, Tensor], targets: Tensor, affect: Tensor | None = None) -> Tensor:
        """Network output -> scalar.

        Args:
            output: "trained_logits" or else "logits" (B, K) and, for the second term, "affect" (B, 3).
            targets: (B,) classes, or (B, K) shares of them.
            affect: (B, 3) valence, arousal and dominance, NaN where unknown.
        """
        logits = output.get("trained_logits", output["logits"])
        if targets.ndim == 1:
            targets = F.one_hot(targets, logits.shape[1]).to(logits.dtype)
        weights = torch.ones_like(logits[0]) if self.class_weights is None else self.class_weights
        smooth = (1 - self.label_smoothing) * targets + self.label_smoothing / logits.shape[1]
        loss = _mean(-(weights * smooth * torch.log_softmax(logits, dim=1)).sum(), (targets * weights).sum())
        if self.affect_weight and affect is not None:
            known = torch.isfinite(affect)
            # In place of what is unknown both are 0: an output for a dimension that no clip has is NaN.
            predicted, target = (
                torch.where(known, values, 0) / self.affect_std for values in (output["affect"], affect)
            )
            loss = loss + self.affect_weight * _AFFECT_LOSSES[self.affect_loss](predicted, target, known)
        return loss


def _mean(total: Tensor, count: Tensor) -> Tensor:
    """Total over count, both summed over all processes; 0 if the count is 0."""
    return world_size() * total / sum_over_processes(count.detach()).clamp(min=torch.finfo(total.dtype).tiny)


def _smooth_l1(predicted: Tensor, target: Tensor, known: Tensor) -> Tensor:
    error = F.smooth_l1_loss(predicted, target, reduction="sum")
    return _mean(error, known.sum().to(error.dtype))


def _discordance(predicted: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """1 - CCC (Lin 1989) of each dimension over the whole batch, (B, 3) each; 0 where values are unknown.

    All processes have the same loss, so its gradient is averaged as it should be.
    """
    mask = known.to(predicted.dtype)
    count = sum_with_gradient(mask.sum(dim=0))  # (3,)
    means = sum_with_gradient(torch.stack([predicted.sum(dim=0), target.sum(dim=0)])) / count.clamp(min=1)
    x, y = ((values - mean) * mask for values, mean in zip((predicted, target), means, strict=True))
    sums = torch.stack([(x * y).sum(dim=0), (x.square() + y.square()).sum(dim=0)])
    covariance, variances = sum_with_gradient(sums) / count.clamp(min=1)
    spread = variances + (means[0] - means[1]).square()
    ccc = 2 * covariance / spread.clamp(min=torch.finfo(spread.dtype).eps)
    judged = (count >= 2).to(ccc.dtype)
    loss: Tensor = ((1 - ccc) * judged).sum() / judged.sum().clamp(min=1)
    return loss


_AFFECT_LOSSES = {"smooth-l1": _smooth_l1, "ccc": _discordance}


def balanced_weights(labels: NDArray[np.int64], num_classes: int) -> Tensor:
    """Weights (K,) that give every class present the same total weight; their mean over the clips is 1."""
    return _weights(labels, num_classes, 1.0)


def effective_weights(labels: NDArray[np.int64], num_classes: int, beta: float) -> Tensor:
    """Weights (K,) by the effective number of clips, (1 - beta^n) / (1 - beta); their mean over the clips is 1.

    Cui et al. 2019, "Class-Balanced Loss Based on Effective Number of Samples".
    """
    return _weights(labels, num_classes, beta)


def _weights(labels: NDArray[np.int64], num_classes: int, beta: float) -> Tensor:
    counts = np.bincount(labels, minlength=num_classes)
    present = counts > 0
    number = counts[present].astype(float)
    if beta < 1:
        number = (1 - beta**number) / (1 - beta)
    weights = np.zeros(num_classes)
    weights[present] = 1 / number
    return torch.from_numpy(weights * len(labels) / (weights * counts).sum()).float()
