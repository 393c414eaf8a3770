"""Metrics against a case computed by hand, and where ratios have no denominator."""

import json

import numpy as np
import pytest

from model.scoring.metrics import ClassMetrics, compute_metrics

LABELS = ["angry", "happy", "sad"]


def test_a_case_by_hand() -> None:
    truth = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    predicted = np.array([0, 0, 0, 1, 1, 0, 2, 2])
    metrics = compute_metrics(truth, predicted, LABELS)
    assert metrics.confusion == [[3, 1, 0], [1, 1, 0], [0, 0, 2]]
    assert metrics.accuracy == pytest.approx(6 / 8)
    assert metrics.uar == pytest.approx((3 / 4 + 1 / 2 + 1) / 3)
    assert metrics.macro_f1 == pytest.approx((3 / 4 + 1 / 2 + 1) / 3)
    assert metrics.per_class["angry"] == ClassMetrics(precision=0.75, recall=0.75, f1=0.75, support=4)
    assert metrics.per_class["happy"] == ClassMetrics(precision=0.5, recall=0.5, f1=0.5, support=2)
    assert metrics.n_clips == 8


def test_classes_absent_from_the_truth_do_not_lower_the_averages() -> None:
    metrics = compute_metrics(np.array([0, 0, 1]), np.array([0, 2, 1]), LABELS)
    assert metrics.uar == pytest.approx((1 / 2 + 1) / 2)
    assert metrics.macro_f1 == pytest.approx((2 / 3 + 1) / 2)
    assert metrics.per_class["sad"] == ClassMetrics(precision=0.0, recall=None, f1=None, support=0)
    assert metrics.confusion == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_one_class_only_and_never_predicted() -> None:
    metrics = compute_metrics(np.array([1, 1]), np.array([0, 0]), LABELS)
    assert (metrics.accuracy, metrics.uar, metrics.macro_f1) == (0.0, 0.0, 0.0)


def test_a_dict_of_plain_types_in_class_order() -> None:
    plain = compute_metrics(np.array([0, 1, 2]), np.array([0, 1, 1]), LABELS).model_dump()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["macro_recall"] == plain["uar"]
    assert list(plain["per_class"]) == LABELS


def test_no_clips_or_an_impossible_class_is_an_error() -> None:
    with pytest.raises(ValueError, match="no clips"):
        compute_metrics(np.array([], dtype=np.int64), np.array([], dtype=np.int64), LABELS)
    with pytest.raises(ValueError, match="3 labels"):
        compute_metrics(np.array([0]), np.array([3]), LABELS)
