"""The bootstrap over speakers: against a slow one, and against a truth that is known in a simulation."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from model.scoring.intervals import (
    LEVEL,
    doubt_about,
    draw_speakers,
    percentile_interval,
    score_confusions,
    speaker_confusions,
    speaker_intervals,
    why_no_intervals,
)
from model.scoring.metrics import compute_metrics

LABELS = ["angry", "happy", "sad"]


def clips(
    num_speakers: int = 5, per_speaker: int = 8, seed: int = 0, num_classes: int = 3
) -> tuple[np.ndarray, ...]:
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


def test_the_fast_bootstrap_is_the_slow_one() -> None:
    """Each draw once more, by putting together the clips of the speakers in it."""
    truth, predicted, speakers = clips()
    names = sorted(set(speakers))
    slow = []
    for drawn in draw_speakers(len(names), draws=50):
        rows = np.concatenate(
            [np.flatnonzero(speakers == name) for name, n in zip(names, drawn, strict=True) for _ in range(n)]
        )
        slow.append(compute_metrics(truth[rows], predicted[rows], LABELS).uar)
    intervals = speaker_intervals(speaker_confusions(truth, predicted, speakers, 3), LABELS, draws=50)
    assert intervals.uar == pytest.approx(np.percentile(slow, [2.5, 97.5]))
    assert (intervals.speakers, intervals.draws, intervals.level) == (5, 50, 0.95)


def test_the_same_seed_gives_the_same_intervals_in_plain_types() -> None:
    confusion = speaker_confusions(*clips(), 3)
    plain = asdict(speaker_intervals(confusion, LABELS))
    assert plain == asdict(speaker_intervals(confusion, LABELS))
    assert json.loads(json.dumps(plain))["recall"].keys() == set(LABELS)


def test_a_class_absent_from_a_draw_is_left_out_of_it_and_one_absent_altogether_has_no_interval() -> None:
    """Only speaker 0 is ever angry, and always right; nobody is sad."""
    confusion = np.zeros((3, 3, 3), dtype=int)
    confusion[0, 0, 0] = 4
    confusion[:, 1, 2] = 4
    intervals = speaker_intervals(confusion, LABELS)
    assert intervals.recall == {"angry": (1.0, 1.0), "happy": (0.0, 0.0)}
    assert intervals.uar == (0.0, 0.5)  # without speaker 0, only the happy are averaged


def test_speakers_who_are_alike_leave_no_doubt() -> None:
    confusion = np.tile(np.array([[3, 1], [2, 2]]), (6, 1, 1))
    assert speaker_intervals(confusion, ["a", "b"]).uar == (0.625, 0.625)


def test_no_interval_is_explained() -> None:
    def told(*names: Any) -> str:
        return why_no_intervals(np.array(names, dtype=object))

    assert told("a", "b") == ""
    assert "all test clips are of one speaker (anna)" in told("anna", "anna")
    assert "1 of 3 test clips name no speaker" in told("a", "b", "")
    assert "only 4 test speakers" in doubt_about(4)
    assert doubt_about(24) == ""
    with pytest.raises(ValueError, match="at least two"):
        speaker_intervals(np.ones((1, 2, 2), dtype=int), ["a", "b"])


def simulated(
    rng: np.random.Generator,
    num_speakers: int,
    num_classes: int = 4,
    clips_per_class: int = 15,
    spread: float = 0.7,
) -> np.ndarray:
    """Confusion matrices of speakers who differ: recall is expit(0.3 + a normal number of each speaker's own)."""
    recall = expit(0.3 + rng.normal(0, spread, (num_speakers, 1)))
    hits = rng.binomial(clips_per_class, recall, (num_speakers, num_classes))
    confusion = np.zeros((num_speakers, num_classes, num_classes), dtype=int)
    k = np.arange(num_classes)
    confusion[:, k, k], confusion[:, k, (k + 1) % num_classes] = hits, clips_per_class - hits
    return confusion


def coverage(num_speakers: int, worlds: int = 300) -> float:
    """How often a 95 % interval holds the UAR over all the speakers that there could be."""
    rng = np.random.default_rng(0)
    truth = expit(0.3 + rng.normal(0, 0.7, 1_000_000)).mean()
    weights = draw_speakers(num_speakers, draws=500)
    inside = 0
    for _ in range(worlds):
        drawn = score_confusions(np.tensordot(weights, simulated(rng, num_speakers), axes=1)).uar
        low, high = percentile_interval(drawn)
        inside += low <= truth <= high
    return inside / worlds


def test_intervals_cover_the_truth_at_about_their_rate() -> None:
    assert coverage(30) == pytest.approx(LEVEL, abs=0.045)


def test_intervals_of_few_speakers_are_too_narrow_as_their_note_says() -> None:
    assert coverage(4) < 0.88


@given(seed=st.integers(0, 10_000), level=st.floats(0.5, 0.99))
def test_an_interval_holds_the_median_of_its_draws_and_grows_with_its_level(seed: int, level: float) -> None:
    values = np.random.default_rng(seed).normal(size=50)
    low, high = percentile_interval(np.append(values, np.nan), level)
    wider = percentile_interval(values, (1 + level) / 2)
    assert values.min() <= wider[0] <= low <= np.median(values) <= high <= wider[1] <= values.max()


@given(seed=st.integers(0, 10_000), times=st.integers(2, 5), label=st.integers(0, 2))
def test_uar_does_not_depend_on_how_many_clips_a_class_has(seed: int, times: int, label: int) -> None:
    confusion = speaker_confusions(*clips(seed=seed), 3).sum(axis=0)
    more = confusion.copy()
    more[label] *= times
    assert score_confusions(more).uar == pytest.approx(score_confusions(confusion).uar)
