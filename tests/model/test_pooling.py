"""Attentive statistics against the formula, clip by clip."""

import torch

from model.pooling import StatisticsPooling


def test_attentive_statistics_are_the_weighted_mean_and_deviation():
    torch.manual_seed(0)
    pooling = StatisticsPooling(3)
    x = torch.randn(6, 2, 3)
    valid = torch.ones(2, 1, 6)
    valid[1, :, 4:] = 0
    y = pooling(x, valid)
    for clip, length in enumerate((6, 4)):
        frames = x[:length, clip]
        weights = torch.softmax(pooling.score(frames), dim=0)
        mean = (weights * frames).sum(0)
        std = (weights * (frames - mean) ** 2).sum(0).sqrt()
        assert torch.allclose(y[clip], torch.cat([mean, std]), atol=1e-5)
    constant = torch.ones(6, 2, 3, requires_grad=True)
    pooling(constant, valid).sum().backward()
    assert torch.isfinite(constant.grad).all()
