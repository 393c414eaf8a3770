"""Predictions of `ser predict`, as a line, JSON or CSV."""

import csv
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

from pipeline.terminal import can_print

Style = Literal["table", "json", "csv"]

SIDES = ("left", "right")
"""Channels that the table names."""


@dataclass(frozen=True)
class Prediction:
    """The prediction for one file, or one channel of it."""

    file: str
    label: str | None
    """The most probable class; None: no speech was found, and no emotion is predicted."""
    confidence: float | None
    """Its probability."""
    probabilities: dict[str, float]
    """By label, in class order; empty without a label."""
    speech_found: bool
    """False: no speech was found; with a label, the whole clip was used."""
    random_weights: bool
    """The network is untrained, so the prediction means nothing."""
    channel: str
    """mono, mix, left, right..."""
    affect: dict[str, float]
    """Valence, arousal and dominance, as far as the network predicts them, in the units of its training data."""


def _table_writer(labels: list[str], dimensions: list[str]) -> Callable[[Prediction], None]:
    def write(prediction: Prediction) -> None:
        name = f"{prediction.file} ({prediction.channel})" if prediction.channel in SIDES else prediction.file
        if prediction.label is None:
            sys.stdout.write(f"{name}: no speech (--keep-silence predicts an emotion all the same)\n")
            return
        others = "  ".join(f"{label} {p:.3f}" for label, p in prediction.probabilities.items())
        affect = "".join(f"  {name} {value:.2f}" for name, value in prediction.affect.items())
        note = "" if prediction.speech_found else "  (no speech found)"
        note += "  (random weights)" if prediction.random_weights else ""
        sys.stdout.write(
            f"{name}: {prediction.label} {prediction.confidence:.3f}  [{others}]{affect}{note}\n"
        )

    return write


def _json_writer(labels: list[str], dimensions: list[str]) -> Callable[[Prediction], None]:
    def write(prediction: Prediction) -> None:
        text = json.dumps(asdict(prediction), ensure_ascii=False)
        # Escapes lose nothing, where the terminal lacks a character.
        sys.stdout.write((text if can_print(text, sys.stdout) else json.dumps(asdict(prediction))) + "\n")

    return write


def _csv_writer(labels: list[str], dimensions: list[str]) -> Callable[[Prediction], None]:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(
        [
            "file",
            "label",
            "confidence",
            "speech_found",
            "random_weights",
            "channel",
            *(f"prob_{label}" for label in labels),
            *dimensions,
        ]
    )

    def write(prediction: Prediction) -> None:
        p = prediction
        writer.writerow(
            [
                p.file,
                p.label,
                p.confidence,
                p.speech_found,
                p.random_weights,
                p.channel,
                *(p.probabilities.get(label) for label in labels),
                *(p.affect.get(name) for name in dimensions),
            ]
        )

    return write


WRITERS: dict[Style, Callable[[list[str], list[str]], Callable[[Prediction], None]]] = {
    "table": _table_writer,
    "json": _json_writer,
    "csv": _csv_writer,
}
