"""Valence, arousal and dominance: empty cells are unknown."""

import numpy as np
import pytest

from featurize.errors import TrainingError
from model.affect import read_affect


def test_empty_cells_and_absent_columns_are_unknown() -> None:
    columns = {"valence": np.array(["0.5", "", "-1"], dtype=object)}
    values = read_affect(columns, 3)
    assert np.array_equal(values[:, 0], [0.5, np.nan, -1], equal_nan=True)
    assert np.isnan(values[:, 1:]).all()
    assert read_affect({"arousal": np.array([1.5, np.nan])}, 2)[:, 1].tolist()[0] == 1.5


@pytest.mark.parametrize("cell", ["high", "inf"])
def test_a_cell_that_is_no_number_is_named(cell: str) -> None:
    columns = {
        "clip_id": np.array(["a", "b"], dtype=object),
        "arousal": np.array(["1", cell], dtype=object),
    }
    with pytest.raises(TrainingError, match=f"b: arousal is '{cell}', not a number"):
        read_affect(columns, 2)
