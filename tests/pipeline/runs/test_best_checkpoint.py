"""A named checkpoint, or the best of a folder, is taken."""

import logging
from pathlib import Path
from typing import Any

import pytest

from featurize.errors import CheckpointError
from model.checkpoint import save_checkpoint
from model.network.tier1 import NetworkParams, SERTier1
from pipeline.runs.best_checkpoint import best_checkpoint, choose_checkpoint

TOY = NetworkParams(attention_heads=1, conv_channels=(4,), lstm_hidden=4, lstm_layers=1)


def save(path: Path, val_uar: Any = None) -> Path:
    save_checkpoint(path, SERTier1(4, 3, TOY), {} if val_uar is None else {"val_uar": val_uar})
    return path


def test_the_metadata_decides_and_not_the_name(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    save(tmp_path / "best_uar_0.9000.pt", 0.3)
    best = save(tmp_path / "fold 2.pt", 0.7)
    save(tmp_path / "last.pt", 0.8)
    save(tmp_path / "nan.pt", float("nan"))
    save(tmp_path / "without.pt")
    (tmp_path / "text.pt").write_text("no checkpoint")
    (tmp_path / "._fold 2.pt").write_text("no checkpoint")
    assert best_checkpoint(tmp_path) == best
    lines = [record.getMessage() for record in caplog.records]
    assert lines[-1] == f"checkpoint: {best}, of 2 the one with the highest validation UAR (0.700)"
    assert [line.partition(": ")[0] for line in lines[:-1]] == ["left out"] * 3


def test_the_only_checkpoint_is_taken_unread(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "last.pt").touch()
    assert best_checkpoint(tmp_path) == tmp_path / "last.pt"
    (tmp_path / "best_uar_0.5.pt").touch()
    assert best_checkpoint(tmp_path) == tmp_path / "best_uar_0.5.pt"
    assert "best_uar_0.5.pt" in caplog.records[-1].getMessage()


def test_a_folder_without_a_checkpoint_that_can_be_used(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(CheckpointError, match=r"no checkpoint .*run `ser train`"):
            best_checkpoint(folder)
    for name in ("a.pt", "b.pt"):
        (tmp_path / name).write_text("no checkpoint")
    with pytest.raises(
        CheckpointError, match=r"none of 2 checkpoints can be used; the first: .*a\.pt: damaged"
    ):
        best_checkpoint(tmp_path)


def test_a_file_a_folder_a_pattern_and_nothing(tmp_path: Path) -> None:
    default, other = tmp_path / "checkpoints", tmp_path / "other"
    one = save(default / "best_uar_0.1.pt", 0.1)
    low, high = save(other / "best_uar_0.2.pt", 0.2), save(other / "best_uar_0.4.pt", 0.4)
    assert choose_checkpoint(None, default) == one
    assert choose_checkpoint(other, default) == high
    assert choose_checkpoint(low, default) == low
    assert choose_checkpoint(other / "best_uar_*.pt", default) == high
    assert choose_checkpoint(tmp_path / "absent.pt", default) == tmp_path / "absent.pt"
    with pytest.raises(CheckpointError, match=r"no checkpoint \(x\*\.pt\)"):
        choose_checkpoint(other / "x*.pt", default)
