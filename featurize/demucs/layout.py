"""Demucs prepared for streaming: its parameters as matrices, the delay of each level, the state of a clip."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from denoiser.demucs import Demucs
from torch import Tensor

from featurize.demucs.products import ROWS, GatedLinear, Precision, Product

Key = TypeVar("Key")


def can_stream(module: Demucs) -> bool:
    """Whether a network has the architecture that can be streamed, as all published causal ones have."""
    gated = module.encoder[0][2].out_channels == 2 * module.encoder[0][0].out_channels
    return bool(module.causal and gated and module.kernel_size == 2 * module.stride)


class Delays:
    """Delay of each level in frames. Level 0 is the waveform, level `depth` the input of the LSTM."""

    own: list[int]
    """Delay of the newest frames of an encoder level."""
    wait: list[int]
    """Frames that an encoder level waits until the next level can divide it into whole blocks."""
    out: list[int]
    """Delay of a decoder level; frames of the encoder are stored that long for the skip connection."""

    def __init__(self, depth: int, stride: int) -> None:
        self.own, self.wait = [0], [0]
        for level in range(1, depth + 1):
            self.own.append((self.own[-1] + self.wait[-1]) // stride + 1)
            self.wait.append(-self.own[-1] % stride if level < depth else 0)
        self.out = [self.own[depth] * stride ** (depth - level) for level in range(depth + 1)]


STATE_ROWS = 64
"""Number of rows that the LSTM's recurrent weights are packed for; fewer rows take less time, but not in proportion."""


class Weights:
    """Demucs' parameters as matrix products.

    Args:
        module: the network.
        precision: of all products.
    """

    encoder: list[tuple[Product, Product, GatedLinear]]
    """Per level, the two halves of the convolution and the gated 1×1 convolution."""
    decoder: list[tuple[GatedLinear, Product, Product]]
    """Per level from the deepest, the gated 1×1 convolution and the two halves of the transposed convolution."""
    lstm: list[tuple[Product, Product]]
    """Per layer, the product with the input (and both biases) and that with the state. The gates are in the order
    input, forget, output, cell, so that one call computes all three sigmoids."""

    def __init__(self, module: Demucs, precision: Precision = "fp32") -> None:
        def product(weight: Tensor, bias: Tensor | None = None, rows: int = ROWS) -> Product:
            return Product(weight, bias, rows, precision)

        def gated(name: str) -> GatedLinear:
            return GatedLinear(state[f"{name}.weight"][:, :, 0].T, state[f"{name}.bias"], precision)

        stride = module.stride
        state = {name: value.detach() for name, value in module.state_dict().items()}
        self.encoder, self.decoder, self.lstm = [], [], []
        for level in range(module.depth):
            kernel = state[f"encoder.{level}.0.weight"]  # (out, in, 2 stride)
            first, second = (half.permute(2, 1, 0).flatten(0, 1) for half in kernel.split(stride, dim=2))
            bias = state[f"encoder.{level}.0.bias"]
            self.encoder.append((product(first, bias), product(second), gated(f"encoder.{level}.2")))
            kernel = state[f"decoder.{level}.2.weight"]  # (in, out, 2 stride)
            first, second = (half.permute(0, 2, 1).flatten(1) for half in kernel.split(stride, dim=2))
            bias = state[f"decoder.{level}.2.bias"].repeat(stride)
            self.decoder.append((gated(f"decoder.{level}.0"), product(first, bias), product(second)))
        for layer in range(module.lstm.lstm.num_layers):
            of_input, of_state, bias, other_bias = (
                _cell_last(state[f"lstm.lstm.{name}_l{layer}"])
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            self.lstm.append((product(of_input.T, bias + other_bias), product(of_state.T, rows=STATE_ROWS)))


def _cell_last(gates: Tensor) -> Tensor:
    """Reorder the gates from torch's input, forget, cell, output to input, forget, output, cell."""
    of_input, forget, cell, output = gates.chunk(4)
    return torch.cat([of_input, forget, output, cell])


@dataclass(eq=False)
class Stream(Generic[Key]):
    """A clip in a slot."""

    key: Key
    """The caller's name for the clip."""
    waveform: Tensor
    """The input, (num_samples,), on the network's device."""
    scale: Tensor
    """Divisor of the input."""
    gain: Tensor
    """Factor of the network's output."""
    lengths: list[int]
    """Valid frames of each level; level 0 is at the network's own sample rate."""
    result: Tensor
    """The output so far, (num_samples,), written from the start."""
    frame: int = 0
    """Frames of the deepest level that were processed."""
