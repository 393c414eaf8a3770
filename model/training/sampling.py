"""Which clips form which batch of an epoch: similar lengths together, by the seed and the epoch alone."""

import numpy as np
from numpy.typing import NDArray

# Shuffled clips are sorted by length within pools of this many batches: enough for little padding, few enough
# that a clip meets other neighbours in each epoch.
POOL_BATCHES = 16


def batch_order(
    num_frames: NDArray[np.int64],
    batch_size: int,
    seed: int,
    epoch: int,
    labels: NDArray[np.int64] | None = None,
) -> list[NDArray[np.int64]]:
    """The batches of one epoch of training, each the places of its clips; sizes differ by one at most.

    Args:
        num_frames: (num_clips,) lengths.
        batch_size: most clips in a batch.
        seed: of the run.
        epoch: each has its own order.
        labels: (num_clips,) classes, to draw each class equally often; None: every clip once.
    """
    rng = np.random.default_rng([seed, epoch])
    count = len(num_frames)
    order = rng.permutation(count) if labels is None else balanced_order(labels, rng)
    num_batches = -(-count // batch_size)
    bounds = np.arange(num_batches + 1) * count // num_batches
    batches: list[NDArray[np.int64]] = []
    for first in range(0, num_batches, POOL_BATCHES):
        cuts = bounds[first : first + POOL_BATCHES + 1]
        members = order[cuts[0] : cuts[-1]]
        members = members[np.argsort(num_frames[members], kind="stable")]
        batches.extend(np.split(members, cuts[1:-1] - cuts[0]))
    return [batches[i] for i in rng.permutation(num_batches)]


def balanced_order(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """As many clips as there are labels (num_clips,), each class equally often (± 1), in random order.

    A class is gone through again and again, each time in a new order: its clips too are drawn equally often (± 1).
    """
    classes = rng.permutation(np.unique(labels))
    drawn = []
    for place, label in enumerate(classes):
        members = np.flatnonzero(labels == label)
        quota = len(labels) // len(classes) + (place < len(labels) % len(classes))
        rounds = -(-quota // len(members))
        drawn.append(np.concatenate([rng.permutation(members) for _ in range(rounds)])[:quota])
    return rng.permutation(np.concatenate(drawn))


def padding_waste(num_frames: NDArray[np.int64], batches: list[NDArray[np.int64]]) -> float:
    """Share of the frames of all batches that is padding."""
    padded = sum(len(batch) * int(num_frames[batch].max()) for batch in batches)
    return 1 - sum(int(num_frames[batch].sum()) for batch in batches) / padded
