"""SERTier1: from the MFCC of a clip, the frames of a frozen encoder, or both, to an emotion; exact on padded batches.

Each view has a stream of its own (see `stream`): channel attention, residual Conv1D blocks, averaging of frames, a
BiLSTM, pooling over time. Their vectors meet in a linear head, whose confidence a temperature calibrates. The logits
of a clip are the same alone and in any batch, in evaluation and (apart from dropout) in training.
"""

from collections.abc import Mapping
from typing import Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, Field, field_validator
from torch import Tensor, nn

from model.affect import DIMENSIONS
from model.moments import Statistics
from model.network.batchnorm import MaskedBatchNorm
from model.network.normalisation import Normalisation
from model.network.stream import Augment, Freeze, Stream, StreamParams
from model.views import View


class EncoderStreamParams(StreamParams, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """Size and variant of the stream of an encoder's frames."""

    projection: int = Field(128, ge=0, le=8192)
    """Channels that a linear layer maps each frame to before the attention; 0: no such layer."""
    time_pooling: int = Field(1, gt=0, le=64)
    """Frames averaged into one before the BiLSTM."""
    statistics: bool = True
    """Mean and deviation of the frames over time reach the head as well."""
    dropout: float = Field(0.5, ge=0, lt=1)
    """Dropout in the blocks, between LSTM layers and before the head."""


class ViewParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """What the network hears, and how it is normalised."""

    views: tuple[View, ...] = Field(("mfcc",), min_length=1, max_length=2)
    """[mfcc] | [encoder] | [mfcc, encoder]: one stream for each; the encoder is encode.model."""
    normalisation: Normalisation = "global"
    """global | clip | speaker, corpus: transductive, uses all clips of either; stamped so."""


class NetworkParams(StreamParams, ViewParams, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """Size and variant of SERTier1; the fields of a stream are those of the MFCC's."""

    encoder: EncoderStreamParams = Field(default_factory=EncoderStreamParams)
    """The stream of the encoder's frames."""
    affect: bool = False
    """A second head for valence, arousal and dominance; train.affect_weight > 0 adds it."""
    temperature: bool = True
    """Fit a temperature on the validation split after training."""

    @field_validator("views")
    @classmethod
    def _distinct(cls, value: tuple[View, ...]) -> tuple[View, ...]:
        if len(set(value)) < len(value):
            raise ValueError(f"each view once; got {', '.join(value)}")
        return value

    def stream(self, view: View) -> StreamParams:
        """The parameters of a view's stream."""
        return self if view == "mfcc" else self.encoder


class SERTier1(nn.Module):
    """The emotion classifier.

    With 40 coefficients, 4 classes and the default parameters it has 237,373 trainable parameters:
    channel attention 9,840; Conv1D blocks 10,696 and 17,280; BiLSTM 198,656; pooling 129; head 772.
    With conv_channels (128, 256) and lstm_hidden 128 it has 879,549.

    Args:
        n_mfcc: coefficients per frame.
        num_classes: K.
        params: size and variant.
        encoding: hidden states of a frame, and the values of each, of the encoder; needed for the view "encoder".
        no_agreement: a further class, of clips without agreement, which is trained and never predicted.

    Buffers, which the optimiser does not update, apart from those of the streams: `temperature` (), 1 until it is
    fitted on validation data (Guo et al. 2017, "On Calibration of Modern Neural Networks"); with the second head,
    `affect_mean` and `affect_std` (3,), both 0 for a dimension that no training clip has.
    With normalisation "speaker" or "corpus" the caller standardises the clips, see `standardise_groups`.
    """

    temperature: Tensor
    affect_mean: Tensor
    affect_std: Tensor

    def __init__(
        self,
        n_mfcc: int,
        num_classes: int,
        params: NetworkParams | None = None,
        encoding: tuple[int, int] | None = None,
        *,
        no_agreement: bool = False,
    ) -> None:
        super().__init__()
        self.n_mfcc, self.num_classes, self.params = n_mfcc, num_classes, params or NetworkParams()
        self.encoding, self.no_agreement = encoding, no_agreement
        params = self.params
        if "encoder" in params.views and encoding is None:
            raise ValueError("the view encoder needs the shape of the encoder's frames")
        self.register_buffer("temperature", torch.ones(()))
        self.streams = nn.ModuleDict()
        for view in params.views:
            layers, channels = self._shape(view)
            self.streams[view] = Stream(layers, channels, params.stream(view), params.normalisation == "clip")
        size = sum(self._stream(view).size for view in params.views)
        self.head = nn.Linear(size, num_classes + no_agreement)
        if params.affect:
            self.register_buffer("affect_mean", torch.zeros(len(DIMENSIONS)))
            self.register_buffer("affect_std", torch.zeros(len(DIMENSIONS)))
            self.affect_head = nn.Linear(size, len(DIMENSIONS))
        self._frozen: list[nn.Module] = []

    @property
    def num_trained(self) -> int:
        """Classes that are trained: K, or with no agreement one more."""
        return self.head.out_features

    def _shape(self, view: View) -> tuple[int, int]:
        return (1, self.n_mfcc) if view == "mfcc" else (self.encoding or (0, 0))

    def _stream(self, view: View) -> Stream:
        return cast(Stream, self.streams[view])

    def num_channels(self, view: View) -> int:
        """Values of a frame of a view, as `forward` takes them."""
        layers, channels = self._shape(view)
        return layers * channels

    def num_mixed(self, view: View) -> int:
        """Values of a frame once hidden states are mixed, as augmentation sees them."""
        return self._shape(view)[1]

    def forward(
        self,
        frames: Tensor | Mapping[View, Tensor],
        num_frames: Tensor | Mapping[View, Tensor] | None = None,
        augment: Mapping[View, Augment] | None = None,
    ) -> dict[str, Tensor]:
        """Classify a batch of clips.

        Args:
            frames: (B, C, T) of each view, or of the only one; values after a clip's end are ignored.
            num_frames: (B,) valid frames of each clip, at least 1; None: all T.
            augment: applied to the normalised frames of each view, in training.

        Returns:
            "logits" (B, K) divided by the temperature, "probs" (B, K), "confidence" (B,); with no agreement as a
            class also "trained_logits" (B, K + 1), those of all classes that are trained; with the second head also
            "affect" (B, 3), valence, arousal and dominance in the units of the training data; NaN for a dimension
            that no training clip has.
        """
        views = self.params.views
        by_view = frames if isinstance(frames, Mapping) else {views[0]: frames}
        lengths = num_frames if isinstance(num_frames, Mapping) else {views[0]: num_frames}
        vectors = []
        for view in views:
            x = by_view[view]
            length = lengths.get(view)
            if length is None:
                length = torch.full((len(x),), x.shape[2], device=x.device)
            vectors.append(self._stream(view)(x, length, augment[view] if augment else None))
        vector = torch.cat(vectors, dim=1) if len(vectors) > 1 else vectors[0]
        dtype = by_view[views[0]].dtype
        trained = self.head(vector).to(dtype) / self.temperature
        logits = trained[:, : self.num_classes]  # (B, K)
        probs = torch.softmax(logits, dim=1)
        output = {"logits": logits, "probs": probs, "confidence": probs.amax(dim=1)}
        if self.no_agreement:
            output["trained_logits"] = trained  # (B, K + 1)
        if self.params.affect:
            affect = self.affect_head(vector).to(dtype) * self.affect_std + self.affect_mean
            output["affect"] = torch.where(self.affect_std > 0, affect, torch.nan)
        return output

    def freeze(self, freeze: Freeze) -> None:
        """Take parts of the streams out of training: no gradients, and always in evaluation mode."""
        self._frozen = [part for view in self.params.views for part in self._stream(view).freeze(freeze)]
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Set the mode of all that is not frozen: statistics of frozen batch norms stand, and nothing is dropped."""
        super().train(mode)
        for part in self._frozen:
            part.eval()
        return self

    def set_normalisation(self, statistics: Mapping[View, Statistics]) -> None:
        """Set mean and deviation of each channel of each view: those of all frames of the train split."""
        for view in self.params.views:
            self._stream(view).set_normalisation(statistics[view])

    @property
    def dimensions(self) -> list[str]:
        """Names of the dimensions of affect that the network predicts, since training clips had them."""
        if not self.params.affect:
            return []
        return [name for name, std in zip(DIMENSIONS, self.affect_std.tolist(), strict=True) if std > 0]

    def fit_affect(self, affect: NDArray[np.float32]) -> None:
        """Set the mean and scale of each dimension from affect (num_clips, 3); NaN (unknown) is ignored."""
        for dimension in range(len(DIMENSIONS)):
            known = affect[np.isfinite(affect[:, dimension]), dimension]
            if len(known):
                self.affect_mean[dimension] = float(known.mean())
                self.affect_std[dimension] = float(known.std()) or 1.0

    @torch.no_grad()
    def fit_batchnorm(
        self, frames: Tensor | Mapping[View, Tensor], num_frames: Tensor | Mapping[View, Tensor]
    ) -> None:
        """Initialise the running statistics of each batch norm, from first to last, with those of this batch."""
        was_training = self.training
        norms = [module for module in self.modules() if isinstance(module, MaskedBatchNorm)]
        for norm in norms:
            norm.adopting = True
        self.train()(frames, num_frames)
        for norm in norms:
            norm.adopting = False
        self.train(was_training)


def build_network(
    n_mfcc: int,
    num_classes: int,
    params: NetworkParams,
    seed: int,
    encoding: tuple[int, int] | None = None,
    *,
    no_agreement: bool = False,
) -> SERTier1:
    """Build a network with initial weights that depend on the seed only; torch's random state is not changed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SERTier1(n_mfcc, num_classes, params, encoding, no_agreement=no_agreement)
