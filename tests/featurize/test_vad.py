"""VAD: Silero's own segments, the same on every call, whatever came before."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import silero_vad
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from featurize.audio import load_audio
from featurize.errors import AudioError
from featurize.vad import (
    VadParams,
    keep_segments,
    load_vad,
    speech_probabilities,
    speech_segments,
    vad_silero_keep_speech,
)


@pytest.fixture(scope="module")
def vad() -> torch.jit.ScriptModule:
    return load_vad()


def test_the_import_leaves_the_thread_count_alone() -> None:
    code = (
        "import torch; torch.set_num_threads(3); import featurize.vad; "
        "assert torch.get_num_threads() == 3; featurize.vad.load_vad(); assert torch.get_num_threads() == 3"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_segments_equal_silero(vad: torch.jit.ScriptModule, ravdess_clips: list[Path]) -> None:
    for path in ravdess_clips[:4]:
        waveform = load_audio(path)
        expected = silero_vad.get_speech_timestamps(waveform, vad)
        segments = speech_segments(speech_probabilities(waveform, vad), len(waveform))
        assert segments.dtype == np.int64
        assert [{"start": start, "end": end} for start, end in segments.tolist()] == expected
        assert len(segments) > 0


def test_params_reach_silero(vad: torch.jit.ScriptModule, ravdess_clips: list[Path]) -> None:
    waveform = load_audio(ravdess_clips[0])
    params = VadParams(threshold=0.8, min_speech_ms=50, min_silence_ms=20, pad_ms=0)
    expected = silero_vad.get_speech_timestamps(
        waveform, vad, threshold=0.8, min_speech_duration_ms=50, min_silence_duration_ms=20, speech_pad_ms=0
    )
    segments = speech_segments(speech_probabilities(waveform, vad), len(waveform), params)
    assert segments.tolist() == [[s["start"], s["end"]] for s in expected]
    assert segments.tolist() != speech_segments(speech_probabilities(waveform, vad), len(waveform)).tolist()


def test_probabilities_do_not_depend_on_earlier_calls(ravdess_clips: list[Path]) -> None:
    fresh = load_vad()
    first, second = (load_audio(path) for path in ravdess_clips[:2])
    calls = [speech_probabilities(first, fresh)]
    speech_probabilities(second, fresh)
    calls += [speech_probabilities(first, fresh) for _ in range(3)]
    calls.append(speech_probabilities(first, load_vad()))
    for again in calls[1:]:
        torch.testing.assert_close(again, calls[0], rtol=0, atol=0)


def test_probabilities_are_those_of_the_windows_one_by_one(
    vad: torch.jit.ScriptModule, ravdess_clips: list[Path]
) -> None:
    waveform = load_audio(ravdess_clips[0])
    whole = torch.nn.functional.pad(waveform, (0, -len(waveform) % 512))
    vad.reset_states()
    with torch.no_grad():
        one_by_one = [vad(window, 16_000).item() for window in whole.split(512)]
    assert speech_probabilities(waveform, vad).tolist() == one_by_one


@pytest.mark.parametrize("num_samples", [0, 1, 100, 511, 512, 513, 5000])
def test_one_probability_per_started_window(vad: torch.jit.ScriptModule, num_samples: int) -> None:
    noise = torch.randn(num_samples, generator=torch.Generator().manual_seed(0))
    probabilities = speech_probabilities(noise, vad)
    assert probabilities.shape == (-(-num_samples // 512),)
    assert probabilities.dtype == torch.float32
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert not probabilities.is_inference()


def test_a_batch_is_refused(vad: torch.jit.ScriptModule) -> None:
    with pytest.raises(ValueError, match="num_samples"):
        speech_probabilities(torch.zeros(2, 1000), vad)


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 1, width=32), max_size=80),
    st.integers(1, 512),
    st.builds(
        VadParams,
        threshold=st.floats(0.01, 0.99),
        min_speech_ms=st.floats(0, 500),
        min_silence_ms=st.floats(0, 300),
        pad_ms=st.floats(0, 200),
    ),
)
def test_segments_are_sorted_disjoint_and_inside(values: list[float], last: int, params: VadParams) -> None:
    num_samples = max(0, 512 * (len(values) - 1) + last) if values else 0
    segments = speech_segments(torch.tensor(values), num_samples, params)
    assert segments.dtype == np.int64
    assert segments.shape[1:] == (2,)
    bounds = segments.ravel()
    assert (np.diff(bounds) >= 0).all()
    assert (segments[:, 0] < segments[:, 1]).all()
    assert ((bounds >= 0) & (bounds <= num_samples)).all()
    waveform = torch.arange(num_samples)
    if len(segments):
        assert len(keep_segments(waveform, segments)) == (segments[:, 1] - segments[:, 0]).sum()


def test_segments_are_cut_and_joined() -> None:
    kept = keep_segments(torch.arange(10), np.array([[1, 3], [7, 10]]))
    assert kept.tolist() == [1, 2, 7, 8, 9]


def test_speech_of_a_real_clip(ravdess_clips: list[Path]) -> None:
    waveform = load_audio(ravdess_clips[0])
    speech = vad_silero_keep_speech(waveform)
    assert 0.2 * len(waveform) < len(speech) < 0.9 * len(waveform)
    assert speech.square().mean() > waveform.square().mean()


def test_a_clip_without_speech(vad: torch.jit.ScriptModule, oddities: Path) -> None:
    bark = load_audio(oddities / "dog-bark-no-speech.ogg")
    assert vad_silero_keep_speech(bark, vad) is bark
    with pytest.raises(AudioError, match="no speech") as caught:
        vad_silero_keep_speech(bark, vad, VadParams(if_no_speech="reject"))
    assert caught.value.reason == "no-speech"


@pytest.mark.parametrize(
    "bad",
    [
        {"threshold": 0},
        {"threshold": 1.5},
        {"min_speech_ms": -1},
        {"pad_ms": "inf"},
        {"if_no_speech": "x"},
        {"t": 1},
    ],
)
def test_bad_params(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        VadParams(**bad)
