"""Learning rates: a linear warm-up, then the schedule."""

import itertools
from typing import Any

import pytest

from model.training.hyperparameters import TrainParams
from model.training.schedules import Schedule


def schedule(steps_per_epoch: int = 10, **params: Any) -> Schedule:
    return Schedule(TrainParams(**{"lr": 0.5, "warmup_epochs": 1, "epochs": 10, **params}), steps_per_epoch)


@pytest.mark.parametrize("name", ["cosine", "step", "plateau"])
def test_each_warms_up_linearly_to_the_peak(name: str) -> None:
    rates = [schedule(schedule=name).rate(step) for step in range(11)]
    assert rates == pytest.approx([0.05 * (i + 1) for i in range(10)] + [0.5])
    assert schedule(schedule=name, warmup_epochs=0).rate(0) == 0.5


def test_cosine_decays_to_nearly_zero() -> None:
    rates = [schedule().rate(step) for step in range(100)]
    assert rates[55] == pytest.approx(0.25)
    assert all(a > b for a, b in itertools.pairwise(rates[10:]))
    assert 0 < rates[99] < 0.001


def test_step_decays_every_so_many_epochs() -> None:
    steps = schedule(schedule="step", decay_epochs=2, decay=0.1)
    assert [steps.rate(step) for step in (10, 29, 30, 49, 50)] == pytest.approx([0.5, 0.5, 0.05, 0.05, 0.005])


def test_plateau_decays_when_the_score_stagnates_and_keeps_its_state() -> None:
    plateau = schedule(schedule="plateau", decay_epochs=2, decay=0.1)
    seen = []
    for epoch, score in enumerate([0.3, 0.2, 0.4, 0.4, 0.1, 0.5, 0.5, 0.5], start=1):
        plateau.after_validation(10 * epoch, score, 1)
        seen.append(plateau.rate(10 * epoch))
    # 0.2 waits, 0.4 is better, two epochs without a better one drop the rate, and so do two more after 0.5
    assert seen == pytest.approx([0.5, 0.5, 0.5, 0.5, 0.05, 0.05, 0.05, 0.005])
    again = schedule(schedule="plateau", decay_epochs=2, decay=0.1)
    again.load_state_dict(plateau.state_dict())
    assert again.rate(90) == plateau.rate(90)


def test_a_plateau_does_not_count_epochs_of_the_warm_up() -> None:
    plateau = schedule(schedule="plateau", decay_epochs=1, warmup_epochs=3)
    for epoch in (1, 2, 3):
        plateau.after_validation(10 * epoch, 0.5 - epoch / 10, 1)
    assert plateau.rate(30) == 0.5


def test_a_plateau_counts_epochs_and_not_validations() -> None:
    plateau = schedule(schedule="plateau", decay_epochs=6, decay=0.1, warmup_epochs=0)
    rates = []
    for epoch in (3, 6, 9, 12):
        plateau.after_validation(10 * epoch, 0.5, 3)
        rates.append(plateau.rate(10 * epoch))
    assert rates == pytest.approx([0.5, 0.5, 0.05, 0.05])
