"""decode_blocks: all supported formats, and all reasons for rejection."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest
import soundfile

from featurize.audio import SAMPLE_RATE, decode, load_audio
from featurize.containers.ffmpeg import ffmpeg_blocks
from featurize.errors import AudioError
from tests.featurize.sounds import (
    assert_usable,
    encode,
    encode_silent_video,
    loudest_hz,
    refusal,
    tone,
)


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
        ((samples, rate),) = ffmpeg_blocks(file, path, 2**20)
    assert rate == SAMPLE_RATE
    np.testing.assert_array_equal(samples, decode(path)[0].numpy())


@pytest.mark.parametrize("name", ["clip.wav", "clip.raw", "clip", "clip.txt", "Größe und 音声 .flac"])
def test_the_content_decides_not_the_name(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / "clip.aiff", tone(), SAMPLE_RATE)
    path = (tmp_path / "clip.aiff").rename(tmp_path / name)
    assert_usable(load_audio(path))
    assert_usable(load_audio(str(path)))


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


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"This is not audio.\n" * 40, "undecodable"),
        (b"\xff" * 5000, "undecodable"),
        (bytes(np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8)), "undecodable"),
        (b"RIFF", "undecodable"),
        (bytes.fromhex("0005160700020000") + b"Mac OS X        ", "undecodable"),
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


def test_files_are_closed_and_unchanged(tmp_path: Path) -> None:
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


def test_playlists_open_no_other_files(tmp_path: Path) -> None:
    """FFmpeg would read the file that a playlist names, and wait for the network at a session description."""
    soundfile.write(tmp_path / "other.wav", tone(), SAMPLE_RATE)
    playlists = [
        "ffconcat version 1.0\nfile other.wav\n",
        f"ffconcat version 1.0\nfile '{tmp_path}/other.wav'\n",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{tmp_path}/other.wav\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    ]
    for content in playlists:
        (tmp_path / "clip.wav").write_text(content + "\0")  # not text as a whole, so that FFmpeg sees it
        assert refusal(tmp_path / "clip.wav").reason == "undecodable"
