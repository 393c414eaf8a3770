"""Sample rate conversion by windowed-sinc interpolation (Smith and Gossett, ICASSP 1984), for any length.

The filter is torchaudio's. It is applied to pieces of a few seconds, each with the neighbouring samples that
the filter needs, so that the joins are exact; pieces that fit into the processor's cache are also up to
six times faster than one long convolution.
"""

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache

import torch
import torchaudio
from torch import Tensor

_LARGEST_KERNEL = 1_000_000  # taps of torchaudio's resampling kernel: 8 MB; 16,001 Hz would take 256 million
_LOBES, _ROLLOFF = 6, 0.99  # torchaudio's defaults: zero crossings of the sinc, share of Nyquist that is kept
_PIECE = 2**16  # samples before or after resampling, whichever are more: half a megabyte in float64


def resample(waveform: Tensor, from_rate: int, to_rate: int) -> Tensor:
    """Change the sample rate of a waveform.

    Uses torchaudio's resampler, unless the common divisor of the two rates is so small that its kernel, which has one
    row per output phase, would take gigabytes: then the same taps are computed for each output sample.

    Args:
        waveform: (num_samples,), preferably float64: torchaudio computes its taps in the waveform's precision,
            and in float32 they are wrong by up to 1e-4 of the peak.
        from_rate: in Hz.
        to_rate: in Hz.

    Returns:
        (ceil(num_samples * to_rate / from_rate),), of the waveform's type.
    """
    return torch.cat([waveform[:0], *resample_blocks([waveform], from_rate, to_rate)])


def resample_blocks(blocks: Iterable[Tensor], from_rate: int, to_rate: int) -> Iterator[Tensor]:
    """Resample a recording given in blocks; the results, concatenated, equal `resample` of the whole.

    With the rates divided by their common divisor, `step` input samples become `out_step` output samples, and an
    output sample depends on `width` input samples on either side. A piece is a whole number of steps, and is computed
    together with the `context` before and after it: whole steps again, at least `width` samples. The output for the
    context is dropped, so the zeros that the filter assumes beyond the ends of a piece influence only the two
    ends of the recording.

    Args:
        blocks: (num_samples,) each, of any lengths and of one type.
        from_rate: in Hz.
        to_rate: in Hz.

    Yields:
        (num_samples,), of the blocks' type.
    """
    if from_rate == to_rate:
        yield from blocks
        return
    divisor = math.gcd(from_rate, to_rate)
    step, out_step = from_rate // divisor, to_rate // divisor
    width = math.ceil(_LOBES * step / (_ROLLOFF * min(step, out_step)))
    context = math.ceil((width + 1) / step) * step
    piece = max(8 * context, math.ceil(_PIECE / max(step, out_step)) * step)
    held = torch.empty(0)
    done = 0  # samples at the start of `held` that are context: their output was yielded before
    for block in blocks:
        held = torch.cat([held, block]) if len(held) else block
        while len(held) >= done + piece + context:
            resampled = _resample_piece(held[: done + piece + context], step, out_step)
            yield resampled[done // step * out_step : (done + piece) // step * out_step]
            held = held[done + piece - context :]
            done = context
    if len(held) > done:
        num_out = -(-len(held) * out_step // step)
        yield _resample_piece(held, step, out_step)[done // step * out_step : num_out]


def _resample_piece(waveform: Tensor, from_rate: int, to_rate: int) -> Tensor:
    if from_rate * to_rate <= _LARGEST_KERNEL:
        resampled: Tensor = _tabulated(from_rate, to_rate, waveform.dtype, waveform.device)(waveform)
        return resampled
    return _resample_each_sample(waveform, from_rate, to_rate)


@lru_cache(maxsize=8)
def _tabulated(
    from_rate: int, to_rate: int, dtype: torch.dtype, device: torch.device
) -> torchaudio.transforms.Resample:
    """Make torchaudio's resampler, once for each pair of rates: its kernel takes as long as a short clip."""
    return torchaudio.transforms.Resample(from_rate, to_rate, dtype=dtype).to(device)


def _resample_each_sample(waveform: Tensor, from_rate: int, to_rate: int) -> Tensor:
    """Evaluate torchaudio's windowed sinc for each output sample, instead of tabulating it per phase.

    y[n] = sum over k of x[k] h(k / from_rate - n / to_rate), with c = 0.99 min(from_rate, to_rate) and
    h(t) = c / from_rate sinc(c t) cos^2(pi c t / 12) for |c t| < 6, else 0.
    """
    cutoff = _ROLLOFF * min(from_rate, to_rate)
    width = math.ceil(_LOBES * from_rate / cutoff)
    taps = torch.arange(2 * width + 2)
    padded = torch.nn.functional.pad(waveform, (width, width + 1))
    num_out = -(-len(waveform) * to_rate // from_rate)
    chunk = max(1, 1_000_000 // len(taps))  # limits the memory to about 8 MB per array
    out = []
    for start in range(0, num_out, chunk):
        position = torch.arange(start, min(start + chunk, num_out)) * from_rate  # in 1 / to_rate samples
        nearest, phase = position // to_rate, (position % to_rate).double() / to_rate
        lobe = ((taps - width - phase[:, None]) * (cutoff / from_rate)).clamp(-_LOBES, _LOBES)
        window = torch.cos(lobe * (math.pi / (2 * _LOBES))) ** 2
        kernel = (torch.sinc(lobe) * window * (cutoff / from_rate)).to(waveform.dtype)  # (chunk, taps)
        out.append((kernel * padded[nearest[:, None] + taps]).sum(dim=1))
    return torch.cat(out)
