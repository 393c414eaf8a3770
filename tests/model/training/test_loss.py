"""SERLoss equals the formula."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.scoring.concordance import concordance
from model.training.loss import SERLoss, balanced_weights, effective_weights


def test_weighted_and_smoothed_cross_entropy_by_hand() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(4, 3), torch.tensor([0, 2, 2, 1])
    weights, smoothing = torch.tensor([1.0, 2.0, 0.5]), 0.3
    logs = torch.log_softmax(logits, 1)
    target = torch.nn.functional.one_hot(labels, 3) * (1 - smoothing) + smoothing / 3
    expected = -(target * logs * weights).sum() / weights[labels].sum()
    assert torch.allclose(SERLoss(weights, smoothing)({"logits": logits}, labels), expected)


def test_default_is_plain_cross_entropy() -> None:
    loss = SERLoss()({"logits": torch.zeros(2, 4)}, torch.tensor([1, 3]))
    assert torch.allclose(loss, torch.log(torch.tensor(4.0)))


def test_balanced_weights_give_each_class_the_same_weight() -> None:
    labels = np.array([0, 0, 0, 2])
    weights = balanced_weights(labels, 3)
    assert weights.tolist() == pytest.approx([4 / 6, 0, 2])
    assert weights[labels].mean() == pytest.approx(1)


def test_soft_targets_of_one_class_are_that_class_and_shares_are_averaged() -> None:
    torch.manual_seed(0)
    output, weights = {"logits": torch.randn(2, 3)}, torch.tensor([1.0, 2.0, 0.5])
    loss = SERLoss(weights, 0.1)
    hard = torch.nn.functional.one_hot(torch.tensor([0, 2]), 3).float()
    assert torch.allclose(loss(output, hard), loss(output, torch.tensor([0, 2])))
    plain = SERLoss()
    other = torch.nn.functional.one_hot(torch.tensor([1, 1]), 3).float()
    mixed = plain(output, 0.3 * hard + 0.7 * other)
    assert torch.allclose(mixed, 0.3 * plain(output, hard) + 0.7 * plain(output, other))


def test_effective_weights_are_cuis_and_lie_between_none_and_balanced() -> None:
    labels = np.array([0] * 90 + [1] * 10)
    weights = effective_weights(labels, 2, 0.99)
    expected = (1 - 0.99**90) / (1 - 0.99**10)  # the ratio of the effective numbers
    assert float(weights[1] / weights[0]) == pytest.approx(expected, rel=1e-5)
    assert weights[labels].mean() == pytest.approx(1)
    assert torch.allclose(effective_weights(labels, 2, 0.0), torch.ones(2))
    assert torch.allclose(effective_weights(labels, 2, 1 - 1e-9), balanced_weights(labels, 2), rtol=1e-4)


def test_affect_adds_smooth_l1_over_what_is_known() -> None:
    nan = float("nan")
    affect = torch.tensor([[1.0, 5.0, nan], [nan, 2.0, nan]])
    output = {
        "logits": torch.zeros(2, 4),
        "affect": torch.tensor([[1.5, 2.0, nan], [9.0, 2.0, nan]]).requires_grad_(),
    }
    labels = torch.tensor([1, 3])
    plain = SERLoss()(output, labels)
    # 0.5² / 2, 3 - 0.5 and 0 over three known values
    loss = SERLoss(affect_weight=2.0)(output, labels, affect)
    assert float((loss - plain).detach()) == pytest.approx(2 * (0.125 + 2.5 + 0) / 3)
    loss.backward()
    assert torch.isfinite(output["affect"].grad).all()
    assert output["affect"].grad[1, 0] == 0
    nothing = SERLoss(affect_weight=2.0)(output, labels, torch.full((2, 3), nan))
    assert torch.allclose(nothing, plain)


def affect_term(predicted: torch.Tensor, affect: torch.Tensor) -> torch.Tensor:
    """What the concordance adds to the cross-entropy."""
    output = {"logits": torch.zeros(len(affect), 4), "affect": predicted}
    labels, units = torch.zeros(len(affect), dtype=torch.int64), torch.tensor([2.0, 0.5, 1.0])
    loss = SERLoss(affect_weight=1.0, affect_std=units, affect_loss="ccc")
    return loss(output, labels, affect) - SERLoss()(output, labels)


@given(seed=st.integers(0, 1000), clips=st.integers(2, 20))
def test_the_loss_of_concordance_is_one_minus_what_is_reported(seed: int, clips: int) -> None:
    rng = np.random.default_rng(seed)
    affect, predicted = rng.normal(3, 1, (2, clips, 3))
    affect[rng.random((clips, 3)) < 0.3] = np.nan
    reported = [concordance(affect[:, k], predicted[:, k]) for k in range(3)]
    judged = [ccc for ccc in reported if ccc is not None]
    expected = 1 - np.mean(judged) if judged else 0.0
    assert float(affect_term(torch.tensor(predicted), torch.tensor(affect))) == pytest.approx(
        expected, abs=1e-6
    )


def test_what_is_unknown_has_no_gradient_in_the_loss_of_concordance() -> None:
    nan = float("nan")
    affect = torch.tensor([[1.0, 5.0, nan], [3.0, 5.0, nan], [2.0, nan, nan]])
    predicted = torch.tensor([[1.5, 2.0, nan], [2.0, 2.0, nan], [9.0, 7.0, nan]]).requires_grad_()
    affect_term(predicted, affect).backward()
    known = torch.isfinite(affect)
    assert torch.isfinite(predicted.grad).all()  # type: ignore[arg-type]
    assert (predicted.grad[~known] == 0).all()  # type: ignore[index]
    assert (predicted.grad[:, 0] != 0).any()  # type: ignore[index]
