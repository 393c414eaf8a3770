"""The order of clips in an epoch is bucketed by length or balanced by class, and depends on seed and epoch only."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurize.errors import TrainingError
from model.batches import Features
from model.training.sampling import batch_order, draw, padding_waste, sampling_groups

NUM_FRAMES = st.lists(st.integers(1, 300), min_size=1, max_size=200)


@given(NUM_FRAMES, st.integers(1, 20), st.integers(0, 2**40), st.integers(1, 100))
def test_every_clip_is_in_exactly_one_batch_of_an_epoch(
    num_frames: list[int], batch_size: int, seed: int, epoch: int
) -> None:
    batches = batch_order(np.array(num_frames), batch_size, seed, epoch)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(num_frames)))
    assert all(1 <= len(batch) <= batch_size for batch in batches)
    # the number of steps is known beforehand, and no batch is much smaller than the others
    assert len(batches) == -(-len(num_frames) // batch_size)
    assert max(map(len, batches)) - min(map(len, batches)) <= 1


def test_order_repeats_for_a_seed_and_epoch_and_differs_between_them() -> None:
    num_frames = np.arange(1, 101)

    def order(seed: int, epoch: int) -> list[list[int]]:
        return [batch.tolist() for batch in batch_order(num_frames, 8, seed, epoch)]

    assert order(1, 1) == order(1, 1)
    assert order(1, 1) != order(1, 2)
    assert order(1, 1) != order(2, 1)


def test_batches_hold_clips_of_similar_length() -> None:
    num_frames = np.random.default_rng(0).integers(50, 500, 1000)
    batches = batch_order(num_frames, 16, seed=0, epoch=1)
    assert padding_waste(num_frames, batches) < 0.06
    at_random = np.array_split(np.random.default_rng(1).permutation(1000), len(batches))
    assert padding_waste(num_frames, at_random) > 0.3
    assert padding_waste(np.array([2, 4, 3]), [np.array([0, 1]), np.array([2])]) == pytest.approx(2 / 11)


@given(st.integers(1, 60), st.integers(0, 8), st.integers(1, 20), st.integers(0, 2**40))
def test_originals_and_copies_are_drawn_once_each_over_as_many_epochs_as_there_are_versions(
    originals: int, copies: int, batch_size: int, seed: int
) -> None:
    num_frames = np.arange(1, 1 + originals * (1 + copies))
    for first in (1, 2 + copies):  # two times over
        epochs = [
            batch_order(num_frames, batch_size, seed, epoch, originals)
            for epoch in range(first, first + 1 + copies)
        ]
        assert {len(batches) for batches in epochs} == {-(-originals // batch_size)}
        rows = [np.concatenate(batches) for batches in epochs]
        assert {len(row) for row in rows} == {originals}
        assert sorted(np.concatenate(rows).tolist()) == list(range(len(num_frames)))


def test_the_second_pass_has_another_order() -> None:
    first, later = (set(draw(np.zeros(90, dtype=int), 30, 0, epoch)) for epoch in (1, 4))
    assert first != later


def slow_draws(labels: np.ndarray, count: int, seed: int, epochs: int) -> list[int]:
    """The draws of a run one after the other: the classes take turns, each gone through again and again."""
    waiting = {label: [] for label in np.unique(labels).tolist()}
    rounds = dict.fromkeys(waiting, 0)
    drawn = []
    while len(drawn) < count * epochs:
        label = sorted(waiting)[len(drawn) % len(waiting)]
        if not waiting[label]:
            rounds[label] += 1
            members = np.flatnonzero(labels == label)
            waiting[label] = np.random.default_rng([seed, label, rounds[label]]).permutation(members).tolist()
        drawn.append(waiting[label].pop(0))
    return drawn


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.integers(1, 50), st.integers(1, 5))
def test_classes_and_their_clips_are_drawn_equally_often(labels: list[int], count: int, epochs: int) -> None:
    labels = np.array(labels)
    drawn = [draw(labels, count, 3, epoch) for epoch in range(1, epochs + 1)]
    assert np.concatenate(drawn).tolist() == slow_draws(labels, count, 3, epochs)
    for rows in [*drawn, np.concatenate(drawn)]:
        per_class = np.bincount(labels[rows], minlength=5)[np.unique(labels)]
        assert per_class.max() - per_class.min() <= 1
    times = np.bincount(np.concatenate(drawn), minlength=len(labels))
    for label in np.unique(labels):
        assert np.ptp(times[labels == label]) <= 1


def test_balanced_batches_hold_each_class_equally_often() -> None:
    labels = np.array([0] * 90 + [1] * 10)
    batches = batch_order(np.arange(1, 101), 10, seed=0, epoch=1, groups=labels)
    assert np.bincount(labels[np.concatenate(batches)]).tolist() == [50, 50]


def test_the_sampler_names_the_groups_that_are_drawn_equally_often() -> None:
    corpora = np.array(["b", "a", "b", "b"], dtype=object)
    features = Features({"mfcc": []}, np.array([2, 0, 1, 2]), {"corpus": corpora})
    assert sampling_groups(features, "shuffle") is None
    balanced, by_corpus = (sampling_groups(features, name) for name in ("balanced", "corpora"))
    assert balanced is not None
    assert by_corpus is not None
    assert balanced.tolist() == [2, 0, 1, 2]
    assert by_corpus.tolist() == [1, 0, 1, 1]
    drawn = draw(by_corpus, 12, seed=0, epoch=1)
    assert np.bincount(drawn, minlength=4).tolist() == [2, 6, 2, 2]
    with pytest.raises(TrainingError, match="needs the corpus of every clip"):
        sampling_groups(Features({"mfcc": []}, features.labels), "corpora")
