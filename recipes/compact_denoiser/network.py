"""The network: Demucs of the package denoiser with one layer, initialised as a filter bank.

A network with random weights needs hours to learn the identity. A single layer of Demucs (convolution, 1x1 convolution
with a gate, LSTM, 1x1 convolution with a gate, transposed convolution) can instead be initialised as a modified
discrete cosine transform and its inverse: it is then close to the identity, and training only has to learn the gain of
each band over time.
"""

import math
from typing import Any

import torch
from denoiser.demucs import Demucs
from torch import Tensor, nn

from featurize.audio import SAMPLE_RATE
from featurize.denoise import Denoiser, denoise_demucs, method_for
from recipes.compact_denoiser.params import NetworkParams

OPEN = 1.0  # initial bias of the gates: a gain of 0.73, which is compensated; at larger ones gradients vanish
SHUT = -3.0  # initial bias of the LSTM's output gates for the channels of the filter bank


def constructor_args(params: NetworkParams, *, normalize: bool = True) -> dict[str, Any]:
    """Keyword arguments of Demucs, of plain types, for the metadata of a weights file."""
    args = params.model_dump(exclude={"filter_bank"})
    return {**args, "causal": True, "normalize": normalize, "sample_rate": SAMPLE_RATE}


def build(params: NetworkParams, *, normalize: bool = True) -> Demucs:
    """A newly initialised network. In training `normalize` is off, since examples are already normalised."""
    return Demucs(**constructor_args(params, normalize=normalize))


def mdct_basis(num_bands: int) -> Tensor:
    """Windowed cosines of the MDCT (Princen and Bradley, 1986), sine window: (num_bands, 2 * num_bands).

    With a hop of num_bands, analysis and synthesis with this basis and overlap-add reconstruct the input.
    """
    sample = torch.arange(2 * num_bands, dtype=torch.float64) + 0.5
    band = torch.arange(num_bands, dtype=torch.float64) + 0.5
    window = torch.sin(math.pi / (2 * num_bands) * sample)
    cosines = torch.cos(math.pi / num_bands * torch.outer(band, sample + num_bands / 2))
    return (math.sqrt(2 / num_bands) * window * cosines).float()


@torch.no_grad()
def start_as_filter_bank(network: Demucs, noisy: Tensor) -> None:
    """Set the weights of a one-layer network so that its output is close to its input.

    Each band uses two channels, one per sign, since the ReLU of the layer removes negative values. The remaining
    channels keep their random weights.

    Args:
        network: built with depth 1, kernel_size = 2 * stride and hidden >= 2 * stride; changed in place.
        noisy: (batch, num_samples) examples; each band is scaled by its level in them.
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
    """Samples of silence to add before and after a clip, and to remove after the network.

    The windows of the filter bank overlap by half: without padding, the first and the last half window (8 ms) are not
    reconstructed, and a clip that begins with speech would begin with a click.
    """
    return int(network.kernel_size - network.stride) if network.depth == 1 else 0


def enhance(network: Demucs, noisy: Tensor) -> Tensor:
    """Denoise one clip as the pipeline does, (num_samples,) → (num_samples,)."""
    return denoise_demucs(noisy, denoiser=Denoiser("compact", "", method_for(network), edge=edge(network)))
