"""Acoustic fingerprints: they find copies of a recording at any level, format and sample rate.

The bits are those of Haitsma and Kalker 2002, "A highly robust audio fingerprinting system" (ISMIR). With E(n, m)
the energy of frame n in band m of 33 between 300 and 2000 Hz, logarithmically spaced, bit m of frame n is

    E(n, m) - E(n, m + 1) - (E(n - 1, m) - E(n - 1, m + 1)) > 0.

Two clips are compared by the share of bits in which they differ, their bit error rate, after one is shifted in time to
match the other. Only frames with sound count: in pauses the bits are noise. The shift is found as in the paper, from
words that the two clips have in common; pairs without common words are not compared.

Measured on RAVDESS (1,440 clips) and EMO-DB (339):

    copies of 30 clips, 13 each: WAV at 8 and 48 kHz, 1/18 of the level, MP3 at 64 and 32 kbit/s, Vorbis,
    Opus at 24 kbit/s, cut by 0.15 s, delayed by 3 ms to 0.2 s, noise at 20 dB   0.00 to 0.08; noise: up to 0.11
    takes of one sentence by one RAVDESS actor (20,879 pairs, best of all shifts within 0.3 s)       0.21 and more
    median of these takes, close to that of any two clips                                                     0.46

`THRESHOLD` is between the two. (With the paper's 0.35, meant for music, retakes would count as copies.)
Recordings played faster or with another voice over them are not found, nor are clips with less than half a
second of sound.
"""

import itertools
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FINGERPRINT_RATE = 8_000
"""Sample rate in Hz that clips are fingerprinted at: that of telephone speech."""
THRESHOLD = 0.16
"""Largest bit error rate of two copies."""
HOP_S = 0.012
"""Time from one word to the next."""
VERSION = "1"
"""Of the bits. Raise it with any change to them; stored fingerprints of another version are computed anew."""

_FRAME = 3_000  # samples, 0.375 s: long enough that a shift by half a hop changes few bits
_HOP = round(HOP_S * FINGERPRINT_RATE)
_BAND_EDGES = np.geomspace(300.0, 2000.0, 34)  # Hz
_BINS = slice(112, 751)  # of the spectrum: 299 to 2000 Hz
_FLOOR = 10.0 ** (-30 / 10)  # frames 30 dB below the loudest one are silent
_FRAMES_AT_ONCE = 512  # 6 MB
_NEIGHBOURS = 16  # occurrences that each word is compared with: limits the work for thousands of equal clips
_MIN_WORDS = 2  # common words at one shift for a pair to be compared
_MIN_FRAMES = 40  # with sound, to be compared
_MIN_SHARE = 0.5  # of the frames with sound of the clip that has fewer
_COMPARED_AT_ONCE = 2**22  # frames


class Pair(NamedTuple):
    """Two clips with the same sound."""

    first: int
    """Index of a clip."""
    second: int
    """Index of the other clip, larger."""
    distance: float
    """Bit error rate: 0 for identical clips, about 0.5 for unrelated ones."""
    delay_s: float
    """How much later the same sound occurs in the second clip."""


def fingerprint(waveform: Tensor) -> NDArray[np.uint32]:
    """Compute one word of 32 bits every 12 ms.

    Args:
        waveform: (num_samples,), 8 kHz, at any level.

    Returns:
        (1 + num_samples // 96,); 0 means a frame without sound.
    """
    energy = torch.cat(list(_band_energies(waveform.float())))  # (1 + num_words, 33)
    slope = energy[:, :-1] - energy[:, 1:]
    bits = (slope[1:] > slope[:-1]).numpy()
    words: NDArray[np.uint32] = np.packbits(bits, axis=1, bitorder="little").view("<u4")[:, 0].copy()
    level = energy.sum(dim=1)[1:]
    words[(level <= level.max() * _FLOOR).numpy()] = 0
    return words


def _band_energies(waveform: Tensor) -> Iterator[Tensor]:
    """Energies (num_frames, 33) of the frames in order, in blocks: for an hour at once they would take 4 GB."""
    window, bands = torch.hann_window(_FRAME), _bands()
    padded = torch.nn.functional.pad(waveform, (_FRAME // 2 + _HOP, _FRAME // 2))
    frames = padded.unfold(0, _FRAME, _HOP)  # (num_frames, 3000), a view
    for start in range(0, len(frames), _FRAMES_AT_ONCE):
        spectrum = torch.fft.rfft(frames[start : start + _FRAMES_AT_ONCE] * window)[:, _BINS]
        yield torch.view_as_real(spectrum).square().sum(dim=2) @ bands


@cache
def _bands() -> Tensor:
    """1 where a bin of `_BINS` belongs to a band, else 0: (num_bins, 33)."""
    bins = np.fft.rfftfreq(_FRAME, 1 / FINGERPRINT_RATE)[_BINS, None]
    inside = (bins >= _BAND_EDGES[:-1]) & (bins < _BAND_EDGES[1:])
    return torch.from_numpy(inside.astype(np.float32))


def bit_error_rate(first: NDArray[np.uint32], second: NDArray[np.uint32], shift: int) -> float:
    """Distance of two clips at one shift: the simple, slow reference.

    Args:
        first: (num_frames,) words.
        second: (num_frames,) words.
        shift: frame n of the first is compared with frame n + shift of the second.

    Returns:
        Share of differing bits over the frames in which both have sound; 1.0 if these are too few.
    """
    a, b = first[max(0, -shift) :], second[max(0, shift) :]
    pairs = [(x, y) for x, y in zip(a.tolist(), b.tolist(), strict=False) if x and y]
    fewer = min(np.count_nonzero(first), np.count_nonzero(second))
    if len(pairs) < max(_MIN_FRAMES, _MIN_SHARE * fewer):
        return 1.0
    errors: int = sum((x ^ y).bit_count() for x, y in pairs)
    return errors / (32 * len(pairs))


def find_copies(fingerprints: Sequence[NDArray[np.uint32]], threshold: float = THRESHOLD) -> list[Pair]:
    """Find all pairs of clips with the same sound, each at its best shift.

    If many clips have the same sound, each is paired with some of the others, not with all.

    Args:
        fingerprints: (num_frames,) each, see `fingerprint`.
        threshold: largest distance.
    """
    lengths = np.array([len(words) for words in fingerprints], dtype=np.int64)
    if lengths.sum() == 0:
        return []
    words = np.concatenate(fingerprints)
    starts = np.cumsum(lengths) - lengths
    first, second, shift = _candidates(words, lengths, starts)
    best: dict[tuple[int, int], Pair] = {}
    for part in _parts(np.minimum(lengths[first], lengths[second])):
        rows = first[part], second[part], shift[part]
        distances = _bit_error_rates(words, lengths, starts, *rows)
        near = np.flatnonzero(distances <= threshold)
        for a, b, s, distance in zip(*(row[near].tolist() for row in (*rows, distances)), strict=True):
            pair = Pair(a, b, distance, s * HOP_S)
            best[a, b] = min(best.get((a, b), pair), pair)
    return sorted(best.values())


_Indices = NDArray[np.int64]


def _candidates(
    words: NDArray[np.uint32], lengths: _Indices, starts: _Indices
) -> tuple[_Indices, _Indices, _Indices]:
    """First clip, second clip and shift of every pair with at least two common words at that shift."""
    clip = np.repeat(np.arange(len(lengths)), lengths)
    sounding = np.flatnonzero(words)
    order = sounding[np.argsort(words[sounding], kind="stable")]  # of one word, the clips are in order
    word, clip, frame = words[order], clip[order], order - starts[clip[order]]
    longest = int(lengths.max())
    keys = []
    for step in range(1, min(_NEIGHBOURS, len(order) - 1) + 1):
        same = np.flatnonzero((word[:-step] == word[step:]) & (clip[:-step] != clip[step:]))
        pair = clip[same] * len(lengths) + clip[same + step]
        keys.append(pair * (2 * longest) + (frame[same + step] - frame[same] + longest))
    found, count = np.unique(np.concatenate([np.empty(0, np.int64), *keys]), return_counts=True)
    pair, shift = np.divmod(found[count >= _MIN_WORDS], 2 * longest)
    return pair // len(lengths), pair % len(lengths), shift - longest


def _parts(costs: _Indices) -> Iterator[slice]:
    """Split the candidates into parts whose frames fit into memory together."""
    block = np.cumsum(costs) // _COMPARED_AT_ONCE
    edges = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), len(costs)]
    yield from (slice(start, end) for start, end in itertools.pairwise(edges) if end > start)


def _bit_error_rates(
    words: NDArray[np.uint32],
    lengths: _Indices,
    starts: _Indices,
    first: _Indices,
    second: _Indices,
    shift: _Indices,
) -> NDArray[np.float64]:
    """`bit_error_rate` of many pairs at once, (num_pairs,); every pair overlaps in at least one frame."""
    skip_first, skip_second = np.maximum(0, -shift), np.maximum(0, shift)
    overlap = np.minimum(lengths[first] - skip_first, lengths[second] - skip_second)
    begin = np.cumsum(overlap) - overlap
    step = np.arange(overlap.sum()) - np.repeat(begin, overlap)
    a = words[np.repeat(starts[first] + skip_first, overlap) + step]
    b = words[np.repeat(starts[second] + skip_second, overlap) + step]
    both = (a != 0) & (b != 0)
    errors = np.add.reduceat(np.where(both, np.bitwise_count(a ^ b), 0).astype(np.int64), begin)
    frames = np.add.reduceat(both.astype(np.int64), begin)
    sounding = np.add.reduceat((words != 0).astype(np.int64), np.minimum(starts, len(words) - 1))
    fewer = np.minimum(sounding[first], sounding[second])
    enough = frames >= np.maximum(_MIN_FRAMES, _MIN_SHARE * fewer)
    return np.where(enough, errors / (32 * np.maximum(frames, 1)), 1.0)
