"""WAV, AIFF and AU files whose header states a wrong length."""

import logging
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from featurize.audio import decode, probe
from featurize.decoders import decode_blocks
from featurize.errors import AudioError

NUM_SAMPLES, RATE = 32_000, 16_000
HELD = 2 * NUM_SAMPLES
SAMPLES = np.random.default_rng(0).normal(0, 0.1, NUM_SAMPLES).astype(np.float32)


def written(path: Path, subtype: str = "PCM_16", **form: str) -> tuple[bytearray, np.ndarray]:
    """A file's bytes, and what it decodes to."""
    soundfile.write(path, SAMPLES, RATE, subtype=subtype, **form)
    return bytearray(path.read_bytes()), soundfile.read(path, dtype="float32")[0]


def sized(content: bytearray, promised: int) -> bytearray:
    """A WAV file with another size in its data chunk, and in that of the file."""
    at = content.index(b"data")
    content[at + 4 : at + 8] = struct.pack("<I", promised)
    content[4:8] = struct.pack("<I", min(promised + at, 2**32 - 1))
    return content


def assert_read(path: Path, content: bytes, expected: np.ndarray) -> None:
    path.write_bytes(content)
    np.testing.assert_array_equal(decode(path)[0].numpy()[0], expected)


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(AudioError) as caught:
        decode(path)
    assert caught.value.reason == "undecodable"
    assert caught.value.detail.startswith(str(path))
    assert "\n" not in caught.value.detail
    assert "rrno" not in caught.value.detail
    return caught.value.detail


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "PCM_U8", "ULAW"])
@pytest.mark.parametrize(
    "promised",
    [0, 2, 100, 20_000, 2**28 * 3, 0x7FFF_0000 - 1, 0x7FFF_0000, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1],
)
def test_all_samples_are_read_whatever_the_header_states(tmp_path: Path, subtype: str, promised: int) -> None:
    path = tmp_path / "clip.wav"
    content, expected = written(path, subtype)
    assert_read(path, sized(content, promised), expected)


@pytest.mark.parametrize("num_samples", [100, 1_600, 32_000])
@pytest.mark.parametrize("extra", [1, 8, 36, 44])
def test_a_size_that_counts_the_header(tmp_path: Path, num_samples: int, extra: int) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, SAMPLES[:num_samples], RATE)
    expected = soundfile.read(path, dtype="float32")[0]
    assert_read(path, sized(bytearray(path.read_bytes()), 2 * num_samples + extra), expected)


@pytest.mark.parametrize("share", [0.005, 0.05, 0.5, 0.98])
@pytest.mark.parametrize("ending", ["wav", "aiff", "au"])
def test_truncated_files_are_still_rejected(tmp_path: Path, ending: str, share: float) -> None:
    path = tmp_path / f"clip.{ending}"
    content, _ = written(path)
    assert "truncated: header promises 64000 bytes" in refused(path, content[: 60 + int(HELD * share)])


def test_a_stale_length_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "clip.wav"
    content, expected = written(path)
    with caplog.at_level(logging.WARNING):
        assert_read(path, sized(content, 20_000), expected)
        decode(path)
    (record,) = caplog.records
    assert str(path) in record.getMessage()


@pytest.mark.parametrize("size", [1, 3, 25, 26])
@pytest.mark.parametrize("promised", [HELD, 0, 2**32 - 1])
def test_a_chunk_without_its_pad_byte(tmp_path: Path, size: int, promised: int) -> None:
    path = tmp_path / "clip.wav"
    content, expected = written(path)
    at = content.index(b"data")
    content = sized(content, promised)
    content[at:at] = b"LIST" + struct.pack("<I", size) + b"INFOISFT".ljust(size, b"x")[:size]
    assert_read(path, bytes(content), expected)


@pytest.mark.parametrize(
    "tail",
    [
        b"LIST" + struct.pack("<I", 8) + b"INFOISFT",
        b"LIST" + struct.pack("<I", 5) + b"INFOx",
        b"LIST" + struct.pack("<I", 900) + b"cut short",
        b"xml " + struct.pack("<I", 7000) + b"<a/> " * 1400,
        b"id3 " + struct.pack("<I", 20) + b"ID3\x04" + bytes(16),
        b"TAG" + b"x" * 125,
        b"\0" * 512,
    ],
)
@pytest.mark.parametrize("num_samples", [32_000, 31_999])
def test_bytes_after_the_samples_are_not_decoded(tmp_path: Path, tail: bytes, num_samples: int) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, SAMPLES[:num_samples], RATE, subtype="PCM_U8")
    expected = soundfile.read(path, dtype="float32")[0]
    content = path.read_bytes()[: 44 + num_samples]
    for pad in (b"", b"\0")[: 1 + num_samples % 2]:
        assert_read(path, content + pad + tail, expected)


def test_an_empty_recording_with_tags_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, SAMPLES[:0], RATE)
    path.write_bytes(path.read_bytes() + b"LIST" + struct.pack("<I", 8) + b"INFOISFT")
    with pytest.raises(AudioError) as caught:
        decode(path)
    assert caught.value.reason == "empty"


def test_text_after_the_samples(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    content, _ = written(path)
    assert "text" in refused(path, content + b"<html>not found</html>\n" * 500)


@pytest.mark.parametrize("form", [{"format": "WAV"}, {"format": "RF64"}, {"format": "AIFF"}])
def test_consecutive_recordings(tmp_path: Path, form: dict[str, str]) -> None:
    path = tmp_path / "clip.wav"
    content, expected = written(path, **form)
    assert_read(path, content + content + content, np.concatenate([expected] * 3))
    parts = list(decode_blocks(path, 1.5, 2.5))
    joined = np.concatenate([samples[0] for samples, _ in parts])
    np.testing.assert_array_equal(joined, np.concatenate([expected[24_000:], expected[:8_000]]))


def test_consecutive_recordings_of_different_rates(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    content, _ = written(path)
    soundfile.write(path, SAMPLES, 8_000)
    assert "different sample rates" in refused(path, content + path.read_bytes())


@pytest.mark.parametrize("endian", ["LITTLE", "BIG"])
@pytest.mark.parametrize("promised", [0, 20_000, 0x7FFF_0000, 2**32 - 1])
def test_aiff(tmp_path: Path, promised: int, endian: str) -> None:
    path = tmp_path / "clip.aiff"
    content, expected = written(path, format="AIFF", endian=endian)
    at = content.index(b"SSND")
    content[at + 4 : at + 8] = struct.pack(">I", min(promised + 8, 2**32 - 1) if promised else 0)
    assert_read(path, content, expected)


@pytest.mark.parametrize("promised", [0, 20_000, 0x7FFF_0000, 2**32 - 1])
def test_au(tmp_path: Path, promised: int) -> None:
    path = tmp_path / "clip.au"
    content, expected = written(path)
    content[8:12] = struct.pack(">I", promised)
    assert_read(path, content, expected)


@pytest.mark.parametrize("promised", [0, 20_000, 2**32 - 1])
def test_big_endian_wav(tmp_path: Path, promised: int) -> None:
    path = tmp_path / "clip.wav"
    content, expected = written(path, format="WAV", endian="BIG")
    assert content[:4] == b"RIFX"
    at = content.index(b"data")
    content[at + 4 : at + 8] = struct.pack(">I", promised)
    assert_read(path, content, expected)


def test_shared_cases(request: pytest.FixtureRequest) -> None:
    folder = request.config.rootpath.parent / "shared" / "cases" / "audio"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    lengths = {path.name: round(probe(path)[0], 2) for path in sorted(folder.glob("*.*"))}
    whole = lengths["base.wav"]
    for name in ("size_zero.wav", "size_stale_1s.wav", "size_7fff0000m1.wav", "odd_list_unpadded.wav"):
        assert lengths[name] == whole
    assert lengths["chained.ogg"] == pytest.approx(2 * whole, abs=0.02)
    assert lengths["size_plus44_short.wav"] == 0.1
