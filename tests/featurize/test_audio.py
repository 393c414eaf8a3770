"""load_audio: every format it promises, every refusal with its reason, and what the waveform guarantees."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import torch
import torchaudio
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from featurize import audio, decoders, resampling
from featurize.audio import SAMPLE_RATE, decode, dequantise, load_audio, probe, quantise, resample
from featurize.errors import AudioError
from featurize.resampling import resample_blocks


def tone(num_samples: int = 16_000, rate: int = SAMPLE_RATE, hz: float = 440.0) -> np.ndarray:
    """A sine of amplitude 0.4."""
    return (0.4 * np.sin(2 * np.pi * hz * np.arange(num_samples) / rate)).astype(np.float32)


def encode(path: Path, codec: str, rate: int, layout: str = "mono", options: dict[str, str] | None = None):
    """Two seconds of a 440 Hz tone through one of FFmpeg's encoders."""
    with av.open(path, "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        context = stream.codec_context
        fit = av.AudioResampler(context.format, layout, rate, frame_size=context.frame_size or 1024)
        frame = av.AudioFrame.from_ndarray(tone(2 * rate, rate)[None], format="fltp", layout="mono")
        frame.sample_rate = rate
        for part in [*fit.resample(frame), *fit.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def encode_silent_video(path: Path) -> None:
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        for _ in range(3):
            image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))


def loudest_hz(waveform: torch.Tensor) -> float:
    spectrum = torch.fft.rfft(waveform * torch.hann_window(len(waveform))).abs()
    return float(spectrum.argmax()) * SAMPLE_RATE / len(waveform)


def assert_usable(waveform: torch.Tensor) -> None:
    assert waveform.ndim == 1
    assert waveform.dtype == torch.float32
    assert torch.isfinite(waveform).all()
    assert waveform.abs().max() == 1.0


def refusal(path: str | Path) -> AudioError:
    with pytest.raises(AudioError) as caught:
        load_audio(path)
    assert "\n" not in caught.value.detail
    return caught.value


# --- formats


@pytest.mark.parametrize(
    ("ending", "subtype"),
    [
        ("wav", "PCM_U8"),
        ("wav", "PCM_16"),
        ("wav", "PCM_24"),
        ("wav", "FLOAT"),
        ("wav", "DOUBLE"),
        ("wav", "ULAW"),
        ("flac", "PCM_16"),
        ("ogg", "VORBIS"),
        ("mp3", "MPEG_LAYER_III"),
        ("aiff", "PCM_16"),
    ],
)
def test_soundfile_formats(tmp_path: Path, ending: str, subtype: str) -> None:
    path = tmp_path / f"clip.{ending}"
    soundfile.write(path, tone(), SAMPLE_RATE, subtype=subtype)
    waveform = load_audio(path)
    assert_usable(waveform)
    assert len(waveform) == 16_000
    assert loudest_hz(waveform) == pytest.approx(440, abs=2)


@pytest.mark.parametrize(
    ("name", "codec", "rate", "layout"),
    [
        ("clip.m4a", "aac", 16_000, "mono"),
        ("clip.mp4", "aac", 44_100, "stereo"),
        ("clip.webm", "libopus", 48_000, "mono"),
        ("clip.opus", "libopus", 48_000, "stereo"),
        ("clip.aac", "aac", 16_000, "mono"),
        ("clip.mkv", "pcm_s16le", 16_000, "mono"),
    ],
)
def test_pyav_formats(tmp_path: Path, name: str, codec: str, rate: int, layout: str) -> None:
    path = tmp_path / name
    encode(path, codec, rate, layout)
    samples, decoded_rate = decode(path)
    assert (len(samples), decoded_rate) == (1 if layout == "mono" else 2, rate)
    waveform = load_audio(path)
    assert_usable(waveform)
    assert len(waveform) / SAMPLE_RATE == pytest.approx(2.0, abs=0.15)
    assert loudest_hz(waveform) == pytest.approx(440, abs=2)


def test_soundfile_and_pyav_agree(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.stack([tone(), tone(hz=700)], axis=1), SAMPLE_RATE, subtype="PCM_16")
    with path.open("rb") as file:
        ((samples, rate),) = decoders._pyav_blocks(file, path)
    assert rate == SAMPLE_RATE
    np.testing.assert_array_equal(samples, decode(path)[0].numpy())


@pytest.mark.parametrize("name", ["clip.wav", "clip.raw", "clip", "clip.txt", "Größe und 音声 .flac"])
def test_the_content_decides_not_the_name(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / "clip.aiff", tone(), SAMPLE_RATE)
    path = (tmp_path / "clip.aiff").rename(tmp_path / name)
    assert_usable(load_audio(path))
    assert_usable(load_audio(str(path)))


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
    np.testing.assert_allclose(load_audio(tmp_path / "six.wav"), mean / np.abs(mean).max(), atol=1e-6)


@pytest.mark.parametrize("rate", [8_000, 16_000, 96_000])
def test_one_sample(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "one.wav", [-0.25], rate)
    waveform = load_audio(tmp_path / "one.wav")
    assert_usable(waveform)
    assert len(waveform) == -(-SAMPLE_RATE // rate)


@pytest.mark.parametrize("peak", [1e-45, 1e-40, 1e-30, 3e38])
def test_extreme_peaks_stay_finite(tmp_path: Path, peak: float) -> None:
    samples = np.array([0.0, peak, -peak, 0.0] * 100, dtype=np.float32)
    for rate in (16_000, 22_050):
        soundfile.write(tmp_path / "peak.wav", np.stack([samples, samples], axis=1), rate, subtype="FLOAT")
        assert_usable(load_audio(tmp_path / "peak.wav"))


@settings(deadline=None)
@given(num_samples=st.integers(1, 3000), rate=st.sampled_from([8_000, 11_025, 16_000, 44_100, 16_001]))
def test_any_length_at_any_rate(num_samples: int, rate: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.wav"
        soundfile.write(path, np.cos(np.arange(num_samples)) / 2, rate)
        waveform = load_audio(path)
    assert_usable(waveform)
    assert len(waveform) == -(-num_samples * SAMPLE_RATE // rate)


def test_length_unknown_to_a_writer_into_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "piped.wav"
    soundfile.write(path, tone(), SAMPLE_RATE, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = (
        b"\xff\xff\xff\xff"  # RIFF and data sizes, as FFmpeg writes them to a pipe
    )
    path.write_bytes(content)
    assert len(load_audio(path)) == 16_000


def test_a_wav_short_of_its_last_sample_is_used(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, tone(), SAMPLE_RATE, subtype="PCM_16")
    path.write_bytes(path.read_bytes()[:-2])
    assert len(load_audio(path)) == 15_999


# --- refusals


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"This is not audio.\n" * 40, "undecodable"),
        (b"\xff" * 5000, "undecodable"),
        (bytes(np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8)), "undecodable"),
        (b"RIFF", "undecodable"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n", "lfs-pointer"),
    ],
)
def test_files_that_are_not_audio(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(content)
    error = refusal(path)
    assert error.reason == reason
    assert str(path) in error.detail


def test_paths_that_are_not_files(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere.wav").reason == "missing"
    assert refusal(tmp_path / "nowhere.wav" / "below.wav").reason == "missing"
    assert refusal("a NUL\0in the name.wav").reason == "missing"
    assert refusal(tmp_path).reason == "directory"
    assert refusal(tmp_path / ("x" * 5000)).reason == "unreadable"
    link = tmp_path / "broken.wav"
    link.symlink_to(tmp_path / "nowhere.wav")
    assert refusal(link).reason == "missing"


def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    assert refusal(tmp_path / "pipe.wav").reason == "unreadable"


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, tone(), SAMPLE_RATE)
    path.chmod(0)
    if os.access(path, os.R_OK):  # root reads everything: let the operating system's answer be played

        def denied(*args: object, **kwargs: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", denied)
    error = refusal(path)
    assert error.reason == "unreadable"
    assert "permission" in error.detail


@pytest.mark.parametrize("ending", ["wav", "aiff", "flac"])
def test_header_without_samples(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"clip.{ending}"
    soundfile.write(path, np.zeros(0), SAMPLE_RATE)
    assert refusal(path).reason == "empty"


@pytest.mark.parametrize("share", [0.5, 0.05])
@pytest.mark.parametrize("ending", ["wav", "aiff", "flac", "mp3"])
def test_truncated(tmp_path: Path, ending: str, share: float) -> None:
    path = tmp_path / f"clip.{ending}"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 32_000), SAMPLE_RATE)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    error = refusal(path)
    assert error.reason == "undecodable"
    if ending in ("wav", "aiff"):
        assert "truncated: header promises 640" in error.detail


def test_truncated_float_stereo(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.stack([tone(), tone()], axis=1), SAMPLE_RATE, subtype="FLOAT")
    path.write_bytes(path.read_bytes()[:60_000])
    assert "truncated: header promises 128000 bytes" in refusal(path).detail


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("clip.m4a", "aac", {}),
        ("clip.m4a", "aac", {"movflags": "faststart"}),
        ("clip.webm", "libopus", {}),
        ("clip.mkv", "pcm_s16le", {}),
    ],
)
def test_truncated_containers(tmp_path: Path, name: str, codec: str, options: dict[str, str]) -> None:
    path = tmp_path / name
    encode(path, codec, 48_000, options=options)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert refusal(path).reason == "undecodable"


@pytest.mark.parametrize("ending", ["wav", "flac", "mp3", "ogg"])
def test_damaged_bytes_never_raise_another_error(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"clip.{ending}"
    soundfile.write(path, tone(), SAMPLE_RATE)
    content = np.frombuffer(path.read_bytes(), np.uint8)
    rng = np.random.default_rng(1)
    for _ in range(25):
        damaged = content.copy()
        at = rng.integers(0, min(len(content), 400), 6)
        damaged[at] = rng.integers(0, 256, 6)
        path.write_bytes(damaged.tobytes())
        try:
            assert_usable(load_audio(path))
        except AudioError as error:
            assert "\n" not in error.detail


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_samples(tmp_path: Path, bad: float) -> None:
    samples = tone()
    samples[100] = bad
    soundfile.write(tmp_path / "clip.wav", samples, SAMPLE_RATE, subtype="FLOAT")
    assert refusal(tmp_path / "clip.wav").reason == "non-finite"


def test_silence(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "zeros.wav", np.zeros(1000), SAMPLE_RATE)
    assert refusal(tmp_path / "zeros.wav").reason == "silent"
    soundfile.write(
        tmp_path / "opposite.wav", np.stack([tone(), -tone()], axis=1), SAMPLE_RATE, subtype="FLOAT"
    )
    assert refusal(tmp_path / "opposite.wav").reason == "silent"


def test_video_without_sound(tmp_path: Path) -> None:
    encode_silent_video(tmp_path / "mute.mp4")
    error = refusal(tmp_path / "mute.mp4")
    assert error.reason == "undecodable"
    assert "without an audio stream" in error.detail


@pytest.mark.parametrize("rate", [1, 2_000_000_000])
def test_absurd_sample_rates(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "clip.wav", tone(), rate)
    error = refusal(tmp_path / "clip.wav")
    assert (error.reason, f"{rate} Hz" in error.detail) == ("undecodable", True)


def test_files_are_closed_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "clip.m4a"
    encode(path, "aac", 16_000)
    path.chmod(stat.S_IRUSR)
    before = path.read_bytes()
    open_files = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    for _ in range(3):
        load_audio(path)
    if open_files:
        assert len(list(Path("/proc/self/fd").iterdir())) == open_files
    assert path.read_bytes() == before


def test_playlists_open_nothing_else(tmp_path: Path) -> None:
    """FFmpeg would read the file that a playlist names, and wait for the network at a session description."""
    soundfile.write(tmp_path / "other.wav", tone(), SAMPLE_RATE)
    playlists = [
        "ffconcat version 1.0\nfile other.wav\n",
        f"ffconcat version 1.0\nfile '{tmp_path}/other.wav'\n",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{tmp_path}/other.wav\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    ]
    for content in playlists:
        (tmp_path / "clip.wav").write_text(content)
        assert refusal(tmp_path / "clip.wav").reason == "undecodable"


# --- long files: the same in blocks as in one go


def load_whole(path: Path) -> torch.Tensor:
    """What load_audio promises, in the plainest words: the whole file in float64, resampled at once."""
    samples, rate = decode(path)
    waveform = samples.double().mean(dim=0)
    waveform = waveform / waveform.abs().max()
    if rate != SAMPLE_RATE:
        waveform = torchaudio.functional.resample(waveform, rate, SAMPLE_RATE)
    return (waveform / waveform.abs().max()).float()


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few milliseconds: every clip is a long file."""
    monkeypatch.setattr(decoders, "_BLOCK", 1_999)
    monkeypatch.setattr(resampling, "_PIECE", 500)


def noise(num_samples: int, num_channels: int = 2) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, (num_samples, num_channels)).astype(np.float32)


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
    torch.testing.assert_close(load_audio(tmp_path / name), load_whole(tmp_path / name), rtol=0, atol=0)


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
    torch.testing.assert_close(load_audio(path), expected, rtol=0, atol=0)
    request.getfixturevalue("small_blocks")
    torch.testing.assert_close(load_audio(path), expected, rtol=0, atol=5e-7)
    assert probe(path) == (samples.shape[1] / rate, 48_000, 2)


@pytest.mark.usefixtures("small_blocks")
def test_levels_that_rise_by_any_factor(tmp_path: Path) -> None:
    samples = np.concatenate([np.zeros(3000), *(noise(3000, 1)[:, 0] * g for g in (1e-44, 1e-9, 1, 1e38))])
    soundfile.write(tmp_path / "clip.wav", samples.astype(np.float32), SAMPLE_RATE, subtype="FLOAT")
    expected = torch.from_numpy(samples.astype(np.float32)).double()
    expected = (expected / expected.abs().max()).float()
    torch.testing.assert_close(load_audio(tmp_path / "clip.wav"), expected, rtol=2e-7, atol=1e-38)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("peak", [1e-45, 1e-30, 3e38])
def test_extreme_peaks_in_blocks(tmp_path: Path, peak: float) -> None:
    samples = np.array([0.0, peak, -peak, 0.0] * 3000, dtype=np.float32)
    for rate in (16_000, 22_050):
        soundfile.write(tmp_path / "peak.wav", samples, rate, subtype="FLOAT")
        assert_usable(load_audio(tmp_path / "peak.wav"))


@pytest.mark.usefixtures("small_blocks")
def test_refusals_that_show_late(tmp_path: Path) -> None:
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
    """A writer into a pipe leaves the number of samples at zero."""
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
def test_two_hours_in_little_memory(tmp_path: Path) -> None:
    """A process of its own tells its peak: the result, an eighth for its growth, and some blocks."""
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


# --- resampling


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_both_ways_of_resampling_agree(rate: int) -> None:
    noise = torch.randn(rate // 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    table = torchaudio.functional.resample(noise, rate, SAMPLE_RATE)
    torch.testing.assert_close(resample(noise, rate, SAMPLE_RATE), table, rtol=0, atol=0)
    one_by_one = resampling._resample_each_sample(noise, rate, SAMPLE_RATE)
    torch.testing.assert_close(one_by_one, table, rtol=0, atol=1e-9)


@pytest.mark.parametrize("rate", [12_345, 16_001, 44_101, 192_001])
def test_rates_without_a_common_divisor(rate: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def table(*args: object) -> None:
        raise AssertionError("torchaudio's kernel would take gigabytes")

    monkeypatch.setattr(resampling, "_tabulated", table)
    resampled = resample(torch.from_numpy(tone(rate, rate)).double(), rate, SAMPLE_RATE)
    expected = torch.from_numpy(tone()).double()
    inner = slice(200, -200)
    torch.testing.assert_close(resampled[inner], expected[inner], rtol=0, atol=2e-3)


@given(
    lengths=st.lists(st.integers(0, 2_000), min_size=1, max_size=12),
    rates=st.sampled_from(
        [(8, 16), (48, 16), (441, 160), (96, 16), (16, 48), (160, 441), (1, 16), (1_103, 160), (16, 16)]
    ),
)
def test_blocks_of_any_length_join_exactly(lengths: list[int], rates: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(sum(lengths))
    blocks = [torch.randn(length, generator=generator, dtype=torch.float64) for length in lengths]
    whole = torch.cat(blocks)
    expected = torchaudio.functional.resample(whole, *rates) if len(whole) else whole
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resampling, "_PIECE", 100)
        joined = torch.cat([whole[:0], *resample_blocks(blocks, *rates)])
        torch.testing.assert_close(joined, expected, rtol=0, atol=1e-12)
        patch.setattr(resampling, "_LARGEST_KERNEL", 0)
        joined = torch.cat([whole[:0], *resample_blocks(blocks, *rates)])
        torch.testing.assert_close(joined, expected, rtol=0, atol=1e-9)


# --- 16-bit storage

waveforms = npst.arrays(
    np.float32,
    st.integers(0, 300),
    elements=st.floats(-4, 4, width=32, allow_subnormal=False),
)


@settings(deadline=None)
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
