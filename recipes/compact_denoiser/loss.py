"""The training loss, and SI-SDR, the score on validation data."""

import torch
from torch import Tensor, nn

from recipes.compact_denoiser.params import LossParams


def si_sdr(estimate: Tensor, target: Tensor, epsilon: float = 1e-10) -> Tensor:
    """Scale-invariant signal-to-distortion ratio in dB (Le Roux et al., 2019): (..., num_samples) → (...)."""
    estimate = estimate - estimate.mean(dim=-1, keepdim=True)
    target = target - target.mean(dim=-1, keepdim=True)
    scale = (estimate * target).sum(-1, keepdim=True) / (target.square().sum(-1, keepdim=True) + epsilon)
    wanted = scale * target
    error = estimate - wanted
    return 10 * torch.log10((wanted.square().sum(-1) + epsilon) / (error.square().sum(-1) + epsilon))


def thresholded_sdr(estimate: Tensor, target: Tensor, floor_db: float) -> Tensor:
    """Signal-to-distortion ratio in dB that saturates at `floor_db`: (..., num_samples) → (...).

    It is not scale-invariant, so that the network preserves the level of the speech. The soft threshold
    (Wisdom et al., 2020) limits the weight of examples that are already clean.
    """
    power = target.square().sum(-1) + 1e-6
    error = (estimate - target).square().sum(-1)
    return -10 * torch.log10(error / power + 10 ** (-floor_db / 10))


class SpectralLoss(nn.Module):
    """Multi-resolution STFT loss (Yamamoto et al., 2020): spectral convergence and log-magnitude distance.

    Magnitudes below `floor` (the input's standard deviation is about 1) are treated as equal: recordings differ in
    their noise floor, whose logarithm would otherwise dominate the loss. Windows overlap by half; the usual three
    quarters cost twice as much.
    """

    def __init__(self, n_ffts: tuple[int, ...], floor: float = 3e-3) -> None:
        super().__init__()
        self.n_ffts = n_ffts
        self.floor = floor
        for n_fft in n_ffts:
            self.register_buffer(f"window_{n_fft}", torch.hann_window(n_fft), persistent=False)

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """(batch, num_samples) twice → scalar."""
        total = estimate.new_zeros(())
        for n_fft in self.n_ffts:
            ours, theirs = self._magnitude(estimate, n_fft), self._magnitude(target, n_fft)
            convergence = (ours - theirs).square().sum((1, 2)) / theirs.square().sum((1, 2))
            total = total + (convergence + 1e-8).sqrt().mean() - 1e-4
            total = total + (ours.log() - theirs.log()).abs().mean()
        return total / len(self.n_ffts)

    def _magnitude(self, x: Tensor, n_fft: int) -> Tensor:
        window = self.get_buffer(f"window_{n_fft}")
        spectrum = torch.stft(x, n_fft, n_fft // 2, window=window, return_complex=True)  # (B, F, T)
        power = torch.view_as_real(spectrum).square().sum(-1) / window.square().sum()
        return power.clamp_min(self.floor**2).sqrt()


class DenoiserLoss(nn.Module):
    """Weighted sum of L1, multi-resolution STFT loss and the decibels to the SDR's threshold; zero at identity."""

    def __init__(self, params: LossParams) -> None:
        super().__init__()
        self.params = params
        self.spectral = SpectralLoss(params.n_ffts)

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """(batch, num_samples) twice → scalar, at least zero."""
        params = self.params
        missing_db = params.sdr_floor_db - thresholded_sdr(estimate, target, params.sdr_floor_db).mean()
        loss = params.l1 * (estimate - target).abs().mean() + params.sdr * missing_db
        spectral: Tensor = self.spectral(estimate, target)
        return loss + params.stft * spectral
