"""Matrix products with fixed weights, as fast as the machine multiplies.

On a CPU that oneDNN knows, the weights are packed once and what follows the product (bias, sum, activation) is fused
into it: on the shapes of Demucs a tenth to three quarters faster than `addmm`, which spreads the bias over its result
first and packs the weights in every call. A row's result is the same to the bit alone and among any others.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor

Precision = Literal["fp32", "tf32", "bf16"]
"""Of the factors: fp32 has 23 bits of fraction, tf32 (a GPU's; on a CPU it is fp32) 10, bf16 7, and so its results."""
ROWS = 1024
"""Rows that the packing is made for."""


def packs(like: Tensor) -> bool:
    """Whether the products of such tensors can be packed."""
    known = hasattr(torch.ops, "mkldnn") and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    return bool(known and torch._C._has_mkldnn and like.device.type == "cpu" and like.dtype == torch.float32)


@contextmanager
def multiplying(precision: Precision) -> Iterator[None]:
    """Let a GPU use TF32 for float32 products, or forbid it, whatever the process has set."""
    gpu = torch.backends.cuda.matmul
    before = gpu.fp32_precision
    gpu.fp32_precision = "tf32" if precision == "tf32" else "ieee"
    try:
        yield
    finally:
        gpu.fp32_precision = before


class Product:
    """x → x W + b.

    Args:
        weight: (K, N).
        bias: (N,), or None.
        rows: of the x to come, for which the packing is best; with any other number of them it works as well.
        precision: of the factors.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None = None, rows: int = ROWS, precision: Precision = "fp32"
    ) -> None:
        self.weight, self.bias = weight.contiguous(), bias
        self._half = precision == "bf16"
        self._packed = None
        if self._half:
            self.weight = self.weight.bfloat16()
            return
        if packs(weight):
            self._packed = torch.ops.mkldnn._reorder_linear_weight(weight.T.contiguous(), rows)

    def __call__(self, x: Tensor, then: Literal["none", "relu", "sigmoid"] = "none") -> Tensor:
        """(rows, K) → (rows, N), with an activation on top."""
        if self._packed is not None:
            y: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._packed, self.bias, then, [], "")
            return y
        if self._half:
            y = (x.bfloat16() @ self.weight).to(x.dtype)
            y = y if self.bias is None else y.add_(self.bias)
        else:
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
        precision: as for `Product`.
    """

    def __init__(self, weight: Tensor, bias: Tensor, precision: Precision = "fp32") -> None:
        (value, gate), (value_bias, gate_bias) = weight.chunk(2, dim=1), bias.chunk(2)
        self.value = Product(value, value_bias.contiguous(), precision=precision)
        self.gate = Product(gate, gate_bias.contiguous(), precision=precision)

    def __call__(self, x: Tensor) -> Tensor:
        """(rows, K) → (rows, N)."""
        return self.value.times(x, self.gate(x, "sigmoid"))
