"""Batch normalisation over valid frames only; its output for a clip does not depend on the other clips of the batch.

Plain batch normalisation in training mode normalises with the statistics of the batch: the activations of a clip
change with the other clips (and the padding), and training computes another function than evaluation. Batch
Renormalisation (Ioffe 2017, "Batch Renormalization: Towards Reducing Minibatch Dependence in
Batch-Normalized Models", algorithm 1) corrects the batch statistics back to the running ones by two factors
that are constants for the gradient:

    y = ((x - mean_batch) / std_batch * r + d) * weight + bias
    r = std_batch / std_running,   d = (mean_batch - mean_running) / std_running

Without clipping r and d, y is the input normalised by the running statistics, in training as in evaluation, while
the gradient is r times that of batch normalisation: it still has no component along a channel's mean and scale, and
this is why training with batch normalisation is stable.

If a batch is split over several processes, its statistics are those of the whole batch.
"""

from typing import Any, cast

import torch
from torch import Tensor, nn

from model.distributed import sum_over_processes


class _Renormalise(torch.autograd.Function):
    """Forward: normalise by the running statistics. Backward: the gradient of normalising by batch statistics.

    The backward pass is written by hand because autograd would save five tensors of the input's size instead of one.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, *fixed: Any
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Normalise, and compute the statistics of the batch in the same pass.

        Args:
            ctx: autograd's context.
            x: (B, C, T).
            weight: (C,).
            bias: (C,).
            fixed: valid (B, 1, T) of 0 and 1, running_mean (C,), running_var (C,), eps, and whether the batch
                is split over several processes.

        Returns:
            y (B, C, T), zero after a clip's end; mean and variance (C,) of the valid frames of this batch.
        """
        valid, running_mean, running_var, eps, ctx.across = fixed
        std = (running_var + eps).sqrt()
        z = torch.addcmul((-running_mean / std)[:, None], x, (1 / std)[:, None]).mul_(valid)
        num_valid = valid.sum()
        # Moments of z rather than of x: z is nearly standardised, so E[z²] - E[z]² loses no precision.
        sums = torch.stack([z.sum(dim=(0, 2)), torch.linalg.vecdot(z, z).sum(0), num_valid.expand(len(std))])
        z_sum, z_square, num_valid = sum_over_processes(sums) if ctx.across else sums
        z_mean = z_sum / num_valid
        z_var = (z_square / num_valid - z_mean**2).clamp_(min=0)
        ctx.save_for_backward(z, valid, weight / std, z_mean, z_var + eps / std**2, num_valid)
        y = torch.addcmul(bias[:, None] * valid, z, weight[:, None])
        mean, var = running_mean + std * z_mean, std**2 * z_var
        ctx.mark_non_differentiable(mean, var)
        return y, mean, var

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Dx = (g - mean(g) - (z - m) mean(g (z - m)) / v) weight / std; m, v: mean and variance of z."""
        z, valid, scale, z_mean, z_var, num_valid = ctx.saved_tensors
        g = grads[0] * valid
        d_bias = g.sum(dim=(0, 2))
        d_weight = torch.linalg.vecdot(g, z).sum(0)
        sums = torch.stack([d_weight, d_bias])
        z_grad, grad = sum_over_processes(sums) if ctx.across else sums
        slope = (z_grad - z_mean * grad) / (num_valid * z_var)
        level = grad / num_valid - slope * z_mean
        dx = g.sub_(level[:, None] * valid).addcmul_(z, -slope[:, None]).mul_(scale[:, None])
        return dx, d_weight, d_bias, None, None, None, None, None


class MaskedBatchNorm(nn.Module):
    """Batch renormalisation of (B, C, T) over the valid frames; see the docstring of this module.

    Args:
        num_channels: C.
        momentum: weight of a batch in the running statistics, which each forward pass in training mode updates.
        eps: added to variances.

    The running statistics are the mean and the biased variance, so that r = 1 and d = 0 once they have converged.
    They start at 0 and 1; with `adopting` True, the next training batch sets them to its own.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_channels: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(num_channels))
        self.bias = nn.Parameter(torch.zeros(num_channels))
        self.register_buffer("running_mean", torch.zeros(num_channels))
        self.register_buffer("running_var", torch.ones(num_channels))
        self.momentum, self.eps, self.adopting = momentum, eps, False

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Normalise x (B, C, T), valid (B, 1, T) of 0 and 1 -> (B, C, T), zero after each clip's end."""
        if x.dtype in (torch.float16, torch.bfloat16):  # sums over all frames need more precision
            x, valid = x.float(), valid.float()
        if self.training and self.adopting:
            self._adopt(x.detach(), valid)
        # The backward pass needs the statistics of this forward pass, which the update below overwrites.
        running = self.running_mean.clone(), self.running_var.clone()
        y, mean, var = cast(
            tuple[Tensor, Tensor, Tensor],
            _Renormalise.apply(x, self.weight, self.bias, valid, *running, self.eps, self.training),  # type: ignore[no-untyped-call]
        )
        if self.training:
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var, self.momentum)
        return y

    def _adopt(self, x: Tensor, valid: Tensor) -> None:
        # Every process gets the same first batch, so no sum over processes is needed.
        num_valid = valid.sum()
        mean = (x * valid).sum(dim=(0, 2)) / num_valid
        centred = (x - mean[:, None]) * valid
        self.running_mean.copy_(mean)
        self.running_var.copy_((centred**2).sum(dim=(0, 2)) / num_valid)
