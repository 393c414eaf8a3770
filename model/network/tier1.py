"""SERTier1: from the MFCC of a clip to an emotion, exact on padded batches.

Channel attention over coefficients, residual Conv1D blocks, averaging of frames, a two-layer BiLSTM, pooling over
time, a linear head, and a temperature that calibrates its confidence. The logits of a clip are the same alone and in
any batch, in evaluation and (apart from dropout) in training.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, Field, field_validator
from torch import Tensor, nn

from model.network.batchnorm import MaskedBatchNorm
from model.network.dropout import Dropout
from model.network.layers import ChannelAttention, ResidualConvBlock
from model.network.lstm import BiLSTM
from model.network.normalisation import add_deltas, frame_statistics, normalise_clips
from model.network.pooling import AttentionPooling, MeanPooling, StatisticsPooling, pool_frames

Channels = Annotated[int, Field(gt=0, le=8192)]
Augment = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Augmentation of a training batch: normalised mfcc (B, C, T) and num_frames (B,) -> the same, altered."""

POOLINGS = {"attention": AttentionPooling, "attentive-statistics": StatisticsPooling}


class NetworkParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """Size and variant of SERTier1. recipes/accuracy/ explains how the defaults were chosen."""

    normalisation: Literal["global", "clip", "speaker"] = "global"
    """global | clip | speaker: transductive, uses all clips of a speaker; stamped so."""
    deltas: Literal[0, 1, 2] = 0
    """Orders of delta coefficients, the slopes over time: 0 | 1 | 2."""
    attention_heads: int = Field(4, gt=0, le=64)
    """Heads of the two-stream channel attention."""
    conv_channels: tuple[Channels, ...] = Field((128, 128), min_length=1)
    """Output channels of each residual Conv1D block."""
    kernel_size: int = Field(5, gt=0, le=255)
    """Width of the convolutions in frames; odd."""
    depthwise: bool = True
    """Depthwise-separable convolutions; false: regular ones."""
    time_pooling: int = Field(4, gt=0, le=64)
    """Frames averaged into one before the BiLSTM."""
    lstm_hidden: int = Field(64, gt=0, le=8192)
    """Hidden size of each LSTM direction."""
    lstm_layers: int = Field(2, gt=0, le=16)
    """Stacked BiLSTM layers."""
    pooling: Literal["attention", "mean", "attentive-statistics"] = "attention"
    """attention | mean | attentive-statistics: how the frames become one vector per clip."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Dropout in the blocks, between LSTM layers and before the head."""
    lstm_dropout: float = Field(0.3, ge=0, lt=1)
    """Dropout on the output of the last LSTM layer."""
    affect: bool = False
    """A second head for valence and arousal; train.va_weight > 0 adds it automatically."""
    temperature: bool = True
    """Fit a temperature on the validation split after training."""

    @field_validator("kernel_size")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError(f"must be odd, so that a block keeps the number of frames; got {value}")
        return value


class SERTier1(nn.Module):
    """The emotion classifier.

    With 40 coefficients, 4 classes and the default parameters it has 237,373 trainable parameters:
    channel attention 9,840; Conv1D blocks 10,696 and 17,280; BiLSTM 198,656; pooling 129; head 772.
    With conv_channels (128, 256) and lstm_hidden 128 it has 879,549.

    Args:
        n_mfcc: coefficients per frame, C.
        num_classes: K.
        params: size and variant.

    Buffers, which the optimiser does not update, apart from those of the batch norms: `feature_mean` and
    `feature_std` (C,), from `fit_normalisation`; `temperature` (), 1 until it is fitted on validation data (Guo et al.
    2017, "On Calibration of Modern Neural Networks"); with the second head, `affect_mean` and `affect_std` (2,).
    With normalisation "speaker" the caller standardises the clips, see `normalise_speakers`.
    """

    feature_mean: Tensor
    feature_std: Tensor
    temperature: Tensor
    affect_mean: Tensor
    affect_std: Tensor

    def __init__(self, n_mfcc: int, num_classes: int, params: NetworkParams | None = None) -> None:
        super().__init__()
        self.n_mfcc, self.num_classes, self.params = n_mfcc, num_classes, params or NetworkParams()
        params = self.params
        self.register_buffer("feature_mean", torch.zeros(n_mfcc))
        self.register_buffer("feature_std", torch.ones(n_mfcc))
        self.register_buffer("temperature", torch.ones(()))
        num_inputs = n_mfcc * (1 + params.deltas)
        self.attention = ChannelAttention(num_inputs, params.attention_heads)
        sizes = (num_inputs, *params.conv_channels)
        self.blocks = nn.ModuleList(
            ResidualConvBlock(before, after, params.kernel_size, params.depthwise, params.dropout)
            for before, after in itertools.pairwise(sizes)
        )
        self.lstm = BiLSTM(sizes[-1], params.lstm_hidden, params.lstm_layers, params.dropout)
        self.lstm_dropout = Dropout(params.lstm_dropout)
        size = 2 * params.lstm_hidden
        self.pooling = POOLINGS[params.pooling](size) if params.pooling != "mean" else MeanPooling()
        size *= 2 if params.pooling == "attentive-statistics" else 1
        self.head = nn.Sequential(nn.LayerNorm(size), Dropout(params.dropout), nn.Linear(size, num_classes))
        if params.affect:
            self.register_buffer("affect_mean", torch.zeros(2))
            self.register_buffer("affect_std", torch.ones(2))
            self.affect_head = nn.Sequential(nn.LayerNorm(size), Dropout(params.dropout), nn.Linear(size, 2))

    def forward(
        self, mfcc: Tensor, num_frames: Tensor | None = None, augment: Augment | None = None
    ) -> dict[str, Tensor]:
        """Classify a batch of clips.

        Args:
            mfcc: (B, C, T); values after a clip's end are ignored.
            num_frames: (B,) valid frames of each clip, at least 1; None: all T.
            augment: applied to the normalised coefficients, in training.

        Returns:
            "logits" (B, K) divided by the temperature, "probs" (B, K), "confidence" (B,); with the second
            head also "affect" (B, 2), valence and arousal in the units of the training data.
        """
        batch_size, _, length = mfcc.shape
        if num_frames is None:
            num_frames = torch.full((batch_size,), length, device=mfcc.device)
        x = (mfcc - self.feature_mean[:, None]) / self.feature_std[:, None]
        inside = _inside(num_frames, length)
        x = x.masked_fill(~inside, 0)
        if self.params.normalisation == "clip":
            x = normalise_clips(x, inside.to(x.dtype))
        if augment is not None:
            x, num_frames = augment(x, num_frames)
            inside = _inside(num_frames, length)
        if self.params.deltas:
            x = add_deltas(x, num_frames, self.params.deltas).masked_fill(~inside, 0)
        valid = inside.to(x.dtype)  # (B, 1, T)
        x = self.attention(x, valid)  # (B, C, T)
        for block in self.blocks:
            x = block(x, valid)  # (B, F, T)
        if self.params.time_pooling > 1:
            x, num_frames = pool_frames(x, num_frames, self.params.time_pooling)
            valid = _inside(num_frames, x.shape[2]).to(x.dtype)
        x = self.lstm_dropout(self.lstm(x.permute(2, 0, 1), num_frames))  # (T, B, 2H)
        pooled = self.pooling(x, valid)
        logits = self.head(pooled).to(mfcc.dtype) / self.temperature  # (B, K)
        probs = torch.softmax(logits, dim=1)
        output = {"logits": logits, "probs": probs, "confidence": probs.amax(dim=1)}
        if self.params.affect:
            output["affect"] = self.affect_head(pooled).to(mfcc.dtype) * self.affect_std + self.affect_mean
        return output

    def fit_normalisation(self, clips: Sequence[NDArray[np.float32]]) -> None:
        """Set the mean and standard deviation of each coefficient to those of all frames of the train split.

        Args:
            clips: arrays (num_frames, n_mfcc). The deviation of a constant coefficient is set to 1.
        """
        mean, std = frame_statistics(clips)
        self.feature_mean.copy_(torch.from_numpy(mean))
        self.feature_std.copy_(torch.from_numpy(std))

    def fit_affect(self, affect: NDArray[np.float32]) -> None:
        """Set the mean and scale of valence and arousal from affect (num_clips, 2); NaN (unknown) is ignored."""
        for dimension in range(2):
            known = affect[np.isfinite(affect[:, dimension]), dimension]
            if len(known):
                self.affect_mean[dimension] = float(known.mean())
                self.affect_std[dimension] = float(known.std()) or 1.0

    @torch.no_grad()
    def fit_batchnorm(self, mfcc: Tensor, num_frames: Tensor) -> None:
        """Initialise the running statistics of each batch norm, from first to last, with those of this batch."""
        was_training = self.training
        norms = [module for module in self.modules() if isinstance(module, MaskedBatchNorm)]
        for norm in norms:
            norm.adopting = True
        self.train()(mfcc, num_frames)
        for norm in norms:
            norm.adopting = False
        self.train(was_training)


def _inside(num_frames: Tensor, length: int) -> Tensor:
    """Booleans (B, 1, T): which frames are within their clip."""
    return (torch.arange(length, device=num_frames.device) < num_frames[:, None])[:, None]


def build_network(n_mfcc: int, num_classes: int, params: NetworkParams, seed: int) -> SERTier1:
    """Build a network with initial weights that depend on the seed only; torch's random state is not changed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SERTier1(n_mfcc, num_classes, params)
