"""Normalisation and deltas equal a simple loop."""

import numpy as np
import torch

from model.network.normalisation import add_deltas, normalise_clips


def test_deltas_are_the_regression_formula_with_the_ends_repeated() -> None:
    rng = np.random.default_rng(0)
    lengths = [9, 1, 4]
    x = torch.full((3, 2, 9), 1e6)
    for row, length in zip(x, lengths, strict=True):
        row[:, :length] = torch.from_numpy(rng.standard_normal((2, length)))
    y = add_deltas(x, torch.tensor(lengths), 2)

    def slopes(clip: np.ndarray) -> np.ndarray:
        padded = np.pad(clip, ((0, 0), (2, 2)), mode="edge")
        later = [padded[:, 2 + n : 2 + n + clip.shape[1]] for n in (-2, -1, 1, 2)]
        return (-2 * later[0] - later[1] + later[2] + 2 * later[3]) / 10

    assert torch.equal(y[:, :2], x)
    for row, length in enumerate(lengths):
        first = slopes(x[row, :, :length].numpy())
        assert np.allclose(y[row, 2:4, :length], first, atol=1e-5)
        assert np.allclose(y[row, 4:6, :length], slopes(first), atol=1e-5)


def test_a_normalised_clip_has_mean_0_and_deviation_1_and_padding_stays_0() -> None:
    x, valid = 5 + 3 * torch.randn(2, 3, 8), torch.ones(2, 1, 8)
    valid[1, :, 5:] = 0
    y = normalise_clips(x * valid, valid)
    for row, length in enumerate((8, 5)):
        assert torch.allclose(y[row, :, :length].mean(1), torch.zeros(3), atol=1e-6)
        assert torch.allclose(y[row, :, :length].std(1, unbiased=False), torch.ones(3), atol=1e-5)
    assert torch.all(y[1, :, 5:] == 0)
