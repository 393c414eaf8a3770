"""The best checkpoint on the test split, read once: metrics, and a prediction for every clip."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from featurize.atomic import write_json, write_text
from featurize.errors import CheckpointError
from featurize.shards import list_shards
from model.batches import Features, load_features
from model.checkpoint import load_checkpoint
from model.inference import predict_logits
from model.metrics import compute_metrics
from pipeline.manifest import read_summary

log = logging.getLogger(__name__)


def evaluate(
    data: Path, checkpoints: Path, reports: Path, checkpoint: Path | None = None, device: str = "cpu"
) -> dict[str, Any]:
    """Score a checkpoint on the test split of data/features/.

    Writes reports/evaluation.json (everything), reports/metrics.json (what DVC compares),
    reports/predictions.csv and reports/confusion.csv.

    Raises:
        CheckpointError: there is no checkpoint, or it was trained on other labels.
        ShardError: a shard is missing or damaged.
    """
    path = checkpoint or best_checkpoint(checkpoints)
    network, args = load_checkpoint(path, device)
    summary = read_summary(data / "manifest.json")
    if args.get("labels") != summary["labels"]:
        raise CheckpointError(
            f"{path}: trained on labels {args.get('labels')}, the manifest has {summary['labels']}; train again"
        )
    test = load_features(list_shards(data / "features"), summary["labels"], "test")
    if len(test) == 0:
        raise CheckpointError(f"{data / 'features'}: no test clips; see the split in params.yaml")
    logits = predict_logits(network, test, device=device)
    predictions = prediction_table(test, torch.softmax(logits, dim=1).numpy(), summary["labels"])
    heard = speakers_heard(test, args["denoiser"].get("trained_on", []))
    evaluation = {
        **compute_metrics(test.labels, logits.argmax(dim=1).numpy(), summary["labels"]).as_dict(),
        "temperature": float(network.temperature),
        "checkpoint": path.name,
        "val_uar": args["val_uar"],
        "best_epoch": args["epoch"],
        "protocol": {**args["protocol"], "denoiser_heard_test_speakers": heard},
    }
    write_json(reports / "evaluation.json", evaluation)
    write_json(reports / "metrics.json", headline(evaluation))
    write_text(reports / "predictions.csv", predictions.to_csv(index=False, lineterminator="\n"))
    confusion = predictions[["true_label", "pred_label"]].set_axis(["actual", "predicted"], axis=1)
    write_text(reports / "confusion.csv", confusion.to_csv(index=False, lineterminator="\n"))
    log.info(
        "test UAR %.3f, accuracy %.3f on %d clips of %d speakers (%s)",
        evaluation["uar"],
        evaluation["accuracy"],
        len(test),
        len(set(test.columns["speaker"])),
        "speaker-independent" if evaluation["protocol"]["speaker_independent"] else "SPEAKER-DEPENDENT",
    )
    return evaluation


def speakers_heard(test: Features, trained_on: Sequence[str]) -> list[str]:
    """Test speakers, as "corpus/speaker", that the denoiser was trained on: no leak of labels, yet an overlap."""
    pairs = zip(test.columns["corpus"], test.columns["speaker"], strict=True)
    return sorted({f"{corpus}/{speaker}" for corpus, speaker in pairs} & set(trained_on))


def headline(evaluation: dict[str, Any]) -> dict[str, Any]:
    """The numbers that experiments are compared by, and in one line the protocol that they stand on."""
    return {
        "uar": evaluation["uar"],
        "accuracy": evaluation["accuracy"],
        "macro_f1": evaluation["macro_f1"],
        "val_uar": evaluation["val_uar"],
        "best_epoch": evaluation["best_epoch"],
        "recall": {label: scores["recall"] for label, scores in evaluation["per_class"].items()},
        "protocol": describe(evaluation["protocol"]),
    }


def describe(protocol: dict[str, Any]) -> str:
    """A protocol in one line."""
    synthetic = " (synthetic)" if protocol["synthetic"] else ""
    folds = f", fold {protocol['fold']} of {protocol['folds']}" if protocol["folds"] else ""
    independent = "speaker-independent" if protocol["speaker_independent"] else "SPEAKER-DEPENDENT"
    heard = len(protocol["denoiser_heard_test_speakers"])
    overlap = f" (HAS HEARD {heard} OF THE TEST SPEAKERS)" if heard else ""
    return (
        f"{protocol['corpus']}{synthetic} {protocol['files_sha256'][:8]}, {len(protocol['labels'])} classes, "
        f"{independent}{folds}, denoiser {protocol['denoiser']}{overlap}, seed {protocol['seed']}"
    )


def best_checkpoint(folder: Path) -> Path:
    """The one best_uar_<score>.pt that training left.

    Raises:
        CheckpointError: there is none, or more than one.
    """
    found = sorted(folder.glob("best_uar_*.pt"))
    if len(found) != 1:
        what = (
            "no best_uar_<score>.pt; run `ser train`"
            if not found
            else "several best_uar_<score>.pt; name one"
        )
        raise CheckpointError(f"{folder}: {what}")
    return found[0]


def prediction_table(
    test: Features, probabilities: np.ndarray[Any, np.dtype[np.float32]], labels: list[str]
) -> pd.DataFrame:
    """One row a clip: truth, prediction, confidence and all probabilities (num_clips, num_classes)."""
    names = np.array(labels, dtype=object)
    predicted = probabilities.argmax(axis=1)
    table = pd.DataFrame({name: test.columns[name] for name in ("clip_id", "speaker", "gender")})
    table["true_label"] = names[test.labels]
    table["pred_label"] = names[predicted]
    table["correct"] = predicted == test.labels
    table["confidence"] = probabilities.max(axis=1)
    for index, label in enumerate(labels):
        table[f"prob_{label}"] = probabilities[:, index]
    return table
