"""Checks before the first epoch, so that an unusable input stops a run at once and not after an hour."""

import numpy as np

from featurize.errors import TrainingError, counted
from model.batches import Features
from model.network.tier1 import SERTier1
from model.training.hyperparameters import TrainParams
from model.training.targets import learns_votes


def check_features(features: Features, split: str, network: SERTier1) -> None:
    """Check that a network can be trained on the features.

    `measure` checks their frames.

    Raises:
        TrainingError: no clips, a label outside the classes; in the train split also: only one class.
    """
    if len(features) == 0:
        raise TrainingError(f"the {split} split is empty; choose another fold or label set")
    num_classes = network.num_trained if split == "train" else network.num_classes
    if features.labels.min() < 0 or features.labels.max() >= num_classes:
        raise TrainingError(f"the {split} split has a class outside the network's {num_classes}")
    if split == "train" and len(np.unique(features.labels)) < 2:
        raise TrainingError("the train split has only one class; choose another fold or label set")


def check_sizes(train: Features, params: TrainParams, num_processes: int, affect: bool) -> None:
    """Check the batch size, and that clips have what is to be trained beside the label: affect, or votes.

    Raises:
        TrainingError: a batch larger than the split, fewer clips in a batch than processes, or affect or votes
            to be trained without a clip that has any.
    """
    draws = int(train.original.sum())
    if params.batch_size > draws:
        raise TrainingError(
            f"train.batch_size {params.batch_size} is larger than the train split of {counted(draws, 'clip')}; "
            f"set it to {draws} or less"
        )
    num_batches = -(-draws // params.batch_size)
    if draws // num_batches < num_processes:
        raise TrainingError(
            f"train.batch_size {params.batch_size} leaves some of {num_processes} processes without a clip; "
            "make it larger, or start fewer processes"
        )
    if params.targets == "soft" and not learns_votes(train).any():
        raise TrainingError(
            "train.targets soft: no train clip has votes of raters for a class; add the column votes, or set it to hard"
        )
    if affect and not np.isfinite(train.affect).any():
        raise TrainingError(
            "train.affect_weight: no train clip has valence, arousal or dominance; add the columns, or set it to 0"
        )
