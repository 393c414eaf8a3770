"""The fast path of Tier 0 equals Demucs.forward, Silero's loop and torchaudio, on a hundred real clips."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import silero_vad
import torch
from torch import Tensor

from featurize.audio import SAMPLE_RATE, dequantise, load_audio, quantise
from featurize.denoise import DenoiseParams, Denoiser, Streamed, denoise_clips, load_denoiser
from featurize.mfcc import mfcc_40
from featurize.tier0 import Tier0Params, tier0
from featurize.vad import VadParams, find_speech, keep_segments, speech_segments
from featurize.vad_network import (
    LEAD_IN_WINDOWS,
    WINDOW_SAMPLES,
    input_speech,
    load_vad,
    speech_probabilities,
)

NUM_CLIPS = 100
LAST_50_MS = SAMPLE_RATE // 20


@pytest.fixture(scope="module")
def clips(shared: Path) -> dict[Path, Tensor]:
    """Real clips of mixed lengths: the n-th is cut to a length of its own, 0.3 s at least."""
    paths = sorted((shared / "corpora" / "ravdess").rglob("*.flac"))[:: 1440 // NUM_CLIPS][:NUM_CLIPS]
    waveforms = {path: load_audio(path) for path in paths}
    return {path: wave[: max(4_800, len(wave) - 613 * n)] for n, (path, wave) in enumerate(waveforms.items())}


@pytest.fixture(scope="module")
def denoiser() -> Denoiser:
    return load_denoiser(DenoiseParams(model="compact"))


@pytest.fixture(scope="module")
def together(clips: dict[Path, Tensor], denoiser: Denoiser) -> dict[Path, Tensor]:
    return {path: clean for path, clean, _ in denoise_clips(clips.items(), denoiser)}


@pytest.fixture(scope="module")
def alone(clips: dict[Path, Tensor], denoiser: Denoiser) -> dict[Path, Tensor]:
    """Output of the network for each clip alone, with silence at the edges."""
    assert isinstance(denoiser.method, Streamed)
    edge, module = denoiser.edge, denoiser.method.module
    with torch.inference_mode():
        padded = {path: torch.nn.functional.pad(wave, (edge, edge)) for path, wave in clips.items()}
        return {path: module(wave[None])[0, 0, edge : len(wave) - edge] for path, wave in padded.items()}


def test_denoised_samples(together: dict[Path, Tensor], alone: dict[Path, Tensor]) -> None:
    assert len(together) == NUM_CLIPS
    for path, expected in alone.items():
        error, peak = (together[path] - expected).abs(), expected.abs().max()
        assert error.max() <= 1e-5 * peak
        assert error[-LAST_50_MS:].max() <= 1e-5 * peak


def test_segments_and_mfcc(together: dict[Path, Tensor], alone: dict[Path, Tensor]) -> None:
    network, params = load_vad(), VadParams()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's, of TorchScript
        own = silero_vad.load_silero_vad()
    for path, expected in alone.items():
        found = silero_vad.get_speech_timestamps(
            torch.nn.functional.pad(expected, (WINDOW_SAMPLES * LEAD_IN_WINDOWS, 0)),
            own,
            threshold=params.threshold,
            min_speech_duration_ms=int(params.min_speech_ms),
            min_silence_duration_ms=int(params.min_silence_ms),
            speech_pad_ms=int(params.pad_ms),
        )
        segments = speech_segments(speech_probabilities(together[path], network), len(expected), params)
        lead_in = WINDOW_SAMPLES * LEAD_IN_WINDOWS
        bounds = [[max(0, each[end] - lead_in) for end in ("start", "end")] for each in found]
        assert segments.tolist() == bounds
        right, ours = (mfcc_40(keep_segments(wave, segments)) for wave in (expected, together[path]))
        torch.testing.assert_close(ours, right, rtol=0, atol=1e-3)


def test_clips_are_bit_identical_with_any_neighbours(
    clips: dict[Path, Tensor], together: dict[Path, Tensor], denoiser: Denoiser
) -> None:
    few = dict(list(clips.items())[7:17])
    for path, clean, _ in denoise_clips(reversed(few.items()), denoiser):
        assert torch.equal(clean, together[path])


def test_one_file_is_bit_identical_to_the_shards(denoiser: Denoiser, ravdess_clips: list[Any]) -> None:
    network, params = load_vad(), VadParams()
    waves = {path: load_audio(path) for path in ravdess_clips}
    for path, clean, _ in denoise_clips(waves.items(), denoiser):
        stored = dequantise(*quantise(clean))
        segments = find_speech(stored, network, params, input_speech(waves[path], network))
        reference = tier0(path, Tier0Params(denoise=DenoiseParams(model="compact")), denoiser)
        assert np.array_equal(reference.segments, segments)
        assert torch.equal(reference.mfcc, mfcc_40(keep_segments(stored, segments)))
