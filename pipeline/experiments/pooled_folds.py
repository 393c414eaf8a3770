"""The predictions of all folds put together: every clip of the corpus once for each seed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from featurize.errors import SerError, counted
from model.scoring.confusions import speaker_confusions
from model.scoring.intervals import doubts_about, speaker_intervals, why_no_intervals
from model.scoring.metrics import compute_metrics
from pipeline.runs.evaluated_run import Run

NOT_IN_THE_INTERVALS = (
    "the networks of the folds share training speakers, so the scores of their test speakers are not independent; "
    "what other training speakers or seeds would change is not in the intervals"
)


def pool(runs: Sequence[Run]) -> pd.DataFrame:
    """The predictions of one seed's folds."""
    columns = ["clip_id", "speaker", "true_label", "pred_label"]
    predictions = pd.concat([pd.DataFrame(columns=columns), *(run.predictions[columns] for run in runs)])
    twice = predictions.loc[predictions["clip_id"].duplicated(), "clip_id"]
    if len(twice):
        are = counted(len(twice), "clip is", "clips are")
        raise SerError(f"{are} in the test split of two folds, first {twice.iloc[0]}")
    return predictions


def pooled_metrics(predictions: pd.DataFrame, labels: list[str]) -> dict[str, Any]:
    """Metrics of pooled predictions, as plain types."""
    return compute_metrics(*_classes(predictions, labels), labels).model_dump(mode="json")


def _classes(predictions: pd.DataFrame, labels: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """True and predicted classes of predictions, (n,) each."""
    true, predicted = (
        predictions[name].map(labels.index).to_numpy(np.int64) for name in ("true_label", "pred_label")
    )
    return true, predicted


def seed_confusions(predictions: Sequence[pd.DataFrame], labels: list[str]) -> NDArray[np.int64]:
    """Confusion matrices of every speaker in the predictions of each seed, (seeds, S, K, K)."""
    return np.stack(
        [
            speaker_confusions(*_classes(own, labels), own["speaker"].to_numpy(object), len(labels))
            for own in predictions
        ]
    )


def pooled_intervals(pooled: Mapping[int, pd.DataFrame], labels: list[str], complete: bool) -> dict[str, Any]:
    """Intervals over all speakers of the pooled scores' mean over seeds, and what they do not contain."""
    if not complete:
        return {"intervals": None, "intervals_note": "no intervals: the figures lack folds"}
    speakers = next(iter(pooled.values()))["speaker"].to_numpy(object)
    if why := why_no_intervals(speakers):
        return {"intervals": None, "intervals_note": f"no intervals: {why}"}
    confusions = seed_confusions(list(pooled.values()), labels)
    notes = filter(None, (doubts_about(confusions[0], labels), NOT_IN_THE_INTERVALS))
    return {
        "intervals": asdict(speaker_intervals(confusions, labels)),
        "intervals_note": "; ".join(notes),
    }
