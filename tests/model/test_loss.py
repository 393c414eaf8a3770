"""SERLoss against the formula written out."""

import numpy as np
import pytest
import torch

from model.loss import SERLoss, balanced_weights


def test_weighted_and_smoothed_cross_entropy_by_hand():
    torch.manual_seed(0)
    logits, labels = torch.randn(4, 3), torch.tensor([0, 2, 2, 1])
    weights, smoothing = torch.tensor([1.0, 2.0, 0.5]), 0.3
    logs = torch.log_softmax(logits, 1)
    target = torch.nn.functional.one_hot(labels, 3) * (1 - smoothing) + smoothing / 3
    expected = -(target * logs * weights).sum() / weights[labels].sum()
    assert torch.allclose(SERLoss(weights, smoothing)({"logits": logits}, labels), expected)


def test_default_is_plain_cross_entropy():
    loss = SERLoss()({"logits": torch.zeros(2, 4)}, torch.tensor([1, 3]))
    assert torch.allclose(loss, torch.log(torch.tensor(4.0)))


def test_balanced_weights_give_each_class_the_same_say():
    labels = np.array([0, 0, 0, 2])
    weights = balanced_weights(labels, 3)
    assert weights.tolist() == pytest.approx([4 / 6, 0, 2])
    assert weights[labels].mean() == pytest.approx(1)
