"""Compute all scores of a set of logits."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from model.affect import DIMENSIONS
from model.scoring.concordance import DimensionScore, score_dimension
from model.scoring.confidence import reliability_bins, risk_coverage, score_calibration
from model.scoring.confusions import speaker_confusions
from model.scoring.intervals import Intervals, doubts_about, speaker_intervals, why_no_intervals
from model.scoring.metrics import ClassMetrics, compute_metrics, score_groups
from model.scoring.shares import score_votes, top_k_accuracy
from pipeline.runs.evaluation import Calibration, CorpusScore, GenderScore, Scores, SpeakerScore

Classes = NDArray[np.int64]


def probabilities_of(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float32]:
    """Softmax at a temperature, (n, K), in the precision in which predictions are written."""
    scaled: NDArray[np.float64] = softmax(logits / temperature, axis=1)
    return scaled.astype(np.float32)


def score(
    truth: Classes,
    logits: NDArray[np.float64],
    temperature: float,
    labels: Sequence[str],
    columns: Mapping[str, NDArray[Any]],
    votes: NDArray[np.float32] | None = None,
) -> Scores:
    """Metrics, intervals over speakers, calibration, and scores per speaker and gender.

    Args:
        truth: (n,) true classes, at least one clip.
        logits: (n, K), not divided by the temperature.
        temperature: fitted on the validation split.
        labels: K names in class order.
        columns: (n,) each; `corpus`; `speaker` and `gender`, empty where unknown.
        votes: (n, K) share of each class in the raters' votes, NaN where unknown; None: of no clip.
    """
    probabilities = probabilities_of(logits, temperature)
    predicted = probabilities.argmax(axis=1)  # of what is written, so that counting predictions.csv agrees
    metrics = compute_metrics(truth, predicted, labels)
    speakers, genders = columns["speaker"], columns["gender"]
    gender_of = dict(zip(speakers.tolist(), genders.tolist(), strict=True))
    intervals, note = _intervals(truth, predicted, labels, speakers)
    return Scores(
        **dict(metrics),
        missing_classes_note=_missing(metrics.per_class),
        intervals=intervals,
        intervals_note=note,
        calibration=Calibration(
            before=score_calibration(logits, truth),
            after=score_calibration(logits / temperature, truth),
            bins=reliability_bins(probabilities, truth),
        ),
        top2=top_k_accuracy(truth, probabilities, 2),
        top3=top_k_accuracy(truth, probabilities, 3),
        votes=None if votes is None else score_votes(logits / temperature, votes),
        risk_coverage=risk_coverage(probabilities.max(axis=1), predicted == truth),
        speakers=[
            SpeakerScore(**vars(scores), speaker=name, gender=gender_of[name])
            for name, scores in score_groups(truth, predicted, speakers, labels).items()
        ],
        genders=[
            GenderScore(**vars(scores), gender=name)
            for name, scores in score_groups(truth, predicted, genders, labels).items()
        ],
        corpora=_corpora(truth, predicted, labels, columns),
    )


def _corpora(
    truth: Classes, predicted: Classes, labels: Sequence[str], columns: Mapping[str, NDArray[Any]]
) -> list[CorpusScore]:
    """Scores of each of several corpora; none where there is one."""
    corpora, speakers = columns["corpus"], columns["speaker"]
    found = score_groups(truth, predicted, corpora, labels)
    if len(found) < 2:
        return []
    scored = []
    for name, scores in found.items():
        own = corpora == name
        intervals, _ = _intervals(truth[own], predicted[own], labels, speakers[own])
        scored.append(CorpusScore(**vars(scores), corpus=name, intervals=intervals))
    return scored


def score_affect(
    truth: NDArray[np.float32], predicted: Mapping[str, NDArray[np.float32]], speakers: NDArray[Any]
) -> dict[str, DimensionScore]:
    """Concordance of the dimensions that are predicted and that clips have.

    Args:
        truth: (n, 3), NaN where unknown.
        predicted: (n,) of each dimension, by its name.
        speakers: (n,), empty where unknown.
    """
    scores = {
        name: score_dimension(truth[:, DIMENSIONS.index(name)], values, speakers)
        for name, values in predicted.items()
    }
    return {name: own for name, own in scores.items() if own is not None}


def _intervals(
    truth: Classes, predicted: Classes, labels: Sequence[str], speakers: NDArray[Any]
) -> tuple[Intervals | None, str]:
    """Intervals and a warning about them, if any; or None and the reason."""
    if why := why_no_intervals(speakers):
        return None, f"no intervals: {why}"
    confusion = speaker_confusions(truth, predicted, speakers, len(labels))
    return speaker_intervals(confusion, labels), doubts_about(confusion, labels)


def _missing(per_class: Mapping[str, ClassMetrics]) -> str:
    """One line about the classes without test clips; empty if there are none."""
    missing = [label for label, scores in per_class.items() if scores.support == 0]
    if not missing:
        return ""
    return (
        f"no test clips of {', '.join(missing)}: their recall is undefined; "
        f"UAR and macro scores are over the other {len(per_class) - len(missing)} classes"
    )
