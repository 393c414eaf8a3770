"""Training options change the weights, or are refused with a reason."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from featurize.errors import TrainingError
from model.affect import DIMENSIONS
from model.batches import Features
from model.network.tier1 import NetworkParams, SERTier1, build_network
from model.standardisation import measure, statistics_of
from model.training.fit import FitResult, fit
from model.training.hyperparameters import SpecAugmentParams, TrainParams
from model.training.trainer import Trainer
from tests.model.conftest import with_affect

OFF = SpecAugmentParams(time_masks=0, freq_masks=0)
FAST = TrainParams(
    epochs=1, validate_every=1, batch_size=8, lr=1e-2, warmup_epochs=0, ema=0, spec_augment=OFF
)


@pytest.fixture
def run(
    tmp_path: Path, toy_params: NetworkParams, toy_features: Callable[..., Features]
) -> Callable[..., Any]:
    def go(
        params: TrainParams = FAST,
        train: Features | None = None,
        val: Features | None = None,
        affect: bool = False,
    ) -> tuple[SERTier1, FitResult]:
        network = build_network(4, 3, toy_params.model_copy(update={"affect": affect}), 0)
        train = toy_features(24, seed=1) if train is None else train
        val = toy_features(9, seed=2) if val is None else val
        return network, fit(network, train, val, params, tmp_path)

    return go


def test_each_option_changes_what_is_learnt(
    run: Callable[..., Any], toy_features: Callable[..., Features]
) -> None:
    keep = np.flatnonzero((toy_features(36, seed=1).labels != 2) | (np.arange(36) < 12))
    whole = toy_features(36, seed=1)
    skewed = Features({"mfcc": [whole.views["mfcc"][i] for i in keep]}, whole.labels[keep])
    plain = run(train=skewed)[0].head.weight
    for option in (
        {"class_weights": "effective"},
        {"sampler": "balanced"},
        {"mixup": 0.4},
        {"ema": 0.5},
        {"spec_augment": SpecAugmentParams(freq_masks=1, freq_width=2)},
    ):
        other = run(FAST.model_copy(update=option), train=skewed)[0].head.weight
        assert not torch.equal(plain, other), option


@pytest.mark.parametrize("kind", ["smooth-l1", "ccc"])
def test_affect_is_learnt_beside_the_emotion(
    run: Callable[..., Any], toy_features: Callable[..., Features], kind: str
) -> None:
    options = {"epochs": 8, "lr": 2e-2, "affect_weight": 2.0, "affect_loss": kind, "patience": 0}
    params = FAST.model_copy(update=options)
    train, val = with_affect(toy_features(96, seed=1)), with_affect(toy_features(30, seed=2))
    network, result = run(params, train, val, affect=True)
    assert result.history[-1].val_ccc_valence > 0.6
    assert result.history[-1].val_ccc_arousal > 0.6
    assert result.history[-1].val_ccc_dominance > 0.6
    assert network.dimensions == [*DIMENSIONS]
    known = train.affect[~np.isnan(train.affect[:, 0]), 0]
    assert float(network.affect_mean[0]) == pytest.approx(known.mean(), rel=1e-5)
    assert run(train=train, val=val)[1].history[0].val_ccc_valence is None


def test_impossible_sizes_are_refused_in_one_line(run: Callable[..., Any]) -> None:
    with pytest.raises(TrainingError, match=r"batch_size 25 is larger than the train split of 24 clips"):
        run(FAST.model_copy(update={"batch_size": 25}))
    with pytest.raises(
        TrainingError, match=r"affect_weight: no train clip has valence, arousal or dominance"
    ):
        run(FAST.model_copy(update={"affect_weight": 1.0}), affect=True)


def test_a_warm_up_that_never_ends_is_named(
    run: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    run(FAST.model_copy(update={"warmup_epochs": 1.0}))
    assert "train.warmup_epochs 1" in caplog.text
    caplog.clear()
    run(FAST.model_copy(update={"warmup_epochs": 0.5}))
    assert "warmup_epochs" not in caplog.text


def test_half_precision_is_off_on_the_cpu_and_says_so(
    run: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        half, _ = run(FAST.model_copy(update={"precision": "bf16"}))
    (message,) = [record.message for record in caplog.records if "train.precision" in record.message]
    assert "bf16" in message
    assert "fp32" in message
    assert torch.equal(half.head.weight, run()[0].head.weight)


def test_the_network_runs_in_half_precision_with_norms_in_full(toy_params: NetworkParams) -> None:
    mfcc, num_frames = torch.randn(4, 4, 12), torch.tensor([12, 5, 9, 1])
    # Without the LSTM, which some processors do not have in bf16.
    network = build_network(4, 3, toy_params.model_copy(update={"lstm_layers": 0}), 0)
    network.fit_batchnorm(torch.randn(8, 4, 20), torch.full((8,), 20))
    network.eval()
    expected = network(mfcc, num_frames)["logits"]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = network(mfcc, num_frames)["logits"]
    assert half.dtype == torch.float32
    assert torch.allclose(half, expected, atol=0.1)


def test_the_moving_average_of_the_weights_is_scored(
    toy_params: NetworkParams, toy_features: Callable[..., Features]
) -> None:
    network = build_network(4, 3, toy_params, 0)
    params, cpu = FAST.model_copy(update={"ema": 0.8}), torch.device("cpu")
    train = toy_features(24, seed=1)
    trainer = Trainer(network, train, params, cpu)
    trainer.start(statistics_of(measure(train, network)))
    criterion, expected = trainer.make_loss(), None
    for step in range(20):
        trainer.step = step
        trainer.run_step(np.arange(8), 1, criterion)
        state = {name: value.clone() for name, value in network.state_dict().items()}
        decay = min(0.8, (1 + step) / (10 + step))
        expected = expected or state
        expected = {name: decay * expected[name] + (1 - decay) * value for name, value in state.items()}
    assert trainer.scored is not network
    for name, value in trainer.scored.state_dict().items():
        assert torch.allclose(value, expected[name], atol=1e-6), name
    assert Trainer(network, toy_features(24, seed=1), FAST, cpu).scored is network
