"""The concordance is Lin's."""

import numpy as np
import pytest
import torch
from torchmetrics.functional import concordance_corrcoef

from model.scoring.concordance import concordance


def test_concordance_of_a_case_worked_by_hand() -> None:
    # means 2 and 3, variances 2/3 each, covariance 2/3: 2 · 2/3 / (4/3 + 1) = 4/7
    assert concordance(np.array([1.0, 2, 3]), np.array([2.0, 3, 4])) == pytest.approx(4 / 7)
    assert concordance(np.array([1.0, np.nan, 2, 3]), np.array([2.0, 99, 3, 4])) == pytest.approx(4 / 7)
    assert concordance(np.array([1.0, 1]), np.array([1.0, 1])) == 1.0
    assert concordance(np.array([1.0, np.nan]), np.array([1.0, 1])) is None


def test_concordance_is_that_of_torchmetrics() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.standard_normal(50), 0.5 + rng.standard_normal(50)
    predicted += truth
    expected = concordance_corrcoef(torch.from_numpy(predicted), torch.from_numpy(truth))
    # torchmetrics takes unbiased variances beside its unbiased covariance: at 50 clips nearly the same
    assert concordance(truth, predicted) == pytest.approx(float(expected), abs=0.02)
