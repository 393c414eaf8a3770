"""Pooling equals the formulas, clip by clip."""

import torch

from model.network.pooling import StatisticsPooling, pool_frames


def test_attentive_statistics_are_the_weighted_mean_and_deviation() -> None:
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


def test_pooled_frames_are_means_over_the_frames_of_their_own_clip() -> None:
    lengths = torch.tensor([11, 8, 1])
    x = torch.randn(3, 5, 11, generator=torch.Generator().manual_seed(0))
    for row, length in zip(x, lengths, strict=True):
        row[:, length:] = 0
    pooled, num_frames = pool_frames(x, lengths, 4)
    assert num_frames.tolist() == [3, 2, 1]
    assert pooled.shape == (3, 5, 3)
    for clip, length in enumerate(lengths.tolist()):
        for place in range(3):
            members = x[clip, :, 4 * place : min(4 * place + 4, length)]
            expected = members.mean(1) if members.shape[1] else torch.zeros(5)
            assert torch.allclose(pooled[clip, :, place], expected, atol=1e-6)
