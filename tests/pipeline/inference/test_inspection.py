"""What `ser inspect` prints is of the track and the channel that are used."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from featurize.denoise import DenoiseParams
from featurize.tier0 import Tier0Params
from featurize.vad import VadParams
from pipeline.inference.inspection import inspect
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
