"""What an epoch is, and which clips form which batch of it: similar lengths together, by the seed and the epoch alone.

An epoch is as many draws as the train split has original clips. They are drawn without replacement from originals and
augmented copies together, and the next epoch goes on where the last one ended: after 1 + `augment.copies` epochs every
row has been drawn once. So a number of epochs means the same number of steps, whatever the number of copies.
"""

import numpy as np
from numpy.typing import NDArray

# Drawn clips are sorted by length within pools of this many batches: enough for little padding, few enough
# that a clip meets other neighbours in each epoch.
POOL_BATCHES = 16


def batch_order(
    num_frames: NDArray[np.int64],
    batch_size: int,
    seed: int,
    epoch: int,
    draws: int | None = None,
    labels: NDArray[np.int64] | None = None,
) -> list[NDArray[np.int64]]:
    """The batches of one epoch of training, each the places of its clips; sizes differ by one at most.

    Args:
        num_frames: (num_clips,) lengths, copies among them.
        batch_size: most clips in a batch.
        seed: of the run.
        epoch: counted from 1.
        draws: clips in an epoch; None: as many as there are.
        labels: (num_clips,) classes, to draw each class equally often; None: every clip equally often.
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
    """The clips of one epoch, (count,): of each class equally often (± 1), over the whole run as within an epoch.

    A run is one long row of draws in which the classes take turns; an epoch is `count` of them. A class is gone
    through again and again, each time in a new order, so that its clips too are drawn equally often (± 1) by the end
    of any epoch. With one label for all, that is every clip equally often.
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
