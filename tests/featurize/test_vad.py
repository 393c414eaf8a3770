"""VAD: probabilities and segments equal Silero's for clips of any length."""

import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
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
    find_speech,
    joint,
    keep_segments,
    speech_segments,
    vad_silero_keep_speech,
)
from featurize.vad_network import (
    LEAD_IN_WINDOWS,
    SileroVad,
    first_sound,
    input_speech,
    last_sound,
    load_vad,
    speech_probabilities,
)


@pytest.fixture(scope="module")
def vad() -> SileroVad:
    return load_vad()


@pytest.fixture(scope="module")
def script() -> torch.jit.ScriptModule:
    """Silero's own model: one window after another, slow and obvious."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return silero_vad.load_silero_vad()


@pytest.fixture(scope="module")
def clips(shared: Path) -> list[torch.Tensor]:
    """At least 100 real clips of 1 to 9 s, RAVDESS and EMO-DB."""
    ravdess = sorted((shared / "corpora" / "ravdess").glob("Actor_*/*.flac"))[::29]
    emodb = sorted((shared / "corpora" / "emodb").rglob("*.flac"))[::6]
    waveforms = [load_audio(path) for path in (*ravdess, *emodb)]
    assert len(waveforms) >= 100
    return waveforms


LEAD_IN = 512 * LEAD_IN_WINDOWS


def window_by_window(waveform: torch.Tensor, script: torch.jit.ScriptModule) -> torch.Tensor:
    """Silero's own loop over a clip with silence before it."""
    whole = torch.nn.functional.pad(waveform, (LEAD_IN, -len(waveform) % 512))
    with torch.no_grad():
        return script.audio_forward(whole[None], 16_000)[0, LEAD_IN_WINDOWS:]


def all_window_by_window(waveforms: list[torch.Tensor], script: torch.jit.ScriptModule) -> list[torch.Tensor]:
    """The same for many clips side by side; what follows a clip does not change its windows."""
    most = max(map(len, waveforms))
    whole = torch.stack([torch.nn.functional.pad(each, (0, most - len(each))) for each in waveforms])
    with torch.no_grad():
        whole = torch.nn.functional.pad(whole, (LEAD_IN, -most % 512))
        found = script.audio_forward(whole, 16_000)[:, LEAD_IN_WINDOWS:]
    return [row[: -(-len(each) // 512)] for row, each in zip(found, waveforms, strict=True)]


def silero_itself(waveform: torch.Tensor, script: torch.jit.ScriptModule, **rules: float) -> list[list[int]]:
    """Its segments of a clip, without the digital silence before it but with the lead-in."""
    start = first_sound(waveform)
    whole = torch.nn.functional.pad(waveform[start:], (LEAD_IN, 0))
    found = silero_vad.get_speech_timestamps(whole, script, **rules)
    return [[max(start, start + s[end] - LEAD_IN) for end in ("start", "end")] for s in found]


def noise(num_samples: int, seed: int = 0) -> torch.Tensor:
    """Bursts, so that the probabilities move."""
    generator = torch.Generator().manual_seed(seed)
    loudness = torch.rand(-(-num_samples // 4000), generator=generator).repeat_interleave(4000)[:num_samples]
    return loudness.pow(3) * torch.randn(num_samples, generator=generator) / 4


ROUNDING = 3e-5
"""Silero's loop in float32 is itself up to 1e-5 away from its value in float64."""


def test_the_import_does_not_change_the_thread_count() -> None:
    code = (
        "import torch; torch.set_num_threads(3); import featurize.vad; "
        "assert torch.get_num_threads() == 3; featurize.vad.load_vad(); assert torch.get_num_threads() == 3"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_probabilities_and_segments_equal_silero(
    vad: SileroVad, script: torch.jit.ScriptModule, clips: list[torch.Tensor]
) -> None:
    with_speech = 0
    for waveform, expected in zip(clips, all_window_by_window(clips, script), strict=True):
        probabilities = speech_probabilities(waveform, vad)
        torch.testing.assert_close(probabilities, expected, rtol=0, atol=ROUNDING)
        segments = speech_segments(probabilities, len(waveform))
        assert segments.tolist() == speech_segments(expected, len(waveform)).tolist()
        assert segments.dtype == np.int64
        with_speech += len(segments) > 0
    assert with_speech > 0.9 * len(clips)


def test_segments_equal_those_of_silero_itself(
    vad: SileroVad, script: torch.jit.ScriptModule, clips: list[torch.Tensor]
) -> None:
    for waveform in clips[::25]:
        assert find_speech(waveform, vad).tolist() == silero_itself(waveform, script)


def test_closer_to_float64_than_silero(
    vad: SileroVad, script: torch.jit.ScriptModule, clips: list[torch.Tensor]
) -> None:
    double = load_vad().double()
    errors = []
    for waveform in clips[::20]:
        whole = torch.nn.functional.pad(waveform.double(), (LEAD_IN + 64, -len(waveform) % 512))
        zeros = torch.zeros(1, 1, 128, dtype=torch.float64)
        exact = double(whole.unfold(0, 576, 512)[None], (zeros, zeros))[0][0, LEAD_IN_WINDOWS:]
        ours, theirs = speech_probabilities(waveform, vad), window_by_window(waveform, script)
        errors.append([(ours - exact).abs().max().item(), (theirs - exact).abs().max().item()])
    ours_worst, theirs_worst = np.max(errors, axis=0)
    assert ours_worst <= max(theirs_worst, 2e-6)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 80_000), st.integers(0, 2**31))
def test_any_length_equals_silero(
    vad: SileroVad, script: torch.jit.ScriptModule, num_samples: int, seed: int
) -> None:
    waveform = noise(num_samples, seed)
    expected = window_by_window(waveform, script)
    torch.testing.assert_close(speech_probabilities(waveform, vad), expected, rtol=0, atol=ROUNDING)


def test_ten_minutes_equal_their_beginning_and_silero(vad: SileroVad, script: torch.jit.ScriptModule) -> None:
    waveform = noise(600 * 16_000)
    whole = speech_probabilities(waveform, vad)
    assert whole.shape == (18_750,)
    for num_windows in (1, 60, 61, 64, 65, 5000):  # bit for bit, wherever the clip is cut
        start = speech_probabilities(waveform[: 512 * num_windows], vad)
        torch.testing.assert_close(start, whole[:num_windows], rtol=0, atol=0)
    windows = torch.nn.functional.pad(waveform, (64, 0)).unfold(0, 576, 512)
    with torch.no_grad():
        at_once, _ = vad(windows[None])
    torch.testing.assert_close(whole, at_once[0], rtol=0, atol=ROUNDING)
    minute = window_by_window(waveform[: 60 * 16_000], script)
    torch.testing.assert_close(whole[: len(minute)], minute, rtol=0, atol=ROUNDING)


def test_threads_share_one_network(vad: SileroVad) -> None:
    waveforms = [noise(50_000, seed) for seed in range(8)]
    alone = [speech_probabilities(waveform, vad) for waveform in waveforms]
    with ThreadPoolExecutor(4) as pool:
        for found, expected in zip(
            pool.map(lambda w: speech_probabilities(w, vad), waveforms), alone, strict=True
        ):
            torch.testing.assert_close(found, expected, rtol=0, atol=ROUNDING)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_gives_the_same(vad: SileroVad, clips: list[torch.Tensor]) -> None:
    gpu = load_vad("cuda")
    for waveform in clips:
        found = speech_probabilities(waveform, gpu)
        expected = speech_probabilities(waveform, vad)
        torch.testing.assert_close(found, expected, rtol=0, atol=ROUNDING)
        segments = speech_segments(found, len(waveform))
        assert segments.tolist() == speech_segments(expected, len(waveform)).tolist()


def test_params_reach_silero(
    vad: SileroVad, script: torch.jit.ScriptModule, ravdess_clips: list[Path]
) -> None:
    waveform = load_audio(ravdess_clips[0])
    params = VadParams(threshold=0.8, min_speech_ms=50, min_silence_ms=20, pad_ms=0)
    expected = silero_itself(
        waveform,
        script,
        threshold=0.8,
        min_speech_duration_ms=50,
        min_silence_duration_ms=20,
        speech_pad_ms=0,
    )
    segments = find_speech(waveform, vad, params)
    assert segments.tolist() == expected
    assert segments.tolist() != find_speech(waveform, vad).tolist()


@pytest.mark.parametrize("num_samples", [0, 1, 100, 511, 512, 513, 5000])
def test_one_probability_per_started_window(vad: SileroVad, num_samples: int) -> None:
    probabilities = speech_probabilities(noise(num_samples), vad)
    assert probabilities.shape == (-(-num_samples // 512),)
    assert probabilities.dtype == torch.float32
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert not probabilities.is_inference()


def test_a_batch_is_refused(vad: SileroVad) -> None:
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


def test_a_clip_without_speech(vad: SileroVad, oddities: Path) -> None:
    bark = load_audio(oddities / "dog-bark-no-speech.ogg")
    strict = VadParams(threshold=0.6)  # 0.51 in one window of its first bark
    assert vad_silero_keep_speech(bark, vad, strict) is bark
    with pytest.raises(AudioError, match="no speech") as caught:
        vad_silero_keep_speech(bark, vad, strict.model_copy(update={"if_no_speech": "reject"}))
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


def test_without_vad_the_whole_clip_is_speech_and_no_network_runs(clips: list[torch.Tensor]) -> None:
    params = VadParams(method="none", if_no_speech="reject")

    def never(*_: object) -> None:
        raise AssertionError

    assert find_speech(clips[0], never, params).tolist() == [[0, len(clips[0])]]  # type: ignore[arg-type]
    assert torch.equal(vad_silero_keep_speech(clips[0], params=params), clips[0])
    assert speech_segments(torch.zeros(9), 4600, params).tolist() == [[0, 4600]]


@pytest.mark.parametrize("value", [0.0, 3e-3])
def test_silence_is_a_run_of_one_value_at_either_end(value: float) -> None:
    sound = noise(100_000)
    for run in (0, 1, 511, 512, 513, 70_000, 140_000):
        waveform = torch.cat([torch.full((run,), value), 0.5 * sound.sign()])
        found = run if run >= 512 or (value == 0 and run) else 0
        assert first_sound(waveform) == found
        assert last_sound(waveform.flip(0)) == len(waveform) - found
    constant = torch.full((2000,), value)
    assert (first_sound(constant), last_sound(constant)) == (0, 2000)
    assert (first_sound(torch.zeros(0)), last_sound(torch.zeros(0))) == (0, 0)


def test_finding_speech_is_the_network_from_the_first_sound_to_the_last(
    clips: list[torch.Tensor], vad: SileroVad
) -> None:
    silent = [waveform for waveform in clips if first_sound(waveform)]
    assert len(silent) > 10
    for waveform in silent[:5]:
        start, end = first_sound(waveform), last_sound(waveform)
        expected = start + speech_segments(speech_probabilities(waveform[start:end], vad), end - start)
        np.testing.assert_array_equal(find_speech(waveform, vad), expected)


def longest_difference(one: np.ndarray, other: np.ndarray, num_samples: int) -> float:
    """Seconds of the longest stretch that is speech in one of two lists of segments only."""
    masks = np.zeros((2, num_samples + 2), bool)
    for mask, segments in zip(masks, (one, other), strict=True):
        for start, end in np.clip(segments, 0, num_samples):
            mask[1 + start : 1 + end] = True
    edges = np.flatnonzero(np.diff(masks[0] ^ masks[1]))
    return max(edges[1::2] - edges[::2], default=0) / 16_000


@pytest.mark.parametrize("offset", [0.0, 2e-3])
def test_silence_around_a_clip_moves_its_speech_by_less_than_a_tenth_of_a_second(
    clips: list[torch.Tensor], vad: SileroVad, offset: float
) -> None:
    for clip in clips[::8]:
        waveform = clip + offset
        alone = find_speech(waveform, vad)
        for seconds in (0.1, 0.3, 1.0, 3.0):
            pad = int(16_000 * seconds)
            around = find_speech(torch.nn.functional.pad(waveform, (pad, pad)), vad) - pad
            assert longest_difference(alone, around, len(waveform)) < 0.1


def erased(waveform: torch.Tensor) -> torch.Tensor:
    """What a denoiser that takes speech for noise leaves."""
    return 1e-3 * noise(len(waveform))


def test_a_denoiser_cannot_erase_speech(clips: list[torch.Tensor], vad: SileroVad) -> None:
    for waveform in clips[::10]:
        before = input_speech(waveform, vad)
        rounded = before.probabilities.astype(np.float32)
        expected = speech_segments(torch.from_numpy(rounded), len(waveform) - before.sound_from)
        found = find_speech(erased(waveform), vad, before=before)
        np.testing.assert_array_equal(found, before.sound_from + expected)
        assert longest_difference(found, find_speech(waveform, vad), len(waveform)) < 0.1
        assert len(find_speech(erased(waveform), vad)) == 0


probability = st.floats(0, 1, width=16)


@given(st.lists(st.tuples(probability, probability), min_size=1, max_size=80), st.floats(0.02, 0.98))
def test_joint_segments_contain_those_of_the_input_and_lie_in_those_of_the_larger(
    pairs: list[tuple[float, float]], threshold: float
) -> None:
    before, behind = torch.tensor(pairs).T
    params = VadParams(threshold=threshold, min_speech_ms=0)
    num_samples = 512 * len(pairs)

    def speech(probabilities: torch.Tensor) -> np.ndarray:
        mask = np.zeros(num_samples, bool)
        for start, end in speech_segments(probabilities, num_samples, params):
            mask[start:end] = True
        return mask

    both = speech(joint(before, behind))
    assert not (speech(before) & ~both).any()
    assert not (both & ~speech(torch.maximum(before, behind))).any()
    assert (joint(before, before) == before).all()
