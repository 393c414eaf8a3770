"""One view's way through the network: from its frames to one vector per clip, exact on padded batches.

A view is what a stage made of a clip: its MFCC, or the frames of a frozen encoder.
"""

import itertools
from collections.abc import Callable
from typing import Annotated, Literal, cast

import torch
from pydantic import BaseModel, Field, field_validator
from torch import Tensor, nn

from model.moments import Statistics
from model.network.batchnorm import MaskedBatchNorm
from model.network.dropout import Dropout
from model.network.layers import ChannelAttention, ResidualConvBlock
from model.network.lstm import BiLSTM
from model.network.normalisation import add_deltas, normalise_clips
from model.network.pooling import AttentionPooling, MeanPooling, StatisticsPooling, moments, pool_frames

Channels = Annotated[int, Field(gt=0, le=8192)]
Augment = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Augmentation of a training batch: normalised frames (B, C, T) and num_frames (B,) -> the same, altered."""

Freeze = Literal["none", "blocks", "streams"]
"""What training leaves as it is: nothing, each stream up to its last block, or whole streams."""

POOLINGS = {"attention": AttentionPooling, "attentive-statistics": StatisticsPooling}


class StreamParams(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """Size and variant of the stream of one view. recipes/accuracy/ explains how the defaults were chosen."""

    deltas: Literal[0, 1, 2] = 0
    """Orders of delta coefficients, the slopes over time: 0 | 1 | 2."""
    projection: int = Field(0, ge=0, le=8192)
    """Channels that a linear layer maps each frame to before the attention; 0: no such layer."""
    attention_heads: int = Field(4, gt=0, le=64)
    """Heads of the two-stream channel attention."""
    conv_channels: tuple[Channels, ...] = (128, 128)
    """Output channels of each residual Conv1D block; []: no blocks."""
    kernel_size: int = Field(5, gt=0, le=255)
    """Width of the convolutions in frames; odd."""
    depthwise: bool = True
    """Depthwise-separable convolutions; false: regular ones."""
    time_pooling: int = Field(4, gt=0, le=64)
    """Frames averaged into one before the BiLSTM."""
    lstm_hidden: int = Field(64, gt=0, le=8192)
    """Hidden size of each LSTM direction."""
    lstm_layers: int = Field(2, ge=0, le=16)
    """Stacked BiLSTM layers; 0: none."""
    pooling: Literal["attention", "mean", "attentive-statistics"] = "attention"
    """attention | mean | attentive-statistics: how the frames become one vector per clip."""
    statistics: bool = False
    """Mean and deviation of the frames over time reach the head as well."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Dropout in the blocks, between LSTM layers and before the head."""
    lstm_dropout: float = Field(0.3, ge=0, lt=1)
    """Dropout on the output of the last LSTM layer."""

    @field_validator("kernel_size")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError(f"must be odd, so that a block keeps the number of frames; got {value}")
        return value


class Stream(nn.Module):
    """Normalisation, channel attention, residual Conv1D blocks, averaging of frames, BiLSTM, pooling over time.

    Args:
        num_layers: L, hidden states of a frame; they are mixed by a softmax of learned weights. MFCC have one.
        num_channels: C, values of a hidden state, or coefficients.
        params: size and variant.
        by_clip: standardise each clip by its own frames.

    Attributes:
        size: of the vector of a clip.

    Buffers: `feature_mean` and `feature_std` (L C,), from `set_normalisation`.
    """

    feature_mean: Tensor
    feature_std: Tensor

    def __init__(self, num_layers: int, num_channels: int, params: StreamParams, by_clip: bool) -> None:
        super().__init__()
        self.num_layers, self.num_channels = num_layers, num_channels
        self.params, self.by_clip = params, by_clip
        self.register_buffer("feature_mean", torch.zeros(num_layers * num_channels))
        self.register_buffer("feature_std", torch.ones(num_layers * num_channels))
        if num_layers > 1:
            self.layer_weights = nn.Parameter(torch.zeros(num_layers))
        num_inputs = num_channels * (1 + params.deltas)
        first = params.projection or num_inputs
        self.projection = nn.Conv1d(num_inputs, first, 1) if params.projection else nn.Identity()
        self.attention = ChannelAttention(first, params.attention_heads)
        sizes = (first, *params.conv_channels)
        self.blocks = nn.ModuleList(
            ResidualConvBlock(before, after, params.kernel_size, params.depthwise, params.dropout)
            for before, after in itertools.pairwise(sizes)
        )
        size = sizes[-1]
        self.lstm: BiLSTM | None = None
        if params.lstm_layers:
            self.lstm = BiLSTM(size, params.lstm_hidden, params.lstm_layers, params.dropout)
            size = 2 * params.lstm_hidden
        self.lstm_dropout = Dropout(params.lstm_dropout)
        self.pooling = POOLINGS[params.pooling](size) if params.pooling != "mean" else MeanPooling()
        self.size = size * (2 if params.pooling == "attentive-statistics" else 1)
        self.norm = nn.LayerNorm(self.size)
        self.dropout = Dropout(params.dropout)
        if params.statistics:
            self.statistics_norm = MaskedBatchNorm(2 * num_inputs)
            self.size += 2 * num_inputs

    def forward(self, frames: Tensor, num_frames: Tensor, augment: Augment | None = None) -> Tensor:
        """Frames (B, L C, T), num_frames (B,) at least 1 -> (B, size); values after a clip's end are ignored."""
        length = frames.shape[2]
        valid = inside(num_frames, length)
        x = self._mixed(frames, valid) if self.num_layers > 1 else self._standardised(frames, valid)
        # A batch may be transposed; all that follows is fastest on (B, C, T) in memory.
        x = x.contiguous().masked_fill(~valid, 0)
        if augment is not None:
            x, num_frames = augment(x, num_frames)
            valid = inside(num_frames, length)
        if self.params.deltas:
            x = add_deltas(x, num_frames, self.params.deltas).masked_fill(~valid, 0)
        weight = valid.to(x.dtype)  # (B, 1, T)
        parts = [self.norm(self._pooled(x, weight, num_frames))]
        if self.params.statistics:
            found = moments(x, weight)[:, :, None]  # (B, 2C, 1)
            parts.append(self.statistics_norm(found, torch.ones_like(found[:, :1]))[:, :, 0])
        return cast(Tensor, self.dropout(torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]))

    def _standardised(self, frames: Tensor, valid: Tensor, state: slice = slice(None)) -> Tensor:
        """Frames (B, C, T) of one hidden state, standardised; what is behind a clip's end is not defined."""
        x = (frames - self.feature_mean[state, None]) / self.feature_std[state, None]
        if self.by_clip:
            x = normalise_clips(x.masked_fill(~valid, 0), valid.to(x.dtype))
        return x

    def _mixed(self, frames: Tensor, valid: Tensor) -> Tensor:
        """The weighted mean (B, C, T) of the standardised hidden states in frames (B, L C, T).

        One after the other, so that all standardised states are not in memory together.
        """
        weights = torch.softmax(self.layer_weights, dim=0)
        states = [
            slice(first, first + self.num_channels) for first in range(0, frames.shape[1], self.num_channels)
        ]
        parts = (
            w * self._standardised(frames[:, state], valid, state)
            for w, state in zip(weights, states, strict=True)
        )
        return cast(Tensor, sum(parts))

    def _pooled(self, x: Tensor, valid: Tensor, num_frames: Tensor) -> Tensor:
        """From normalised frames (B, C, T) to the pooled vector (B, F)."""
        if self.params.projection:
            x = self.projection(x) * valid
        x = self.attention(x, valid)  # (B, C, T)
        for block in self.blocks:
            x = block(x, valid)  # (B, F, T)
        if self.params.time_pooling > 1:
            x, num_frames = pool_frames(x, num_frames, self.params.time_pooling)
            valid = inside(num_frames, x.shape[2]).to(x.dtype)
        x = x.permute(2, 0, 1)  # (T, B, F)
        x = self.lstm_dropout(x if self.lstm is None else self.lstm(x, num_frames))
        pooled: Tensor = self.pooling(x, valid)
        return pooled

    def freeze(self, freeze: Freeze) -> list[nn.Module]:
        """Take parts out of training: no gradients; the caller keeps the modules returned in evaluation mode."""
        if freeze == "none":
            return []
        frozen: list[nn.Module] = [self]
        if freeze == "blocks":
            frozen = [self.projection, self.attention, self.blocks]
        for part in frozen:
            part.requires_grad_(False)
        if self.num_layers > 1:
            self.layer_weights.requires_grad_(False)
        return frozen

    def set_normalisation(self, statistics: Statistics) -> None:
        """Set the mean and standard deviation (L C,) of each channel."""
        mean, std = statistics
        self.feature_mean.copy_(torch.from_numpy(mean))
        self.feature_std.copy_(torch.from_numpy(std))


def inside(num_frames: Tensor, length: int) -> Tensor:
    """Booleans (B, 1, T): which frames are within their clip."""
    return (torch.arange(length, device=num_frames.device) < num_frames[:, None])[:, None]
