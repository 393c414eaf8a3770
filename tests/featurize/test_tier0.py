"""Tier 0 is its steps in order, and its errors name the file."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from denoiser.demucs import Demucs

from featurize import tier0 as module
from featurize.audio import SAMPLE_RATE, dequantise, load_audio, quantise
from featurize.denoise import DenoiseParams, Denoiser, denoise_demucs, load_denoiser, method_for
from featurize.errors import AudioError
from featurize.mfcc import MfccParams, mfcc_40
from featurize.tier0 import Tier0Params, tier0, tier0_to_mfcc
from featurize.vad import VadParams, find_speech, keep_segments
from featurize.vad_network import input_speech, load_vad


@pytest.fixture(scope="module")
def small_demucs() -> Denoiser:
    torch.manual_seed(0)
    demucs = Demucs(hidden=4, depth=3).eval().requires_grad_(False)
    return Denoiser("small", "", method_for(demucs))


def test_the_steps_in_order(ravdess_clips: list[Path], small_demucs: Denoiser) -> None:
    path = ravdess_clips[0]
    result = tier0(path, denoiser=small_demucs, vad=load_vad())
    waveform = load_audio(path)
    denoised = dequantise(*quantise(denoise_demucs(waveform, denoiser=small_demucs)))
    torch.testing.assert_close(result.waveform, waveform, rtol=0, atol=0)
    torch.testing.assert_close(result.denoised, denoised, rtol=0, atol=0)
    segments = find_speech(denoised, load_vad(), before=input_speech(waveform, load_vad()))
    np.testing.assert_array_equal(result.segments, segments)
    torch.testing.assert_close(result.mfcc, mfcc_40(keep_segments(denoised, segments)), rtol=0, atol=0)


def test_without_denoiser(ravdess_clips: list[Path]) -> None:
    none = DenoiseParams(model="none")
    params = Tier0Params(denoise=none, mfcc=MfccParams(n_mfcc=13), vad=VadParams(pad_ms=0))
    result = tier0(ravdess_clips[0], params)
    assert result.has_speech
    step = 1 / 32_767
    torch.testing.assert_close(result.denoised, result.waveform, rtol=0, atol=step / 2 * 1.01)
    num_speech = int(np.diff(result.segments, axis=1).sum())
    assert result.mfcc.shape == (13, params.mfcc.num_frames(num_speech))


def test_rounding_twice_changes_nothing(ravdess_clips: list[Path]) -> None:
    denoised = tier0(ravdess_clips[0]).denoised
    torch.testing.assert_close(dequantise(*quantise(denoised)), denoised, rtol=0, atol=0)


def test_tier0_to_mfcc_uses_dns64(
    ravdess_clips: list[Path], small_demucs: Denoiser, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(module, "dns64", lambda device: asked.append(device) or small_demucs)
    features = tier0_to_mfcc(ravdess_clips[0], device="cpu", n_mfcc=20)
    assert asked == ["cpu"]
    params = Tier0Params(mfcc=MfccParams(n_mfcc=20))
    torch.testing.assert_close(features, tier0(ravdess_clips[0], params, small_demucs).mfcc, rtol=0, atol=0)


def test_a_clip_without_speech(oddities: Path) -> None:
    path = oddities / "dog-bark-no-speech.ogg"
    kept = tier0(path, Tier0Params(vad=VadParams(threshold=0.6)))
    assert not kept.has_speech
    assert kept.segments.shape == (0, 2)
    assert kept.mfcc.shape[1] == MfccParams().num_frames(len(kept.denoised))
    with pytest.raises(AudioError, match=path.name) as caught:
        tier0(path, Tier0Params(vad=VadParams(threshold=0.6, if_no_speech="reject")))
    assert caught.value.reason == "no-speech"


@pytest.mark.parametrize("model", ["none", "compact"])
def test_music_is_not_speech(shared: Path, model: str) -> None:
    assert not tier0(
        shared / "cases" / "audio" / "music.wav", Tier0Params(denoise=DenoiseParams(model=model))
    ).has_speech


@pytest.mark.parametrize(("name", "speech_s"), [("06-02-02-02-24", 1.2), ("05-02-02-01-14", 0.6)])
def test_the_denoiser_does_not_erase_a_shout(shared: Path, name: str, speech_s: float) -> None:
    (path,) = (shared / "corpora" / "ravdess").rglob(f"03-01-{name}.flac")
    with_denoiser, without = (
        tier0(path, Tier0Params(denoise=DenoiseParams(model=model))) for model in ("compact", "none")
    )
    found, wanted = (np.diff(each.segments).sum() / SAMPLE_RATE for each in (with_denoiser, without))
    assert found >= speech_s
    assert found >= wanted - 0.05


@pytest.mark.parametrize("model", ["none", "compact"])
def test_silence_in_the_file_moves_the_speech_by_less_than_a_tenth_of_a_second(
    ravdess_clips: list[Path], tmp_path: Path, model: str
) -> None:
    params = Tier0Params(denoise=DenoiseParams(model=model))
    denoiser = load_denoiser(params.denoise)
    for path in ravdess_clips[::3]:
        samples, rate = soundfile.read(path, dtype="int16")
        alone = tier0(path, params, denoiser).segments
        for seconds in (0.1, 1.0):
            pad = int(seconds * rate)
            soundfile.write(tmp_path / "padded.wav", np.pad(samples, pad), rate)
            around = tier0(tmp_path / "padded.wav", params, denoiser).segments - pad
            assert around.shape == alone.shape
            assert np.abs(around - alone).max() < 0.1 * rate


@pytest.mark.parametrize("num_samples", [2, 3, 100])
def test_the_shortest_clips(tmp_path: Path, small_demucs: Denoiser, num_samples: int) -> None:
    path = tmp_path / "short.wav"
    soundfile.write(path, np.linspace(0.5, 0.1, num_samples), 16_000)
    result = tier0(path, denoiser=small_demucs)
    assert result.denoised.shape == (num_samples,)
    assert result.mfcc.shape == (40, 2)
    assert torch.isfinite(result.mfcc).all()


def test_errors_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"nowhere\.wav") as caught:
        tier0(tmp_path / "nowhere.wav")
    assert caught.value.reason == "missing"
