"""Fast matrix products with fixed weights.

On a CPU with AVX-512, the weights are packed once, and the operation after the product (bias, sum, activation)
is fused into it. For the shapes of Demucs this is 10 to 75 % faster than `addmm`, which first writes the bias into its
result and packs the weights in every call. The result of a row has the same bits alone and among other rows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Precision = Literal["fp32", "tf32", "bf16"]
"""Of the factors: fp32 has 23 bits of fraction, tf32 10 (on a CPU it is fp32), bf16 7, for its results as well."""
ROWS = 1024
"""Number of rows that weights are packed for."""
MIN_ROWS = 8
"""Fewer rows are multiplied among zeros where weights are not packed: BLAS sums up to three rows in another order."""


def packs(like: Tensor) -> bool:
    """Whether weights like this tensor can be packed."""
    available = hasattr(torch.ops, "mkldnn") and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    on_cpu = like.device.type == "cpu" and like.dtype == torch.float32
    # With AVX2 alone, oneDNN sums a row in another order where the number of rows is another.
    exact = torch.backends.cpu.get_cpu_capability() == "AVX512"
    return bool(available and torch._C._has_mkldnn and on_cpu and exact)


@contextmanager
def multiplying(precision: Precision) -> Iterator[None]:
    """Enable or disable TF32 for float32 products on a GPU; the process's setting is restored afterwards."""
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
        rows: number of rows of x that the packing is optimised for; any other number works as well.
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
        """(rows, K) → (rows, N), followed by an activation."""
        if self._packed is not None:
            y: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._packed, self.bias, then, [], "")
            return y
        if self._half:
            y = (x.bfloat16() @ self.weight).to(x.dtype)
            y = y if self.bias is None else y.add_(self.bias)
        elif len(x) < MIN_ROWS:
            return self(functional.pad(x, (0, 0, 0, MIN_ROWS - len(x))), then)[: len(x)]
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
