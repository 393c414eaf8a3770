"""A clip to look at: its waveform as an SVG path and its spectrogram as a small PNG, both without a colour."""

import base64
import io

import numpy as np
from matplotlib.image import imsave
from numpy.typing import NDArray

WIDTH = 400  # columns of a picture; the page stretches both to the same length
HEIGHT = 100  # of the waveform's box
WINDOW = 384  # samples, 24 ms
MAX_HOP = 160  # samples, 10 ms; longer clips are averaged, not skipped over
RANGE_DB = 60.0  # below the loudest cell; what is softer is left white
SHADES = 32


def outline(waveform: NDArray[np.int16]) -> str:
    """Envelope of a waveform: an SVG path in a box of WIDTH by HEIGHT.

    Shape:
        waveform: (num_samples,)
    """
    columns = np.array_split(waveform.astype(np.float64), min(WIDTH, len(waveform)))
    highest = np.array([column.max() for column in columns])
    lowest = np.array([column.min() for column in columns])
    loudest = max(float(np.abs(waveform.astype(np.float64)).max()), 1.0)
    middle, gain = HEIGHT / 2, (HEIGHT / 2 - 2) / loudest
    x = np.linspace(0, WIDTH, len(columns))
    # Half a unit on either side keeps silence visible as a line.
    over = [f"{at:.0f} {middle - value * gain - 0.5:.1f}" for at, value in zip(x, highest, strict=True)]
    under = [f"{at:.0f} {middle - value * gain + 0.5:.1f}" for at, value in zip(x, lowest, strict=True)]
    return "M" + "L".join(over + under[::-1]) + "Z"


def power(waveform: NDArray[np.int16]) -> NDArray[np.float64]:
    """Power spectrogram in a Hann window of 24 ms, at most WIDTH columns.

    Shape:
        waveform: (num_samples,)
        return: (num_columns, WINDOW // 2), evenly from 0 Hz to half the sample rate
    """
    hop = int(np.clip(len(waveform) // WIDTH, 40, MAX_HOP))
    padded = np.pad(waveform.astype(np.float32), WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::hop]  # (num_frames, WINDOW)
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32), axis=1)[:, :-1]) ** 2
    starts = np.unique(np.linspace(0, len(frames), WIDTH, endpoint=False).astype(np.int64))
    sizes = np.diff([*starts, len(frames)])
    return np.asarray(np.add.reduceat(spectrum, starts, axis=0) / sizes[:, None], dtype=np.float64)


def spectrogram_png(spectrum: NDArray[np.float64]) -> str:
    """A spectrogram as a data URI: black ink, the louder the less transparent; the page inverts it by night.

    Shape:
        spectrum: (num_columns, num_bins) power
    """
    cells = spectrum.reshape(len(spectrum), -1, 2).mean(axis=2)  # (num_columns, num_bins / 2)
    loudest = max(float(cells.max()), 1e-9)
    decibels = 10 * np.log10(np.maximum(cells / loudest, 10 ** (-RANGE_DB / 10)))
    level = (1 + decibels / RANGE_DB) ** 1.4
    ink = np.zeros((cells.shape[1], cells.shape[0], 4), dtype=np.uint8)
    ink[..., 3] = np.rint(np.rint(level.T[::-1] * (SHADES - 1)) * 255 / (SHADES - 1))
    file = io.BytesIO()
    imsave(file, ink, format="png", metadata={"Software": "ser"}, pil_kwargs={"compress_level": 6})
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def median_hz(spectrum: NDArray[np.float64], sample_rate: int) -> float:
    """Frequency below which half of the energy lies."""
    energy = np.cumsum(spectrum.sum(axis=0))
    column = int(np.searchsorted(energy, energy[-1] / 2))
    return float(column * sample_rate / (2 * spectrum.shape[1]))
