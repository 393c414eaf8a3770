"""Demucs over many clips at once, each exactly as if it were alone, in memory that grows with none of them.

A fixed number of slots each hold a stream. A step advances all of them by a few frames: the convolutions keep the
frames that the next step needs, the LSTM keeps its state, and a clip that ends makes room for the next one. So no
clip is padded to another's length, a file of any length fits, and the shapes (hence the arithmetic of each clip)
do not depend on the neighbours.

With frames as rows and channels as columns, the convolutions of Demucs (kernel = 2 × stride) are two matrix
products of blocks of `stride` frames, and so are its transposed convolutions:

    conv:        y[t] = X[t] W0 + X[t + 1] W1          X[t]: frames stride*t .. stride*(t + 1) - 1, side by side
    transposed:  Y[t] = x[t] W0 + x[t - 1] W1          Y[t]: likewise, of the result

A convolution looks one block ahead, so each level of the encoder runs late; `demucs_layout.Delays` keeps the account.
"""

import math
from collections.abc import Iterable, Iterator
from typing import TypeVar

import torch
from denoiser.demucs import Demucs
from torch import Tensor

from featurize.demucs_layout import Delays, Stream, Weights, can_stream
from featurize.sinc import SIDE, SincResampler

Key = TypeVar("Key")


class DemucsStreams:
    """A Demucs that denoises many clips together.

    Args:
        module: the network, for which `can_stream` holds.
        slots: clips at a time.
        frames: frames of the deepest level per step.
    """

    def __init__(self, module: Demucs, slots: int = 16, frames: int = 8) -> None:
        if not can_stream(module):
            raise ValueError("only causal, gated networks whose kernel is twice the stride are streamed")
        self.module, self.slots = module, slots
        self.depth, self.stride = module.depth, module.stride
        self.delays = Delays(self.depth, self.stride)
        self.frames = max(frames, self.delays.own[-1] + 1)
        self.rows = [self.frames * self.stride ** (self.depth - level) for level in range(self.depth + 1)]
        self.hop = self.stride**self.depth // module.resample
        self.rates = [2**i for i in range(int(math.log2(module.resample)) + 1)]
        self.context = sum(SIDE // rate for rate in self.rates[:-1])
        self.lag = self.delays.out[self.depth] * self.hop + self.context
        self.weights = Weights(module)
        self.like = next(module.parameters()).detach()
        self.sinc = SincResampler(self.like)
        self._streams: list[Stream[object] | None] = [None] * slots
        self._allocate([1, *(layer[0].out_channels for layer in module.encoder)])

    def _allocate(self, channels: list[int]) -> None:
        """What one step leaves to the next; all of it is overwritten or zeroed when a clip enters a slot."""
        levels = range(1, self.depth + 1)
        self.channels = channels
        self._block = self._zeros(1, self.slots, self.stride)
        # Frames of each encoder level: the past that the skip waits for, then this step's.
        self._past = [0, *(self.delays.out[level] - self.delays.own[level] for level in levels)]
        self._encoded = [
            self._zeros(self._past[level] + self.rows[level], self.slots, channels[level]) for level in levels
        ]
        self._decoded = [self._zeros(1 + self.rows[level], self.slots, channels[level]) for level in levels]
        self._lstm = [
            (self._zeros(self.slots, channels[-1]), self._zeros(self.slots, channels[-1]))
            for _ in self.weights.lstm
        ]
        self._tail = self._zeros(self.slots, 2 * self.context * self.module.resample)

    def _zeros(self, *shape: int) -> Tensor:
        return torch.zeros(*shape, dtype=self.like.dtype, device=self.like.device)

    @torch.inference_mode()
    def __call__(self, clips: Iterable[tuple[Key, Tensor]]) -> Iterator[tuple[Key, Tensor]]:
        """Denoise clips; a clip comes out as soon as it is done, so not always in order.

        Args:
            clips: key and waveform (num_samples,), at least 2 samples, finite, 16 kHz; read as slots get free.

        Yields:
            Key and denoised waveform (num_samples,) on the network's device; not finite if the network overflows.
        """
        waiting = iter(clips)
        self._streams = [None] * self.slots
        while True:
            for slot in range(self.slots):
                if self._streams[slot] is None and (clip := next(waiting, None)) is not None:
                    self._streams[slot] = self._enter(slot, *clip)
            if not any(self._streams):
                return
            denoised = self._step()
            for slot, stream in enumerate(self._streams):
                if stream is not None and self._advance(stream, denoised[slot]):
                    self._streams[slot] = None
                    yield stream.key, stream.result  # type: ignore[misc]

    def _enter(self, slot: int, key: Key, waveform: Tensor) -> "Stream[object]":
        """Put a clip into a slot and wipe what the last one left there."""
        waveform = waveform.to(self.like)
        lengths = [self.module.valid_length(len(waveform)) * self.module.resample]
        for _ in range(self.depth):
            lengths.append((lengths[-1] - self.module.kernel_size) // self.stride + 1)
        deviation = waveform.std() if self.module.normalize else torch.ones_like(waveform[0])
        scale = self.module.floor + deviation if self.module.normalize else deviation
        self._tail[slot] = 0
        for level in self._decoded:
            level[0, slot] = 0
        return Stream(key, waveform, scale, deviation, lengths, torch.empty_like(waveform))

    def _advance(self, stream: "Stream[object]", denoised: Tensor) -> bool:
        """Take a step's output (frames * hop,) for a clip; say whether the clip is complete."""
        start = stream.frame * self.hop - self.lag
        stop = min(len(stream.waveform), start + len(denoised))
        if stop > max(start, 0):
            torch.mul(
                denoised[max(start, 0) - start : stop - start],
                stream.gain,
                out=stream.result[max(start, 0) : stop],
            )
        stream.frame += self.frames
        return bool(stop == len(stream.waveform))

    def _step(self) -> Tensor:
        """Advance every slot by `frames`; (slots, frames * hop) at 16 kHz, `lag` samples late."""
        skips = self._encode(self._upsample())
        x = self._recur(skips[-1])
        x.add_(skips[-1])
        denoised = self._downsample(self._decode(x, skips))
        for past, level in zip(self._past[1:], self._encoded, strict=True):
            if past:
                level[:past] = level[-past:].clone()
        return denoised

    def _upsample(self) -> Tensor:
        """The next samples of every slot, (slots, rows[0]) at the network's rate."""
        count = self.frames * self.hop
        x = self._zeros(self.slots, count + 2 * self.context)
        for slot, stream in enumerate(self._streams):
            if stream is not None:
                start = stream.frame * self.hop - self.context
                samples = stream.waveform[max(start, 0) : max(start + x.shape[1], 0)]
                torch.div(samples, stream.scale, out=x[slot, max(-start, 0) : max(-start, 0) + len(samples)])
        for rate in self.rates[1:]:
            x = self.sinc.double(x)
            side = (x.shape[1] - count * rate) // 2
            self._silence_outside(x.T, rate, -side)
        return x

    def _encode(self, x: Tensor) -> list[Tensor]:
        """Skips of every level, each `delays.out` late: (rows, slots, channels)."""
        blocks = torch.cat([self._block, x.view(self.slots, -1, self.stride).transpose(0, 1)])
        self._block = blocks[-1:].clone()
        skips = []
        for level, (first, second, gate, bias, gate_bias) in enumerate(self.weights.encoder, start=1):
            rows, past, encoded = self.rows[level], self._past[level], self._encoded[level - 1]
            y = torch.addmm(bias, blocks[:-1].flatten(0, 1), first)
            y.addmm_(blocks[1:].flatten(0, 1), second).relu_()
            gated = torch.addmm(gate_bias, y, gate)
            torch.ops.aten.glu.out(gated, 1, out=encoded[past:].view(rows * self.slots, -1))
            skips.append(encoded[:rows])
            if level < self.depth:
                start = past - self.delays.wait[level] - self.stride
                frames = encoded[start : start + rows + self.stride]
                # (blocks, stride, slots, channels) → (blocks, slots, stride * channels)
                cut = frames.view(-1, self.stride, self.slots, frames.shape[2])
                blocks = cut.transpose(1, 2).flatten(2)
        return skips

    def _recur(self, x: Tensor) -> Tensor:
        """The LSTM, (frames, slots, channels) → the same; a new clip's state starts at its first frame."""
        size = x.shape[2]
        first = self.delays.own[-1]
        new = [slot for slot, stream in enumerate(self._streams) if stream is not None and stream.frame == 0]
        for (of_input, of_state, bias), (hidden, cell) in zip(self.weights.lstm, self._lstm, strict=True):
            gates = torch.addmm(bias, x.flatten(0, 1), of_input).view(len(x), self.slots, 4 * size)
            x = torch.empty_like(x)
            for frame, gate in enumerate(gates):
                if new and frame == first:
                    hidden[new] = 0
                    cell[new] = 0
                gate.addmm_(hidden, of_state)
                sigmoids = gate[:, : 3 * size].sigmoid_()
                candidate = gate[:, 3 * size :].tanh_()
                cell.mul_(sigmoids[:, size : 2 * size]).addcmul_(sigmoids[:, :size], candidate)
                torch.mul(sigmoids[:, 2 * size :], cell.tanh(), out=x[frame])
                hidden.copy_(x[frame])
        return x

    def _decode(self, x: Tensor, skips: list[Tensor]) -> Tensor:
        """From the deepest level to the waveform, (slots, rows[0])."""
        blocks = x
        for level in range(self.depth, 0, -1):
            first, second, gate, bias, gate_bias = self.weights.decoder[self.depth - level]
            rows, channels, decoded = self.rows[level], self.channels[level], self._decoded[level - 1]
            gated = torch.addmm(gate_bias, x.view(rows * self.slots, channels), gate)
            torch.ops.aten.glu.out(gated, 1, out=decoded[1:].view(rows * self.slots, channels))
            self._silence_outside_level(decoded[1:], level)
            y = torch.addmm(bias, decoded[1:].flatten(0, 1), first).addmm_(decoded[:-1].flatten(0, 1), second)
            decoded[0] = decoded[-1]
            # (rows, slots, stride * channels) → (rows, stride, slots, channels)
            blocks = y.view(rows, self.slots, self.stride, -1).transpose(1, 2)
            if level > 1:
                skip = skips[level - 2].view(blocks.shape)
                x = torch.add(blocks.relu_(), skip, out=torch.empty_like(skip))
        samples = blocks.reshape(self.rows[0], self.slots)
        self._silence_outside_level(samples, 0)
        return samples.T

    def _downsample(self, x: Tensor) -> Tensor:
        """(slots, rows[0]) at the network's rate → (slots, frames * hop) at 16 kHz, later by `context`."""
        x = torch.cat([self._tail, x], dim=1)
        self._tail = x[:, x.shape[1] - self._tail.shape[1] :].clone()
        for rate in reversed(self.rates[:-1]):
            x = self.sinc.halve(x)
            side = (x.shape[1] - self.frames * self.hop * rate) // 2
            self._silence_outside(x.T, rate, -self.lag * rate - side)
        return x

    def _silence_outside_level(self, x: Tensor, level: int) -> None:
        """Zero the frames of x (rows, slots, ...) that lie before a clip's first or after its last one."""
        for slot, stream in enumerate(self._streams):
            if stream is not None:
                start = stream.frame * self.stride ** (self.depth - level) - self.delays.out[level]
                _keep(x[:, slot], -start, stream.lengths[level] - start)

    def _silence_outside(self, x: Tensor, rate: int, offset: int) -> None:
        """The same for samples x (n, slots) at `rate` × 16 kHz that begin `offset` after a slot's position."""
        for slot, stream in enumerate(self._streams):
            if stream is not None:
                start = stream.frame * self.hop * rate + offset
                _keep(x[:, slot], -start, stream.lengths[0] // self.module.resample * rate - start)


def _keep(x: Tensor, start: int, stop: int) -> None:
    """Zero x outside [start, stop)."""
    if start > 0:
        x[:start] = 0
    if stop < len(x):
        x[max(stop, 0) :] = 0
