"""Write one evaluated run: evaluation.json, metrics.json and predictions.csv, of a network or of the baseline."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from featurize.atomic import write_json, write_text
from featurize.errors import SplitError, counted
from model.affect import DIMENSIONS
from model.batches import Features
from model.feature_splits import SplitLoader
from pipeline.protocol.card import ScoringCard, digest
from pipeline.protocol.wording import describe, describe_independence, describe_leak, describe_mixture
from pipeline.runs.evaluated_run import describe_affect
from pipeline.runs.evaluation import Evaluation
from pipeline.runs.scoring import probabilities_of

log = logging.getLogger(__name__)

CARD_DIGITS = 12
"""Digits of the card's hash that evaluation.json and each row of predictions.csv hold."""


def load_test(loader: SplitLoader, data: Path) -> Features:
    """The test split.

    Raises:
        SplitError: it is empty.
    """
    test = loader.load("test")
    if len(test) == 0:
        raise SplitError(
            f"{data / 'features'}: the test split has no clips; see `split` in params.yaml and rejects.csv"
        )
    return test


def card_hash(card: ScoringCard) -> str:
    """The first digits of a card's SHA-256."""
    return digest(card.model_dump(mode="json"))[:CARD_DIGITS]


def write_run(
    folder: Path,
    evaluation: Evaluation,
    test: Features,
    logits: NDArray[np.float64],
    affect: Mapping[str, NDArray[np.float32]] | None = None,
) -> pd.DataFrame:
    """Write the three files, and log the main scores.

    Args:
        folder: of the files.
        evaluation: its scores.
        test: the clips that were scored.
        logits: of them, (num_clips, num_classes), not divided by the temperature.
        affect: predicted values (num_clips,) of each dimension that the network predicts.

    Returns:
        The predictions.
    """
    predictions = prediction_table(test, probabilities_of(logits, evaluation.temperature), evaluation.labels)
    for name, values in (affect or {}).items():
        predictions[f"true_{name}"] = test.affect[:, DIMENSIONS.index(name)]
        predictions[f"pred_{name}"] = values
    predictions = predictions.assign(card=evaluation.card)
    write_json(folder / "evaluation.json", evaluation.model_dump(mode="json"))
    numbers = headline(evaluation)
    # DVC names a metric by its keys: those of the baseline have names of their own.
    own = {"baseline": numbers} if evaluation.protocol.model == "baseline" else numbers
    write_json(folder / "metrics.json", own)
    write_text(folder / "predictions.csv", predictions.to_csv(index=False, lineterminator="\n"))
    _log_scores(evaluation)
    return predictions


def _log_scores(evaluation: Evaluation) -> None:
    protocol, intervals = evaluation.protocol, evaluation.intervals
    for note in (
        evaluation.missing_classes_note,
        evaluation.intervals_note,
        describe_leak(protocol),
        describe_mixture(protocol),
    ):
        if note:
            log.warning("%s", note)
    between = (
        " (95 % interval {:.3f} to {:.3f})".format(*intervals.uar) if intervals and intervals.uar else ""
    )
    log.info(
        "%s: test UAR %.3f%s, accuracy %.3f on %s of %s (%s)",
        protocol.model,
        evaluation.uar,
        between,
        evaluation.accuracy,
        counted(evaluation.n_clips, "clip"),
        counted(len(evaluation.speakers), "speaker"),
        describe_independence(protocol),
    )
    for own in evaluation.corpora:
        log.info(
            "%s: test UAR %.3f, accuracy %.3f on %s",
            *(own.corpus, own.uar, own.accuracy, counted(own.n_clips, "clip")),
        )
    if affect := describe_affect(evaluation):
        log.info("%s", affect)


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
        "top2": evaluation.top2,
        "top3": evaluation.top3,
        "kl": evaluation.votes and evaluation.votes.kl,
        "aurc": evaluation.risk_coverage.aurc,
        "val_uar": evaluation.val_uar,
        "best_epoch": evaluation.best_epoch,
    }
    recall = {label: own.recall for label, own in evaluation.per_class.items()}
    return {
        # Undefined scores are left out: DVC then prints a dash.
        **{name: value for name, value in numbers.items() if value is not None},
        **({"ccc": {name: own.ccc for name, own in evaluation.affect.items()}} if evaluation.affect else {}),
        "recall": {label: value for label, value in recall.items() if value is not None},
        **({"corpus_uar": {own.corpus: own.uar for own in evaluation.corpora}} if evaluation.corpora else {}),
        "protocol": describe(evaluation.protocol),
    }


def prediction_table(test: Features, probabilities: NDArray[np.float32], labels: list[str]) -> pd.DataFrame:
    """One row per clip: true label, prediction, confidence and all probabilities (num_clips, num_classes)."""
    names = np.array(labels, dtype=object)
    predicted = probabilities.argmax(axis=1)
    table = pd.DataFrame({name: test.columns[name] for name in ("clip_id", "corpus", "speaker", "gender")})
    table["true_label"] = names[test.labels]
    table["pred_label"] = names[predicted]
    table["correct"] = predicted == test.labels
    table["confidence"] = probabilities.max(axis=1)
    for index, label in enumerate(labels):
        table[f"prob_{label}"] = probabilities[:, index]
    return table
