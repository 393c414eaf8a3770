"""Spectral gating, the denoiser that anyone would reach for: a yardstick for the networks."""

from importlib.metadata import PackageNotFoundError, version

import numpy as np
import torch
from torch import Tensor

from featurize.audio import SAMPLE_RATE
from featurize.errors import WeightsError


class SpectralGate:
    """The package noisereduce (Sainburg, Thielk and Gentner 2020) at its defaults, for noise that changes.

    Raises:
        WeightsError: the package is not installed.
    """

    def __init__(self) -> None:
        try:
            self.name = f"noisereduce {version('noisereduce')}"
        except PackageNotFoundError as error:
            raise WeightsError(
                "denoise.model is noisereduce, and that package is not installed; pip install noisereduce"
            ) from error

    def __call__(self, waveform: Tensor) -> Tensor:
        """One clip, (num_samples,) → (num_samples,) float32 on the CPU."""
        from noisereduce import reduce_noise  # its import takes seconds

        with np.errstate(divide="ignore", invalid="ignore"):
            clean = reduce_noise(y=waveform.cpu().float().numpy(), sr=SAMPLE_RATE, stationary=False)
        # The gate of a stretch of digital silence is 0 / 0; what comes out of it is silence.
        return torch.from_numpy(np.nan_to_num(clean.astype(np.float32), posinf=np.inf, neginf=-np.inf))
