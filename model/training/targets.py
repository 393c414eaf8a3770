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
        num_classes: K.
        kind: hard: all of a clip's share is its label's | soft: votes, and the label of a clip without any.
    """
    labels = F.one_hot(torch.from_numpy(features.labels), num_classes).float()
    if kind == "hard" or features.votes is None:
        return labels
    return torch.where(torch.from_numpy(features.voted)[:, None], torch.from_numpy(features.votes), labels)
