"""Valence and arousal: empty cells are unknown, and the concordance is Lin's."""

import numpy as np
import pytest
import torch
from torchmetrics.functional import concordance_corrcoef

from featurize.errors import TrainingError
from model.affect import concordance, read_affect


def test_empty_cells_and_absent_columns_are_unknown() -> None:
    columns = {"valence": np.array(["0.5", "", "-1"], dtype=object)}
    values = read_affect(columns, 3)
    assert np.array_equal(values[:, 0], [0.5, np.nan, -1], equal_nan=True)
    assert np.isnan(values[:, 1]).all()
    assert read_affect({"arousal": np.array([1.5, np.nan])}, 2)[:, 1].tolist()[0] == 1.5


@pytest.mark.parametrize("cell", ["high", "inf"])
def test_a_cell_that_is_no_number_is_named(cell: str) -> None:
    columns = {
        "clip_id": np.array(["a", "b"], dtype=object),
        "arousal": np.array(["1", cell], dtype=object),
    }
    with pytest.raises(TrainingError, match=f"b: arousal is '{cell}', not a number"):
        read_affect(columns, 2)


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
