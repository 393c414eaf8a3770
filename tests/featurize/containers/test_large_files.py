"""W64, CAF and RF64 files whose header states another length than they have."""

import logging
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from featurize.audio import decode
from featurize.decoders import decode_blocks
from featurize.errors import AudioError

NUM_SAMPLES, RATE = 32_000, 16_000
HELD = 2 * NUM_SAMPLES
SAMPLES = np.random.default_rng(0).normal(0, 0.1, NUM_SAMPLES).astype(np.float32)
W64_DATA = b"data" + bytes.fromhex("f3acd3118cd100c04f8edb8a")
FORMS = {"W64": ("<Q", W64_DATA, 16, 24), "CAF": (">Q", b"data", 4, 4), "RF64": ("<Q", b"ds64", 16, 0)}
"""Of each format: how a size is written, behind which name, how far, and what it counts beside the samples."""


def written(path: Path, form: str, subtype: str = "PCM_16") -> tuple[bytearray, np.ndarray]:
    """A file's bytes, and what it decodes to."""
    soundfile.write(path, SAMPLES, RATE, subtype, format=form)
    return bytearray(path.read_bytes()), soundfile.read(path, dtype="float32")[0]


def sized(content: bytearray, form: str, promised: int) -> bytearray:
    """The file with another size in its header."""
    order, name, offset, counted = FORMS[form]
    at = content.index(name) + offset
    content[at : at + 8] = struct.pack(order, min(promised + counted, 2**64 - 1))
    return content


def assert_read(path: Path, content: bytes, expected: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    path.write_bytes(content)
    np.testing.assert_array_equal(decode(path)[0].numpy()[0], expected)
    assert capfd.readouterr().err == ""


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(AudioError) as caught:
        decode(path)
    return caught.value.found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ULAW"])
@pytest.mark.parametrize(
    "promised", [0, 20_000, 2**28 * 3, 0x7FFF_0000, 2**31 - 1, 2**32 - 1, 2**62, 2**63 - 1, 2**64 - 1]
)
def test_all_samples_are_read_whatever_the_header_states(
    tmp_path: Path, form: str, subtype: str, promised: int, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"clip.{form.lower()}"
    content, expected = written(path, form, subtype)
    assert_read(path, sized(content, form, promised), expected, capfd)


@pytest.mark.parametrize("form", FORMS)
def test_sizes_at_their_placeholder_or_as_they_are_give_the_same_parts(tmp_path: Path, form: str) -> None:
    path = tmp_path / "clip"
    content, expected = written(path, form)
    for promised in (HELD, 2**64 - 1):
        path.write_bytes(sized(content, form, promised))
        part = np.concatenate([samples for samples, _ in decode_blocks(path, 0.5, 1.5)], axis=1)[0]
        np.testing.assert_array_equal(part, expected[RATE // 2 : 3 * RATE // 2])


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_ends_too_early_is_rejected_and_a_few_bytes_are_forgiven(
    tmp_path: Path, form: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clip"
    content, expected = written(path, form)
    for share in (0.02, 0.5, 0.9):
        said = refused(path, content[: -int(HELD * share)])
        assert said.startswith("truncated: header promises 64000 bytes of samples, file has ")
    assert_read(path, content[:-20], expected[:-10], capfd)


@pytest.mark.parametrize(
    ("form", "tail"),
    [
        ("W64", b"levl" + W64_DATA[4:] + struct.pack("<Q", 40) + bytes(range(16))),
        ("W64", b"junk" + W64_DATA[4:] + struct.pack("<Q", 27) + bytes(range(8))),
        ("CAF", b"info" + struct.pack(">Q", 14) + b"\0\0\0\1title\0x\0\0\0"),
        ("CAF", b"uuid" + struct.pack(">Q", 7000) + bytes(7000)),
    ],
)
def test_what_follows_the_samples_is_no_sample(
    tmp_path: Path, form: str, tail: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clip"
    content, expected = written(path, form)
    assert_read(path, content + tail, expected, capfd)


@pytest.mark.parametrize("form", ["W64", "CAF"])
def test_more_samples_than_stated_are_said_and_text_is_refused(
    tmp_path: Path, form: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "clip"
    content, expected = written(path, form)
    with caplog.at_level(logging.WARNING):
        path.write_bytes(sized(content, form, 20_000))
        assert decode(path)[0].shape[1] == len(expected)
    assert "states 20000 bytes of samples, the file has 64000" in caplog.text
    content, _ = written(path, form)
    assert "of text follow" in refused(path, content + b"HTTP/1.1 500 Internal Server Error\r\n" * 300)


def test_a_compressed_caf_is_decoded_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "clip.caf"
    _, expected = written(path, "CAF", "ALAC_16")
    np.testing.assert_array_equal(decode(path)[0].numpy()[0], expected)


@pytest.mark.parametrize("form", ["W64", "CAF"])
def test_damaged_headers_raise_nothing_else(
    tmp_path: Path, form: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clip"
    content, _ = written(path, form)
    rng = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(content[: rng.choice([30, 60, 120, 5000, len(content)])])
        for place in rng.integers(0, min(len(damaged), 200), rng.integers(1, 6)):
            damaged[place] = rng.choice([0, 1, 127, 128, 255, rng.integers(256)])
        path.write_bytes(damaged)
        try:
            assert np.isfinite(decode(path)[0].numpy()).all()
        except AudioError as error:
            assert "\n" not in error.detail
    assert capfd.readouterr().err == ""
