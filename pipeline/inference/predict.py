"""Audio file → emotion, with the Tier 0 that the checkpoint was trained on."""

import csv
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from featurize import audio, denoise, mfcc, vad
from featurize.denoise import load_denoiser
from featurize.errors import AudioError, CheckpointError, WeightsError
from featurize.tier0 import Tier0Params, tier0
from featurize.vad import load_vad
from model.checkpoint import load_checkpoint
from model.network.normalisation import normalise_clips
from model.network.tier1 import NetworkParams, SERTier1
from pipeline.protocol.data_card import read_training_card
from pipeline.protocol.labels import FOUR

Style = Literal["table", "json", "csv"]

STEPS = {
    "load": audio.VERSION,
    "denoise": denoise.VERSION,
    "vad": vad.VERSION,
    "mfcc": mfcc.VERSION,
}
"""The version of each step of Tier 0, as in a protocol card."""


@dataclass(frozen=True)
class Prediction:
    """The prediction for one file."""

    file: str
    label: str
    """The most probable class."""
    confidence: float
    """Its probability."""
    probabilities: dict[str, float]
    """By label, in class order."""
    speech_found: bool
    """False: no speech was found, so the whole clip was used."""
    random_weights: bool
    """The network is untrained, so the prediction means nothing."""


class Predictor:
    """A network and its Tier 0, loaded once for many files.

    Args:
        checkpoint: a trained network, which holds its Tier 0 parameters; None makes a network with random weights.
        tier0_params: Tier 0 of the random network.
        weights: local file of the denoiser's weights; by default, they are searched for and downloaded.
        device: where the denoiser and the network run.

    Raises:
        CheckpointError: the checkpoint cannot be loaded, or it was trained with another version of a step of Tier 0.
        WeightsError: its denoiser's weights are not available, or differ from those it was trained with.
    """

    args: dict[str, Any]
    """The metadata of the checkpoint; empty with random weights."""

    def __init__(
        self,
        checkpoint: Path | None,
        tier0_params: Tier0Params | None = None,
        weights: str | None = None,
        device: str = "cpu",
    ) -> None:
        self.device = device
        self.random_weights = checkpoint is None
        if checkpoint is None:
            self.tier0_params = tier0_params or Tier0Params()
            self.labels = list(FOUR)
            self.network = SERTier1(self.tier0_params.mfcc.n_mfcc, len(self.labels), NetworkParams()).to(
                device
            )
            self.args = {}
        else:
            self.network, self.args = load_checkpoint(checkpoint, device)
            _check_steps(checkpoint, read_training_card(checkpoint, self.args).steps)
            self.tier0_params = Tier0Params.model_validate(self.args["tier0"])
            self.labels = self.args["labels"]
        self.network.eval()
        params = self.tier0_params.denoise
        self.denoiser = load_denoiser(
            params.model_copy(update={"weights": weights or params.weights}), device
        )
        trained_with = self.args.get("denoiser")
        if trained_with and trained_with["sha256"] != self.denoiser.sha256:
            raise WeightsError(
                f"{checkpoint}: trained with denoiser {trained_with['name']} {trained_with['sha256'][:12]}, "
                f"but the weights found here are {self.denoiser.sha256[:12]}; give the right file with --weights"
            )
        if trained_with and not trained_with["sha256"] and trained_with["name"] != self.denoiser.name:
            raise WeightsError(
                f"{checkpoint}: trained with denoiser {trained_with['name']}, but installed is {self.denoiser.name}; "
                "install the version that it was trained with"
            )
        self.vad = load_vad()

    @torch.inference_mode()
    def __call__(self, file: Path) -> Prediction:
        """Predict one file.

        Raises:
            AudioError: the file cannot be used.
        """
        features = tier0(file, self.tier0_params, self.denoiser, self.vad)
        x = features.mfcc.unsqueeze(0).to(self.device)  # (1, n_mfcc, num_frames)
        if self.network.params.normalisation == "speaker":  # this file is the only clip of its speaker
            x = normalise_clips(x, torch.ones_like(x[:, :1]))
        output = self.network(x)
        probabilities = [float(p) for p in output["probs"][0]]
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        return Prediction(
            file=str(file),
            label=self.labels[best],
            confidence=probabilities[best],
            probabilities=dict(zip(self.labels, probabilities, strict=True)),
            speech_found=features.has_speech,
            random_weights=self.random_weights,
        )


def _check_steps(checkpoint: Path, trained_with: dict[str, str]) -> None:
    for step, version in trained_with.items():
        if STEPS.get(step) != version:
            raise CheckpointError(
                f"{checkpoint}: trained with version {version} of the step {step}, but this code has version "
                f"{STEPS.get(step, 'none')}; train again, or predict with the code that it was trained with"
            )


def predict(
    files: Sequence[Path], predictor: Predictor, style: Style, print_error: Callable[[str], None]
) -> bool:
    """Print a prediction for each file, or an error where it cannot be used. Return whether all could be used."""
    write = WRITERS[style](predictor.labels)
    complete = True
    for file in files:
        try:
            write(predictor(file))
        except AudioError as error:
            print_error(error.detail)
            complete = False
    return complete


def _table_writer(labels: list[str]) -> Callable[[Prediction], None]:
    def write(prediction: Prediction) -> None:
        others = "  ".join(f"{label} {p:.3f}" for label, p in prediction.probabilities.items())
        note = "" if prediction.speech_found else "  (no speech found)"
        note += "  (random weights)" if prediction.random_weights else ""
        sys.stdout.write(
            f"{prediction.file}: {prediction.label} {prediction.confidence:.3f}  [{others}]{note}\n"
        )

    return write


def _json_writer(labels: list[str]) -> Callable[[Prediction], None]:
    def write(prediction: Prediction) -> None:
        sys.stdout.write(json.dumps(asdict(prediction), ensure_ascii=False) + "\n")

    return write


def _csv_writer(labels: list[str]) -> Callable[[Prediction], None]:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(
        [
            "file",
            "label",
            "confidence",
            "speech_found",
            "random_weights",
            *(f"prob_{label}" for label in labels),
        ]
    )

    def write(prediction: Prediction) -> None:
        p = prediction
        writer.writerow(
            [p.file, p.label, p.confidence, p.speech_found, p.random_weights, *p.probabilities.values()]
        )

    return write


WRITERS: dict[Style, Callable[[list[str]], Callable[[Prediction], None]]] = {
    "table": _table_writer,
    "json": _json_writer,
    "csv": _csv_writer,
}
