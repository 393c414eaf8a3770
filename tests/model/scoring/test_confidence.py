"""Calibration and risk by coverage against scikit-learn, torchmetrics, and cases computed by hand."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import softmax
from sklearn.metrics import brier_score_loss, log_loss
from torchmetrics.functional.classification import multiclass_calibration_error

from model.scoring.calibration import fit_temperature
from model.scoring.confidence import POINTS, Bin, reliability_bins, risk_coverage, score_calibration


def some(
    num_clips: int = 500, num_classes: int = 4, scale: float = 2.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return scale * rng.normal(size=(num_clips, num_classes)), rng.integers(num_classes, size=num_clips)


@pytest.mark.parametrize("scale", [0.1, 2.0, 4.0])
@pytest.mark.parametrize("num_clips", [1, 7, 500])
def test_the_same_as_the_libraries(scale: float, num_clips: int) -> None:
    logits, truth = some(num_clips, scale=scale)
    probabilities = softmax(logits, axis=1)
    scores = score_calibration(logits, truth)
    assert scores.nll == pytest.approx(log_loss(truth, probabilities, labels=range(4)))
    brier = brier_score_loss(truth, probabilities, labels=range(4), scale_by_half=False)
    assert scores.brier == pytest.approx(brier)
    ece = multiclass_calibration_error(torch.from_numpy(probabilities), torch.from_numpy(truth), 4, n_bins=15)
    assert scores.ece == pytest.approx(float(ece), abs=1e-6)


def test_a_case_by_hand() -> None:
    """Two clips at a confidence of 0.8, one right; two at 0.6, both right."""
    probabilities = np.array([[0.8, 0.2], [0.8, 0.2], [0.4, 0.6], [0.4, 0.6]])
    scores = score_calibration(np.log(probabilities), np.array([0, 1, 1, 1]))
    assert scores.nll == pytest.approx(-(math.log(0.8) + math.log(0.2) + 2 * math.log(0.6)) / 4)
    assert scores.brier == pytest.approx((2 * 0.2**2 + 2 * 0.8**2 + 4 * 0.4**2) / 4)
    assert scores.ece == pytest.approx((2 * 0.3 + 2 * 0.4) / 4)


def test_a_uniform_guess_and_a_certain_answer() -> None:
    dice = score_calibration(np.zeros((4, 4)), np.arange(4))
    assert (dice.nll, dice.brier, dice.ece) == pytest.approx((math.log(4), 0.75, 0.0))
    wrong = score_calibration(np.array([[1e4, 0.0]]), np.array([1]))  # a probability of 0 for what is true
    assert (wrong.nll, wrong.brier, wrong.ece) == pytest.approx((1e4, 2.0, 1.0))


def test_a_bin_holds_its_upper_edge_and_empty_bins_are_left_out() -> None:
    probabilities = np.array([[1 / 3, 1 / 3, 1 / 3], [0.4, 0.3, 0.3], [1.0, 0.0, 0.0]])
    bins = reliability_bins(probabilities, np.array([0, 1, 0]), num_bins=5)
    assert [b.count for b in bins] == [2, 1]  # 0.4 is in (0.2, 0.4]
    assert bins[1] == Bin(confidence=1.0, accuracy=1.0, count=1)
    assert [Bin(**each) for each in json.loads(json.dumps(list(map(asdict, bins))))] == bins


def test_a_fitted_temperature_lowers_likelihood_and_calibration_error() -> None:
    """Labels are drawn at a temperature of 3, so that the logits as they are promise too much."""
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(6000, 4, generator=generator).double()
    truth = torch.multinomial(torch.softmax(logits / 3, 1), 1, generator=generator).squeeze(1)
    temperature = fit_temperature(logits[:3000], truth[:3000])
    held_out, expected = logits[3000:].numpy(), truth[3000:].numpy()
    before, after = score_calibration(held_out, expected), score_calibration(held_out / temperature, expected)
    assert after.nll < before.nll
    assert after.ece < 0.05 < 0.2 < before.ece


def slow_aurc(confidence: np.ndarray, right: np.ndarray, orders: int = 4000) -> float:
    """Mean over random orders of clips of equal confidence, one clip after the other."""
    rng = np.random.default_rng(0)
    areas = []
    for _ in range(orders):
        shuffled = rng.permutation(len(confidence))
        order = shuffled[np.argsort(-confidence[shuffled], kind="stable")]
        errors, risks = 0, []
        for answered, clip in enumerate(order, 1):
            errors += not right[clip]
            risks.append(errors / answered)
        areas.append(np.mean(risks))
    return np.mean(areas)


def test_risk_by_coverage_by_hand() -> None:
    curve = risk_coverage(np.array([0.5, 0.9, 0.7, 0.8]), np.array([False, True, False, True]))
    assert curve.points == [(0.25, 0.0), (0.5, 0.0), (0.75, pytest.approx(1 / 3)), (1.0, 0.5)]
    assert curve.aurc == pytest.approx((1 / 3 + 1 / 2) / 4)


def test_clips_of_equal_confidence_count_as_in_a_random_order() -> None:
    confidence = np.array([0.9, 0.6, 0.6, 0.6, 0.3, 0.3])
    right = np.array([True, False, True, True, False, True])
    assert risk_coverage(confidence, right).aurc == pytest.approx(slow_aurc(confidence, right), abs=0.01)


def test_a_long_curve_is_thinned_and_ends_at_the_share_of_errors() -> None:
    rng = np.random.default_rng(0)
    right = rng.random(1440) < 0.6
    points = risk_coverage(rng.random(1440), right).points
    assert len(points) == POINTS
    assert points[-1] == (1.0, pytest.approx(1 - right.mean()))


@given(
    logits=hnp.arrays(np.float64, (12, 3), elements=st.floats(-30, 30)),
    truth=hnp.arrays(np.int64, 12, elements=st.integers(0, 2)),
    order=st.permutations(range(12)),
)
def test_values_are_in_range_and_do_not_depend_on_the_order(
    logits: np.ndarray, truth: np.ndarray, order: list[int]
) -> None:
    scores, shuffled = score_calibration(logits, truth), score_calibration(logits[order], truth[order])
    assert asdict(scores) == pytest.approx(asdict(shuffled))
    assert scores.nll >= 0
    assert 0 <= scores.brier <= 2
    assert 0 <= scores.ece <= 1
    confidence = softmax(logits, axis=1).max(axis=1)
    right = logits.argmax(axis=1) == truth
    curve = risk_coverage(confidence, right)
    assert curve.aurc == pytest.approx(risk_coverage(confidence[order], right[order]).aurc)
    assert all(0 <= risk <= 1 for _, risk in curve.points)
    assert curve.points[-1][1] == pytest.approx(1 - right.mean())


@given(logits=hnp.arrays(np.float64, (10, 3), elements=st.floats(-20, 20)))
def test_bins_hold_every_clip_once(logits: np.ndarray) -> None:
    bins = reliability_bins(softmax(logits, axis=1), np.zeros(10, dtype=np.int64))
    assert sum(b.count for b in bins) == 10
    assert [b.confidence for b in bins] == sorted(b.confidence for b in bins)
