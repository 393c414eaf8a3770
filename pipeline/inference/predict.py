"""Audio file → emotion, with the Tier 0 that the checkpoint was trained on."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from featurize import audio, denoise, mfcc, vad
from featurize.denoise import load_denoiser
from featurize.errors import AudioError, CheckpointError, WeightsError
from featurize.level import Channel
from featurize.tier0 import Tier0Params, speech_features, tier0
from featurize.vad_network import InputSpeech, load_vad
from model.affect import DIMENSIONS
from model.checkpoint import load_checkpoint
from model.network.normalisation import is_group, normalise_clips
from model.network.tier1 import NetworkParams, SERTier1
from model.views import View
from pipeline.inference.answers import WRITERS, Prediction, Style
from pipeline.inference.clip_views import ClipViews, load_clip_views
from pipeline.inference.sources import find_sources
from pipeline.protocol.data_card import read_training_card
from pipeline.protocol.labels import FOUR
from pipeline.runs.trained import read_trained

UNUSABLE, NO_SPEECH = 2, 3
"""Exit codes of `ser predict`."""

STEPS = {
    "load": audio.VERSION,
    "denoise": denoise.VERSION,
    "vad": vad.VERSION,
    "mfcc": mfcc.VERSION,
}
"""The version of each step of Tier 0, as in a protocol card."""


class Predictor:
    """A network and its Tier 0, loaded once for many files.

    Args:
        checkpoint: a trained network, which holds its Tier 0 parameters; None makes a network with random weights.
        tier0_params: Tier 0 of the random network.
        weights: local file of the denoiser's weights; by default, they are searched for and downloaded.
        device: where the denoiser, the encoder and the network run.
        encoder: folder or Hub name of the encoder that the network was trained on, if not as it was in training.

    Raises:
        CheckpointError: the checkpoint cannot be loaded, or it was trained with another version of a step of Tier 0.
        WeightsError: the weights of its denoiser or encoder are not available, or differ from those in training.
    """

    args: dict[str, Any]
    """The metadata of the checkpoint; empty with random weights."""

    def __init__(
        self,
        checkpoint: Path | None,
        tier0_params: Tier0Params | None = None,
        weights: str | None = None,
        device: str = "cpu",
        encoder: str | None = None,
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
            trained_with = None
            self.clip_views = ClipViews(self.network.params.views)
        else:
            self.network, self.args = load_checkpoint(checkpoint, device)
            card = read_training_card(checkpoint, self.args)
            _check_steps(checkpoint, card.steps)
            trained = read_trained(checkpoint, self.network, self.args)
            self.tier0_params, self.labels, trained_with = trained.tier0, trained.labels, trained.denoiser
            views = self.network.params.views
            self.clip_views = load_clip_views(checkpoint, views, card, trained.encode, encoder, device)
        self.network.eval()
        params = self.tier0_params.denoise
        self.denoiser = load_denoiser(
            params.model_copy(update={"weights": weights or params.weights}), device
        )
        if trained_with and trained_with.sha256 != self.denoiser.sha256:
            raise WeightsError(
                f"{checkpoint}: trained with denoiser {trained_with.name} {trained_with.sha256[:12]}, "
                f"but the weights found here are {self.denoiser.sha256[:12]}; give the right file with --weights"
            )
        if trained_with and not trained_with.sha256 and trained_with.name != self.denoiser.name:
            raise WeightsError(
                f"{checkpoint}: trained with denoiser {trained_with.name}, but installed is {self.denoiser.name}; "
                "install the version that it was trained with"
            )
        self.vad = load_vad()

    @property
    def dimensions(self) -> list[str]:
        """Names of the dimensions of affect that are predicted."""
        return self.network.dimensions

    @torch.inference_mode()
    def __call__(self, file: Path, channel: Channel | None = None, keep_silence: bool = False) -> Prediction:
        """Predict one file.

        Args:
            file: an audio file.
            channel: to use, if not that of the training.
            keep_silence: give a file without speech an emotion as well.

        Raises:
            AudioError: the file cannot be used.
        """
        params = self.tier0_params
        if channel:
            params = params.model_copy(update={"load": params.load.model_copy(update={"channel": channel})})
        keep = params.vad.model_copy(update={"if_no_speech": "keep"})
        features = tier0(file, params.model_copy(update={"vad": keep}), self.denoiser, self.vad)
        if not features.has_speech and not keep_silence:
            return Prediction(
                str(file), None, None, {}, False, self.random_weights, features.source.channel, {}
            )
        found = self.clip_views(features.denoised, features.segments, features.mfcc)
        views = {view: torch.from_numpy(x.T)[None].to(self.device) for view, x in found.items()}  # (1, C, T)
        # This file is all that is known of its speaker or corpus.
        if is_group(self.network.params.normalisation):
            views = {view: normalise_clips(x, torch.ones_like(x[:, :1])) for view, x in views.items()}
        output = self.network(views, {})
        probabilities = [float(p) for p in output["probs"][0]]
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        return Prediction(
            file=str(file),
            label=self.labels[best],
            confidence=probabilities[best],
            probabilities=dict(zip(self.labels, probabilities, strict=True)),
            speech_found=features.has_speech,
            random_weights=self.random_weights,
            channel=features.source.channel,
            affect={name: float(output["affect"][0, DIMENSIONS.index(name)]) for name in self.dimensions},
        )

    def views_of(self, denoised: Tensor, before: InputSpeech | None) -> dict[View, NDArray[np.float32]]:
        """Frames (num_frames, C) of each view of the network.

        Args:
            denoised: (num_samples,), rounded to 16 bits.
            before: speech found before the denoiser; None where that changed nothing.

        Raises:
            AudioError: `no-speech`, if the parameters reject such clips.
        """
        segments, speech = speech_features(denoised, self.tier0_params, self.vad, before)
        return self.clip_views(denoised, segments, speech)


def _check_steps(checkpoint: Path, trained_with: dict[str, str]) -> None:
    for step, version in trained_with.items():
        if STEPS.get(step) != version:
            raise CheckpointError(
                f"{checkpoint}: trained with version {version} of the step {step}, but this code has version "
                f"{STEPS.get(step, 'none')}; train again, or predict with the code that it was trained with"
            )


def predict(
    recordings: Iterable[str | Path],
    predictor: Predictor,
    style: Style,
    print_error: Callable[[str], None],
    channel: Channel | Literal["each"] | None = None,
    keep_silence: bool = False,
) -> int:
    """Print a prediction for each recording, or an error where it cannot be used.

    Args:
        recordings: files, folders, addresses, or `-`, see `find_sources`.
        predictor: the network.
        style: of the output.
        print_error: called with a line for each recording that cannot be used.
        channel: to use, if not that of the training; each: left and right, one after the other.
        keep_silence: predict an emotion for recordings without speech as well.

    Returns:
        The exit code: UNUSABLE if a recording could not be used, else NO_SPEECH if one held no speech, else 0.
    """
    write = WRITERS[style](predictor.labels, predictor.dimensions)
    code = 0
    for source in find_sources(recordings):
        try:
            with source.open() as file:
                for one in _channels(file) if channel == "each" else [channel]:
                    prediction = replace(predictor(file, one, keep_silence), file=source.name)
                    write(prediction)
                    if prediction.label is None:
                        code = code or NO_SPEECH
        except AudioError as error:
            print_error(error.of(source.name).detail)
            code = UNUSABLE
        except (MemoryError, torch.OutOfMemoryError):
            print_error(f"{source.name}: too long for the memory of this machine; cut it into parts")
            code = UNUSABLE
    return code


def _channels(file: Path) -> Sequence[Channel]:
    _, _, num_channels = audio.probe(file)
    return ("left", "right") if num_channels > 1 else ("mix",)
