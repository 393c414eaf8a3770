"""Demucs laid out for streaming: its parameters as matrices, how late each level runs, a clip on its way."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from denoiser.demucs import Demucs
from torch import Tensor

from featurize.demucs.products import ROWS, GatedLinear, Precision, Product

Key = TypeVar("Key")


def can_stream(module: Demucs) -> bool:
    """Whether a network has the shape that is streamed here, as all published causal ones have."""
    gated = module.encoder[0][2].out_channels == 2 * module.encoder[0][0].out_channels
    return bool(module.causal and gated and module.kernel_size == 2 * module.stride)


class Delays:
    """How many frames late each level is. Level 0 is the waveform, level `depth` the LSTM's.

    Attributes:
        own: of an encoder level's newest frames.
        wait: frames that an encoder level waits until the next one can cut it into whole blocks.
        out: of a decoder level; an encoder level's frames wait for it to be its skip.
    """

    def __init__(self, depth: int, stride: int) -> None:
        self.own, self.wait = [0], [0]
        for level in range(1, depth + 1):
            self.own.append((self.own[-1] + self.wait[-1]) // stride + 1)
            self.wait.append(-self.own[-1] % stride if level < depth else 0)
        self.out = [self.own[depth] * stride ** (depth - level) for level in range(depth + 1)]


STATE_ROWS = 64
"""Rows that the packing of the LSTM's recurrent weights is made for: fewer take less time, yet not in proportion."""


class Weights:
    """Demucs' parameters as products that rows are put through.

    Attributes:
        encoder: per level the two halves of the convolution and the gated 1×1 convolution.
        decoder: per level from the deepest the gated 1×1 convolution and the two halves of the transposed one.
        lstm: per layer the product of the input (with both biases) and that of the state; the four gates stand in
            the order input, forget, output, cell, so that the three sigmoids are one call.

    Args:
        module: the network.
        precision: of all products.
    """

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
    """Torch's order of the gates is input, forget, cell, output."""
    of_input, forget, cell, output = gates.chunk(4)
    return torch.cat([of_input, forget, output, cell])


@dataclass(eq=False)
class Stream(Generic[Key]):
    """A clip in a slot.

    Args:
        key: the caller's name for it.
        waveform: (num_samples,), as given, on the network's device.
        scale: what it is divided by before the network.
        gain: what the network's output is multiplied by.
        lengths: valid frames of each level, level 0 at the network's own rate.
        result: (num_samples,), filled from the front.
        frame: frames of the deepest level that have gone in.
    """

    key: Key
    waveform: Tensor
    scale: Tensor
    gain: Tensor
    lengths: list[int]
    result: Tensor
    frame: int = 0
