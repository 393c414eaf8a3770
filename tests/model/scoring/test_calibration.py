"""Temperature scaling recovers a known temperature, and stays within its bounds."""

import pytest
import torch
from torch import Tensor

from model.scoring.calibration import BOUNDS, fit_temperature


def drawn(
    temperature: float, num_clips: int = 20_000, num_classes: int = 4, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Logits whose softmax at `temperature` is the truth that labels are drawn from."""
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(num_clips, num_classes, generator=generator)
    labels = torch.multinomial(torch.softmax(logits / temperature, 1), 1, generator=generator).squeeze(1)
    return logits, labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_known_temperature_is_recovered(temperature: float) -> None:
    assert fit_temperature(*drawn(temperature)) == pytest.approx(temperature, rel=0.05)


def test_no_other_temperature_has_a_lower_loss() -> None:
    logits, labels = drawn(2.0, num_clips=5000)
    best = fit_temperature(logits, labels)

    def loss(temperature: float) -> float:
        return float(torch.nn.functional.cross_entropy(logits.double() / temperature, labels))

    assert loss(best) <= min(loss(best * factor) for factor in (0.5, 0.9, 1.1, 2.0))


def test_all_correct_gives_a_confidence_that_fits_the_number_of_clips() -> None:
    """As Platt's targets have it: 8 faultless clips support a confidence of about 1 - 1 / 10, not of 1."""
    labels = torch.arange(8) % 2
    logits = 50.0 * torch.nn.functional.one_hot(labels, 2).float() - 25
    temperature = fit_temperature(logits, labels)
    confidence = torch.softmax(logits / temperature, 1).max(1).values
    assert torch.allclose(confidence, torch.full((8,), 0.95), atol=1e-3)


@pytest.mark.parametrize("scale", [0.0, 1e-6, 1e6])
@pytest.mark.parametrize("right", [True, False])
def test_it_stays_within_its_bounds(scale: float, right: bool) -> None:
    labels = torch.arange(6) % 3
    logits = scale * torch.nn.functional.one_hot(labels if right else (labels + 1) % 3, 3).float()
    assert BOUNDS[0] * 0.999 <= fit_temperature(logits, labels) <= BOUNDS[1] * 1.001


def test_logits_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        fit_temperature(torch.tensor([[float("nan"), 1.0]]), torch.tensor([0]))
    with pytest.raises(ValueError, match="finite"):
        fit_temperature(torch.zeros(0, 2), torch.zeros(0, dtype=torch.long))
