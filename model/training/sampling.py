"""Sampling of the clips of an epoch, and their batches; both depend on the seed and the epoch only.

An epoch draws as many rows as the train split has original clips. Rows are drawn without replacement from originals and
augmented copies together, and the next epoch continues where the last one ended: after 1 + `augment.copies` epochs each
row has been drawn once. So the number of steps in an epoch does not depend on the number of copies.
"""

import numpy as np
from numpy.typing import NDArray

# Clips are sorted by length within pools of this many batches: large enough for little padding, small enough
# that the batches differ between epochs.
POOL_BATCHES = 16


def batch_order(
    num_frames: NDArray[np.int64],
    batch_size: int,
    seed: int,
    epoch: int,
    draws: int | None = None,
    labels: NDArray[np.int64] | None = None,
) -> list[NDArray[np.int64]]:
    """The batches of one training epoch, each an array of row indices; batch sizes differ by at most one.

    Args:
        num_frames: (num_rows,) lengths of originals and copies.
        batch_size: largest number of rows in a batch.
        seed: of the run.
        epoch: counted from 1.
        draws: rows in an epoch; None: all.
        labels: (num_rows,) classes, to draw each class equally often; None: each row equally often.
    """
    count = draws or len(num_frames)
    if labels is None:
        labels = np.zeros(len(num_frames), dtype=np.int64)
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(draw(labels, count, seed, epoch))
    num_batches = -(-count // batch_size)
    bounds = np.arange(num_batches + 1) * count // num_batches
    batches: list[NDArray[np.int64]] = []
    for first in range(0, num_batches, POOL_BATCHES):
        cuts = bounds[first : first + POOL_BATCHES + 1]
        members = order[cuts[0] : cuts[-1]]
        members = members[np.argsort(num_frames[members], kind="stable")]
        batches.extend(np.split(members, cuts[1:-1] - cuts[0]))
    return [batches[i] for i in rng.permutation(num_batches)]


def draw(labels: NDArray[np.int64], count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Row indices of one epoch, (count,), with each class equally often (± 1), both in the epoch and in the run so far.

    A run is a sequence of draws in which the classes alternate; each epoch takes the next `count` of them. Within a
    class the rows are permuted anew after each pass, so that they too are drawn equally often (± 1) at the end of each
    epoch. If all labels are equal, all rows are drawn equally often.
    """
    places = np.arange((epoch - 1) * count, epoch * count)
    classes = np.unique(labels)
    drawn = np.empty(count, dtype=np.int64)
    for turn, label in enumerate(classes.tolist()):
        members = np.flatnonzero(labels == label)
        mine = places % len(classes) == turn
        rounds, within = np.divmod(places[mine] // len(classes), len(members))
        clips = np.empty(len(rounds), dtype=np.int64)
        for number in np.unique(rounds).tolist():
            order = np.random.default_rng([seed, label, 1 + number]).permutation(members)
            clips[rounds == number] = order[within[rounds == number]]
        drawn[mine] = clips
    return drawn


def padding_waste(num_frames: NDArray[np.int64], batches: list[NDArray[np.int64]]) -> float:
    """Share of the frames of all batches that is padding."""
    padded = sum(len(batch) * int(num_frames[batch].max()) for batch in batches)
    return 1 - sum(int(num_frames[batch].sum()) for batch in batches) / padded
