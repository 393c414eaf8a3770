"""Stage train: the checkpoint contains all information about its training."""

import dataclasses
import hashlib
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from featurize.errors import ShardError
from featurize.shards import Row, Shard, write_shard
from featurize.tier0 import Tier0Params
from model.checkpoint import load_checkpoint
from pipeline.cli import main
from pipeline.protocol.data_card import shared_provenance
from pipeline.runs.best_checkpoint import best_checkpoint
from pipeline.stages.evaluate import evaluate

ROOT = Path(__file__).resolve().parents[3]


def test_the_checkpoint_knows_what_it_was_trained_on(small_run: Any) -> None:
    _, args = load_checkpoint(best_checkpoint(small_run.checkpoints))
    assert args["labels"] == ["happy", "neutral", "sad", "angry"]
    assert Tier0Params.model_validate(args["tier0"]) == small_run.params.tier0
    assert args["denoiser"] == {"name": "none", "sha256": "", "trained_on": []}
    assert args["protocol"]["speaker_independent"] is True
    assert args["protocol"]["synthetic"] is True
    assert args["protocol"]["seed"] == 0
    assert (small_run.checkpoints / "last.pt").is_file()


@pytest.mark.parametrize("curve", ["train/loss", "val/loss", "val/uar", "train/lr"])
def test_every_epoch_is_on_the_curves(small_run: Any, curve: str) -> None:
    table = pd.read_csv(small_run.reports / "training" / "plots" / "metrics" / f"{curve}.tsv", sep="\t")
    assert table["step"].tolist() == [1, 2]
    assert table[curve.split("/")[1]].notna().all()


def test_shards_of_different_settings_are_not_mixed(small_run: Any, tmp_path: Path) -> None:
    path = next((small_run.data / "features").glob("*.h5"))
    attributes = Shard(path).attributes
    other = tmp_path / "part-00001.h5"
    write_shard(other, "mfcc", [Row({"clip_id": "x"}, Shard(path).data(0))], {**attributes, "tier0": "{}"})
    with pytest.raises(ShardError, match="different settings"):
        shared_provenance([path, other])


def command(run: Any, out: Path, *options: str, **train: Any) -> list[str]:
    """`ser train` on a run's features, with its parameters or others, into a folder of its own."""
    params = run.params.model_copy(update={"train": run.params.train.model_copy(update=train)})
    file = out / "params.yaml"
    file.write_text(json.dumps(params.model_dump(mode="json")))  # JSON is YAML
    folders = ("--data", run.data, "--checkpoints", out / "checkpoints", "--reports", out / "reports")
    return [str(part) for part in ("train", "--params", file, "--device", "cpu", *folders, *options)]


def ser(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    return int(left.value.code or 0)


def test_a_run_starts_from_another_ones_weights(
    small_run: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    start = small_run.checkpoints
    assert ser(command(small_run, tmp_path, init=str(start), freeze="streams")) == 0
    assert "starting from" in caplog.text
    assert "test speakers" not in caplog.text
    found, args = load_checkpoint(best_checkpoint(tmp_path / "checkpoints"))
    before, _ = load_checkpoint(best_checkpoint(start))
    for name, value in before.streams.state_dict().items():
        assert torch.equal(value, found.streams.state_dict()[name]), name
    assert not torch.equal(before.head.weight, found.head.weight)
    init = args["protocol"]["init"]
    assert init["sha256"] == hashlib.sha256(best_checkpoint(start).read_bytes()).hexdigest()
    assert init["trained_on"] == [f"demo/{name}" for name in args["protocol"]["speakers"]["train"]]
    scores = evaluate(small_run.data, tmp_path / "checkpoints", tmp_path / "reports")
    assert scores.protocol.init is not None
    assert scores.params["train"]["freeze"] == "streams"
    assert ser(command(small_run, tmp_path, "--resume", init=str(start), freeze="streams")) == 0


def test_a_start_that_does_not_fit_is_one_line_before_any_clip_is_read(
    small_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.feature_splits.SplitLoader.load", lambda *_: pytest.fail("read a clip"))
    network = small_run.params.network.model_copy(update={"lstm_hidden": 4})
    other = dataclasses.replace(small_run, params=small_run.params.model_copy(update={"network": network}))
    for run, train, words in (
        (other, {"init": str(small_run.checkpoints)}, "network.lstm_hidden is 8 there and 4 here"),
        (small_run, {"init": str(tmp_path / "absent.pt")}, "absent.pt: cannot be read (No such file"),
        (
            small_run,
            {"init": str(tmp_path / "checkpoints" / "x.pt")},
            "copy the checkpoint to another folder",
        ),
    ):
        assert ser(command(run, tmp_path, **train)) == 2
        (complaint,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("ser: ")]
        assert complaint.startswith("ser: train.init: ")
        assert words in complaint
    assert not (tmp_path / "checkpoints").exists()
    file = tmp_path / "params.yaml"
    file.write_text("train: {freeze: streams}")
    assert ser(["train", "--params", str(file)]) == 2
    assert "freeze streams needs a checkpoint to start from; set train.init" in capsys.readouterr().err


KILLED = """
import os, signal, sys
import torch
from dvclive.live import Live
from pipeline.cli import main
torch.set_num_threads(int(sys.argv[1]))
Live.make_summary = lambda live: os.kill(os.getpid(), signal.SIGKILL)
main(sys.argv[2:])
"""


@pytest.fixture(scope="module")
def killed(small_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run like `small_run` that was killed after the first of its two epochs."""
    folder = tmp_path_factory.mktemp("killed")
    arguments = [sys.executable, "-c", KILLED, str(torch.get_num_threads()), *command(small_run, folder)]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return folder


@pytest.fixture
def stopped(killed: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(killed, tmp_path, dirs_exist_ok=True)


def test_a_resumed_run_equals_an_uninterrupted_one(small_run: Any, stopped: Path) -> None:
    assert ser(command(small_run, stopped, "--resume")) == 0
    checkpoints = stopped / "checkpoints"
    for found, expected in (
        (best_checkpoint(checkpoints), best_checkpoint(small_run.checkpoints)),
        (checkpoints / "last.pt", small_run.checkpoints / "last.pt"),
    ):
        assert found.name == expected.name
        (network, args), (whole, card) = load_checkpoint(found), load_checkpoint(expected)
        assert args == card
        for name, value in whole.state_dict().items():
            assert torch.equal(value, network.state_dict()[name]), name
    curves = Path("training", "plots", "metrics")
    names = {path.relative_to(small_run.reports) for path in (small_run.reports / curves).rglob("*.tsv")}
    assert len(names) >= 5
    for name in names:
        found, expected = (
            pd.read_csv(reports / name, sep="\t").drop(columns="timestamp", errors="ignore")
            for reports in (stopped / "reports", small_run.reports)
        )
        pd.testing.assert_frame_equal(found, expected)


def test_a_missing_run_is_not_resumed(
    small_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ser(command(small_run, tmp_path, "--resume")) == 2
    complaint = capsys.readouterr().err.splitlines()[-1]
    assert str(tmp_path / "checkpoints" / "last.pt") in complaint


def test_the_last_pt_of_another_run_is_refused_and_not_changed(
    small_run: Any, stopped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    last = stopped / "checkpoints" / "last.pt"
    before = last.read_bytes()
    assert ser(command(small_run, stopped, "--resume", lr=0.5)) == 2
    complaints = [line for line in capsys.readouterr().err.splitlines() if line.startswith("ser: ")]
    (complaint,) = complaints
    assert str(last) in complaint
    assert "train params" in complaint
    assert last.read_bytes() == before
