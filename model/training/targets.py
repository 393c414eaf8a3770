"""What the network is to answer for each clip: its label, or the shares of its raters' votes.

Votes keep what a majority loses, that a clip sounds angry to two raters and sad to the third. Learning them is
cross-entropy with soft targets, whose gradient is that of the divergence KL(votes || prediction).

Where other options change targets as well, the order is: votes, then mixup of two clips, then label smoothing of the
mixture. Class weights and the balanced sampler count labels.
"""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from numpy.typing import NDArray
from torch import Tensor

from model.batches import Features
from model.training.hyperparameters import Targets


def learns_votes(features: Features) -> NDArray[np.bool_]:
    """Which clips have votes as their soft target, (num_clips,): those that have any, and are of a class."""
    if features.votes is None:
        return np.full(len(features), False)
    known = np.isfinite(features.votes).all(axis=1)
    return np.asarray(known & (features.labels < features.votes.shape[1]), dtype=np.bool_)


def make_targets(features: Features, num_classes: int, kind: Targets) -> Tensor:
    """Targets (num_clips, K), rows that sum to 1.

    Args:
        features: of the train split.
        num_classes: K, which includes the class of clips without agreement, if that is trained.
        kind: hard: all of a clip's share is its label's | soft: votes, and the label of a clip without any, or without
            agreement: that is a class because its votes are not to be learnt as others are.
    """
    labels = F.one_hot(torch.from_numpy(features.labels), num_classes).float()
    if kind == "hard" or features.votes is None:
        return labels
    votes = torch.from_numpy(features.votes)
    votes = F.pad(votes, (0, num_classes - votes.shape[1]))
    return torch.where(torch.from_numpy(learns_votes(features))[:, None], votes, labels)
