"""Waveform and spectrogram show sound at its time and frequency."""

import base64
import io
import re

import numpy as np
import pytest
from matplotlib.image import imread
from numpy.typing import NDArray

from pipeline.report.pictures.sound import HEIGHT, WIDTH, median_hz, outline, power, spectrogram_png

RATE = 16_000


def tone(hz: float, seconds: float = 1.0) -> NDArray[np.int16]:
    samples = np.arange(int(RATE * seconds))
    return np.asarray(10_000 * np.sin(2 * np.pi * hz * samples / RATE), dtype=np.int16)


def pixels(uri: str) -> NDArray[np.float32]:
    kind, _, content = uri.partition(",")
    assert kind == "data:image/png;base64"
    return np.asarray(imread(io.BytesIO(base64.b64decode(content))))


def points(path: str) -> NDArray[np.float64]:
    assert re.fullmatch(r"M[\d.]+ [\d.]+(L[\d.]+ [\d.]+)*Z", path)
    return np.array([[float(n) for n in pair.split()] for pair in path[1:-1].split("L")])


def test_outline_fills_its_box_where_there_is_sound_and_is_a_line_where_there_is_none() -> None:
    waveform = np.concatenate([np.zeros(8000, np.int16), tone(800, 0.5)])
    corners = points(outline(waveform))
    over, under = corners[: len(corners) // 2], corners[len(corners) // 2 :][::-1]
    assert over[0, 0] == 0
    assert over[-1, 0] == WIDTH
    height = under[:, 1] - over[:, 1]
    assert height[: WIDTH // 2 - 2] == pytest.approx(1.0)
    assert height[WIDTH // 2 + 2 :].max() == pytest.approx(HEIGHT - 3, abs=1)


@pytest.mark.parametrize("num", [1, 5, 399, 400, 401, 16_000, 480_000])
def test_any_length_can_be_drawn(num: int) -> None:
    waveform = np.full(num, -32_768, dtype=np.int16)
    corners = points(outline(waveform))
    assert corners.min() >= 0
    assert corners[:, 0].max() <= WIDTH
    assert corners[:, 1].max() <= HEIGHT
    spectrum = power(waveform)
    assert 1 <= len(spectrum) <= WIDTH
    assert np.isfinite(spectrum).all()
    assert pixels(spectrogram_png(spectrum)).shape[1] == len(spectrum)


@pytest.mark.parametrize("hz", [300.0, 1000.0, 5000.0])
def test_a_tone_stands_at_its_height(hz: float) -> None:
    spectrum = power(tone(hz))
    assert median_hz(spectrum, RATE) == pytest.approx(hz, abs=50)
    ink = pixels(spectrogram_png(spectrum))
    assert (ink[..., :3] == 0).all()
    loudest = ink[:, ink.shape[1] // 2, 3].argmax()  # from the top
    assert (1 - (loudest + 0.5) / len(ink)) * RATE / 2 == pytest.approx(hz, abs=RATE / 2 / len(ink))


def test_silence_is_white() -> None:
    spectrum = power(np.zeros(4000, np.int16))
    assert not np.isnan(pixels(spectrogram_png(spectrum))).any()
    assert median_hz(spectrum, RATE) == 0


def test_columns_follow_time() -> None:
    waveform = np.concatenate([np.zeros(RATE, np.int16), tone(1000)])
    ink = pixels(spectrogram_png(power(waveform)))[..., 3].max(axis=0)
    half = len(ink) // 2
    assert ink[: half - 3].max() == 0
    assert ink[half + 3 :].min() > 0.9
