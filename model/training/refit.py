"""Training once more on the train and the validation split together, for the number of epochs that validation chose.

The speakers of the validation split are a fifth of those that a fold has for training: too many to be left out of the
final network, where speakers are few. As nothing is left to measure an epoch by, their number is that of the best
epoch, of the same schedule.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from model.batches import Features
from model.moments import Statistics
from model.network.tier1 import SERTier1
from model.training.hyperparameters import TrainParams
from model.training.trainer import Trainer
from model.views import JoinedClips, View


def refit(
    network: SERTier1,
    initial: Mapping[str, Tensor],
    train: Features,
    val: Features,
    statistics: Mapping[View, Statistics] | None,
    params: TrainParams,
    epochs: int,
    device: torch.device,
) -> None:
    """Train a network again from its initial weights on both splits; its temperature stays as it is.

    Args:
        network: on `device`, trained and calibrated.
        initial: its state before training.
        train: training clips, standardised where the network's normalisation is "speaker" or "corpus".
        val: validation clips, likewise.
        statistics: of both splits together, as `Trainer.start` has it.
        params: of training.
        epochs: to train for; an epoch draws as many clips as both splits have.
        device: where the network is.

    Raises:
        TrainingError: the loss is no longer finite.
    """
    temperature = network.temperature.clone()
    network.load_state_dict(initial)
    trainer = Trainer(network, join(train, val), params, device)
    trainer.start(statistics)
    for epoch in range(1, epochs + 1):
        trainer.run_epoch(epoch)
    network.load_state_dict(trainer.scored.state_dict())
    network.temperature.copy_(temperature)


def join(first: Features, second: Features) -> Features:
    """The clips of two splits, with the columns that both have."""
    views = {view: JoinedClips(clips, second.views[view]) for view, clips in first.views.items()}
    columns = {
        name: np.concatenate([values, second.columns[name]])
        for name, values in first.columns.items()
        if name in second.columns
    }
    votes = None
    if first.votes is not None and second.votes is not None:
        votes = np.concatenate([first.votes, second.votes])
    labels = np.concatenate([first.labels, second.labels])
    return Features(views, labels, columns, first.standardised, votes)
