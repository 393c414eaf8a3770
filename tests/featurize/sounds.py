"""Test signals: tones, noise, files in all formats, and checks of waveforms."""

from pathlib import Path

import av
import numpy as np
import pytest
import torch

from featurize.audio import SAMPLE_RATE, load_audio
from featurize.errors import AudioError


def tone(num_samples: int = 16_000, rate: int = SAMPLE_RATE, hz: float = 440.0) -> np.ndarray:
    """A sine of amplitude 0.4."""
    return (0.4 * np.sin(2 * np.pi * hz * np.arange(num_samples) / rate)).astype(np.float32)


def noise(num_samples: int, num_channels: int = 2) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, (num_samples, num_channels)).astype(np.float32)


def encode(
    path: Path, codec: str, rate: int, layout: str = "mono", options: dict[str, str] | None = None
) -> None:
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


def encode_tracks(path: Path, codec: str, rate: int, *tracks: np.ndarray) -> Path:
    """Audio tracks (num_channels, num_samples), side by side in an MKV, MP4... of one or two channels each."""
    with av.open(path, "w") as container:
        layouts = ["mono" if len(samples) == 1 else "stereo" for samples in tracks]
        streams = [container.add_stream(codec, rate=rate, layout=layout) for layout in layouts]
        for stream, layout, samples in zip(streams, layouts, tracks, strict=True):
            context = stream.codec_context
            fit = av.AudioResampler(context.format, layout, rate, frame_size=context.frame_size or 1024)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
            frame.sample_rate = rate
            for part in [*fit.resample(frame), *fit.resample(None)]:
                container.mux(stream.encode(part))
            container.mux(stream.encode(None))
    return path


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
