"""Pooled folds: intervals are over all speakers, and absent if they cannot be computed."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from model.scoring.confusions import speaker_confusions
from model.scoring.intervals import speaker_intervals
from pipeline.experiments.pooled_folds import pool, pooled_intervals
from pipeline.runs.evaluated_run import Run
from tests.pipeline.made_up import LABELS, make_run

NUM_SPEAKERS = 6


def fold(number: int, seed: int) -> Run:
    """Two of the speakers, with random predictions for 24 clips."""
    rng = np.random.default_rng([number, seed])
    clips = [f"clip{number}-{index:02}" for index in range(24)]
    speakers = [f"s{2 * number + index // 12}" for index in range(24)]
    truth = np.arange(24) % 3
    return make_run(clip_ids=clips, speakers=speakers, truth=truth, predicted=rng.choice(3, 24))


def seeds(number: int) -> dict[int, pd.DataFrame]:
    return {seed: pool([fold(part, seed) for part in range(3)]) for seed in range(number)}


def classes(table: pd.DataFrame, column: str) -> Any:
    return np.array([LABELS.index(label) for label in table[column]])


def test_one_seed_has_the_intervals_of_all_its_clips() -> None:
    pooled = seeds(1)
    table = pooled[0]
    confusion = speaker_confusions(
        classes(table, "true_label"), classes(table, "pred_label"), table["speaker"].to_numpy(object), 3
    )
    found = pooled_intervals(pooled, LABELS, complete=True)
    expected = speaker_intervals(confusion, LABELS)
    assert found["intervals"]["speakers"] == NUM_SPEAKERS
    assert (found["intervals"]["uar"], found["intervals"]["recall"]) == (expected.uar, expected.recall)
    assert found["intervals_note"].startswith("only 6 test speakers: the intervals are wide; the networks")
    assert "share training speakers" in found["intervals_note"]


def test_several_seeds_have_one_interval_around_the_mean_of_their_uar() -> None:
    pooled = seeds(4)
    low, high = pooled_intervals(pooled, LABELS, complete=True)["intervals"]["uar"]
    recalls = [
        [(own["pred_label"] == own["true_label"])[own["true_label"] == label].mean() for label in LABELS]
        for own in pooled.values()
    ]
    assert low < np.mean(recalls) < high


@pytest.mark.parametrize(
    ("change", "complete", "expected"),
    [
        ({}, False, "lack folds"),
        ({"speaker": "anna"}, True, "one speaker (anna)"),
        ({"speaker": ""}, True, "name no speaker"),
    ],
)
def test_no_interval_is_explained(change: dict[str, str], complete: bool, expected: str) -> None:
    pooled = {seed: table.assign(**change) for seed, table in seeds(2).items()}
    found = pooled_intervals(pooled, LABELS, complete)
    assert found["intervals"] is None
    assert expected in found["intervals_note"]
