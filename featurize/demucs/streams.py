"""Demucs on many clips at once: exact, and in memory that does not depend on the length of the clips.

There is a fixed number of slots, each with one clip. A step advances all slots by a few frames: the convolutions keep
the frames that the next step needs, the LSTM keeps its state, and when a clip ends, the next one enters its slot. So no
clip is padded to the length of another, files can have any length, and the shapes, hence the arithmetic and the result
of a clip, do not depend on the other clips.
"""

import math
from collections.abc import Iterable, Iterator
from typing import TypeVar

import torch
from denoiser.demucs import Demucs
from torch import Tensor

from featurize.demucs.layout import Delays, Stream, can_stream
from featurize.demucs.products import Precision
from featurize.demucs.sinc import SIDE, SincResampler
from featurize.demucs.streamed_network import StreamedNetwork

Key = TypeVar("Key")

SLOTS = 32
"""Clips processed together, if there are enough of them."""
TOP_LEVEL_VALUES = 3 * 2**20
"""Values of the first level, the largest, in a step; they fit into the third-level cache."""
STEP_SAMPLES = 2**17
"""Largest number of samples of all slots in a step."""
CLIP_STEP_SAMPLES = 12_288
"""Largest number of samples of one slot in a step; the length of a clip is rounded up to whole steps."""


class DemucsStreams:
    """A Demucs that denoises many clips together.

    Args:
        module: the network, for which `can_stream` holds.
        slots: number of clips processed together.
        frames: frames of the deepest level per step; None: as many as fit into the cache.
        precision: of the products.
    """

    def __init__(
        self, module: Demucs, slots: int = SLOTS, frames: int | None = None, precision: Precision = "fp32"
    ) -> None:
        if not can_stream(module):
            raise ValueError("only causal, gated networks with a kernel of twice the stride can be streamed")
        self.module, self.slots = module, slots
        self.depth: int = module.depth
        self.stride: int = module.stride
        self.delays = Delays(self.depth, self.stride)
        self.hop: int = self.stride**self.depth // module.resample
        self.frames = max(frames or self._frames_per_step(), self.delays.own[-1] + 1)
        self.network = StreamedNetwork(module, slots, self.frames, precision)
        self.rates = [2**i for i in range(int(math.log2(module.resample)) + 1)]
        self.context = sum(SIDE // rate for rate in self.rates[:-1])
        self.lag = self.delays.out[self.depth] * self.hop + self.context
        self.like = self.network.like
        self.sinc = SincResampler(self.like)
        self._streams: list[Stream[object] | None] = [None] * slots
        self._tail = self.network.zeros(slots, 2 * self.context * module.resample)

    def _frames_per_step(self) -> int:
        """Frames of the deepest level per step: more with fewer slots, so that the products are equally large."""
        top_channels: int = self.module.encoder[0][0].out_channels
        rows = int(TOP_LEVEL_VALUES // (self.stride ** (self.depth - 1) * top_channels))
        rows = max(min(rows, STEP_SAMPLES // self.hop), SLOTS * (self.delays.own[-1] + 1))
        return min(rows // self.slots, CLIP_STEP_SAMPLES // self.hop)

    @torch.inference_mode()
    def __call__(self, clips: Iterable[tuple[Key, Tensor]]) -> Iterator[tuple[Key, Tensor]]:
        """Denoise clips; each is yielded as soon as it is done, so not always in order.

        Args:
            clips: key and waveform (num_samples,), at least 2 samples, finite, 16 kHz; read when a slot is free.

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
        """Put a clip into a slot and clear what the previous one left there."""
        waveform = waveform.to(self.like)
        lengths = [self.module.valid_length(len(waveform)) * self.module.resample]
        for _ in range(self.depth):
            lengths.append((lengths[-1] - self.module.kernel_size) // self.stride + 1)
        deviation = waveform.std() if self.module.normalize else torch.ones_like(waveform[0])
        scale = self.module.floor + deviation if self.module.normalize else deviation
        self._tail[slot] = 0
        self.network.enter(slot)
        return Stream(key, waveform, scale, deviation, lengths, torch.empty_like(waveform))

    def _advance(self, stream: "Stream[object]", denoised: Tensor) -> bool:
        """Store a step's output (frames * hop,) of a clip; return whether the clip is complete."""
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
        """Advance every slot by `frames`; return (slots, frames * hop) at 16 kHz, delayed by `lag` samples."""
        streams = enumerate(self._streams)
        starts = [slot for slot, stream in streams if stream is not None and stream.frame == 0]
        return self._downsample(self.network(self._upsample(), starts, self._silence_outside_level).T)

    def _upsample(self) -> Tensor:
        """The next samples of every slot, (slots, rows[0]) at the network's rate."""
        count = self.frames * self.hop
        x = self.network.zeros(self.slots, count + 2 * self.context)
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

    def _downsample(self, x: Tensor) -> Tensor:
        """(slots, rows[0]) at the network's rate → (slots, frames * hop) at 16 kHz, delayed by `context`."""
        x = torch.cat([self._tail, x], dim=1)
        self._tail = x[:, x.shape[1] - self._tail.shape[1] :].clone()
        for rate in reversed(self.rates[:-1]):
            x = self.sinc.halve(x)
            side = (x.shape[1] - self.frames * self.hop * rate) // 2
            self._silence_outside(x.T, rate, -self.lag * rate - side)
        return x

    def _silence_outside_level(self, x: Tensor, level: int) -> None:
        """Zero the frames of x (rows, slots, ...) before the first and after the last frame of each clip."""
        for slot, stream in enumerate(self._streams):
            if stream is not None:
                start = stream.frame * self.stride ** (self.depth - level) - self.delays.out[level]
                _keep(x, slot, -start, stream.lengths[level] - start)

    def _silence_outside(self, x: Tensor, rate: int, offset: int) -> None:
        """Likewise for samples x (n, slots) at `rate` × 16 kHz that start `offset` samples after a slot's position."""
        for slot, stream in enumerate(self._streams):
            if stream is not None:
                start = stream.frame * self.hop * rate + offset
                _keep(x, slot, -start, stream.lengths[0] // self.module.resample * rate - start)


def _keep(x: Tensor, slot: int, start: int, stop: int) -> None:
    """Zero a slot of x (frames, slots, ...) outside [start, stop)."""
    if start > 0:
        x[:start, slot] = 0
    if stop < len(x):
        x[max(stop, 0) :, slot] = 0
