"""The network and how it starts: the package denoiser's Demucs, one layer deep, begun as a filter bank.

Random weights need hours merely to learn to pass sound through. A single layer of Demucs (convolution, 1x1
with a gate, LSTM, 1x1 with a gate, transposed convolution) can start as a modified discrete cosine transform
and its inverse instead: the network is born as almost the identity, and all of training goes into which bands
to close, and when.
"""

import math
from typing import Any

import torch
from denoiser.demucs import Demucs
from torch import Tensor, nn

from featurize.audio import SAMPLE_RATE
from featurize.denoise import Denoiser, denoise_demucs, method_for
from recipes.compact_denoiser.params import NetworkParams

OPEN = 1.0  # bias of the gates at the start: 73 % open, and compensated for; wider open would learn slowly
SHUT = -3.0  # bias of the LSTM's output gates on channels that carry sound


def constructor_args(params: NetworkParams, *, normalize: bool = True) -> dict[str, Any]:
    """Keyword arguments of Demucs, all plain types: what a weights file has to carry."""
    args = params.model_dump(exclude={"filter_bank"})
    return {**args, "causal": True, "normalize": normalize, "sample_rate": SAMPLE_RATE}


def build(params: NetworkParams, *, normalize: bool = True) -> Demucs:
    """A freshly initialised network. In training `normalize` is off: examples come at their level already."""
    return Demucs(**constructor_args(params, normalize=normalize))


def mdct_basis(num_bands: int) -> Tensor:
    """Windowed cosines of the MDCT (Princen and Bradley, 1986), sine window: (num_bands, 2 * num_bands).

    Frames hop by num_bands; analysis and synthesis with the same rows and overlap-add give the input back.
    """
    sample = torch.arange(2 * num_bands, dtype=torch.float64) + 0.5
    band = torch.arange(num_bands, dtype=torch.float64) + 0.5
    window = torch.sin(math.pi / (2 * num_bands) * sample)
    cosines = torch.cos(math.pi / num_bands * torch.outer(band, sample + num_bands / 2))
    return (math.sqrt(2 / num_bands) * window * cosines).float()


@torch.no_grad()
def start_as_filter_bank(network: Demucs, noisy: Tensor) -> None:
    """Set a one-layer network's weights so that it passes its input.

    Each band takes two channels, one per sign, since the layer's ReLU drops negative values. Channels left
    over keep their random start.

    Args:
        network: built with depth 1, kernel_size = 2 * stride and hidden >= 2 * stride; changed in place.
        noisy: (batch, num_samples) examples; each band is scaled to their level, so that the LSTM hears all.
    """
    bands, hidden = network.stride, network.hidden
    sound = 2 * bands
    basis = mdct_basis(bands)
    level = nn.functional.conv1d(noisy[:, None], basis[:, None], stride=bands).square().mean((0, 2)).sqrt()
    analysis, synthesis = basis / level[:, None], basis * level[:, None]
    (first, _, mix_in, _), (mix_out, _, last) = network.encoder[0], network.decoder[0]
    first.weight[:sound, 0] = torch.cat([analysis, -analysis])
    first.bias[:sound] = 0
    for mix, spread in ((mix_in, 0.1), (mix_out, 0.5)):
        nn.init.normal_(mix.weight[hidden:], std=spread / math.sqrt(hidden))
        mix.weight[:sound] = 0
        mix.weight[:sound, :sound, 0] = torch.eye(sound) / torch.sigmoid(torch.tensor(OPEN))
        mix.bias.zero_()
        mix.bias[hidden : hidden + sound] = OPEN
    last.weight.zero_()
    last.weight[:sound, 0] = torch.cat([synthesis, -synthesis])
    last.bias.zero_()
    network.lstm.lstm.bias_hh_l1[3 * hidden : 3 * hidden + sound] = SHUT


def edge(network: Demucs) -> int:
    """Samples of silence to put before and after a clip, and to cut off again.

    The windows of a filter bank overlap by half: without more sound, or silence, on their other side the first
    and the last half window (8 ms) do not add up, and a clip that begins in mid-speech would begin with a click.
    """
    return int(network.kernel_size - network.stride) if network.depth == 1 else 0


def enhance(network: Demucs, noisy: Tensor) -> Tensor:
    """One clip as the pipeline will denoise it, (num_samples,) → (num_samples,)."""
    return denoise_demucs(noisy, denoiser=Denoiser("compact", "", method_for(network), edge=edge(network)))
