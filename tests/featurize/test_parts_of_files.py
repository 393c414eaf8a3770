"""A part of a file is bit-identical to the same samples of the whole, in every format."""

import math
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import torch

from featurize import decoders
from featurize.audio import decode, load_audio
from featurize.decoders import decode_blocks
from featurize.errors import AudioError

RATE, LENGTH_S = 22_050, 5.0
PARTS = [(0.0, 1.5), (1.5, 2.5), (3.123456, 4.0), (4.0, math.inf), (0.0, math.inf), (4.5, 5.05), (0.0, 5.0)]
FORMATS = [
    *(("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "ULAW"), ("WAV", "IMA_ADPCM"), ("FLAC", "PCM_16")),
    *(("AIFF", "PCM_24"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III"), ("W64", "FLOAT"), ("CAF", "ALAC_16")),
]


@pytest.fixture
def samples() -> np.ndarray:
    """Stereo noise whose level goes up and down, so that no part is like another."""
    noise = np.random.default_rng(0).normal(0, 0.1, (int(RATE * LENGTH_S), 2))
    return (noise * np.sin(np.arange(len(noise)) / 9000)[:, None]).astype(np.float32)


def write(folder: Path, samples: np.ndarray, form: str, subtype: str) -> Path:
    path = folder / f"clip.{form.lower()}"
    with soundfile.SoundFile(path, "w", RATE, 2, subtype, format=form) as file:
        for start in range(0, len(samples), RATE):  # libsndfile's Vorbis encoder crashes on large blocks
            file.write(samples[start : start + RATE])
    return path


def part(path: Path, start_s: float, end_s: float) -> np.ndarray:
    return np.concatenate([block for block, _ in decode_blocks(path, start_s, end_s)], axis=1)


@pytest.mark.parametrize(("form", "subtype"), FORMATS)
@pytest.mark.parametrize("block", [2**20, 3000])
def test_a_part_equals_the_same_samples_of_the_whole(
    tmp_path: Path, samples: np.ndarray, form: str, subtype: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, samples, form, subtype)
    whole = decode(path)[0].numpy()
    monkeypatch.setattr(decoders, "_BLOCK", block)
    np.testing.assert_array_equal(decode(path)[0].numpy(), whole)
    for start_s, end_s in PARTS:
        stop = None if math.isinf(end_s) else round(end_s * RATE)
        np.testing.assert_array_equal(part(path, start_s, end_s), whole[:, round(start_s * RATE) : stop])


def test_a_part_of_a_file_decoded_by_ffmpeg(tmp_path: Path, samples: np.ndarray) -> None:
    path = tmp_path / "clip.m4a"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=RATE, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), "fltp", "stereo")
        frame.sample_rate = RATE
        out.mux([*stream.encode(frame), *stream.encode(None)])
    whole = decode(path)[0].numpy()
    for start_s, end_s in PARTS[:3]:
        wanted = whole[:, round(start_s * RATE) : round(end_s * RATE)]
        np.testing.assert_array_equal(part(path, start_s, end_s), wanted)


def test_the_level_is_that_of_the_part(tmp_path: Path, samples: np.ndarray) -> None:
    path = write(tmp_path, samples, "FLAC", "PCM_16")
    waveform = load_audio(path, RATE, 1.0, 1.5)
    cut = decode(path)[0][:, RATE : round(1.5 * RATE)].double().mean(dim=0)
    cut -= cut.mean()
    torch.testing.assert_close(waveform, (cut / cut.abs().max()).float())


def test_nothing_after_a_part_is_read(tmp_path: Path, samples: np.ndarray) -> None:
    samples[int(3 * RATE) :] = np.nan
    path = write(tmp_path, samples, "WAV", "FLOAT")
    assert len(load_audio(path, RATE, 1.0, 3.0)) == 2 * RATE
    with pytest.raises(AudioError, match="NaN"):
        load_audio(path, RATE, 1.0, 3.1)


@pytest.mark.parametrize(("form", "subtype"), [("WAV", "PCM_16"), ("OGG", "VORBIS")])
@pytest.mark.parametrize(
    ("start_s", "end_s"), [(4.0, 5.2), (5.0, None), (6.0, 7.0), (0.0, 60.0), (1.0, 1.00001), (3.0, 2.0)]
)
def test_a_part_outside_the_file_is_a_bad_segment(
    tmp_path: Path, samples: np.ndarray, form: str, subtype: str, start_s: float, end_s: float | None
) -> None:
    path = write(tmp_path, samples, form, subtype)
    with pytest.raises(AudioError) as error:
        load_audio(path, start_s=start_s, end_s=end_s)
    assert error.value.reason == "bad-segment"
    assert str(path) in error.value.detail
