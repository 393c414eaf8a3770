"""Evaluate's files agree with each other and with scikit-learn."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score

from featurize.errors import CheckpointError
from model.checkpoint import save_checkpoint
from model.network import SERTier1
from pipeline.card import describe
from pipeline.manifest import read_manifest
from pipeline.stages.evaluate import best_checkpoint, evaluate


def test_predictions_cover_the_test_split_and_nothing_else(small_run: Any) -> None:
    predictions = pd.read_csv(small_run.reports / "predictions.csv", dtype={"speaker": str})
    manifest = read_manifest(small_run.data / "manifest.csv")
    test = manifest[manifest["split"] == "test"].set_index("clip_id")
    assert sorted(predictions["clip_id"]) == sorted(test.index)
    truth = test.loc[predictions["clip_id"]]
    assert predictions["true_label"].tolist() == truth["label"].tolist()
    assert predictions["speaker"].tolist() == truth["speaker"].tolist()


def test_probabilities_prediction_and_confidence_agree(small_run: Any) -> None:
    predictions = pd.read_csv(small_run.reports / "predictions.csv")
    probabilities = predictions.filter(like="prob_")
    assert probabilities.columns.tolist() == [f"prob_{x}" for x in ("happy", "neutral", "sad", "angry")]
    torch.testing.assert_close(
        torch.tensor(probabilities.sum(axis=1).to_numpy()),
        torch.ones(len(predictions), dtype=torch.float64),
        atol=1e-5,
        rtol=0,
    )
    best = probabilities.idxmax(axis=1).str.removeprefix("prob_")
    assert predictions["pred_label"].tolist() == best.tolist()
    assert predictions["confidence"].tolist() == pytest.approx(probabilities.max(axis=1).tolist())
    assert (predictions["correct"] == (predictions["true_label"] == predictions["pred_label"])).all()


def test_metrics_are_those_of_the_predictions_and_carry_their_protocol(small_run: Any) -> None:
    metrics = json.loads((small_run.reports / "evaluation.json").read_text())
    predictions = pd.read_csv(small_run.reports / "predictions.csv")
    expected = balanced_accuracy_score(predictions["true_label"], predictions["pred_label"])
    assert metrics["uar"] == pytest.approx(expected)
    assert metrics["accuracy"] == pytest.approx(predictions["correct"].mean())
    assert metrics["checkpoint"] == best_checkpoint(small_run.checkpoints).name
    assert metrics["protocol"]["corpus"] == "demo"
    assert metrics["protocol"]["denoiser"] == "none"


def test_the_headline_is_short_and_never_without_its_protocol(small_run: Any) -> None:
    headline = json.loads((small_run.reports / "metrics.json").read_text())
    whole = json.loads((small_run.reports / "evaluation.json").read_text())
    assert headline["uar"] == whole["uar"]
    assert headline["recall"]["sad"] == whole["per_class"]["sad"]["recall"]
    assert headline["protocol"] == describe(whole["protocol"])
    assert headline["ece"] == whole["calibration"]["after"]["ece"]


def test_a_checkpoint_of_other_labels_is_refused(small_run: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.pt"
    save_checkpoint(other, SERTier1(40, 2), {"labels": ["yes", "no"], "protocol": {}})
    with pytest.raises(CheckpointError, match=r"other\.pt: trained on labels \['yes', 'no'\]"):
        evaluate(small_run.data, small_run.checkpoints, tmp_path, other)
    assert not (tmp_path / "metrics.json").exists()


def test_no_checkpoint_and_several_are_told_apart(small_run: Any, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no best_uar_<score>\.pt; run `ser train`"):
        best_checkpoint(tmp_path)
    for name in ("best_uar_0.1000.pt", "best_uar_0.2000.pt"):
        shutil.copy(best_checkpoint(small_run.checkpoints), tmp_path / name)
    with pytest.raises(CheckpointError, match="several"):
        best_checkpoint(tmp_path)
