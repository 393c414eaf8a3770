"""Starting from a trained network: what is taken over, what is not, and what frozen means."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from featurize.errors import CheckpointError, TrainingError
from model.batches import Features
from model.checkpoint import load_checkpoint
from model.network.tier1 import EncoderStreamParams, NetworkParams, SERTier1, build_network
from model.training.fit import FitResult, fit
from model.training.hyperparameters import TrainParams
from model.training.initial import misfits, take_over

START = TrainParams(epochs=2, validate_every=1, batch_size=8, lr=1e-2, warmup_epochs=1, ema=0.9)
FURTHER = START.model_copy(update={"init": "start", "seed": 1, "weight_decay": 0.5})
LABELS = ["angry", "happy", "sad"]


@pytest.fixture
def params(toy_params: NetworkParams) -> NetworkParams:
    """Both views, with all that can be frozen or can move by itself: dropout, hidden states, norms, projection."""
    encoder = EncoderStreamParams(
        projection=6,
        attention_heads=1,
        conv_channels=(6,),
        lstm_hidden=4,
        lstm_layers=1,
        dropout=0.3,
        lstm_dropout=0.2,
    )
    changes = {"views": ("mfcc", "encoder"), "encoder": encoder, "dropout": 0.3, "lstm_dropout": 0.2}
    return toy_params.model_copy(update=changes)


def both_views(features: Features, shift: float) -> Features:
    """The MFCC, shifted, also as two hidden states of two values."""
    clips = [clip + np.float32(shift) for clip in features.views["mfcc"]]
    return Features({"mfcc": clips, "encoder": clips}, features.labels, features.columns)


@pytest.fixture
def run(tmp_path: Path, params: NetworkParams, toy_features: Callable[..., Features]) -> Callable[..., Any]:
    """Train a network, from random weights or from those of another one."""

    def go(
        out: str, start: SERTier1 | None = None, train: TrainParams = FURTHER, **options: Any
    ) -> tuple[SERTier1, FitResult]:
        network = build_network(4, 3, params, train.seed, (2, 2))
        if start is not None:
            take_over(start, network, LABELS, LABELS)
            options.setdefault("initial", "ab" * 32)
        shift = 0.0 if start is None else 5.0  # a normalisation that were fitted again would move
        splits = both_views(toy_features(24, seed=1), shift), both_views(toy_features(9, seed=2), shift)
        return network, fit(network, *splits, train, tmp_path / out, **options)

    return go


@pytest.fixture
def start(run: Callable[..., Any]) -> SERTier1:
    return run("start", train=START)[0]


def test_streams_are_taken_over_whole_and_the_head_by_label(start: SERTier1, params: NetworkParams) -> None:
    network = build_network(4, 4, params, 7, (2, 2))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert take_over(start, network, LABELS, ["calm", "sad", "angry", "fear"]) == ["sad", "angry"]
    state, old = network.state_dict(), start.state_dict()
    for name, value in state.items():
        if name.startswith("streams."):
            assert torch.equal(value, old[name]), name
    for part in ("head.weight", "head.bias"):
        for row, expected in enumerate((before[part][0], old[part][2], old[part][0], before[part][3])):
            assert torch.equal(state[part][row], expected)
    assert float(start.temperature) != 1.0
    assert float(network.temperature) == 1.0


def test_the_second_head_is_taken_over_if_both_have_it(params: NetworkParams) -> None:
    affect = params.model_copy(update={"affect": True})
    source, target = build_network(4, 3, affect, 0, (2, 2)), build_network(4, 3, affect, 1, (2, 2))
    take_over(source, target, LABELS, LABELS)
    assert torch.equal(source.affect_head.weight, target.affect_head.weight)
    take_over(build_network(4, 3, params, 2, (2, 2)), target, LABELS, LABELS)
    assert torch.equal(source.affect_head.weight, target.affect_head.weight)


@pytest.mark.parametrize(
    ("n_mfcc", "change", "named"),
    [
        (13, {}, ("mfcc.n_mfcc", "4", "13")),
        (4, {"views": ("mfcc",)}, ("network.views", "[mfcc, encoder]", "[mfcc]")),
        (4, {"normalisation": "speaker"}, ("network.normalisation", "global", "speaker")),
        (4, {"conv_channels": (6,)}, ("network.conv_channels", "[6, 8]", "[6]")),
        (4, {"time_pooling": 2}, ("network.time_pooling", "1", "2")),
        (4, {"statistics": True}, ("network.statistics", "false", "true")),
        (4, {"encoder": {"projection": 8}}, ("network.encoder.projection", "6", "8")),
    ],
)
def test_misfits_are_named_as_in_params(
    start: SERTier1, params: NetworkParams, n_mfcc: int, change: dict[str, Any], named: tuple[str, str, str]
) -> None:
    if "encoder" in change:
        change = {"encoder": params.encoder.model_copy(update=change["encoder"])}
    other = build_network(n_mfcc, 5, params.model_copy(update=change), 0, (2, 2))
    assert misfits(start, other) == [named]


def test_what_needs_no_weights_may_differ(start: SERTier1, params: NetworkParams) -> None:
    free = {"dropout": 0.0, "lstm_dropout": 0.0, "temperature": False, "affect": True}
    free["encoder"] = params.encoder.model_copy(update={"dropout": 0.0})
    other = build_network(4, 2, params.model_copy(update=free), 0, (2, 2))
    assert misfits(start, other) == []
    unheard = NetworkParams(views=("encoder",), encoder=params.encoder, conv_channels=(1,))
    only = build_network(4, 3, unheard.model_copy(update={"conv_channels": (2,)}), 0, (2, 2))
    assert misfits(only, build_network(40, 3, unheard, 0, (2, 2))) == []  # those of the stream that it lacks


def moved(network: SERTier1, start: SERTier1) -> set[str]:
    """Names of the tensors that are not bit for bit as they were."""
    old = start.state_dict()
    return {name for name, value in network.state_dict().items() if not torch.equal(value, old[name])}


UP_TO_BLOCKS = ("projection.", "attention.", "blocks.", "layer_weights")
NORMALISATION = ("feature_mean", "feature_std")


@pytest.mark.parametrize("freeze", ["none", "blocks", "streams"])
@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_frozen_parts_do_not_move_by_a_bit(
    run: Callable[..., Any], start: SERTier1, freeze: str, ema: float
) -> None:
    """Neither by gradients, nor weight decay, nor dropout's draws, nor batch norm statistics, nor averaging."""
    network, result = run(freeze, start, FURTHER.model_copy(update={"freeze": freeze, "ema": ema}))
    last, _ = load_checkpoint(result.last_path)
    for trained in (network, last):
        found = moved(trained, start)
        assert "head.weight" in found
        of_streams = {name.split(".", 2)[2] for name in found if name.startswith("streams.")}
        assert not any(name.startswith(NORMALISATION) for name in of_streams)
        if freeze == "streams":
            assert of_streams == set()
        else:
            assert any(name.startswith("lstm.") for name in of_streams)
            frozen = {name for name in of_streams if name.startswith(UP_TO_BLOCKS)}
            assert (frozen == set()) is (freeze == "blocks")
            assert ("blocks.0.norm.running_mean" in frozen) is (freeze == "none")
            assert "statistics_norm.running_mean" in of_streams


def test_a_refit_starts_from_the_checkpoint_again(run: Callable[..., Any], start: SERTier1) -> None:
    params = FURTHER.model_copy(update={"freeze": "streams", "refit": True})
    network, _ = run("refit", start, params)
    assert moved(network, start) - {"temperature"} == {"head.weight", "head.bias"}


def test_frozen_modules_stay_in_evaluation_mode(start: SERTier1) -> None:
    start.freeze("blocks")
    start.train()
    stream = start.streams["mfcc"]
    assert (stream.training, stream.lstm.training, start.head.training) == (True, True, True)
    assert not any(module.training for module in (*stream.blocks.modules(), *stream.attention.modules()))
    start.freeze("streams")
    assert (stream.training, start.head.training) == (False, True)


def test_the_temperature_is_fitted_anew(run: Callable[..., Any], start: SERTier1) -> None:
    assert float(start.temperature) != 1.0
    network, result = run("further", start)
    assert float(load_checkpoint(result.last_path)[0].temperature) == 1.0
    assert float(network.temperature) == result.temperature != 1.0


def test_the_same_start_gives_the_same_weights_and_is_resumed(
    run: Callable[..., Any], start: SERTier1
) -> None:
    params = FURTHER.model_copy(update={"freeze": "blocks"})
    whole, _ = run("whole", start, params)
    again, _ = run("again", start, params)
    assert moved(whole, again) == set()
    resumed, _ = run("again", start, params.model_copy(update={"init": "moved.pt"}), resume=True)
    assert moved(whole, resumed) == set()
    with pytest.raises(CheckpointError, match="of a run with other initial weights"):
        run("again", start, params, resume=True, initial="cd" * 32)


def test_a_start_that_nobody_has_read_is_refused(run: Callable[..., Any]) -> None:
    with pytest.raises(TrainingError, match=r"train\.init: this command starts from random weights"):
        run("out")


def test_random_weights_are_not_frozen() -> None:
    with pytest.raises(ValidationError, match=r"freeze streams needs a checkpoint.*set train\.init"):
        TrainParams(freeze="streams")
