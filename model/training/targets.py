"""What the network is to answer for each clip: its label, or the shares of its raters' votes.

Votes keep what a majority loses, that a clip sounds angry to two raters and sad to the third. Learning them is
cross-entropy with soft targets, whose gradient is that of the divergence KL(votes || prediction).

Where other options change targets as well, the order is: votes, then mixup of two clips, then label smoothing of the
mixture. Class weights and the balanced sampler count labels.
"""

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from model.batches import Features
from model.training.hyperparameters import Targets


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
    agreed = features.voted & (features.labels < features.votes.shape[1])
    return torch.where(torch.from_numpy(agreed)[:, None], votes, labels)
