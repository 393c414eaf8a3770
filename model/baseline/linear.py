"""Linear classifiers of scikit-learn, with logits for every class.

With more values than clips, as of openSMILE, the weights that a squared penalty leaves lie in the space of the training
clips (Hastie et al., "The Elements of Statistical Learning", 18.3.5): turned into that space, the values are as many as
the clips, and the fit is the same.
"""

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from model.baseline.baseline_params import Classifier

Values = NDArray[np.float64]
Classes = NDArray[np.int64]

MOST_STEPS = 2000
"""Of the optimiser; with standardised values and C up to 1 it needs some hundreds."""
ABSENT = 30.0
"""How far the logit of a class without training clips lies below the lowest of the others."""


def fit_linear(classifier: Classifier, penalty: float, values: Values, labels: Classes) -> Any:
    """Fit a classifier with one penalty; see `fit_each`."""
    return next(fit_each(classifier, [penalty], values, labels))


def fit_each(
    classifier: Classifier, penalties: Iterable[float], values: Values, labels: Classes
) -> Iterator[Any]:
    """Fit a classifier with each penalty: multinomial logistic regression, or an SVM (squared hinge loss) per class.

    Args:
        classifier: logistic | svm.
        penalties: values of C, the inverse of the penalty's weight.
        values: (num_clips, F), standardised.
        labels: (num_clips,), of at least two classes.
    """
    num_clips, num_values = values.shape
    # (F, num_clips), the costly part of a fit with many values, is the same for all penalties.
    basis = np.linalg.qr(values.T).Q if num_values > num_clips else None
    turned = values if basis is None else values @ basis
    for penalty in penalties:
        model = (
            LogisticRegression(C=penalty, max_iter=MOST_STEPS)
            if classifier == "logistic"
            else LinearSVC(C=penalty, max_iter=MOST_STEPS, dual=False)
        )
        with warnings.catch_warnings():
            # The last step is as usable as any: validation judges it.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(turned, labels)
        if basis is not None:
            model.coef_, model.n_features_in_ = model.coef_ @ basis.T, num_values
        yield model


def logits_of(model: Any, values: Values, num_classes: int) -> Values:
    """Logits (num_clips, num_classes): of a logistic regression, or the distances that a linear SVM computes.

    Args:
        model: from `fit_linear`.
        values: (num_clips, F), standardised likewise.
        num_classes: classes that were not trained have a low logit.
    """
    found = np.asarray(model.decision_function(values), dtype=np.float64)
    if found.ndim == 1:  # two classes
        found = np.stack([-found / 2, found / 2], axis=1)
    logits = np.repeat(found.min(axis=1, keepdims=True) - ABSENT, num_classes, axis=1)
    logits[:, model.classes_] = found
    return logits
