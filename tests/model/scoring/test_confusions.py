"""Scores from confusion matrices equal those of the clips; leaving out each speaker."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.scoring.confusions import leave_each_out, score_confusions, speaker_confusions
from model.scoring.metrics import compute_metrics

LABELS = ["angry", "happy", "sad"]


def clips(num_speakers: int = 5, per_speaker: int = 8, seed: int = 0, num_classes: int = 3) -> Any:
    rng = np.random.default_rng(seed)
    speakers = np.repeat([f"s{k}" for k in range(num_speakers)], per_speaker).astype(object)
    truth = rng.integers(num_classes, size=len(speakers))
    guess = rng.integers(num_classes, size=len(speakers))
    return truth, np.where(rng.random(len(speakers)) < 0.5, truth, guess), speakers


def test_scores_of_a_confusion_matrix_are_those_of_the_clips() -> None:
    for seed in range(20):
        truth, predicted, speakers = clips(2, 3, seed)
        confusion = speaker_confusions(truth, predicted, speakers, 3).sum(axis=0)
        expected = compute_metrics(truth, predicted, LABELS)
        scores = score_confusions(confusion)
        assert confusion.tolist() == expected.confusion
        assert (scores.accuracy, scores.uar, scores.macro_f1) == pytest.approx(
            (expected.accuracy, expected.uar, expected.macro_f1)
        )
        recall = [None if np.isnan(r) else pytest.approx(r) for r in scores.recall]
        assert recall == [expected.per_class[name].recall for name in LABELS]


def test_each_speaker_is_left_out_once() -> None:
    truth, predicted, speakers = clips()
    others = leave_each_out(speaker_confusions(truth, predicted, speakers, 3))
    for k, name in enumerate(sorted(set(speakers))):
        rest = speakers != name
        assert others[k].tolist() == compute_metrics(truth[rest], predicted[rest], LABELS).confusion


@given(seed=st.integers(0, 10_000), times=st.integers(2, 5), label=st.integers(0, 2))
def test_uar_does_not_depend_on_how_many_clips_a_class_has(seed: int, times: int, label: int) -> None:
    confusion = speaker_confusions(*clips(seed=seed), 3).sum(axis=0)
    more = confusion.copy()
    more[label] *= times
    assert score_confusions(more).uar == pytest.approx(score_confusions(confusion).uar)
