"""What `ser inspect` prints is of the track, the channel and the encoder that are used."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from featurize.denoise import DenoiseParams
from featurize.encoders.encoder import EncodeParams, Encoder
from featurize.errors import ParamsError, WeightsError
from featurize.tier0 import Tier0Params, tier0
from featurize.vad import VadParams
from pipeline.inference.inspection import inspect
from tests.featurize.encoders.toy_encoders import save_toy
from tests.featurize.sounds import encode_tracks

RATE = 16_000
PARAMS = Tier0Params(denoise=DenoiseParams(model="none"), vad=VadParams(method="none"))


def shown(text: str, name: str) -> list[str]:
    """What is printed behind a name."""
    return [line.split(maxsplit=1)[1].strip() for line in text.splitlines() if line.startswith(name)]


def test_of_several_tracks_the_first_that_is_not_silent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, (2, 2 * RATE)).astype(np.float32)
    path = encode_tracks(tmp_path / "two.mkv", "pcm_s16le", RATE, np.zeros((1, RATE), np.float32), sound)
    inspect(path, PARAMS, channel="each")
    said = capsys.readouterr().out
    assert shown(said, "used") == ["left, track 2", "right, track 2"]
    assert shown(said, "recorded") == ["2.00 s, 16000 Hz, 2 channels"] * 2


@pytest.mark.parametrize(
    ("channel", "expected"), [(None, "mix"), ("mix", "mix"), ("left", "left"), ("right", "right")]
)
def test_the_channel_that_is_asked_for(
    tmp_path: Path, channel: str | None, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "both.wav"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, (2 * RATE, 2)), RATE)
    inspect(path, PARAMS, channel=channel)  # type: ignore[arg-type]
    assert shown(capsys.readouterr().out, "used") == [f"{expected}, track 1"]


def test_a_file_of_one_channel_has_only_that(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.wav"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 2 * RATE), RATE)
    for channel in ("each", "right"):
        inspect(path, PARAMS, channel=channel)  # type: ignore[arg-type]
        assert shown(capsys.readouterr().out, "used") == ["mono, track 1"]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_toy(tmp_path_factory.mktemp("encoder") / "toy", "whisper")


def test_the_frames_of_an_encoder_are_facts_and_a_picture(
    tmp_path: Path, toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, plot = tmp_path / "one.wav", tmp_path / "one.png"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 2 * RATE), RATE)
    encode = EncodeParams(model=str(toy), layers=(2, 1), frame_pooling=1)
    inspect(path, PARAMS, plot, encode=encode)
    said = capsys.readouterr().out
    assert shown(said, "encoder") == [f"toy, SHA-256 {Encoder(encode).files.sha256[:8]}"]
    assert shown(said, "frames") == ["100 × 2 hidden states × 16 values"]
    assert shown(said, "rate") == ["50 frames/s, 100 of speech"]
    frames = Encoder(encode)(tier0(path, PARAMS).denoised).astype(np.float64)  # (100, 2, 16)
    for place, state in enumerate(("2", "1")):
        (row,) = [line.split() for line in said.splitlines()[-4:] if line.split()[0] == state]
        x = frames[:, place]
        moving = x - x.mean(axis=0)
        norms = [np.linalg.norm(frame) for frame in moving]
        cosines = [moving[k] @ moving[k + 1] / norms[k] / norms[k + 1] for k in range(99)]
        expected = (
            np.mean([np.linalg.norm(frame) for frame in x]),
            np.mean([np.std(values) for values in x.T]),
            np.mean(cosines),
            np.abs(x).max(),
        )
        assert row[1:] == [f"{number:.2f}" for number in expected]
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert said.endswith(f"picture: {plot}\n")


def test_a_clip_of_one_frame_has_no_neighbours(
    tmp_path: Path, toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "short.wav"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, RATE // 2), RATE)
    inspect(path, PARAMS, tmp_path / "a.svg", encode=EncodeParams(model=str(toy), frame_pooling=50))
    said = capsys.readouterr().out
    assert shown(said, "rate") == ["1 frames/s, 1 of speech"]
    assert [line.split()[3] for line in said.splitlines()[-4:-1]] == ["nan"] * 3


def test_an_encoder_that_is_not_to_be_had_is_one_line(tmp_path: Path, toy: Path) -> None:
    path = tmp_path / "one.wav"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 2 * RATE), RATE)
    with pytest.raises(WeightsError, match="neither a folder nor a name of the Hub"):
        inspect(path, PARAMS, encode=EncodeParams(model=str(tmp_path / "absent")))
    with pytest.raises(ParamsError, match="toy has the hidden states 0 to 2, not 7"):
        inspect(path, PARAMS, encode=EncodeParams(model=str(toy), layers=(7,)))
