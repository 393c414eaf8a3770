"""Audio file → emotion, with exactly the Tier 0 that the checkpoint was trained on."""

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
"""The version of each step that makes numbers, as in a protocol card."""


@dataclass(frozen=True)
class Prediction:
    """What the network says about one file; `probabilities` by label, in class order."""

    file: str
    label: str
    confidence: float
    probabilities: dict[str, float]
    speech_found: bool
    random_weights: bool


class Predictor:
    """A network and its Tier 0, loaded once and asked about many files.

    Attributes:
        args: what the checkpoint says of itself; empty with random weights.

    Args:
        checkpoint: a trained network, which brings its own Tier 0; None makes one with random weights.
        tier0_params: Tier 0 of the random network.
        weights: local file of the denoiser's weights, where it is not found by itself.
        device: where the denoiser and the network run.

    Raises:
        CheckpointError: the checkpoint cannot be loaded, or was trained on features that this version computes
            otherwise.
        WeightsError: its denoiser's weights cannot be had, or are others than it was trained with.
    """

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
            self.args: dict[str, Any] = {}
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
                f"{checkpoint}: trained behind denoiser {trained_with['name']} {trained_with['sha256'][:12]}, "
                f"but the weights here are {self.denoiser.sha256[:12]}; name the right file with --weights"
            )
        if trained_with and not trained_with["sha256"] and trained_with["name"] != self.denoiser.name:
            raise WeightsError(
                f"{checkpoint}: trained behind denoiser {trained_with['name']}, but here is {self.denoiser.name}; "
                "install the package's version that it was trained with"
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
        if self.network.params.normalisation == "speaker":  # all that is known of the speaker is this file
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


def _check_steps(checkpoint: Path, trained_behind: dict[str, str]) -> None:
    for step, version in trained_behind.items():
        if STEPS.get(step) != version:
            raise CheckpointError(
                f"{checkpoint}: trained on features of version {version} of the step {step}, but here is "
                f"{STEPS.get(step, 'none')}; train again, or predict with the version that it was trained with"
            )


def predict(
    files: Sequence[Path], predictor: Predictor, style: Style, complain: Callable[[str], None]
) -> bool:
    """Print a prediction for each file, `complain` about those without. Return whether all have one."""
    write = WRITERS[style](predictor.labels)
    complete = True
    for file in files:
        try:
            write(predictor(file))
        except AudioError as error:
            complain(error.detail)
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
