"""Dropout drops the share it is told to, keeps the mean, and repeats itself for a seed."""

import pytest
import torch

from model.network.dropout import Dropout, keep_mask


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_share_mean_and_gradient(probability):
    torch.manual_seed(0)
    x = torch.ones(100_003, requires_grad=True)
    y = Dropout(probability)(x)
    dropped = float((y == 0).float().mean().detach())
    assert dropped == pytest.approx(probability, abs=0.01)
    assert float(y.detach().mean()) == pytest.approx(1, abs=0.02)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())


def test_a_seed_repeats_it_and_evaluation_and_0_leave_everything():
    torch.manual_seed(1)
    first = keep_mask(1001, 30_000)
    second = keep_mask(1001, 30_000)
    torch.manual_seed(1)
    assert torch.equal(keep_mask(1001, 30_000), first)
    assert not torch.equal(first, second)
    x = torch.randn(5, 7)
    assert Dropout(0.0)(x) is x
    assert Dropout(0.5).eval()(x) is x
