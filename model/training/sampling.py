"""Sampling of the clips of an epoch, and their batches; both depend on the seed and the epoch only.

An epoch draws as many rows as the train split has original clips. Rows are drawn without replacement from originals and
augmented copies together, and the next epoch continues where the last one ended: after 1 + `augment.copies` epochs each
row has been drawn once. So the number of steps in an epoch does not depend on the number of copies.
"""

import numpy as np
from numpy.typing import NDArray

from featurize.errors import TrainingError
from model.batches import Features
from model.training.hyperparameters import Sampler

# Clips are sorted by length within pools of this many batches: large enough for little padding, small enough
# that the batches differ between epochs.
POOL_BATCHES = 16


def sampling_groups(features: Features, sampler: Sampler) -> NDArray[np.int64] | None:
    """The groups (num_rows,) that are drawn equally often: classes or corpora; None: every row is.

    Raises:
        TrainingError: the corpus of a clip is not known.
    """
    if sampler == "shuffle":
        return None
    if sampler == "balanced":
        return features.labels
    if "corpus" not in features.columns:
        raise TrainingError(
            "train.sampler corpora needs the corpus of every clip; choose shuffle or balanced"
        )
    return np.unique(features.columns["corpus"].astype(str), return_inverse=True)[1].astype(np.int64)


def batch_order(
    num_frames: NDArray[np.int64],
    batch_size: int,
    seed: int,
    epoch: int,
    draws: int | None = None,
    groups: NDArray[np.int64] | None = None,
) -> list[NDArray[np.int64]]:
    """The batches of one training epoch, each an array of row indices; batch sizes differ by at most one.

    Args:
        num_frames: (num_rows,) lengths of originals and copies.
        batch_size: largest number of rows in a batch.
        seed: of the run.
        epoch: counted from 1.
        draws: rows in an epoch; None: all.
        groups: (num_rows,) from `sampling_groups`, to draw each group equally often; None: each row equally often.
    """
    count = draws or len(num_frames)
    if groups is None:
        groups = np.zeros(len(num_frames), dtype=np.int64)
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(draw(groups, count, seed, epoch))
    num_batches = -(-count // batch_size)
    bounds = np.arange(num_batches + 1) * count // num_batches
    batches: list[NDArray[np.int64]] = []
    for first in range(0, num_batches, POOL_BATCHES):
        cuts = bounds[first : first + POOL_BATCHES + 1]
        members = order[cuts[0] : cuts[-1]]
        members = members[np.argsort(num_frames[members], kind="stable")]
        batches.extend(np.split(members, cuts[1:-1] - cuts[0]))
    return [batches[i] for i in rng.permutation(num_batches)]


def draw(groups: NDArray[np.int64], count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Row indices of one epoch, (count,), with each group equally often (± 1), both in the epoch and in the run so far.

    A run is a sequence of draws in which the groups alternate; each epoch takes the next `count` of them. Within a
    group the rows are permuted anew after each pass, so that they too are drawn equally often (± 1) at the end of each
    epoch. If there is one group, all rows are drawn equally often.
    """
    places = np.arange((epoch - 1) * count, epoch * count)
    distinct = np.unique(groups)
    drawn = np.empty(count, dtype=np.int64)
    for turn, group in enumerate(distinct.tolist()):
        members = np.flatnonzero(groups == group)
        mine = places % len(distinct) == turn
        rounds, within = np.divmod(places[mine] // len(distinct), len(members))
        clips = np.empty(len(rounds), dtype=np.int64)
        for number in np.unique(rounds).tolist():
            order = np.random.default_rng([seed, group, 1 + number]).permutation(members)
            clips[rounds == number] = order[within[rounds == number]]
        drawn[mine] = clips
    return drawn


def padding_waste(num_frames: NDArray[np.int64], batches: list[NDArray[np.int64]]) -> float:
    """Share of the frames of all batches that is padding."""
    padded = sum(len(batch) * int(num_frames[batch].max()) for batch in batches)
    return 1 - sum(int(num_frames[batch].sum()) for batch in batches) / padded
