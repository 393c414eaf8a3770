"""Soft targets are votes where there are any, in every part of training that targets go through."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from featurize.errors import TrainingError
from model.batches import Features
from model.checkpoint import load_checkpoint
from model.network.tier1 import NetworkParams, build_network
from model.training.fit import fit
from model.training.hyperparameters import SpecAugmentParams, TrainParams
from model.training.refit import join
from model.training.targets import learns_votes, make_targets

FAST = TrainParams(epochs=1, validate_every=1, batch_size=8, lr=1e-2, warmup_epochs=0, ema=0)
Make = Callable[..., Features]


def with_votes(features: Features, own: float = 1.0) -> Features:
    """Each clip has this share of its votes for its label, and the others for the next class."""
    votes = own * np.eye(3)[features.labels] + (1 - own) * np.eye(3)[(features.labels + 1) % 3]
    return replace(features, votes=votes.astype(np.float32))


def test_targets_are_votes_or_else_the_label(toy_features: Make) -> None:
    features = with_votes(toy_features(6, seed=1), 0.75)
    assert features.votes is not None
    features.votes[3] = np.nan
    hard, soft = (make_targets(features, 3, kind) for kind in ("hard", "soft"))  # type: ignore[arg-type]
    assert torch.equal(hard, torch.eye(3)[[0, 1, 2, 0, 1, 2]])
    assert soft[1].tolist() == [0, 0.75, 0.25]
    assert soft[3].tolist() == [1, 0, 0]
    assert torch.equal(make_targets(replace(features, votes=None), 3, "soft"), hard)


@pytest.mark.parametrize(
    "options",
    [{}, {"mixup": 0.4}, {"class_weights": "effective"}, {"refit": True}, {"label_smoothing": 0.0}],
    ids=str,
)
def test_unanimous_votes_are_hard_labels_and_others_are_not(
    toy_features: Make, toy_params: NetworkParams, tmp_path: Path, options: dict[str, object]
) -> None:
    def trained(kind: str, own: float) -> torch.Tensor:
        network = build_network(4, 3, toy_params, 0)
        train, val = (with_votes(toy_features(n, seed=n), own) for n in (24, 9))
        fit(network, train, val, FAST.model_copy(update={**options, "targets": kind}), tmp_path)
        return network.head.weight

    hard = trained("hard", 0.6)
    assert torch.equal(trained("soft", 1.0), hard)
    assert not torch.equal(trained("soft", 0.6), hard)


def test_a_network_learns_the_shares(toy_features: Make, toy_params: NetworkParams, tmp_path: Path) -> None:
    network = build_network(4, 3, toy_params.model_copy(update={"temperature": False}), 0)
    train, val = (with_votes(toy_features(n, seed=n), 0.7) for n in (96, 30))
    spec_augment = SpecAugmentParams(time_masks=0, freq_masks=0)
    options = {
        "epochs": 20,
        "lr": 2e-2,
        "targets": "soft",
        "label_smoothing": 0.0,
        "spec_augment": spec_augment,
    }
    fit(network, train, val, FAST.model_copy(update=options), tmp_path)
    probs = torch.stack([network(torch.from_numpy(clip.T)[None])["probs"][0] for clip in train.views["mfcc"]])
    own = probs[torch.arange(96), torch.from_numpy(train.labels)]
    assert float(own.mean().detach()) == pytest.approx(0.7, abs=0.1)


def test_no_votes_at_all_are_one_line(toy_features: Make, toy_params: NetworkParams, tmp_path: Path) -> None:
    network, train = build_network(4, 3, toy_params, 0), toy_features(24, seed=1)
    silent = replace(train, votes=np.full((24, 3), np.nan, np.float32))
    for features in (train, silent):
        with pytest.raises(TrainingError, match=r"train\.targets soft: no train clip has votes"):
            fit(network, features, train, FAST.model_copy(update={"targets": "soft"}), tmp_path)


def test_joined_splits_have_the_votes_of_both(toy_features: Make) -> None:
    train, val = with_votes(toy_features(6, seed=1), 0.75), with_votes(toy_features(3, seed=2), 0.5)
    both = join(train, val).votes
    assert both is not None
    assert both[[0, 6]].tolist() == [[0.75, 0.25, 0], [0.5, 0.5, 0]]


def test_clips_without_agreement_have_a_class_of_their_own(toy_features: Make) -> None:
    features = with_votes(toy_features(4, seed=1), 0.75)
    undecided = replace(features, labels=np.array([0, 3, 2, 3]))
    assert learns_votes(undecided).tolist() == [True, False, True, False]
    assert make_targets(undecided, 4, "soft").tolist() == [
        [0.75, 0.25, 0, 0],
        [0, 0, 0, 1],
        [0.25, 0, 0.75, 0],
        [0, 0, 0, 1],
    ]


@pytest.mark.parametrize(
    "options", [{}, {"class_weights": "balanced", "sampler": "balanced", "mixup": 0.3}], ids=str
)
def test_no_agreement_is_trained_and_never_predicted(
    toy_features: Make, toy_params: NetworkParams, tmp_path: Path, options: dict[str, object]
) -> None:
    """The fourth class of the train split is none of the three that validation and prediction know."""
    train, val = toy_features(48, seed=1, num_classes=4), toy_features(12, seed=2)
    network = build_network(4, 3, toy_params, 0, no_agreement=True)
    before = network.head.weight.detach().clone()
    result = fit(network, train, val, FAST.model_copy(update=options), tmp_path)
    assert not torch.equal(network.head.weight[3], before[3])
    clips = torch.randn(5, 4, 9)
    output = network(clips)
    assert output["logits"].shape == output["probs"].shape == (5, 3)
    assert torch.equal(output["trained_logits"][:, :3], output["logits"])
    assert torch.allclose(output["probs"], torch.softmax(output["logits"], dim=1))
    found, args = load_checkpoint(result.best_path)
    assert (found.num_classes, found.num_trained, args["no_agreement"]) == (3, 4, True)
    assert torch.equal(found(clips)["logits"], output["logits"])
    with pytest.raises(TrainingError, match="the train split has a class outside the network's 3"):
        fit(build_network(4, 3, toy_params, 0), train, val, FAST, tmp_path)
    with pytest.raises(TrainingError, match="the val split has a class outside the network's 3"):
        fit(network, train, train, FAST, tmp_path)
