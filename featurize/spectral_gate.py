"""Spectral gating, the most common simple denoiser, as a baseline for the networks."""

from importlib.metadata import PackageNotFoundError, version

import numpy as np
import torch
from torch import Tensor

from featurize.audio import SAMPLE_RATE
from featurize.errors import WeightsError


class SpectralGate:
    """The package noisereduce (Sainburg, Thielk and Gentner 2020) at its defaults, for non-stationary noise.

    Raises:
        WeightsError: the package is not installed.
    """

    def __init__(self) -> None:
        try:
            self.name = f"noisereduce {version('noisereduce')}"
        except PackageNotFoundError as error:
            raise WeightsError(
                "denoise.model is noisereduce, and that package is not installed; run pip install noisereduce"
            ) from error

    def __call__(self, waveform: Tensor) -> Tensor:
        """Denoise one clip, (num_samples,) → (num_samples,) float32 on the CPU."""
        from noisereduce import reduce_noise  # its import takes seconds

        with np.errstate(divide="ignore", invalid="ignore"):
            clean = reduce_noise(y=waveform.cpu().float().numpy(), sr=SAMPLE_RATE, stationary=False)
        # In digital silence the gate computes 0 / 0; the output there is silence.
        return torch.from_numpy(np.nan_to_num(clean.astype(np.float32), posinf=np.inf, neginf=-np.inf))
