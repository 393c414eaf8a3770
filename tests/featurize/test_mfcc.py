"""MFCCs equal the formulas in NumPy; properties of clips of any length."""

from typing import Any

import numpy as np
import pytest
import torch
import torchaudio
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from featurize import mfcc
from featurize.mfcc import MfccParams, mfcc_40


def noise(num_samples: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(num_samples, generator=torch.Generator().manual_seed(seed)) * 0.1


def reference(waveform: torch.Tensor, params: MfccParams) -> np.ndarray:
    """Frames, Hamming window, power spectrum, mel bands, decibels over an 80 dB floor, DCT-II."""
    x = waveform.double().numpy()
    x = np.pad(x, (0, max(0, params.n_fft // 2 + 1 - len(x))))
    x = np.pad(x, params.n_fft // 2, mode="reflect")
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(params.win_length) / params.win_length)
    left = (params.n_fft - params.win_length) // 2
    window = np.pad(window, (left, params.n_fft - params.win_length - left))
    starts = range(0, len(x) - params.n_fft + 1, params.hop_length)
    power = np.array([np.abs(np.fft.rfft(window * x[s : s + params.n_fft])) ** 2 for s in starts])
    bands = torchaudio.functional.melscale_fbanks(
        params.n_fft // 2 + 1, params.f_min, params.f_max, params.n_mels, 16_000
    )
    decibels = 10 * np.log10(np.maximum(power @ bands.double().numpy(), 1e-10))  # (frames, mels)
    decibels = np.maximum(decibels, decibels.max() - 80)
    m = np.arange(params.n_mels)
    basis = np.array([np.cos(np.pi / params.n_mels * (m + 0.5) * k) for k in range(params.n_mfcc)])
    basis *= np.sqrt(2 / params.n_mels)
    basis[0] /= np.sqrt(2)
    return basis @ decibels.T


@pytest.mark.parametrize(
    "params",
    [
        MfccParams(),
        MfccParams(n_mfcc=13, n_mels=40, n_fft=400, hop_length=200),
        MfccParams(n_mfcc=20, n_fft=1024, win_length=801, f_min=0, f_max=4000),
    ],
)
@pytest.mark.parametrize("num_samples", [1, 200, 257, 4000, 16_123])
def test_equals_the_formulas(params: MfccParams, num_samples: int) -> None:
    waveform = noise(num_samples)
    waveform[num_samples // 2 :] *= 1e-4  # so that the 80 dB floor is reached
    np.testing.assert_allclose(mfcc_40(waveform, params=params), reference(waveform, params), atol=2e-3)


def test_the_hann_window_gives_other_features() -> None:
    waveform = noise(4000)
    assert not torch.allclose(mfcc_40(waveform), mfcc_40(waveform, params=MfccParams(window="hann")))


@settings(deadline=None)
@given(num_samples=st.integers(1, 3000), hop_length=st.sampled_from([80, 160, 400]))
def test_number_of_frames(num_samples: int, hop_length: int) -> None:
    params = MfccParams(hop_length=hop_length)
    features = mfcc_40(noise(num_samples), params=params)
    assert features.shape == (40, 1 + max(num_samples, 257) // hop_length)
    assert features.shape[1] == params.num_frames(num_samples)
    assert features.dtype == torch.float32
    assert torch.isfinite(features).all()


def test_silence_is_finite() -> None:
    features = mfcc_40(torch.zeros(1000))
    assert torch.isfinite(features).all()
    assert mfcc_40(torch.zeros(0)).shape == (40, 2)


def test_n_mfcc_in_place_of_the_params() -> None:
    waveform = noise(4000)
    torch.testing.assert_close(mfcc_40(waveform, 13), mfcc_40(waveform)[:13])
    with pytest.raises(ValueError, match="n_mels"):
        mfcc_40(waveform, 65)


def test_a_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="num_samples"):
        mfcc_40(torch.zeros(2, 1000))


@pytest.mark.parametrize(
    "bad",
    [
        {"n_mfcc": 65},
        {"n_mfcc": 0},
        {"win_length": 513},
        {"f_min": 8000},
        {"f_max": 8001},
        {"hop_length": 0},
        {"window": "boxcar"},
        {"nmfcc": 13},
    ],
)
def test_bad_params(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MfccParams(**bad)


@pytest.mark.parametrize("params", [MfccParams(), MfccParams(n_fft=400, win_length=320, hop_length=100)])
@pytest.mark.parametrize("extra", [0, 1, 79, 80, 159])
def test_a_long_clip_in_blocks_is_torchaudios(params: MfccParams, extra: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(mfcc, "BLOCK", 50)
    waveform = torch.randn(23_200 + extra, generator=torch.Generator().manual_seed(0))
    waveform[8_000:12_000] *= 1e-6  # below the floor that the loudest band of the whole clip sets
    ours = mfcc_40(waveform, params=params)
    monkeypatch.setattr(mfcc, "BLOCK", 10**6)
    assert ours.shape == (params.n_mfcc, params.num_frames(len(waveform)))
    torch.testing.assert_close(ours, mfcc_40(waveform, params=params), rtol=0, atol=2e-4)
