"""Matrix products with fixed weights, as fast as the machine multiplies.

On a CPU that oneDNN knows, the weights are packed once and what follows the product (bias, sum, activation) is fused
into it: on the shapes of Demucs a tenth to three quarters faster than `addmm`, which spreads the bias over its result
first and packs the weights in every call. The rows of x are independent of each other, to the bit.
"""

from typing import Literal

import torch
from torch import Tensor

ROWS = 1024
"""Rows that the packing is made for."""


def packs(like: Tensor) -> bool:
    """Whether the products of such tensors can be packed."""
    known = hasattr(torch.ops, "mkldnn") and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    return bool(known and torch._C._has_mkldnn and like.device.type == "cpu" and like.dtype == torch.float32)


class Product:
    """x → x W + b.

    Args:
        weight: (K, N).
        bias: (N,), or None.
        rows: of the x to come, for which the packing is best; others give the same result.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None, rows: int = ROWS) -> None:
        self.weight, self.bias = weight.contiguous(), bias
        self._packed = None
        if packs(weight):
            self._packed = torch.ops.mkldnn._reorder_linear_weight(weight.T.contiguous(), rows)

    def __call__(self, x: Tensor, then: Literal["none", "relu", "sigmoid"] = "none") -> Tensor:
        """(rows, K) → (rows, N), with an activation on top."""
        if self._packed is not None:
            y: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._packed, self.bias, then, [], "")
            return y
        y = torch.mm(x, self.weight) if self.bias is None else torch.addmm(self.bias, x, self.weight)
        return y if then == "none" else y.relu_() if then == "relu" else y.sigmoid_()

    def plus(self, x: Tensor, other: Tensor) -> Tensor:
        """X W + b + other, other (rows, N)."""
        if self._packed is not None:
            y: Tensor = torch.ops.mkldnn._linear_pointwise.binary(x, other, self._packed, self.bias, "add")
            return y
        return self(x).add_(other)

    def times(self, x: Tensor, other: Tensor) -> Tensor:
        """(x W + b) * other, other (rows, N)."""
        if self._packed is not None:
            y: Tensor = torch.ops.mkldnn._linear_pointwise.binary(x, other, self._packed, self.bias, "mul")
            return y
        return self(x).mul_(other)


class GatedLinear:
    """x → (x A + a) * sigmoid(x B + b): a 1×1 convolution and its gated linear unit (Dauphin et al., ICML 2017).

    Args:
        weight: (K, 2 N), A and B side by side.
        bias: (2 N,).
        rows: as for `Product`.
    """

    def __init__(self, weight: Tensor, bias: Tensor, rows: int = ROWS) -> None:
        (value, gate), (value_bias, gate_bias) = weight.chunk(2, dim=1), bias.chunk(2)
        self.value = Product(value, value_bias.contiguous(), rows)
        self.gate = Product(gate, gate_bias.contiguous(), rows)

    def __call__(self, x: Tensor) -> Tensor:
        """(rows, K) → (rows, N)."""
        return self.value.times(x, self.gate(x, "sigmoid"))
