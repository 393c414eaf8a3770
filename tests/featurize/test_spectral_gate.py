"""The baseline equals the package noisereduce, and handles silence."""

from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pytest
import torch

pytest.importorskip("noisereduce", reason="the optional package noisereduce is not installed")

from noisereduce import reduce_noise

from featurize import spectral_gate
from featurize.denoise import DenoiseParams, denoise_clips, denoise_demucs, load_denoiser
from featurize.errors import WeightsError


def test_it_equals_the_package_with_its_defaults() -> None:
    denoiser = load_denoiser(DenoiseParams(model="noisereduce"))
    assert (denoiser.name, denoiser.sha256) == (f"noisereduce {version('noisereduce')}", "")
    clips = {n: torch.randn(n, generator=torch.Generator().manual_seed(n)) for n in (1, 2, 500, 20_000)}
    together = {key: clean for key, clean, _ in denoise_clips(clips.items(), denoiser)}
    for key, clip in clips.items():
        alone = denoise_demucs(clip, denoiser=denoiser)
        assert alone.shape == clip.shape
        assert alone.dtype == torch.float32
        assert torch.equal(alone, together[key])
    expected = reduce_noise(y=clips[20_000].numpy(), sr=16_000)
    np.testing.assert_array_equal(together[20_000].numpy(), expected)


def test_silence_stays_silence() -> None:
    denoiser = load_denoiser(DenoiseParams(model="noisereduce"))
    assert torch.equal(denoise_demucs(torch.zeros(5_000), denoiser=denoiser), torch.zeros(5_000))
    assert torch.isfinite(denoise_demucs(torch.eye(1, 700_000)[0], denoiser=denoiser)).all()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(spectral_gate, "version", missing)
    with pytest.raises(WeightsError, match="noisereduce, and that package is not installed") as caught:
        load_denoiser(DenoiseParams(model="noisereduce"))
    assert "\n" not in str(caught.value)
