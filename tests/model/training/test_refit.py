"""Refit: the network of a plain loop over both splits, for as many epochs as validation chose, and its temperature."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from model.batches import Features, make_batch
from model.checkpoint import load_checkpoint
from model.network.tier1 import NetworkParams, build_network
from model.standardisation import measure, standardise_groups, statistics_of
from model.training.fit import TrainParams, fit
from model.training.refit import join
from model.training.trainer import Trainer

PARAMS = TrainParams(epochs=3, validate_every=1, batch_size=8, lr=1e-2, warmup_epochs=1)
REFIT = PARAMS.model_copy(update={"refit": True})


@pytest.fixture
def splits(toy_features: Callable[..., Features]) -> tuple[Features, Features]:
    train, val = toy_features(48, seed=1), toy_features(15, seed=2)
    for number, features in enumerate((train, val)):
        speakers = [f"{number}{clip % 3}" for clip in range(len(features))]
        features.columns["speaker"] = np.array(speakers, dtype=object)
    return train, val


def stacked(train: Features, val: Features) -> Features:
    """Both splits in plain lists."""
    columns = {name: np.concatenate([train.columns[name], val.columns[name]]) for name in train.columns}
    views = {view: [*clips, *val.views[view]] for view, clips in train.views.items()}
    return Features(views, np.concatenate([train.labels, val.labels]), columns)


def test_joined_splits_are_one_split(splits: tuple[Features, Features]) -> None:
    one, other = join(*splits), stacked(*splits)
    assert list(one.columns["clip_id"]) == list(other.columns["clip_id"])
    index = np.array([60, 0, 47, 48, 62])
    first, second = make_batch(one, index), make_batch(other, index)
    torch.testing.assert_close(first.frames, second.frames, rtol=0, atol=0)
    assert first.labels.tolist() == second.labels.tolist()
    clips = one.views["mfcc"]
    np.testing.assert_array_equal(clips[-1], splits[1].views["mfcc"][14])
    assert len(list(clips)) == len(clips) == 63


def test_only_columns_of_both_splits_are_joined(splits: tuple[Features, Features]) -> None:
    splits[0].columns["voice"] = np.full(48, "", dtype=object)
    assert set(join(*splits).columns) == {"clip_id", "speaker"}


@pytest.mark.parametrize("normalisation", ["global", "speaker"])
def test_refit_is_a_run_on_both_splits(
    splits: tuple[Features, Features], toy_params: NetworkParams, tmp_path: Path, normalisation: str
) -> None:
    params = toy_params.model_copy(update={"normalisation": normalisation})
    chosen = fit(build_network(4, 3, params, 0), *splits, PARAMS, tmp_path / "chosen")
    network = build_network(4, 3, params, 0)
    result = fit(network, *splits, REFIT, tmp_path / "refit")
    assert (result.best_epoch, result.best_uar) == (chosen.best_epoch, chosen.best_uar)

    reference = build_network(4, 3, params, 0)
    both = stacked(*splits)
    measured = measure(both, reference)
    if normalisation == "speaker":
        both = standardise_groups(both, measured, "speaker")
    trainer = Trainer(reference, both, REFIT, torch.device("cpu"))
    trainer.start(statistics_of(measured))
    for epoch in range(1, chosen.best_epoch + 1):
        trainer.run_epoch(epoch)
    expected = trainer.scored.state_dict()
    expected["temperature"] = torch.tensor(chosen.temperature)
    torch.testing.assert_close(network.state_dict(), expected, rtol=0, atol=0)
    written, args = load_checkpoint(result.best_path)
    torch.testing.assert_close(written.state_dict(), expected, rtol=0, atol=0)
    assert args["val_uar"] == chosen.best_uar


def test_a_run_that_was_interrupted_is_refitted_to_the_same_weights(
    splits: tuple[Features, Features], toy_params: NetworkParams, tmp_path: Path
) -> None:
    whole = build_network(4, 3, toy_params, 0)
    fit(whole, *splits, REFIT, tmp_path / "whole")
    resumed = build_network(4, 3, toy_params, 0)
    fit(
        resumed, *splits, REFIT, tmp_path / "whole", resume=True
    )  # last.pt is of the last epoch before the refit
    torch.testing.assert_close(resumed.state_dict(), whole.state_dict(), rtol=0, atol=0)
