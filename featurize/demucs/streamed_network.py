"""The network of Demucs for streams: a few frames of every slot per step, with the state kept between steps.

With frames as rows and channels as columns, the convolutions of Demucs (kernel = 2 × stride) are two matrix
products of blocks of `stride` frames, and so are its transposed convolutions:

    conv:        y[t] = X[t] W0 + X[t + 1] W1          X[t]: frames stride*t .. stride*(t + 1) - 1, side by side
    transposed:  Y[t] = x[t] W0 + x[t - 1] W1          Y[t]: likewise, of the result

A convolution looks one block ahead, so each level of the encoder is delayed; `layout.Delays` computes the delays.
Encoded frames are stored as blocks (blocks, slots, stride, channels), which are the rows of the next level's products
and to which the output of the decoder is added; other frames are stored as (frames, slots, channels). Every level is
processed in chunks that fit into the cache.
"""

from collections.abc import Callable, Iterator

import torch
from denoiser.demucs import Demucs
from torch import Tensor

from featurize.demucs.layout import Delays, Weights
from featurize.demucs.products import ROWS, Precision, multiplying

INPUT_ROWS = 256
"""Rows of one product with the input of the LSTM."""
CHUNK_BYTES = 2**20
"""Size of the result of a chunk, which fits into the second-level cache of a core."""


class StreamedNetwork:
    """Encoder, LSTM and decoder over the next frames of all slots.

    Args:
        module: the network, for which `can_stream` holds.
        slots: number of clips processed together.
        frames: frames of the deepest level per step.
        precision: of the products.
    """

    def __init__(self, module: Demucs, slots: int, frames: int, precision: Precision) -> None:
        self.slots, self.depth, self.stride = slots, module.depth, module.stride
        self.delays = Delays(self.depth, self.stride)
        self.rows = [frames * self.stride ** (self.depth - level) for level in range(self.depth + 1)]
        self.like = next(module.parameters()).detach()
        self.precision = precision
        self.weights = Weights(module, precision)
        self.channels = [1, *(layer[0].out_channels for layer in module.encoder)]
        self._allocate()

    def _allocate(self) -> None:
        """Allocate the state between steps; it is overwritten or zeroed when a clip enters a slot."""
        slots, stride, channels = self.slots, self.stride, self.channels
        self._block = self.zeros(1, slots, stride)
        # Blocks of each encoder level: the earlier ones that the decoder still needs, then those of this step.
        self._encoded = [
            self.zeros((self.delays.out[level] + self.rows[level]) // stride, slots, stride, channels[level])
            for level in range(1, self.depth)
        ]
        self._decoded = [
            self.zeros(1 + self.rows[level], slots, channels[level]) for level in range(1, self.depth + 1)
        ]
        self._lstm = [
            (self.zeros(slots, channels[-1]), self.zeros(slots, channels[-1])) for _ in self.weights.lstm
        ]

    def zeros(self, *shape: int) -> Tensor:
        """A tensor of zeros with the network's type and device."""
        return torch.zeros(*shape, dtype=self.like.dtype, device=self.like.device)

    def enter(self, slot: int) -> None:
        """Zero the frames that the previous clip left in a slot and that the next one would use."""
        for level in self._decoded:
            level[0, slot] = 0

    def __call__(self, x: Tensor, starts: list[int], silence: Callable[[Tensor, int], None]) -> Tensor:
        """Advance every slot by one step.

        Args:
            x: (slots, rows[0]), the next samples at the network's rate.
            starts: slots whose clip starts in this step.
            silence: a function that zeroes the frames of a level (frames, slots, channels) outside the clips.

        Returns:
            (rows[0], slots), delayed by `delays.out[0]` samples.
        """
        with multiplying(self.precision):
            top = self._encode(x)
            samples = self._decode(self._recur(top, starts).add_(top), silence)
        for level, encoded in enumerate(self._encoded, start=1):
            past = self.delays.out[level] // self.stride
            encoded[:past] = encoded[self.rows[level] // self.stride :][:past]
        return samples

    def _chunks(self, level: int, columns: int) -> Iterator[tuple[int, int]]:
        """Chunks [start, stop) of a level's frames: whole blocks, each with a result that fits into the cache."""
        total = self.rows[level]
        rows = max(1, min(2 * ROWS, CHUNK_BYTES // (4 * columns)) // (self.slots * self.stride)) * self.stride
        for start in range(0, total, rows):
            yield start, min(start + rows, total)

    def _encode(self, x: Tensor) -> Tensor:
        """Return the new frames of the deepest level (rows, slots, channels); store those of the others."""
        blocks = torch.cat([self._block, x.view(self.slots, -1, self.stride).transpose(0, 1)])
        self._block = blocks[-1:].clone()
        top = torch.empty(self.rows[-1], self.slots, self.channels[-1], dtype=x.dtype, device=x.device)
        for level, (first, second, gated) in enumerate(self.weights.encoder, start=1):
            for start, stop in self._chunks(level, self.channels[level]):
                y = first(blocks[start:stop].flatten(0, 1).flatten(1))
                y = second.plus(blocks[start + 1 : stop + 1].flatten(0, 1).flatten(1), y).relu_()
                y = gated(y).view(stop - start, self.slots, -1)
                if level == self.depth:
                    top[start:stop] = y
                else:
                    late = self.delays.out[level] - self.delays.own[level]
                    self._keep_as_blocks(y, self._encoded[level - 1], late + start)
            if level < self.depth:
                waits = self.delays.out[level] - self.delays.own[level] - self.delays.wait[level]
                first_block = waits // self.stride - 1
                blocks = self._encoded[level - 1][first_block : first_block + self.rows[level + 1] + 1]
        return top

    def _keep_as_blocks(self, y: Tensor, encoded: Tensor, frame: int) -> None:
        """Write y (frames, slots, channels) into blocks, from the given frame on."""
        for offset in range(min(self.stride, len(y))):
            part = y[offset :: self.stride]
            block, place = divmod(frame + offset, self.stride)
            encoded[block : block + len(part), :, place] = part

    def _recur(self, x: Tensor, starts: list[int]) -> Tensor:
        """Run the LSTM on (frames, slots, channels); the state of a new clip is zeroed at its first frame."""
        size, first = x.shape[2], self.delays.own[-1]
        for (of_input, of_state), (hidden, cell) in zip(self.weights.lstm, self._lstm, strict=True):
            parts = (
                of_input(part.flatten(0, 1)) for part in torch.split(x, max(1, INPUT_ROWS // self.slots))
            )
            gates = (gate for part in parts for gate in part.view(-1, self.slots, 4 * size))
            x = torch.empty_like(x)
            for frame, gate in enumerate(gates):
                if starts and frame == first:
                    hidden[starts] = 0
                    cell[starts] = 0
                gate.add_(of_state(hidden))
                sigmoids = gate[:, : 3 * size].sigmoid_()
                candidate = gate[:, 3 * size :].tanh_()
                cell.mul_(sigmoids[:, size : 2 * size]).addcmul_(sigmoids[:, :size], candidate)
                torch.mul(sigmoids[:, 2 * size :], cell.tanh(), out=x[frame])
                hidden.copy_(x[frame])
        return x

    def _decode(self, x: Tensor, silence: Callable[[Tensor, int], None]) -> Tensor:
        """From the LSTM's frames (rows, slots, channels) to the waveform (rows[0], slots)."""
        samples = torch.empty(self.rows[1], self.slots, self.stride, dtype=x.dtype, device=x.device)
        gated = self.weights.decoder[0][0]
        decoded = self._decoded[-1]
        decoded[1:] = gated(x.flatten(0, 1)).view(x.shape)
        for level in range(self.depth, 0, -1):
            silence(decoded[1:], level)
            _, first, second = self.weights.decoder[self.depth - level]
            below = self._decoded[level - 2]
            for start, stop in self._chunks(level, self.stride * self.channels[level - 1]):
                y = second(decoded[start:stop].flatten(0, 1))
                y = first.plus(decoded[start + 1 : stop + 1].flatten(0, 1), y)
                if level == 1:
                    samples[start:stop] = y.view(stop - start, self.slots, self.stride)
                else:
                    shape = (stop - start, self.slots, self.stride, self.channels[level - 1])
                    y = y.relu_().view(shape).add_(self._encoded[level - 2][start:stop])
                    y = self.weights.decoder[self.depth - level + 1][0](y.flatten(0, 2))
                    target = below[1 + start * self.stride : 1 + stop * self.stride]
                    target.view(-1, self.stride, *target.shape[1:])[:] = y.view(shape).transpose(1, 2)
            decoded[0] = decoded[-1]
            decoded = below
        samples = samples.transpose(1, 2).reshape(self.rows[0], self.slots)
        silence(samples, 0)
        return samples
