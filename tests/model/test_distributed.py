"""Two processes that share each batch train like one process."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from model.batches import Features
from model.checkpoint import load_checkpoint
from model.network.tier1 import NetworkParams, build_network
from model.training.fit import fit
from model.training.hyperparameters import TrainParams
from tests.model.conftest import with_affect

PARAMS = TrainParams(
    epochs=3,
    validate_every=1,
    batch_size=8,
    lr=1e-2,
    warmup_epochs=1,
    class_weights="balanced",
    affect_weight=0.5,
    affect_loss="ccc",
)
# Each process trains; the first one writes what it saw.
PROCESS = """
import json, sys
from dataclasses import asdict
from pathlib import Path
import torch
sys.path.insert(0, {folder!r})
from conftest import make_toy_features, with_affect
from model.distributed import process_group, rank
from model.training.hyperparameters import TrainParams
from model.network.tier1 import NetworkParams, build_network
from model.training.fit import fit

torch.set_num_threads(1)
network = build_network(4, 3, NetworkParams.model_validate_json({network!r}), 0)
reported = []
with process_group("cpu") as device:
    result = fit(network, with_affect(make_toy_features(45, 1)), with_affect(make_toy_features(15, 2)),
        TrainParams.model_validate_json({params!r}), Path({out!r}), device=device, on_epoch=reported.append)
    assert len(reported) == (0 if rank() else 3)
    Path({out!r}, f"rank{{rank()}}.json").write_text(json.dumps([asdict(epoch) for epoch in result.history]))
"""


def test_two_processes_have_the_loss_curve_of_one(
    toy_params: NetworkParams, toy_features: Callable[..., Features], tmp_path: Path
) -> None:
    toy_params = toy_params.model_copy(update={"affect": True})
    script = tmp_path / "process.py"
    script.write_text(
        PROCESS.format(
            folder=str(Path(__file__).parent),
            network=toy_params.model_dump_json(),
            params=PARAMS.model_dump_json(),
            out=str(tmp_path),
        )
    )
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run([*command, str(script)], env={**os.environ, "PYTHONPATH": root}, check=True)
    network = build_network(4, 3, toy_params, 0)
    train, val = with_affect(toy_features(45, 1)), with_affect(toy_features(15, 2))
    alone = fit(network, train, val, PARAMS, tmp_path / "alone")
    first, second = (json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in (0, 1))
    assert first == second
    for ours, expected in zip(first, alone.history, strict=True):
        assert ours["train_loss"] == pytest.approx(expected.train_loss, abs=1e-4)
        assert ours["val_loss"] == pytest.approx(expected.val_loss, abs=1e-4)
    together, _ = load_checkpoint(tmp_path / "last.pt")
    single, _ = load_checkpoint(alone.last_path)
    for name, value in single.state_dict().items():
        if name.endswith("pooling.score.bias"):  # a softmax does not see it: its gradient is rounding alone
            continue
        assert torch.allclose(value, together.state_dict()[name], atol=1e-3), name
