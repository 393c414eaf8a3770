"""Stage `evaluate`: score the best checkpoint on the test split, and write a prediction for every clip."""

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from featurize.atomic import write_json, write_text
from featurize.errors import SplitError, counted
from model.batches import Features
from model.checkpoint import load_checkpoint
from model.feature_splits import SplitLoader
from model.logits import predict_logits
from pipeline.protocol.card import digest, encoder_card, scoring_card
from pipeline.protocol.data_card import check_checkpoint, check_encoder, data_card, shared_provenance
from pipeline.protocol.manifest_summary import read_summary
from pipeline.protocol.wording import describe, describe_independence, describe_mixture
from pipeline.runs.evaluation import Evaluation
from pipeline.runs.scoring import probabilities_of, score
from pipeline.runs.trained import choose_checkpoint, read_trained

log = logging.getLogger(__name__)

CARD_DIGITS = 12
"""Digits of the card's hash that evaluation.json and each row of predictions.csv hold."""


def evaluate(
    data: Path, checkpoints: Path, reports: Path, checkpoint: Path | None = None, device: str = "cpu"
) -> Evaluation:
    """Score a checkpoint, by default the best of `checkpoints`, on the test split of data/features/.

    Writes evaluation.json (all scores), metrics.json (the metrics that DVC compares), predictions.csv, and the data of
    DVC's plots (confusion.csv, reliability.csv, risk_coverage.csv) to `reports`.

    Raises:
        CheckpointError: there is no checkpoint, or it was trained for other data.
        SplitError: the test split is empty.
        ShardError: a shard is missing or damaged, or the features were made from another manifest.
    """
    path = choose_checkpoint(checkpoint, checkpoints)
    network, args = load_checkpoint(path, device)
    summary = read_summary(data / "manifest.json")
    labels = summary.labels
    loader = SplitLoader(data, labels, network.params.views)
    made = shared_provenance(loader.shards)
    card = check_checkpoint(path, args, data_card(summary, loader.shards, made), made)
    check_encoder(path, card, encoder_card(loader.encodings))
    trained = read_trained(path, network, args)
    test = loader.load("test")
    if len(test) == 0:
        raise SplitError(
            f"{data / 'features'}: the test split has no clips; see `split` in params.yaml and rejects.csv"
        )
    temperature = float(network.temperature)
    # The network divides its logits by the temperature; undo this, to score calibration without it as well.
    logits = predict_logits(network, test, device=device).double().numpy() * temperature
    protocol = scoring_card(card, device)
    evaluation = Evaluation(
        **dict(score(test.labels, logits, temperature, labels, test.columns)),
        temperature=temperature,
        checkpoint=path.name,
        val_uar=trained.val_uar,
        best_epoch=trained.epoch,
        params={**args["tier0"], "network": args["network"], "train": trained.train},
        protocol=protocol,
        card=digest(protocol.model_dump(mode="json"))[:CARD_DIGITS],
    )
    predictions = prediction_table(test, probabilities_of(logits, temperature), labels)
    _write(reports, evaluation, predictions.assign(card=evaluation.card))
    _log_scores(evaluation)
    return evaluation


def _write(reports: Path, evaluation: Evaluation, predictions: pd.DataFrame) -> None:
    write_json(reports / "evaluation.json", evaluation.model_dump(mode="json"))
    write_json(reports / "metrics.json", headline(evaluation))
    confusion = predictions[["true_label", "pred_label"]].set_axis(["actual", "predicted"], axis=1)
    bins = pd.DataFrame(evaluation.calibration.bins)
    risk = pd.DataFrame(evaluation.risk_coverage.points, columns=["coverage", "risk"])
    tables = {"predictions": predictions, "confusion": confusion, "reliability": bins, "risk_coverage": risk}
    for name, table in tables.items():
        write_text(reports / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))


def _log_scores(evaluation: Evaluation) -> None:
    protocol, intervals = evaluation.protocol, evaluation.intervals
    for note in (
        evaluation.missing_classes_note,
        evaluation.intervals_note,
        describe_mixture(protocol),
    ):
        if note:
            log.warning("%s", note)
    between = (
        " (95 % interval {:.3f} to {:.3f})".format(*intervals.uar) if intervals and intervals.uar else ""
    )
    log.info(
        "test UAR %.3f%s, accuracy %.3f on %s of %s (%s)",
        evaluation.uar,
        between,
        evaluation.accuracy,
        counted(evaluation.n_clips, "clip"),
        counted(len(evaluation.speakers), "speaker"),
        describe_independence(protocol),
    )


def headline(evaluation: Evaluation) -> dict[str, Any]:
    """The content of metrics.json: the main scores, and the protocol in one line."""
    low, high = (evaluation.intervals and evaluation.intervals.uar) or (None, None)
    numbers = {
        "uar": evaluation.uar,
        "uar_low": low,
        "uar_high": high,
        "accuracy": evaluation.accuracy,
        "macro_precision": evaluation.macro_precision,
        "macro_f1": evaluation.macro_f1,
        **asdict(evaluation.calibration.after),
        "aurc": evaluation.risk_coverage.aurc,
        "val_uar": evaluation.val_uar,
        "best_epoch": evaluation.best_epoch,
    }
    recall = {label: own.recall for label, own in evaluation.per_class.items()}
    return {
        # Undefined scores are left out: DVC then prints a dash.
        **{name: value for name, value in numbers.items() if value is not None},
        "recall": {label: value for label, value in recall.items() if value is not None},
        "protocol": describe(evaluation.protocol),
    }


def prediction_table(test: Features, probabilities: NDArray[np.float32], labels: list[str]) -> pd.DataFrame:
    """One row per clip: true label, prediction, confidence and all probabilities (num_clips, num_classes)."""
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
