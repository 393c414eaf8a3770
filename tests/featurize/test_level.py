"""Loading is independent of offset, silence, clicks and channels that cancel each other."""

import logging
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from featurize import decoders
from featurize.audio import LoadParams, SourceChannel, load_audio
from featurize.errors import AudioError
from featurize.level import level
from tests.synthetic_voice import synthetic_voice

RATE = 16_000
VOICE = 0.1 * synthetic_voice(0, 2.0, RATE) / np.abs(synthetic_voice(0, 2.0, RATE)).max()
VOICE -= VOICE.mean()


@pytest.fixture(params=["short", "long"])
def path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is decoded in one block, or in many."""
    if request.param == "long":
        monkeypatch.setattr(decoders, "_BLOCK", 1_999)
    return tmp_path / "clip.wav"


def load(
    path: Path, samples: np.ndarray, subtype: str = "FLOAT", rate: int = RATE, **options: object
) -> np.ndarray:
    soundfile.write(path, samples, rate, subtype=subtype)
    waveform = load_audio(path, **options)  # type: ignore[arg-type]
    assert waveform.dtype == torch.float32
    assert waveform.abs().max() == 1
    return waveform.numpy()


def slow_level(samples: np.ndarray, rate: int = RATE) -> float:
    """The definition, frame by frame."""
    size = rate // 100
    peaks = [float(np.abs(samples[at : at + size]).max()) for at in range(0, len(samples), size)]
    if len(peaks) < 11:
        return max(peaks)
    best = 0.0
    for index, peak in enumerate(peaks):
        start = min(max(index - 5, 0), len(peaks) - 11)
        best = max(best, min(peak, 3 * sorted(peaks[start : start + 11])[-4]))
    return best


@pytest.mark.parametrize("num_samples", [1, 159, 160, 1_600, 1_601, 1_761, 9_999])
@pytest.mark.parametrize("rate", [5_512, 16_000])
def test_the_level_is_as_defined(num_samples: int, rate: int) -> None:
    rng = np.random.default_rng(num_samples)
    samples = rng.normal(0, 1, num_samples) * np.exp(rng.normal(0, 2, num_samples))
    assert level(samples, rate) == slow_level(samples, rate)


@pytest.mark.parametrize("offset", [0.001, 0.05, -0.8])
def test_an_offset_changes_nothing(path: Path, offset: float) -> None:
    expected = load(path, VOICE)
    np.testing.assert_allclose(load(path, VOICE + offset), expected, atol=2e-6)
    stereo = np.stack([VOICE + offset, VOICE - offset / 3], axis=1)
    np.testing.assert_allclose(load(path, stereo), expected, atol=2e-6)


def test_the_offset_is_removed_before_resampling(path: Path) -> None:
    """Otherwise the step at each end would cause ringing."""
    voice = np.interp(np.arange(0, len(VOICE), 1 / 3), np.arange(len(VOICE)), VOICE)
    expected = load(path, voice, rate=48_000)
    np.testing.assert_allclose(load(path, voice + 0.5, rate=48_000), expected, atol=3e-6)


@pytest.mark.parametrize("place", [0, 100, 16_000, 31_999])
@pytest.mark.parametrize("length", [1, 40, 160])
def test_a_click_does_not_determine_the_level(path: Path, place: int, length: int) -> None:
    expected = load(path, VOICE)
    clicked = 0.1 * VOICE
    clicked[place : place + length] = np.where(np.arange(len(clicked[place : place + length])) % 2, -1, 1)
    waveform = load(path, clicked)
    others = np.r_[0:place, min(place + length, len(VOICE)) : len(VOICE)]
    gain = np.linalg.norm(waveform[others]) / np.linalg.norm(expected[others])
    assert 1 / 3.01 < gain < 1.01  # 0.033 by the peak
    np.testing.assert_allclose(waveform[others], gain * expected[others], atol=0.01)


def test_clicks_in_a_pause_do_not_change_the_level(path: Path) -> None:
    samples = np.concatenate([np.zeros(8_000), VOICE, np.zeros(8_000)])
    expected = load(path, samples)
    for place in (500, 3_000, 7_000, 45_000):
        samples[place : place + 2] = 1, -1
    waveform = load(path, samples)
    np.testing.assert_allclose(waveform[8_000:40_000], expected[8_000:40_000], atol=1e-6)


def test_the_level_of_speech_is_its_peak(path: Path) -> None:
    waveform = load(path, VOICE)
    np.testing.assert_allclose(waveform, VOICE / np.abs(VOICE).max(), atol=1e-6)


@pytest.mark.parametrize(("subtype", "step"), [("PCM_U8", 2**-7), ("PCM_16", 2**-15), ("PCM_24", 2**-15)])
@pytest.mark.parametrize("offset", [0, 7])
def test_the_noise_of_the_last_bit_is_silence(path: Path, subtype: str, step: float, offset: int) -> None:
    noise = np.random.default_rng(0).integers(-1, 2, 32_000) + offset
    noise[3_000] = 50  # a click does not make it loud
    soundfile.write(path, noise * step, RATE, subtype=subtype)
    with pytest.raises(AudioError, match="last bit") as caught:
        load_audio(path)
    assert caught.value.reason == "silent"
    load(path, 4 * noise * step, subtype)


@pytest.mark.parametrize("right", [-1.0, -0.9, -0.7])
@pytest.mark.parametrize("offset", [0, 0.1])
def test_channels_that_cancel(
    path: Path, right: float, offset: float, caplog: pytest.LogCaptureFixture
) -> None:
    expected = load(path, VOICE)
    sources: list[SourceChannel] = []
    samples = np.stack([VOICE, right * VOICE], axis=1) + offset
    with caplog.at_level(logging.WARNING):
        waveform = load(path, samples, on_source=sources.append)
    np.testing.assert_allclose(waveform, expected, atol=1e-6)
    assert sources == [SourceChannel(1, "left")]
    assert str(path) in caplog.text


def test_channels_that_do_not_cancel(path: Path) -> None:
    other = np.roll(VOICE, 5_000)
    sources: list[SourceChannel] = []
    for channels in ([VOICE, VOICE], [VOICE, 0 * VOICE], [VOICE, other], [VOICE, -0.3 * VOICE], [VOICE]):
        load(path, np.stack(channels, axis=1), on_source=sources.append)
    assert sources == [SourceChannel(1, "mix")] * 4 + [SourceChannel(1, "mono")]


def test_a_selected_channel(path: Path) -> None:
    other = np.roll(VOICE, 5_000)
    alone = [load(path, VOICE), load(path, other)]
    for channel, expected in zip(("left", "right"), alone, strict=True):
        sources: list[SourceChannel] = []
        params = LoadParams(channel=channel)
        both = load(path, np.stack([VOICE, other], axis=1), params=params, on_source=sources.append)
        np.testing.assert_allclose(both, expected, atol=1e-6)
        assert sources == [SourceChannel(1, channel)]
        np.testing.assert_allclose(load(path, VOICE, params=params), alone[0], atol=1e-6)


def test_too_short(path: Path) -> None:
    soundfile.write(path, VOICE[:3_999], RATE)
    with pytest.raises(AudioError, match=r"corpus\.min_clip_s") as caught:
        load_audio(path, params=LoadParams(min_clip_s=0.25))
    assert caught.value.reason == "too-short"
    assert len(load_audio(path, params=LoadParams(min_clip_s=0.2))) == 3_999
    assert len(load_audio(path)) == 3_999


def test_shared_cases(request: pytest.FixtureRequest) -> None:
    folder = request.config.rootpath.parent / "shared" / "cases" / "audio"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    base = load_audio(folder / "base.wav").numpy()
    for name in (
        "dc_0.2.wav",
        "dc_0.05_speech_-20dB.wav",
        "click.flac",
        "antiphase_exact.flac",
        "stereo_antiphase.ogg",
    ):
        waveform = load_audio(folder / name).numpy()
        assert np.corrcoef(waveform, base)[0, 1] > 0.99, name
        assert waveform.std() == pytest.approx(base.std(), rel=0.03), name
    with pytest.raises(AudioError) as caught:
        load_audio(folder / "silence_lsb.wav")
    assert caught.value.reason == "silent"
