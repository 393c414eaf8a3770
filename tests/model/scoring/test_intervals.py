"""The jackknife over speakers equals a slow one, and has its coverage in simulations."""

import itertools
import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit

from model.scoring.confusions import leave_each_out, score_confusions, speaker_confusions
from model.scoring.intervals import (
    LEVEL,
    doubts_about,
    score_interval,
    speaker_intervals,
    why_no_intervals,
)
from model.scoring.metrics import compute_metrics
from tests.model.scoring.test_confusions import LABELS, clips


def slow_interval(score: Any, without: Any) -> Any:
    """The formulas once more, as they stand in the literature."""
    n = len(without)
    mean = sum(without) / n
    error = ((n - 1) / n * sum((one - mean) ** 2 for one in without)) ** 0.5
    reach = stats.t(n - 1).ppf(0.975) * error / (score * (1 - score))
    centre = np.log(score / (1 - score))
    return [1 / (1 + np.exp(-(centre + sign * reach))) for sign in (-1, 1)]


def test_the_fast_jackknife_equals_the_slow_one() -> None:
    """Each speaker's clips are put aside in turn, and all scores computed anew."""
    truth, predicted, speakers = clips(num_speakers=6, per_speaker=11)
    rests = [speakers != name for name in sorted(set(speakers))]
    every = compute_metrics(truth, predicted, LABELS)
    without = [compute_metrics(truth[rest], predicted[rest], LABELS) for rest in rests]
    found = speaker_intervals(speaker_confusions(truth, predicted, speakers, 3), LABELS)
    for name in ("uar", "accuracy", "macro_f1"):
        slow = slow_interval(getattr(every, name), [getattr(one, name) for one in without])
        assert getattr(found, name) == pytest.approx(slow)
    for label in LABELS:
        slow = slow_interval(every.per_class[label].recall, [one.per_class[label].recall for one in without])
        assert found.recall[label] == pytest.approx(slow)
    assert (found.level, found.speakers, found.degrees_of_freedom) == (0.95, 6, 5)


def test_a_recall_counts_only_the_speakers_who_have_the_class() -> None:
    """Four of six speakers are sad: three degrees of freedom, and the others' clips change nothing."""
    truth, predicted, speakers = clips(num_speakers=6, per_speaker=11)
    keep = (truth != 2) | ~np.isin(speakers, ["s0", "s5"])
    sad = keep & (truth == 2)
    found = speaker_intervals(speaker_confusions(truth[keep], predicted[keep], speakers[keep], 3), LABELS)
    right = [predicted[sad & (speakers != name)] == 2 for name in ("s1", "s2", "s3", "s4")]
    slow = slow_interval((predicted[sad] == 2).mean(), [own.mean() for own in right])
    assert found.recall["sad"] == pytest.approx(slow)


def test_several_runs_have_the_interval_of_their_mean() -> None:
    truth, first, speakers = clips()
    runs = [first, clips(seed=1)[1]]
    confusions = np.stack([speaker_confusions(truth, run, speakers, 3) for run in runs])

    def mean_uar(rows: Any) -> Any:
        return np.mean([compute_metrics(truth[rows], run[rows], LABELS).uar for run in runs])

    without = [mean_uar(speakers != name) for name in sorted(set(speakers))]
    found = speaker_intervals(confusions, LABELS)
    assert found.uar == pytest.approx(slow_interval(mean_uar(np.full(len(truth), True)), without))
    assert speaker_intervals(confusions[[0, 0]], LABELS) == speaker_intervals(confusions[0], LABELS)


def test_intervals_are_plain_types() -> None:
    plain = asdict(speaker_intervals(speaker_confusions(*clips(), 3), LABELS))
    assert json.loads(json.dumps(plain))["recall"].keys() == set(LABELS)


@pytest.mark.parametrize("having", [1, 2])
def test_a_class_of_too_few_speakers_leaves_recall_and_averages_without_an_interval(having: int) -> None:
    """Without the only angry speaker the UAR would be of other classes; nobody at all is sad."""
    confusion = np.zeros((4, 3, 3), dtype=int)
    confusion[:having, 0, 0] = 4
    confusion[:, 1, 1], confusion[:, 1, 2] = [1, 2, 3, 3], [3, 2, 1, 1]
    found = speaker_intervals(confusion, LABELS)
    assert found.uar is found.macro_f1 is None
    assert found.recall.keys() == {"happy"}
    assert found.accuracy[0] < confusion[:, [0, 1], [0, 1]].sum() / confusion.sum() < found.accuracy[1]
    assert "angry" in doubts_about(confusion, LABELS)
    assert "sad" not in doubts_about(confusion, LABELS)


@pytest.mark.parametrize("speakers", [3, 24])
def test_a_perfect_score_is_not_certain(speakers: int) -> None:
    """n speakers without an error would be rarer than 2.5 % if the mean recall were below the interval."""
    confusion = np.tile(np.diag([2, 3]), (speakers, 1, 1))
    found = speaker_intervals(confusion, ["a", "b"])
    for ends in (found.uar, found.accuracy, found.macro_f1, found.recall["a"]):
        assert ends == (pytest.approx(0.025 ** (1 / speakers)), 1.0)
    nothing = speaker_intervals(confusion[..., ::-1], ["a", "b"])
    for ends in (nothing.uar, nothing.accuracy, nothing.macro_f1, nothing.recall["a"]):
        assert ends == (0.0, pytest.approx(1 - 0.025 ** (1 / speakers)))


def test_a_perfect_uar_is_as_certain_as_its_rarest_class() -> None:
    confusion = np.tile(np.diag([2, 3]), (8, 1, 1))
    confusion[3:, 0, 0] = 0
    found = speaker_intervals(confusion, ["a", "b"])
    assert found.uar == found.recall["a"] == (pytest.approx(0.025 ** (1 / 3)), 1.0)
    assert found.recall["b"] == (pytest.approx(0.025 ** (1 / 8)), 1.0)


def test_identical_speakers_count_as_one_clip_each() -> None:
    confusion = np.tile(np.array([[3, 1], [2, 2]]), (8, 1, 1))  # 5 of 8 are right
    exact = stats.binomtest(5, 8).proportion_ci(0.95, "exact")
    assert speaker_intervals(confusion, ["a", "b"]).uar == pytest.approx((exact.low, exact.high))


def test_no_interval_is_explained() -> None:
    def note_of(*names: str) -> Any:
        return why_no_intervals(np.array(names, dtype=object))

    assert note_of("a", "b", "c") == ""
    assert "all test clips are of one speaker (anna)" in note_of("anna", "anna")
    assert "of anna and bob, and an interval over speakers needs 3 speakers" in note_of("anna", "bob", "anna")
    assert "1 of 4 test clips names no speaker" in note_of("a", "b", "c", "")
    with pytest.raises(ValueError, match="at least 3"):
        speaker_intervals(np.ones((2, 2, 2), dtype=int), ["a", "b"])


def test_caveats_are_in_the_note() -> None:
    alike = np.ones((24, 2, 2), dtype=int)
    assert doubts_about(alike, ["a", "b"]) == ""
    assert doubts_about(alike[:4], ["a", "b"]) == "only 4 test speakers: the intervals are wide"
    alike[3] = 24
    assert doubts_about(alike, ["a", "b"]).startswith("one speaker has 51% of the test clips")


def simulated(rng: Any, worlds: Any, num_speakers: int, num_classes: int = 4, most_clips: Any = 20) -> Any:
    """Confusion matrices (worlds, S, K, K) of speakers who differ, and the true recalls (K,)."""

    def recalls(*shape: Any) -> Any:
        own = 0.3 * rng.normal(size=(*shape, 1)) + 0.5 * rng.normal(size=(*shape, num_classes))
        return expit(np.linspace(-0.6, 1.4, num_classes) + own)

    clips_each = rng.integers(2, most_clips + 1, (num_speakers, num_classes))
    hits = rng.binomial(clips_each, recalls(worlds, num_speakers))
    confusion = np.zeros((*hits.shape, num_classes), dtype=int)
    k = np.arange(num_classes)
    confusion[..., k, k], confusion[..., k, (k + 1) % num_classes] = hits, clips_each - hits
    return confusion, recalls(200_000).mean(axis=0)


@pytest.mark.parametrize("num_speakers", [3, 4, 6, 10, 24])
def test_intervals_have_their_coverage(num_speakers: int) -> None:
    confusion, truth = simulated(np.random.default_rng(num_speakers), 3000, num_speakers)
    every, without = score_confusions(confusion.sum(axis=1)), score_confusions(leave_each_out(confusion))
    low, high = score_interval(every.uar, without.uar)
    assert ((low <= truth.mean()) & (truth.mean() <= high)).mean() == pytest.approx(LEVEL, abs=0.02)
    low, high = score_interval(every.recall[:, 1], without.recall[:, :, 1])
    assert 0.92 < ((low <= truth[1]) & (truth[1] <= high)).mean() < 0.98


confusions = st.builds(
    lambda seed, n: np.random.default_rng(seed).integers(0, 4, (n, 3, 3)) + np.eye(3, dtype=int),
    seed=st.integers(0, 100_000),
    n=st.integers(3, 12),
)


@given(confusion=confusions, order=st.randoms(use_true_random=False))
def test_names_and_order_of_speakers_change_nothing(confusion: Any, order: Any) -> None:
    found = asdict(speaker_intervals(confusion, LABELS))
    shuffled = list(range(len(confusion)))
    order.shuffle(shuffled)
    again = asdict(speaker_intervals(confusion[shuffled], LABELS))
    for name in ("uar", "accuracy", "macro_f1"):
        assert again[name] == pytest.approx(found[name])
    assert again["recall"] == {label: pytest.approx(ends) for label, ends in found["recall"].items()}


@given(confusion=confusions)
def test_an_interval_contains_its_score_and_is_within_0_and_1(confusion: Any) -> None:
    found, scores = speaker_intervals(confusion, LABELS), score_confusions(confusion.sum(axis=0))
    pairs = [(getattr(found, name), getattr(scores, name)) for name in ("uar", "accuracy", "macro_f1")]
    pairs += [(found.recall[label], scores.recall[k]) for k, label in enumerate(LABELS)]
    for (low, high), score in pairs:
        assert 0 <= low <= score <= high <= 1
        assert low < high


@given(
    score=st.floats(0, 1),
    spread=st.lists(st.floats(-0.1, 0.1), min_size=3, max_size=8),
    levels=st.tuples(st.floats(0.5, 0.99), st.floats(0.5, 0.99)),
)
@example(score=2.2250738585e-313, spread=[0.0, 0.0, 0.0625], levels=(0.5, 0.5))
def test_a_higher_level_is_a_wider_interval(score: Any, spread: Any, levels: Any) -> None:
    without = np.clip(score + np.array(spread), 0, 1)
    if score in {0.0, 1.0}:
        without[:] = score
    ends = [score_interval(np.array(score), without, level) for level in sorted(levels)]
    for (low, high), (lower, higher) in itertools.pairwise(ends):
        assert -1e-9 <= lower <= low + 1e-9
        assert high - 1e-9 <= higher <= 1 + 1e-9
