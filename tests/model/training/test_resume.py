"""A killed and resumed run ends with the same weights as an uninterrupted one, bit for bit."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from featurize.errors import CheckpointError
from model.batches import Features
from model.checkpoint import load_checkpoint, read_checkpoint
from model.network.tier1 import NetworkParams, SERTier1, build_network
from model.training.fit import FitResult, fit
from model.training.hyperparameters import SpecAugmentParams, TrainParams

PARAMS = TrainParams(
    epochs=4,
    validate_every=1,
    batch_size=8,
    lr=1e-2,
    warmup_epochs=1,
    schedule="plateau",
    decay_epochs=1,
    ema=0.9,
    mixup=0.3,
    spec_augment=SpecAugmentParams(time_masks=1, freq_masks=1, freq_width=2),
    patience=0,
)
# Dies by SIGKILL as soon as last.pt of an epoch stands.
KILLED = """
import os, signal, sys
from pathlib import Path
import torch
sys.path.insert(0, {folder!r})
from conftest import make_toy_features
from model.training.hyperparameters import TrainParams
from model.network.tier1 import NetworkParams, build_network
from model.training.fit import fit

torch.set_num_threads(1)
network = build_network(4, 3, NetworkParams.model_validate_json({network!r}), 0)
kill = lambda result: result.epoch == {epoch} and os.kill(os.getpid(), signal.SIGKILL)
fit(network, make_toy_features(48, 1), make_toy_features(15, 2), TrainParams.model_validate_json({params!r}),
    Path({out!r}), args={{"labels": ["a", "b", "c"]}}, on_epoch=kill)
"""


@pytest.fixture
def train(toy_params: NetworkParams, toy_features: Callable[..., Features]) -> Callable[..., Any]:
    network_params = toy_params.model_copy(update={"dropout": 0.2, "lstm_dropout": 0.1})

    def go(
        out: Path,
        params: TrainParams = PARAMS,
        labels: tuple[str, ...] = ("a", "b", "c"),
        seed: int = 1,
        **options: Any,
    ) -> tuple[SERTier1, FitResult]:
        network = build_network(4, 3, network_params, params.seed)
        splits = toy_features(48, seed=seed), toy_features(15, seed=2)
        return network, fit(network, *splits, params, out, args={"labels": list(labels)}, **options)

    go.network_params = network_params
    return go


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_killed_and_resumed_run_equals_an_uninterrupted_one(
    train: Callable[..., Any], tmp_path: Path, epoch: int
) -> None:
    whole, expected = train(tmp_path / "whole")
    script = KILLED.format(
        folder=str(Path(__file__).parents[1]),
        network=train.network_params.model_dump_json(),
        epoch=epoch,
        params=PARAMS.model_dump_json(),
        out=str(tmp_path / "killed"),
    )
    root = str(Path(__file__).parents[3])
    killed = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": root}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    reported = []
    resumed, result = train(tmp_path / "killed", resume=True, on_epoch=reported.append)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    assert result.history == expected.history == reported
    assert result.temperature == expected.temperature
    last, expected_last = (load_checkpoint(tmp_path / run / "last.pt")[0] for run in ("killed", "whole"))
    for name, value in expected_last.state_dict().items():
        assert torch.equal(value, last.state_dict()[name]), name
    assert result.best_path.read_bytes() == expected.best_path.read_bytes()


def test_resuming_a_finished_run_changes_nothing(train: Callable[..., Any], tmp_path: Path) -> None:
    _, first = train(tmp_path)
    before = (tmp_path / "last.pt").read_bytes()
    _, again = train(tmp_path, resume=True)
    assert again == first
    assert (tmp_path / "last.pt").read_bytes() == before
    load_checkpoint(tmp_path / "last.pt")
    assert "resume" not in read_checkpoint(first.best_path)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"params": PARAMS.model_copy(update={"lr": 1e-3})}, "train params"),
        ({"labels": ("a", "b", "x")}, "labels"),
        ({"seed": 7}, "data"),
    ],
)
def test_another_runs_last_pt_is_refused_in_one_line(
    train: Callable[..., Any], tmp_path: Path, other: dict[str, Any], what: str
) -> None:
    train(tmp_path)
    with pytest.raises(CheckpointError, match=rf"last\.pt: of a run with other {what}; restore") as caught:
        train(tmp_path, resume=True, **other)
    assert "\n" not in str(caught.value)


def test_resuming_needs_a_last_pt(train: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"last\.pt: no such file"):
        train(tmp_path, resume=True)
    _, result = train(tmp_path)
    result.last_path.write_bytes(result.best_path.read_bytes())
    with pytest.raises(CheckpointError, match="no state to resume from"):
        train(tmp_path, resume=True)
