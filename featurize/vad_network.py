"""Silero VAD's network as a plain module: many windows in one call, and no state kept between calls.

Silero publishes TorchScript that processes one window of 32 ms per call and keeps its state between calls, so a long
clip takes thousands of small calls. Only the LSTM depends on earlier windows: here the rest runs on all windows of a
block at once, with the same weights (silero-vad 6.2, MIT).
"""

from contextlib import nullcontext
from typing import cast

import torch
from torch import Tensor, nn

WINDOW_SAMPLES = 512
"""Samples per speech probability at 16 kHz, fixed by the network."""
CONTEXT_SAMPLES = 64
"""Samples before each window that are part of the network's input."""

State = tuple[Tensor, Tensor]
"""Hidden and cell state of the LSTM after the last window, each (1, batch, 128)."""


class SileroVad(nn.Module):
    """Short-time spectrum → four convolutions → LSTM → speech probability."""

    def __init__(self) -> None:
        super().__init__()
        self.stft = nn.Conv1d(1, 2 * 129, 256, stride=128, bias=False)  # real parts, then imaginary
        self.encoder = nn.Sequential(
            *(nn.Conv1d(129, 128, 3, padding=1), nn.ReLU()),
            *(nn.Conv1d(128, 64, 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Conv1d(64, 64, 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Conv1d(64, 128, 3, padding=1), nn.ReLU()),
        )
        self.lstm = nn.LSTM(128, 128, batch_first=True)
        self.head = nn.Conv1d(128, 1, 1)

    def forward(self, windows: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Probability of speech in each of the windows that follow `state`.

        Args:
            windows: (batch, num_windows, 64 + 512), each with the 64 samples before it; zeros before the first.
            state: after the previous window; None at the beginning of a clip.

        Returns:
            (batch, num_windows), and the state after the last window.
        """
        batch, num_windows, _ = windows.shape
        mirrored = nn.functional.pad(windows.flatten(0, 1), (0, 64), mode="reflect")
        # cuDNN would round float32 to the 10 bits of TF32. The flags are global, so they are set only on a GPU.
        exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
        with exact if windows.is_cuda else nullcontext():
            real, imaginary = self.stft(mirrored.unsqueeze(1)).chunk(2, dim=1)  # each (windows, 129, 4)
            encoded = self.encoder(torch.hypot(real, imaginary))  # (windows, 128, 1)
            encoded = encoded.view(batch, num_windows, -1)
            hidden, state = self.lstm(encoded, state)  # (batch, num_windows, 128)
            speech = self.head(hidden.relu().mT)  # (batch, 1, num_windows)
        return speech.squeeze(1).sigmoid(), cast(State, state)


def from_torchscript(script: torch.jit.ScriptModule) -> SileroVad:
    """Build the network with the weights of silero_vad's TorchScript model for 16 kHz.

    Raises:
        RuntimeError: the weights are of another architecture.
    """
    weights = script.state_dict()
    names = {"stft.weight": "stft.forward_basis_buffer"}
    for layer in range(4):
        for kind in ("weight", "bias"):
            names[f"encoder.{2 * layer}.{kind}"] = f"encoder.{layer}.reparam_conv.{kind}"
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        names[f"lstm.{name}_l0"] = f"decoder.rnn.{name}"
    for kind in ("weight", "bias"):
        names[f"head.{kind}"] = f"decoder.decoder.2.{kind}"
    network = SileroVad()
    network.load_state_dict({ours: weights[f"_model.{theirs}"] for ours, theirs in names.items()})
    return network.eval().requires_grad_(False)
