"""Packed matrix products equal the formula, and rows do not depend on each other."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from featurize.demucs.products import GatedLinear, Precision, Product, multiplying, packs

DTYPES = [torch.float32, torch.float64]  # the second is never packed


def random(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64).to(
        dtype
    )


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=25)
@given(rows=st.integers(1, 70), inputs=st.integers(1, 40), outputs=st.integers(1, 40))
def test_activations_after_the_product(dtype: torch.dtype, rows: int, inputs: int, outputs: int) -> None:
    x, weight, bias = random(rows, inputs), random(inputs, outputs), random(outputs)
    other = random(rows, outputs) + 1
    product = Product(weight.to(dtype), bias.to(dtype), rows=16)
    exact = x.double() @ weight.double() + bias
    x, other = x.to(dtype), other.to(dtype)
    with torch.inference_mode():
        results = [product(x), product(x, "relu"), product(x, "sigmoid"), product.plus(x, other)]
        results.append(product.times(x, other))
    expected = [exact, exact.relu(), exact.sigmoid(), exact + other, exact * other]
    for result, right in zip(results, expected, strict=True):
        torch.testing.assert_close(result.double(), right, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_without_a_bias(dtype: torch.dtype) -> None:
    x, weight = random(5, 7, dtype=dtype), random(7, 3, dtype=dtype)
    torch.testing.assert_close(Product(weight)(x), x @ weight)


def test_a_gated_linear_unit_equals_torchs() -> None:
    x, weight, bias = random(9, 6), random(6, 8), random(8)
    expected = torch.nn.functional.glu(x @ weight + bias, dim=1)
    torch.testing.assert_close(GatedLinear(weight, bias)(x), expected)


def test_a_row_is_bit_identical_in_any_position() -> None:
    x = random(64, 96)
    product = Product(random(96, 48), random(48))
    order = torch.randperm(64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(product(x)[order], product(x[order]))


def test_only_float32_on_the_cpu_is_packed() -> None:
    assert not packs(torch.zeros(1, dtype=torch.float64))
    assert not packs(torch.zeros(1, device="meta"))


def test_bf16_rounds_the_factors_and_nothing_more() -> None:
    x, weight, bias = random(9, 64), random(64, 8), random(8)
    result = Product(weight, bias, precision="bf16")(x)
    exact = x.bfloat16().double() @ weight.bfloat16().double()
    assert result.dtype == torch.float32
    torch.testing.assert_close(result.double(), exact + bias, rtol=2**-7, atol=2**-4)
    assert not torch.equal(result, Product(weight, bias)(x))


@pytest.mark.parametrize(("precision", "allowed"), [("fp32", "ieee"), ("tf32", "tf32"), ("bf16", "ieee")])
def test_a_gpu_uses_tf32_only_where_asked(precision: Precision, allowed: str) -> None:
    before = torch.backends.cuda.matmul.fp32_precision
    with multiplying(precision):
        assert torch.backends.cuda.matmul.fp32_precision == allowed
    assert torch.backends.cuda.matmul.fp32_precision == before
