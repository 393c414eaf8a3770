"""Validation alone chooses; the classifier is fitted again on train and validation together."""

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score

from featurize.errors import TrainingError
from model.baseline.baseline_params import BaselineParams
from model.baseline.choice import average, fit_baseline, runs
from model.baseline.functionals import Examples
from model.scoring.calibration import fit_temperature

NAMES = ["a", "b", "c"]
PARAMS = BaselineParams(view="encoder", neighbours=2, penalties=(1e-1, 1e-3))


def made_up(seed: int, num_clips: int, good: int = 2, strength: float = 1.5) -> Examples:
    """Four hidden states of six values, of which one shows the class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(num_clips) % 3
    values = 3 + 2 * rng.normal(size=(num_clips, 4, 6))
    values[:, good] += strength * np.eye(6)[labels]
    return Examples(values.astype(np.float32), labels)


TRAIN, VAL, TEST = made_up(0, 60), made_up(1, 30), made_up(2, 30)


def by_hand(train: Examples, val: Examples) -> list[tuple[float, int, float, slice, Any]]:
    """Validation UAR of every choice, in the order in which the first of equals is taken."""
    found = []
    for run in runs(4, 2):
        x, held_out = (split.values[:, run].astype(float).mean(axis=1) for split in (train, val))
        mean, std = x.mean(axis=0), x.std(axis=0)
        for penalty in (1e-3, 1e-1):
            model = LogisticRegression(C=penalty, max_iter=2000).fit((x - mean) / std, train.labels)
            uar = recall_score(val.labels, model.predict((held_out - mean) / std), average="macro")
            found.append((uar, -len(found), penalty, run, model))
    return found


def test_runs_are_each_state_alone_and_then_neighbours() -> None:
    found = [(run.start, run.stop - 1) for run in runs(4, 3)]
    assert found == [(0, 0), (1, 1), (2, 2), (3, 3), (0, 1), (1, 2), (2, 3), (0, 2), (1, 3)]
    assert [run.stop for run in runs(1, 4)] == [1]


def test_the_choice_is_that_of_a_loop_over_scikit_learn() -> None:
    fitted = fit_baseline(TRAIN, VAL, PARAMS, NAMES, [1, 3, 5, 7])
    uar, _, penalty, run, model = max(by_hand(TRAIN, VAL), key=lambda found: found[:2])
    assert fitted.val_uar == pytest.approx(uar)
    assert fitted.choice.penalty == penalty
    assert fitted.choice.states == tuple([1, 3, 5, 7][run])
    assert 5 in fitted.choice.states

    x, held_out, tested = (average(split.values, run) for split in (TRAIN, VAL, TEST))
    mean, std = x.mean(axis=0), x.std(axis=0)
    logits = model.decision_function((held_out - mean) / std)
    expected = fit_temperature(torch.from_numpy(logits), torch.from_numpy(VAL.labels))
    assert fitted.temperature == pytest.approx(expected, rel=1e-3)
    together = (np.concatenate([x, held_out]) - mean) / std
    again = LogisticRegression(C=penalty, max_iter=2000).fit(
        together, np.concatenate([TRAIN.labels, VAL.labels])
    )
    np.testing.assert_allclose(
        fitted.logits(TEST.values), again.decision_function((tested - mean) / std), atol=1e-3
    )


def test_the_validation_split_decides_which_state_is_taken() -> None:
    """Both splits show the class in two states, with its sign turned in one of them."""
    train = made_up(0, 60, good=0, strength=4)
    train.values[:, 3] += 4 * np.eye(6)[train.labels]
    for state in (0, 3):
        val = made_up(1, 30, good=state, strength=4)
        val.values[:, 3 - state] -= 4 * np.eye(6)[val.labels]
        assert state in fit_baseline(train, val, PARAMS, NAMES, range(4)).choice.states


def test_of_equal_choices_the_first_is_taken() -> None:
    values = np.zeros((6, 3, 2), np.float32)
    values[3:] = 1
    same = Examples(values, np.arange(6) // 3)
    choice = fit_baseline(same, same, PARAMS, NAMES[:2], [4, 5, 6]).choice
    assert (choice.states, choice.penalty) == ((4,), 1e-3)


def test_constant_values_and_a_view_without_states_are_usable() -> None:
    train = Examples(TRAIN.values[:, 2:3].copy(), TRAIN.labels)
    train.values[:, 0, 5] = 7
    fitted = fit_baseline(train, train, BaselineParams(classifier="svm"), NAMES)
    assert fitted.choice.states == ()
    assert np.isfinite(fitted.logits(train.values)).all()


def test_one_class_is_an_error() -> None:
    alone = Examples(TRAIN.values, np.zeros_like(TRAIN.labels))
    with pytest.raises(TrainingError, match="the train split has only one class"):
        fit_baseline(alone, VAL, PARAMS, NAMES)
