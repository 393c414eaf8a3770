"""The order of clips in an epoch: bucketed by length, or balanced by class, by seed and epoch alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.training.sampling import balanced_order, batch_order, padding_waste

NUM_FRAMES = st.lists(st.integers(1, 300), min_size=1, max_size=200)


@given(NUM_FRAMES, st.integers(1, 20), st.integers(0, 2**40), st.integers(0, 100))
def test_every_clip_is_in_exactly_one_batch_of_an_epoch(num_frames, batch_size, seed, epoch):
    batches = batch_order(np.array(num_frames), batch_size, seed, epoch)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(num_frames)))
    assert all(1 <= len(batch) <= batch_size for batch in batches)
    # the number of steps is known beforehand, and no batch is much smaller than the others
    assert len(batches) == -(-len(num_frames) // batch_size)
    assert max(map(len, batches)) - min(map(len, batches)) <= 1


def test_order_repeats_for_a_seed_and_epoch_and_differs_between_them():
    num_frames = np.arange(1, 101)

    def order(seed, epoch):
        return [batch.tolist() for batch in batch_order(num_frames, 8, seed, epoch)]

    assert order(1, 1) == order(1, 1)
    assert order(1, 1) != order(1, 2)
    assert order(1, 1) != order(2, 1)


def test_batches_hold_clips_of_similar_length():
    num_frames = np.random.default_rng(0).integers(50, 500, 1000)
    batches = batch_order(num_frames, 16, seed=0, epoch=0)
    assert padding_waste(num_frames, batches) < 0.06
    at_random = np.array_split(np.random.default_rng(1).permutation(1000), len(batches))
    assert padding_waste(num_frames, at_random) > 0.3
    assert padding_waste(np.array([2, 4, 3]), [np.array([0, 1]), np.array([2])]) == pytest.approx(2 / 11)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=80), st.integers(0, 100))
def test_the_balanced_sampler_draws_classes_and_their_clips_equally_often(labels, seed):
    labels = np.array(labels)
    order = balanced_order(labels, np.random.default_rng(seed))
    assert len(order) == len(labels)
    per_class = np.bincount(labels[order])[np.unique(labels)]
    assert per_class.max() - per_class.min() <= 1
    for label in np.unique(labels):
        times = np.bincount(order, minlength=len(labels))[labels == label]
        assert times.max() - times.min() <= 1


def test_balanced_batches_hold_each_class_equally_often():
    labels = np.array([0] * 90 + [1] * 10)
    batches = batch_order(np.arange(1, 101), 10, seed=0, epoch=1, labels=labels)
    assert np.bincount(labels[np.concatenate(batches)]).tolist() == [50, 50]
