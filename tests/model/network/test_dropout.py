"""Dropout has the given rate, keeps the mean, and is determined by the seed."""

import pytest
import torch

from model.network.dropout import LEVELS, Dropout, keep_mask


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_share_mean_and_gradient(probability: float) -> None:
    torch.manual_seed(0)
    x = torch.ones(100_003, requires_grad=True)
    y = Dropout(probability)(x)
    dropped = float((y == 0).float().mean().detach())
    assert dropped == pytest.approx(probability, abs=0.01)
    assert float(y.detach().mean()) == pytest.approx(1, abs=0.02)
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, y.detach())


def test_a_seed_repeats_it_and_evaluation_drops_nothing() -> None:
    torch.manual_seed(1)
    first = keep_mask(1001, 30_000)
    second = keep_mask(1001, 30_000)
    torch.manual_seed(1)
    assert torch.equal(keep_mask(1001, 30_000), first)
    assert not torch.equal(first, second)
    x = torch.randn(5, 7)
    assert Dropout(0.0)(x) is x
    assert Dropout(0.5).eval()(x) is x


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_the_four_lanes_of_a_draw_are_independent(probability: float) -> None:
    """Each element is dropped with the same probability wherever it stands in a 64-bit draw, and by itself.

    Of independent draws a correlation over n pairs has a standard deviation of 1 / sqrt(n).
    """
    torch.manual_seed(0)
    draws = 250_000
    bound = 5 / draws**0.5
    kept = keep_mask(4 * draws, round(probability * LEVELS)).view(draws, 4).double()
    deviation = (probability * (1 - probability)) ** 0.5
    assert (kept.mean(0) - (1 - probability)).abs().max() < bound * deviation
    lanes = (kept - (1 - probability)) / deviation
    following = torch.cat([lanes[:-1], lanes[1:]], dim=1)  # (draws - 1, 8): a draw and the next one
    correlation = following.T @ following / (draws - 1)
    assert (correlation - torch.eye(8, dtype=torch.float64)).abs().max() < 1.5 * bound


@pytest.mark.parametrize("num_elements", [0, 1, 3, 4, 5, 1001])
def test_any_number_of_elements(num_elements: int) -> None:
    assert keep_mask(num_elements, 30_000).shape == (num_elements,)
    assert Dropout(0.5)(torch.ones(num_elements, 1)).shape == (num_elements, 1)
