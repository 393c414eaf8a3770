"""The train stage leaves a checkpoint from which everything else can be known."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from featurize.errors import ShardError
from featurize.shards import Row, Shard, write_shard
from featurize.tier0 import Tier0Params
from model.checkpoint import load_checkpoint
from pipeline.protocol.data_card import shared_provenance
from pipeline.stages.evaluate import best_checkpoint


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
