"""The classifiers are scikit-learn's, silent, and have a logit for every class."""

import warnings
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from model.baseline import linear
from model.baseline.linear import fit_linear, logits_of

RNG = np.random.default_rng(0)
LABELS = np.arange(60) % 3
VALUES = RNG.normal(size=(60, 5)) + 2 * np.eye(5)[LABELS]


@pytest.mark.parametrize("classifier", ["logistic", "svm"])
def test_the_highest_logit_is_the_prediction(classifier: Any) -> None:
    model = fit_linear(classifier, 0.1, VALUES, LABELS)
    logits = logits_of(model, VALUES, 3)
    assert logits.argmax(axis=1).tolist() == model.predict(VALUES).tolist()
    assert (logits.argmax(axis=1) == LABELS).mean() > 0.8


@pytest.mark.parametrize("num_classes", [2, 3])
def test_logistic_probabilities_are_those_of_scikit_learn(num_classes: int) -> None:
    some = num_classes > LABELS
    model = fit_linear("logistic", 0.1, VALUES[some], LABELS[some])
    found = softmax(logits_of(model, VALUES, num_classes), axis=1)
    np.testing.assert_allclose(found, model.predict_proba(VALUES), atol=1e-12)


def test_a_class_without_training_clips_is_never_predicted() -> None:
    model = fit_linear("logistic", 0.1, VALUES, np.array([0, 1, 3])[LABELS])
    logits = logits_of(model, VALUES, 5)
    assert np.isfinite(logits).all()
    assert set(logits.argmax(axis=1)) <= {0, 1, 3}
    assert softmax(logits, axis=1)[:, [2, 4]].max() < 1e-12


@pytest.mark.parametrize("num_classes", [2, 3])
@pytest.mark.parametrize("classifier", ["logistic", "svm"])
def test_with_more_values_than_clips_the_fit_is_that_of_all_values(classifier: Any, num_classes: int) -> None:
    some = num_classes > LABELS
    wide, labels = RNG.normal(1, 2, size=(60, 300))[some], LABELS[some]
    wide[:, :3] += 4 * np.eye(3)[labels]
    others = RNG.normal(size=(20, 300))
    reference = (
        LogisticRegression(C=0.1, max_iter=5000, tol=1e-8)
        if classifier == "logistic"
        else LinearSVC(C=0.1, dual=False, tol=1e-8)
    ).fit(wide, labels)
    model = fit_linear(classifier, 0.1, wide, labels)
    np.testing.assert_allclose(
        model.decision_function(others), reference.decision_function(others), atol=0.02
    )
    assert model.predict(others).tolist() == others_predicted(model, others)


def others_predicted(model: Any, values: Any) -> list[int]:
    """By hand, of the weights for all values."""
    scores = values @ model.coef_.T + model.intercept_
    places = (scores[:, 0] > 0).astype(int) if scores.shape[1] == 1 else scores.argmax(axis=1)
    return model.classes_[places].tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("classifier", ["logistic", "svm"])
def test_a_fit_that_is_cut_short_says_nothing(classifier: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "MOST_STEPS", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_linear(classifier, 100.0, VALUES, LABELS)
