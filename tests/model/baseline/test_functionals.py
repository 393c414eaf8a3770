"""Functionals equal a loop over values and frames, and speakers are centred on their own clips."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from featurize.errors import TrainingError
from model.baseline.functionals import (
    PERCENTILES,
    Examples,
    Functional,
    centre_groups,
    functionals,
    make_examples,
)
from model.batches import Features

ALL: tuple[Functional, ...] = ("mean", "std", "percentiles", "slope")
CLIP = arrays(
    np.float32,
    st.tuples(st.integers(1, 9), st.integers(1, 3)),
    elements=st.floats(-1000, 1000, width=32),
)


def percentile(values: list[float], share: int) -> float:
    place = share / 100 * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return sorted(values)[low] + (place - low) * (sorted(values)[high] - sorted(values)[low])


def slope(values: list[float]) -> float:
    return statistics.linear_regression(range(len(values)), values).slope if len(values) > 1 else 0.0


@given(CLIP)
def test_functionals_are_those_of_a_loop(frames: NDArray[np.float32]) -> None:
    found = functionals(frames, ALL)
    assert found.shape == (8, frames.shape[1])
    for column, values in enumerate(frames.T.astype(float).tolist()):
        expected = [
            statistics.fmean(values),
            statistics.pstdev(values),
            *(percentile(values, share) for share in PERCENTILES),
            slope(values),
        ]
        assert found[:, column].tolist() == pytest.approx(expected, rel=1e-6, abs=1e-3)


@given(CLIP)
def test_a_clip_of_one_frame_is_that_frame(frames: NDArray[np.float32]) -> None:
    mean, std, *percentiles, slope = functionals(frames[:1], ALL)
    for same in (mean, *percentiles):
        assert same.tolist() == frames[0].tolist()
    assert std.tolist() == slope.tolist() == [0] * frames.shape[1]


def made_up(*clips: NDArray[np.float32], augmented: tuple[str, ...] = ()) -> Features:
    columns = {"clip_id": np.array([f"c{k}" for k in range(len(clips))], dtype=object)}
    if augmented:
        columns["augmentation"] = np.array(augmented, dtype=object)
    return Features({"encoder": list(clips)}, np.arange(len(clips)), columns)


def test_each_hidden_state_has_its_own_functionals() -> None:
    clip = np.random.default_rng(0).normal(size=(5, 3, 4)).astype(np.float32)  # (T, L, D)
    examples = make_examples(made_up(clip.reshape(5, 12)), "train", "encoder", ("mean", "std"), num_states=3)
    assert examples.values.shape == (1, 3, 8)
    for state in range(3):
        expected = [*clip[:, state].mean(axis=0), *clip[:, state].std(axis=0)]
        assert examples.values[0, state].tolist() == pytest.approx(expected, abs=1e-6)


def test_copies_are_left_out() -> None:
    clip = np.ones((2, 3), np.float32)
    features = made_up(clip, 5 * clip, 7 * clip, augmented=("", "noise", ""))
    examples = make_examples(features, "train", "encoder", ("mean",))
    assert examples.labels.tolist() == [0, 2]
    assert examples.values[:, 0, 0].tolist() == [1, 7]


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (
            np.zeros((0, 3), np.float32),
            r"c1: features of shape \(0, 3\), not \(frames, 3\); run encode again",
        ),
        (np.zeros((2, 4), np.float32), r"c1: features of shape \(2, 4\)"),
        (np.full((2, 3), np.nan, np.float32), "c1: features hold NaN or infinite values; run encode again"),
    ],
)
def test_clips_that_cannot_be_used_are_named(clip: NDArray[np.float32], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        make_examples(made_up(np.ones((2, 3), np.float32), clip), "train", "encoder", ("mean", "std"))


def test_an_empty_split_is_an_error() -> None:
    with pytest.raises(TrainingError, match="the val split is empty"):
        make_examples(made_up(), "val", "encoder", ("mean",))


def test_speakers_are_centred_on_the_mean_of_their_clips() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(5, 2, (6, 2, 3)).astype(np.float32)
    speakers = np.array(["a", "b", "a", "b", "b", "a"], dtype=object)
    examples = Examples(values.copy(), np.arange(6))
    found = centre_groups(examples, speakers, "speaker")
    for row in range(6):
        own = np.mean([values[k] for k in range(6) if speakers[k] == speakers[row]], axis=0)
        np.testing.assert_allclose(found.values[row], values[row] - own, atol=1e-6)
    np.testing.assert_array_equal(examples.values, values)
    # What one speaker's voice adds to all clips is gone.
    moved = centre_groups(
        Examples(values + 10 * (speakers == "a")[:, None, None], np.arange(6)), speakers, "speaker"
    )
    np.testing.assert_allclose(moved.values, found.values, atol=1e-5)
    with pytest.raises(TrainingError, match="needs the speaker of every clip"):
        centre_groups(examples, np.array(["a", "", "a", "b", "b", "a"], dtype=object), "speaker")
