"""Fingerprints: all copies of a recording are found, and no other clips."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import featurize.fingerprint as module
from featurize.audio import load_audio, resample
from featurize.fingerprint import (
    FINGERPRINT_RATE,
    HOP_S,
    THRESHOLD,
    bit_error_rate,
    find_copies,
    fingerprint,
)

Words = NDArray[np.uint32]
Samples = NDArray[np.float32]


def words_of(path: Path) -> Words:
    return fingerprint(load_audio(path, FINGERPRINT_RATE))


def encode(path: Path, samples: Samples, codec: str, bit_rate: int) -> None:
    """Write 16 kHz samples through FFmpeg."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=16_000)
        stream.bit_rate = bit_rate
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[None], "s16", "mono")
        frame.sample_rate = 16_000
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=16_000)
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            container.mux(stream.encode(part))


def at_rate(samples: Samples, rate: int) -> Samples:
    return resample(torch.from_numpy(samples).double(), 16_000, rate).float().numpy()


def plant(kind: str, source: Path, folder: Path) -> Path:
    """A copy of a clip."""
    samples = load_audio(source).numpy() * 0.9
    path = folder / f"{source.stem}-{kind}"
    quiet = np.zeros(3200, np.float32)  # 0.2 s
    coded = {"64.mp3": ("mp3", 64_000), "32.mp3": ("mp3", 32_000), "24.opus": ("libopus", 24_000)}
    if kind in coded:
        encode(path, samples, *coded[kind])
    elif kind == "all.mp3":
        encode(path, np.concatenate([quiet, samples * 0.1]), "mp3", 64_000)
    else:
        written, rate = {
            "gain.flac": (samples * 0.05, 16_000),
            "48k.wav": (at_rate(samples, 48_000), 48_000),
            "8k.wav": (at_rate(samples, 8_000), 8_000),
            "vorbis.ogg": (samples, 16_000),
            "late.wav": (np.concatenate([quiet, samples]), 16_000),
            "cut.wav": (samples[1777:-1600], 16_000),
        }[kind]
        sf.write(path, written, rate)
    return path


KINDS = (
    *("gain.flac", "48k.wav", "8k.wav", "vorbis.ogg", "late.wav", "cut.wav"),
    *("64.mp3", "32.mp3", "24.opus", "all.mp3"),
)


@pytest.fixture(scope="module")
def originals(ravdess_clips: list[Path]) -> list[Words]:
    return [words_of(path) for path in ravdess_clips]


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_is_found_and_only_it(
    kind: str, ravdess_clips: list[Path], originals: list[Words], tmp_path: Path
) -> None:
    copies = [words_of(plant(kind, path, tmp_path)) for path in ravdess_clips[::4]]
    pairs = find_copies([*originals, *copies])
    assert [(pair.first, pair.second) for pair in pairs] == [(4 * n, 12 + n) for n in range(len(copies))]
    if kind in {"late.wav", "all.mp3"}:
        # An MP3 encoder adds up to 0.07 s of its own; a hop is 0.012 s.
        assert all(0.2 - HOP_S <= pair.delay_s <= 0.2 + 0.08 for pair in pairs)


def test_retakes_are_not_copies_but_the_known_duplicate_of_ravdess_is(shared: Path) -> None:
    actor = sorted((shared / "corpora" / "ravdess" / "Actor_07").glob("*.flac"))
    assert len(actor) == 60
    pairs = find_copies([words_of(path) for path in actor])
    assert [(actor[pair.first].stem, actor[pair.second].stem) for pair in pairs] == [
        ("03-01-03-01-02-01-07", "03-01-03-01-02-02-07")
    ]
    assert pairs[0].distance == 0


def speech_like(seed: int, seconds: float) -> Samples:
    """Noise whose spectrum changes some times a second, as that of speech does."""
    rng = np.random.default_rng(seed)
    num = int(seconds * 8)
    parts = [np.convolve(rng.normal(size=1000), rng.normal(size=40), "same") for _ in range(num)]
    return np.concatenate(parts).astype(np.float32)


def test_level_and_digital_silence_change_nothing() -> None:
    samples = torch.from_numpy(speech_like(0, 3))
    words = fingerprint(samples)
    assert len(words) == 1 + len(samples) // 96
    assert words.dtype == np.uint32
    # 4096 is a power of two: the same bits, whatever the rounding.
    assert np.array_equal(fingerprint(samples / 4096), words)
    padded = torch.cat([torch.zeros(9600), samples, torch.zeros(9600)])
    assert fingerprint(padded)[:50].tolist() == [0] * 50
    assert fingerprint(torch.zeros(8000)).tolist() == [0] * 84


def test_a_long_clip_is_the_same_in_parts_and_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = torch.from_numpy(speech_like(1, 16))
    in_parts = fingerprint(samples)
    assert len(in_parts) > 2 * module._FRAMES_AT_ONCE
    monkeypatch.setattr(module, "_FRAMES_AT_ONCE", 10**6)
    # A matrix product may round otherwise in other blocks: a bit or two on the edge.
    assert np.bitwise_count(fingerprint(samples) ^ in_parts).sum() <= 2


@settings(max_examples=40)
@given(
    lengths=st.lists(st.integers(41, 150), min_size=2, max_size=5),
    shift=st.integers(-20, 20),
    seed=st.integers(0, 99),
    silence=st.floats(0, 0.7),
)
def test_the_fast_distance_equals_the_slow_one(
    lengths: list[int], shift: int, seed: int, silence: float
) -> None:
    rng = np.random.default_rng(seed)
    prints = [rng.integers(0, 2**32, length, dtype=np.uint32) for length in lengths]
    for words in prints:
        words[rng.random(len(words)) < silence] = 0
    pairs = [(a, b) for a in range(len(prints)) for b in range(a + 1, len(prints))]
    first, second = np.array(pairs).T
    sizes = np.array(lengths)
    fast = module._bit_error_rates(
        np.concatenate(prints), sizes, np.cumsum(sizes) - sizes, first, second, np.full(len(pairs), shift)
    )
    slow = [bit_error_rate(prints[a], prints[b], shift) for a, b in pairs]
    assert fast.tolist() == pytest.approx(slow)


def test_pairs_come_with_their_true_distance_and_delay() -> None:
    clips = [torch.from_numpy(speech_like(seed, 2)) for seed in range(6)]
    late = torch.cat([torch.zeros(1000), clips[3]])  # 10.4 hops
    prints = [fingerprint(samples) for samples in [*clips, late]]
    (pair,) = find_copies(prints)
    assert (pair.first, pair.second) == (3, 6)
    assert pair.delay_s == pytest.approx(0.12)
    assert pair.distance == pytest.approx(bit_error_rate(prints[3], prints[6], 10))
    assert 0 < pair.distance <= THRESHOLD
    assert find_copies(prints, threshold=pair.distance / 2) == []


def test_blocks_of_candidates_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    prints = [fingerprint(torch.from_numpy(speech_like(seed // 2, 1.5))) for seed in range(10)]
    at_once = find_copies(prints)
    assert [(pair.first, pair.second) for pair in at_once] == [(n, n + 1) for n in range(0, 10, 2)]
    monkeypatch.setattr(module, "_COMPARED_AT_ONCE", 1)
    assert find_copies(prints) == at_once


def test_each_of_many_copies_is_paired() -> None:
    one = fingerprint(torch.from_numpy(speech_like(0, 1.5)))
    pairs = find_copies([one] * 200)
    assert {index for pair in pairs for index in pair[:2]} == set(range(200))
    assert len(pairs) <= 200 * module._NEIGHBOURS


@pytest.mark.parametrize("num_clips", [0, 1, 2])
def test_nothing_to_compare(num_clips: int) -> None:
    assert find_copies([np.zeros(100, np.uint32)] * num_clips) == []


def test_clips_with_too_little_sound_are_not_compared() -> None:
    short = fingerprint(torch.from_numpy(speech_like(0, 0.375)))
    assert np.count_nonzero(short) < 40
    assert find_copies([short, short]) == []
