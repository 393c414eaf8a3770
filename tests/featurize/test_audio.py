"""load_audio: what the waveform guarantees, long files in blocks as in one go; and 16-bit storage."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import torchaudio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from featurize import audio, decoders, resampling
from featurize.audio import SAMPLE_RATE, decode, dequantise, load_audio, probe, quantise
from tests.featurize.sounds import assert_usable, encode, noise, refusal, tone


@pytest.mark.parametrize(
    ("name", "channels", "rate"),
    [("stereo-48k.wav", 2, 48_000), ("rate-96k.wav", 1, 96_000), ("aiff-named.wav", 1, None)],
)
def test_oddities(oddities: Path, name: str, channels: int, rate: int | None) -> None:
    samples, found_rate = decode(oddities / name)
    assert len(samples) == channels
    assert rate in (None, found_rate)
    waveform = load_audio(oddities / name)
    assert_usable(waveform)
    assert len(waveform) == -(-samples.shape[1] * SAMPLE_RATE // found_rate)


def test_six_channels_are_averaged(tmp_path: Path) -> None:
    channels = np.stack([tone(hz=200 * (i + 1)) for i in range(6)])
    soundfile.write(tmp_path / "six.wav", channels.T, SAMPLE_RATE, subtype="FLOAT")
    samples, _ = decode(tmp_path / "six.wav")
    np.testing.assert_array_equal(samples.numpy(), channels)
    mean = channels.mean(axis=0)
    mean -= mean.mean()
    np.testing.assert_allclose(load_audio(tmp_path / "six.wav"), mean / np.abs(mean).max(), atol=1e-6)


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_one_sample(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "one.wav", [-0.25], rate)
    assert refusal(tmp_path / "one.wav").reason == "silent"  # it is its own offset
    soundfile.write(tmp_path / "two.wav", [-0.25, 0.25], rate)
    waveform = load_audio(tmp_path / "two.wav")
    assert_usable(waveform)
    assert len(waveform) == -(-2 * SAMPLE_RATE // rate)


@pytest.mark.parametrize("peak", [1e-4, 3e38])
def test_extreme_peaks_stay_finite(tmp_path: Path, peak: float) -> None:
    samples = np.array([0.0, peak, -peak, 0.0] * 100, dtype=np.float32)
    for rate in (16_000, 22_050):
        soundfile.write(tmp_path / "peak.wav", np.stack([samples, samples], axis=1), rate, subtype="FLOAT")
        assert_usable(load_audio(tmp_path / "peak.wav"))


@given(num_samples=st.integers(2, 3000), rate=st.sampled_from([8_000, 11_025, 16_000, 44_100, 16_001]))
def test_any_length_at_any_rate(num_samples: int, rate: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.wav"
        soundfile.write(path, np.cos(np.arange(num_samples)) / 2, rate)
        waveform = load_audio(path)
    assert_usable(waveform)
    assert len(waveform) == -(-num_samples * SAMPLE_RATE // rate)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_samples(tmp_path: Path, bad: float) -> None:
    samples = tone()
    samples[100] = bad
    soundfile.write(tmp_path / "clip.wav", samples, SAMPLE_RATE, subtype="FLOAT")
    assert refusal(tmp_path / "clip.wav").reason == "non-finite"


def test_silence(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "zeros.wav", np.zeros(1000), SAMPLE_RATE)
    assert refusal(tmp_path / "zeros.wav").reason == "silent"
    for level in (1e-45, 1e-30, 6e-5):
        soundfile.write(tmp_path / "faint.wav", level * tone() / 0.4, SAMPLE_RATE, subtype="FLOAT")
        assert refusal(tmp_path / "faint.wav").reason == "silent"


def load_whole(path: Path) -> torch.Tensor:
    """A slow reference of load_audio: the whole file in float64, resampled at once."""
    samples, rate = decode(path)
    waveform = samples.double().mean(dim=0)
    waveform = waveform - waveform.mean()
    if rate != SAMPLE_RATE:
        waveform = torchaudio.functional.resample(waveform, rate, SAMPLE_RATE)
    return (waveform / waveform.abs().max()).float()


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few milliseconds: every clip is a long file."""
    monkeypatch.setattr(decoders, "_BLOCK", 1_999)
    monkeypatch.setattr(resampling, "_PIECE", 500)


FORMS = [
    ("clip.wav", "PCM_16", 16_000),
    ("clip.wav", "PCM_24", 8_000),
    ("clip.wav", "FLOAT", 48_000),
    ("clip.wav", "IMA_ADPCM", 11_025),
    ("clip.flac", "PCM_16", 44_100),
    ("clip.ogg", "VORBIS", 48_000),
    ("clip.mp3", "MPEG_LAYER_III", 22_050),
]


@pytest.mark.parametrize(("name", "subtype", "rate"), FORMS)
def test_a_short_clip_is_loaded_as_a_whole(tmp_path: Path, name: str, subtype: str, rate: int) -> None:
    soundfile.write(tmp_path / name, noise(rate), rate, subtype=subtype)
    torch.testing.assert_close(load_audio(tmp_path / name), load_whole(tmp_path / name), rtol=0, atol=6e-8)


@pytest.mark.parametrize(("name", "subtype", "rate"), FORMS)
def test_a_long_file_is_loaded_in_blocks(
    tmp_path: Path, name: str, subtype: str, rate: int, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / name
    soundfile.write(path, noise(rate), rate, subtype=subtype)
    expected, (samples, _) = load_whole(path), decode(path)
    request.getfixturevalue("small_blocks")
    assert len(list(decoders.decode_blocks(path))) > 8
    # libmpg123 sums in another order after a seek, which soundfile does between blocks.
    torch.testing.assert_close(decode(path)[0], samples, rtol=0, atol=1e-7 if name == "clip.mp3" else 0)
    torch.testing.assert_close(load_audio(path), expected, rtol=0, atol=5e-7)
    assert_usable(load_audio(path))
    assert probe(path) == (samples.shape[1] / rate, rate, 2)


@pytest.mark.parametrize(("name", "codec"), [("clip.m4a", "aac"), ("clip.webm", "libopus")])
def test_a_long_file_through_pyav(
    tmp_path: Path, name: str, codec: str, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / name
    encode(path, codec, 48_000, "stereo")
    expected, (samples, rate) = load_whole(path), decode(path)
    torch.testing.assert_close(load_audio(path), expected, rtol=0, atol=6e-8)
    request.getfixturevalue("small_blocks")
    torch.testing.assert_close(load_audio(path), expected, rtol=0, atol=5e-7)
    assert probe(path) == (samples.shape[1] / rate, 48_000, 2)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("peak", [1e-4, 3e38])
def test_extreme_peaks_in_blocks(tmp_path: Path, peak: float) -> None:
    samples = np.array([0.0, peak, -peak, 0.0] * 3000, dtype=np.float32)
    for rate in (16_000, 22_050):
        soundfile.write(tmp_path / "peak.wav", samples, rate, subtype="FLOAT")
        assert_usable(load_audio(tmp_path / "peak.wav"))


@pytest.mark.usefixtures("small_blocks")
def test_errors_found_after_valid_blocks(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.zeros(20_000), SAMPLE_RATE)
    assert refusal(path).reason == "silent"
    for at in (0, 10_000, 19_999):
        samples = noise(20_000, 1)
        samples[at] = np.nan
        soundfile.write(path, samples, SAMPLE_RATE, subtype="FLOAT")
        assert refusal(path).reason == "non-finite"
        path.write_bytes(path.read_bytes()[:70_000])  # of both faults, the missing end is named
        assert "truncated" in refusal(path).detail
    for ending in ("flac", "mp3", "m4a"):
        path = tmp_path / f"clip.{ending}"
        if ending == "m4a":
            encode(path, "aac", 48_000, options={"movflags": "faststart"})
        else:
            soundfile.write(path, noise(32_000), SAMPLE_RATE)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
        assert refusal(path).reason == "undecodable"


def test_flac_of_unknown_length(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """An encoder that writes to a pipe leaves the number of samples at zero."""
    path = tmp_path / "clip.flac"
    soundfile.write(path, noise(20_000), SAMPLE_RATE)
    expected = load_audio(path)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # the last 36 bits of bytes 18 to 25
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert torch.equal(load_audio(path), expected)
    request.getfixturevalue("small_blocks")
    torch.testing.assert_close(load_audio(path), expected, rtol=0, atol=5e-7)


@pytest.mark.slow
def test_two_hours_in_bounded_memory(tmp_path: Path) -> None:
    """The peak memory of a separate process is the result, an eighth for its growth, and some blocks."""
    if sys.platform != "linux":
        pytest.skip("ru_maxrss is in kilobytes on Linux alone")
    path = tmp_path / "long.flac"
    minute = np.tile(noise(48_000), (60, 1))
    with soundfile.SoundFile(path, "w", 48_000, 2, "PCM_16") as file:
        for _ in range(120):
            file.write(minute)
    program = (
        "import resource, sys; from featurize.audio import load_audio\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "load_audio(sys.argv[1]); before = peak()\n"
        "print(load_audio(sys.argv[2]).nbytes, peak() - before)\n"
    )
    soundfile.write(tmp_path / "short.wav", noise(48_000), 48_000)
    command = [sys.executable, "-c", program, str(tmp_path / "short.wav"), str(path)]
    result_bytes, taken_bytes = map(
        int, subprocess.run(command, capture_output=True, check=True).stdout.split()
    )
    assert result_bytes == 7200 * SAMPLE_RATE * 4
    assert taken_bytes < 1.125 * result_bytes + 200e6


waveforms = npst.arrays(
    np.float32,
    st.integers(0, 300),
    elements=st.floats(-4, 4, width=32, allow_subnormal=False),
)


@given(waveforms)
def test_quantise_round_trip(values: np.ndarray) -> None:
    samples, peak = quantise(torch.from_numpy(values))
    assert samples.dtype == np.int16
    assert peak > 0
    back = dequantise(samples, peak)
    assert back.dtype == torch.float32
    half_step = peak / 32_767 / 2
    np.testing.assert_allclose(
        back.numpy(), values, rtol=0, atol=half_step * 1.001 + np.spacing(np.float32(peak))
    )
    again, same_peak = quantise(back)
    np.testing.assert_array_equal(again, samples)
    assert same_peak == peak


def test_quantise_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    waveform = torch.from_numpy(noise(10_000, 1)[:, 0])
    samples, peak = quantise(waveform)
    back = dequantise(samples, peak)
    monkeypatch.setattr(audio, "_PART", 777)
    in_parts, same_peak = quantise(waveform)
    np.testing.assert_array_equal(in_parts, samples)
    assert same_peak == peak == float(waveform.abs().max())
    assert torch.equal(dequantise(samples, peak), back)


def test_quantise_keeps_the_peak_exactly() -> None:
    samples, peak = quantise(torch.tensor([0.1, -0.7, 0.3]))
    assert samples.tolist()[1] == -32_767
    assert dequantise(samples, peak)[1] == torch.tensor(-0.7)
    assert quantise(torch.zeros(3))[1] == 1.0
    assert quantise(torch.zeros(0))[0].shape == (0,)
