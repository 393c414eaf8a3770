"""A checkpoint of another version is one line."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from featurize.errors import CheckpointError
from model.checkpoint import load_checkpoint
from pipeline.runs.best_checkpoint import best_checkpoint
from pipeline.runs.trained import read_trained


def test_metadata_of_another_version_is_one_line(small_run: Any, tmp_path: Path) -> None:
    path = Path(shutil.copy(best_checkpoint(small_run.checkpoints), tmp_path / "best.pt"))
    network, args = load_checkpoint(path)
    assert read_trained(path, network, args).labels == args["labels"]
    tier0 = args["tier0"]
    for changed, what in (
        ({"labels": ["a"]}, "labels"),
        ({"labels": args["labels"][1:]}, r"4 classes and 40 coefficients, but 3 labels"),
        ({"labels": 3}, "`labels`"),
        ({"tier0": {**tier0, "mfcc": {**tier0["mfcc"], "n_mfcc": 13}}}, r"mfcc\.n_mfcc 13"),
        ({"tier0": {**tier0, "aura": {}}}, r"`tier0\.aura` is unknown to this version"),
        ({"tier0": {**tier0, "vad": {"threshold": 2}}}, r"`tier0\.vad\.threshold`"),
        ({"val_uar": "high"}, "`val_uar`"),
        ({"denoiser": {}}, r"`denoiser\.name` is missing"),
    ):
        with pytest.raises(CheckpointError, match=f"{path}: .*{what}") as caught:
            read_trained(path, network, {**args, **changed})
        assert "\n" not in str(caught.value)
    for missing in ("labels", "tier0", "train", "epoch", "val_uar"):
        with pytest.raises(CheckpointError, match=f"`{missing}` is missing"):
            read_trained(path, network, {key: value for key, value in args.items() if key != missing})
