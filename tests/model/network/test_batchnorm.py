"""Masked batch renormalisation equals torch's BatchNorm1d on the concatenated valid frames."""

import copy

import torch
from torch import Tensor, nn

from model.network.batchnorm import MaskedBatchNorm


def ragged(seed: int = 0) -> tuple[Tensor, Tensor]:
    """x (3, 4, 9) with junk past each clip's end, valid (3, 1, 9)."""
    generator = torch.Generator().manual_seed(seed)
    x = 5 + 3 * torch.randn(3, 4, 9, generator=generator, dtype=torch.float64)
    num_frames = torch.tensor([9, 1, 4])
    valid = (torch.arange(9) < num_frames[:, None])[:, None].double()
    return torch.where(valid == 0, 1e3, x), valid


def reference_and_ours() -> tuple[torch.nn.BatchNorm1d, MaskedBatchNorm]:
    torch.manual_seed(0)
    reference = nn.BatchNorm1d(4).double()
    nn.init.normal_(reference.weight)
    nn.init.normal_(reference.bias)
    ours = MaskedBatchNorm(4).double()
    ours.load_state_dict(reference.state_dict(), strict=False)
    return reference, ours


def frames(x: Tensor, valid: Tensor) -> Tensor:
    """Valid frames end to end, (num_valid, C)."""
    return x.transpose(1, 2)[valid[:, 0] == 1]


def test_with_the_statistics_of_its_batch_value_and_gradients_are_those_of_batch_norm() -> None:
    reference, ours = reference_and_ours()
    ours.adopting = True
    x, valid = ragged()
    mine, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    y, expected = ours(mine, valid), reference(frames(theirs, valid))
    assert torch.allclose(frames(y, valid), expected, atol=1e-10)
    assert torch.all(y.masked_select(valid == 0) == 0)
    weights = torch.randn_like(expected)
    (frames(y, valid) * weights).sum().backward()
    (expected * weights).sum().backward()
    assert torch.allclose(mine.grad, theirs.grad, atol=1e-10)
    assert torch.allclose(ours.weight.grad, reference.weight.grad, atol=1e-10)
    assert torch.allclose(ours.bias.grad, reference.bias.grad, atol=1e-10)


def test_with_other_running_statistics_it_equals_the_formula_of_the_paper() -> None:
    """Algorithm 1 of the paper, r and d without gradient and unclipped, left to autograd."""
    _, ours = reference_and_ours()
    ours.running_mean.uniform_(2, 6)
    ours.running_var.uniform_(2, 6)
    x, valid = ragged()
    mine, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    running_mean, running_std = ours.running_mean.clone(), (ours.running_var + ours.eps).sqrt()
    weight, bias = (p.detach().clone().requires_grad_() for p in (ours.weight, ours.bias))
    rows = frames(theirs, valid)
    mean, std = rows.mean(0), (rows.var(0, unbiased=False) + ours.eps).sqrt()
    r, d = (std / running_std).detach(), ((mean - running_mean) / running_std).detach()
    expected = ((rows - mean) / std * r + d) * weight + bias
    y = ours(mine, valid)
    assert torch.allclose(frames(y, valid), expected, atol=1e-10)
    weights = torch.randn_like(expected)
    (frames(y, valid) * weights).sum().backward()
    (expected * weights).sum().backward()
    assert torch.allclose(mine.grad, theirs.grad, atol=1e-10)
    assert torch.allclose(ours.weight.grad, weight.grad, atol=1e-10)
    assert torch.allclose(ours.bias.grad, bias.grad, atol=1e-10)


def test_running_statistics_are_those_of_valid_frames_with_the_biased_variance() -> None:
    reference, ours = reference_and_ours()
    x, valid = ragged()
    ours(x, valid)
    reference(frames(x, valid))
    count = int(valid.sum())
    assert torch.allclose(ours.running_mean, reference.running_mean)
    biased = 0.9 + (reference.running_var - 0.9) * (count - 1) / count
    assert torch.allclose(ours.running_var, biased)


def test_training_and_evaluation_give_the_same_value_and_only_training_moves_the_statistics() -> None:
    _, ours = reference_and_ours()
    x, valid = ragged()
    evaluated = copy.deepcopy(ours).eval()
    before = ours.running_mean.clone()
    assert torch.equal(ours(x, valid), evaluated(x, valid))
    assert not torch.equal(ours.running_mean, before)
    assert torch.equal(evaluated.running_mean, before)


def test_the_gradient_has_no_part_along_a_channels_mean_and_scale() -> None:
    _, ours = reference_and_ours()
    ours.running_var.fill_(4)
    x, valid = ragged()
    x.requires_grad_()
    (ours(x, valid) ** 3).sum().backward()
    gradient, rows = frames(x.grad, valid), frames(x.detach(), valid)
    assert torch.allclose(gradient.sum(0), torch.zeros(4).double(), atol=1e-8)
    scale = (gradient * (rows - rows.mean(0))).sum(0)
    assert torch.all(scale.abs() < 1e-4 * (gradient.abs() * (rows - rows.mean(0)).abs()).sum(0))


def test_a_single_frame_has_a_value_and_a_finite_gradient() -> None:
    _, ours = reference_and_ours()
    x = torch.full((1, 4, 1), 7.0, dtype=torch.float64, requires_grad=True)
    ours(x, torch.ones(1, 1, 1, dtype=torch.float64)).sum().backward()
    assert torch.isfinite(x.grad).all()
