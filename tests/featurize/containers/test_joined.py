"""All recordings of a file with several are decoded: Ogg, MP3 and FLAC."""

import mmap
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import soundfile

from featurize.audio import decode
from featurize.containers import joined
from featurize.containers.joined import _frame_length
from featurize.errors import AudioError

ID3 = b"ID3\x04\0\0\0\0\1\x00" + bytes(128)
V1 = b"TAG" + b"x" * 125
APE = b"APETAGEX" + b"\xd0\x07\0\0" + b"\x20\0\0\0" + bytes(4) + b"\0\0\0\x80" + bytes(8) + bytes(32)
VOICE = (0.3 * np.sin(np.arange(48_000) * 0.1) * np.sin(np.arange(48_000) * 0.001)).astype(np.float32)


def one(
    path: Path, num_samples: int, rate: int = 16_000, channels: int = 1, **form: str
) -> tuple[bytes, np.ndarray]:
    """A recording's bytes, and what it decodes to alone."""
    soundfile.write(path, np.stack([VOICE[:num_samples]] * channels, axis=1), rate, **form)
    return path.read_bytes(), decode(path)[0].numpy()


def assert_both(path: Path, content: bytes, *expected: np.ndarray) -> None:
    path.write_bytes(content)
    np.testing.assert_array_equal(decode(path)[0].numpy(), np.concatenate(expected, axis=1))


@pytest.mark.parametrize(
    ("name", "form", "rate"),
    [
        ("clip.ogg", {"subtype": "VORBIS"}, 16_000),
        ("clip.ogg", {"subtype": "OPUS"}, 48_000),
        ("clip.mp3", {}, 16_000),
        ("clip.mp3", {}, 44_100),
        ("clip.mp3", {}, 8_000),
        ("clip.flac", {"subtype": "PCM_16"}, 16_000),
        ("clip.flac", {"subtype": "PCM_24"}, 44_100),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_two_and_three(tmp_path: Path, name: str, form: dict[str, str], rate: int, channels: int) -> None:
    a, first = one(tmp_path / name, 20_000, rate, channels, **form)
    b, second = one(tmp_path / name, 30_000, rate, channels, **form)
    assert_both(tmp_path / name, a + b, first, second)
    assert_both(tmp_path / name, b + a + b, second, first, second)


@pytest.mark.parametrize(
    ("before", "between", "behind"), list(product([b"", ID3], [b"", ID3, V1, V1 + ID3, APE + V1], [b"", V1]))
)
def test_mp3_with_tags(
    tmp_path: Path, before: bytes, between: bytes, behind: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clip.mp3"
    a, first = one(path, 20_000)
    b, second = one(path, 30_000)
    assert_both(path, before + a + behind, first)
    assert_both(path, before + a + between + b + behind, first, second)
    assert capfd.readouterr().err == ""


def test_consecutive_mp3_recordings_of_which_the_second_has_no_header(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The frames behind those that the first header has stated are another recording."""
    path = tmp_path / "clip.mp3"
    a, first = one(path, 20_000)
    b, _ = one(path, 30_000)
    bare = b[_frame_length(b, 0) :]  # without the frame that states the length
    path.write_bytes(bare)
    alone = decode(path)[0].numpy()
    assert 30_000 <= alone.shape[1] <= 30_000 + 4 * 1152  # not trimmed, for nobody says by how much
    path.write_bytes(a + bare)
    samples = decode(path)[0].numpy()
    np.testing.assert_array_equal(samples[:, :20_000], first)
    assert samples.shape[1] >= 50_000
    path.write_bytes(bare + bare)
    assert decode(path)[0].shape[1] >= 2 * alone.shape[1]
    assert capfd.readouterr().err == ""


def test_truncated_mp3_without_output_of_the_library(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clip.mp3"
    content, _ = one(path, 40_000)
    for damaged, token in (
        (content[: len(content) // 2], "truncated"),
        (content[:800] + b"junk" * 400 + content[800:], "damaged"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(AudioError, match=token) as caught:
            decode(path)
        assert caught.value.reason == "undecodable"
    assert capfd.readouterr().err == ""


def test_streams_of_different_rates(tmp_path: Path) -> None:
    path = tmp_path / "clip.ogg"
    a, _ = one(path, 20_000, 16_000)
    b, _ = one(path, 20_000, 44_100)
    path.write_bytes(a + b)
    with pytest.raises(AudioError, match="different sample rates"):
        decode(path)


@pytest.mark.parametrize("stated", [1, 4_000, 20_000])
def test_flac_with_a_stale_length(tmp_path: Path, stated: int) -> None:
    path = tmp_path / "clip.flac"
    content, expected = one(path, 48_000)
    damaged = bytearray(content)
    damaged[21] &= 0xF0
    damaged[22:26] = stated.to_bytes(4, "big")
    assert_both(path, bytes(damaged), expected)


def test_flac_streams_are_found_wherever_a_searched_part_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joined, "_WINDOW", mmap.ALLOCATIONGRANULARITY)
    path, mark = tmp_path / "marks", b"fLaC\x00\x00\x00\x22"
    places = [number * mmap.ALLOCATIONGRANULARITY + number - 10 for number in range(1, 20)]
    content = bytearray(places[-1] + 9)
    for place in places:
        content[place : place + len(mark)] = mark
    path.write_bytes(content)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as found:
        assert joined._flac_starts(found) == places
