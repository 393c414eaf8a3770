"""Choose hidden states and penalty on the validation split; refit with them on train and validation together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from featurize.errors import TrainingError
from model.baseline.baseline_params import BaselineParams, Choice
from model.baseline.functionals import Examples
from model.baseline.linear import fit_each, fit_linear, logits_of
from model.scoring.calibration import fit_temperature
from model.scoring.metrics import compute_metrics


@dataclass(frozen=True)
class Baseline:
    """A fitted baseline."""

    choice: Choice
    val_uar: float
    """Of the classifier fitted on the train split alone."""
    temperature: float
    """Fitted on the validation split, with the classifier fitted on the train split alone."""
    _run: slice = field(repr=False)
    _scaler: StandardScaler = field(repr=False)
    _model: Any = field(repr=False)
    _num_classes: int = field(repr=False)

    def logits(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Logits (num_clips, num_classes) of functionals (num_clips, L, F), not divided by the temperature."""
        scaled = self._scaler.transform(average(values, self._run))
        return logits_of(self._model, scaled, self._num_classes)


def fit_baseline(
    train: Examples, val: Examples, params: BaselineParams, labels: Sequence[str], states: Sequence[int] = ()
) -> Baseline:
    """Choose on validation, and fit on train and validation together. Functionals are standardised by train's.

    Of choices with the same validation UAR the first is taken: fewest hidden states, then the strongest penalty.

    Args:
        train: functionals of the train split.
        val: functionals of the validation split.
        params: of the baseline.
        labels: names in class order.
        states: the numbers of the stored hidden states; empty without the view "encoder".

    Raises:
        TrainingError: the train split has only one class.
    """
    if len(np.unique(train.labels)) < 2:
        raise TrainingError("the train split has only one class; choose another fold or label set")
    best: tuple[float, slice, float, NDArray[np.float64]] | None = None
    for run in runs(train.values.shape[1], params.neighbours):
        scaler = StandardScaler().fit(average(train.values, run))
        x, held_out = (scaler.transform(average(split.values, run)) for split in (train, val))
        penalties = sorted(params.penalties)
        models = fit_each(params.classifier, penalties, x, train.labels)
        for penalty, model in zip(penalties, models, strict=True):
            logits = logits_of(model, held_out, len(labels))
            uar = compute_metrics(val.labels, logits.argmax(axis=1), labels).uar
            if best is None or uar > best[0]:
                best = uar, run, penalty, logits
    assert best is not None  # noqa: S101 - there is at least one run and one penalty
    uar, run, penalty, logits = best
    temperature = fit_temperature(torch.from_numpy(logits), torch.from_numpy(val.labels))
    scaler = StandardScaler().fit(average(train.values, run))
    both = np.concatenate([average(split.values, run) for split in (train, val)])
    together = np.concatenate([train.labels, val.labels])
    model = fit_linear(params.classifier, penalty, scaler.transform(both), together)
    choice = Choice(tuple(states[run]), penalty)
    return Baseline(choice, uar, temperature, run, scaler, model, len(labels))


def runs(num_states: int, longest: int) -> Iterator[slice]:
    """Each hidden state alone, then each run of two neighbours, and so on up to the longest."""
    for length in range(1, min(longest, num_states) + 1):
        for first in range(num_states - length + 1):
            yield slice(first, first + length)


def average(values: NDArray[np.float32], run: slice) -> NDArray[np.float64]:
    """The mean functionals (num_clips, F) of a run of hidden states, from those of all (num_clips, L, F)."""
    return np.asarray(values[:, run].mean(axis=1, dtype=np.float64))
