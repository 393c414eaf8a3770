"""Silero VAD's network as a plain module: many windows in one call, and no state kept between calls.

Silero publishes TorchScript that processes one window of 32 ms per call and keeps its state between calls, so a long
clip takes thousands of small calls. Only the LSTM depends on earlier windows: here the rest runs on all windows of a
block at once, with the same weights (https://github.com/snakers4/silero-vad, version 6.2, MIT).

Each clip is processed alone, in blocks of 64 windows, so the probability of a window has the same bits in a clip of
any length. They differ by up to about 1e-5 from those of Silero's own loop over single windows, which adds float32
numbers in another order and ends up farther from the exact value.
"""

import warnings
from contextlib import nullcontext
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

# Importing silero_vad sets one thread for the whole process, which halves the speed of Demucs.
_num_threads = torch.get_num_threads()
import silero_vad  # noqa: E402

torch.set_num_threads(_num_threads)

VERSION = "1"
"""Of `input_speech`. Raise it with any change that moves one of its numbers, and the VERSION of `featurize.vad` too."""
WINDOW_SAMPLES = 512
"""Samples per speech probability at 16 kHz, fixed by the network."""
CONTEXT_SAMPLES = 64
"""Samples before each window that are part of the network's input."""
BLOCK_WINDOWS = 64
"""Windows per call of the network (2 s): enough to keep a core busy, few enough for its cache."""
LEAD_IN_WINDOWS = 256
"""Windows of zeros before each clip (8 s), whose probabilities are discarded.

From a state of zeros the network misses the shouts of some RAVDESS speakers as a whole: it finds speech in 1,421 of
1,440 clips, and in 1,435 after 32 windows or more. The state goes on moving for 8 s: a dog's bark that opens a clip
has a probability of 0.73 after 32 windows, and of 0.51 after 256.
"""
SILENCE = 1e-4
"""Samples that differ by less are one value: -80 dB below a peak of 1."""
_PART = 1 << 16  # samples that are searched at once

State = tuple[Tensor, Tensor]
"""Hidden and cell state of the LSTM after the last window, each (1, batch, 128)."""


class SileroVad(nn.Module):
    """Short-time spectrum → four convolutions → LSTM → speech probability.

    A clip starts from the state after LEAD_IN_WINDOWS of silence, as if that silence were part of it.
    """

    silent_hidden: Tensor
    silent_cell: Tensor

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
        for name in ("silent_hidden", "silent_cell"):
            self.register_buffer(name, torch.zeros(1, 1, 128), persistent=False)

    def forward(self, windows: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Probability of speech in each of the windows that follow `state`.

        Args:
            windows: (batch, num_windows, 64 + 512), each with the 64 samples before it; zeros before the first.
            state: after the previous window; None at the beginning of a clip: after silence.

        Returns:
            (batch, num_windows), and the state after the last window.
        """
        batch, num_windows, _ = windows.shape
        if state is None:
            silence = (self.silent_hidden, self.silent_cell)
            state = cast(State, tuple(each.expand(-1, batch, -1).contiguous() for each in silence))
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
    network.eval().requires_grad_(False)
    silence = torch.zeros(1, LEAD_IN_WINDOWS, CONTEXT_SAMPLES + WINDOW_SAMPLES)
    _, (network.silent_hidden, network.silent_cell) = network(silence)  # from a state of zeros
    return network


def load_vad(device: str | torch.device = "cpu") -> SileroVad:
    """Load Silero VAD onto `device`. It keeps no state between calls, so threads can share it."""
    with warnings.catch_warnings():
        # silero_vad's own calls: importlib.resources.path and torch.jit.load, both deprecated.
        warnings.filterwarnings("ignore", message="path is deprecated", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=r".*torch\.jit\.load", category=DeprecationWarning)
        return from_torchscript(silero_vad.load_silero_vad()).to(device)


def speech_probabilities(waveform: Tensor, vad: SileroVad) -> Tensor:
    """Speech probability of each window of 512 samples; the last window is padded with zeros.

    Args:
        waveform: (num_samples,), 16 kHz, peak about 1.
        vad: from `load_vad`.

    Returns:
        (ceil(num_samples / 512),), float32, on the CPU.
    """
    if waveform.ndim != 1:
        raise ValueError(f"waveform has shape {tuple(waveform.shape)}, not (num_samples,)")
    num_windows = -(-len(waveform) // WINDOW_SAMPLES)
    device = next(vad.parameters()).device
    starts = range(0, num_windows, BLOCK_WINDOWS)
    probabilities = torch.zeros(len(starts) * BLOCK_WINDOWS, device=device)
    state: State | None = None
    with torch.inference_mode():
        for start in starts:
            windows = (
                _block(waveform, start).to(device).unfold(0, CONTEXT_SAMPLES + WINDOW_SAMPLES, WINDOW_SAMPLES)
            )
            block, state = vad(windows[None], state)
            probabilities[start : start + BLOCK_WINDOWS] = block[0]
    return probabilities[:num_windows].cpu()


def _block(waveform: Tensor, start: int) -> Tensor:
    """Samples of the windows from `start` on, with their context; zeros before and after the clip."""
    first = start * WINDOW_SAMPLES - CONTEXT_SAMPLES
    end = (start + BLOCK_WINDOWS) * WINDOW_SAMPLES
    inside = waveform[max(0, first) : end].float()
    before = max(0, -first)
    return torch.nn.functional.pad(inside, (before, end - first - before - len(inside)))


class InputSpeech(NamedTuple):
    """What a clip's speech looks like before the denoiser, as it is stored beside the denoised waveform."""

    sound_from: int
    """The first sample of the first window."""
    probabilities: NDArray[np.float16]
    """Of each window of 512 samples from there to the last sound, (num_windows,)."""


def input_speech(waveform: Tensor, vad: SileroVad) -> InputSpeech:
    """Speech probabilities of a clip (num_samples,) before the denoiser, from its first sound to its last."""
    start, end = first_sound(waveform), last_sound(waveform)
    return InputSpeech(start, speech_probabilities(waveform[start:end], vad).numpy().astype(np.float16))


def first_sound(waveform: Tensor) -> int:
    """The sample at which digital silence ends, a run of one value at the beginning of a clip.

    Windows are counted from it, since silence that is added would otherwise move their borders in the sound behind it.
    With this, `last_sound` and the lead-in, 0.1, 0.3, 1 or 3 s of zeros around a clip move its segments by 0.1 s or
    more in none of 200 clips of RAVDESS and 100 of EMO-DB; without them in 35 and 12.

    Args:
        waveform: (num_samples,), peak about 1. The run need not be of zeros: the clip's offset was taken out. One of
            zeros counts whatever its length, another one if it is as long as a window.

    Returns:
        0 if there is no such run, or nothing else.
    """
    for start in range(0, len(waveform), _PART):
        differs = _differs(waveform[start : start + _PART], waveform[0])
        if differs.any():
            run = start + int(differs.float().argmax())
            return run if run >= WINDOW_SAMPLES or abs(waveform[0]) <= SILENCE else 0
    return 0


def last_sound(waveform: Tensor) -> int:
    """The sample at which digital silence begins that lasts to the end; see `first_sound`.

    Behind it the network still finds speech for some windows, which would decide whether a short segment is kept.

    Returns:
        The number of samples if there is no such run, or nothing else.
    """
    length = len(waveform)
    for end in range(length, 0, -_PART):
        differs = _differs(waveform[max(0, end - _PART) : end], waveform[-1])
        if differs.any():
            last = end - len(differs) + int(differs.nonzero()[-1]) + 1
            return last if length - last >= WINDOW_SAMPLES or abs(waveform[-1]) <= SILENCE else length
    return length


def _differs(samples: Tensor, value: Tensor) -> Tensor:
    """Which samples are not of a run of one value; of zeros, if the value is next to 0."""
    return (samples - (value if abs(value) > SILENCE else 0)).abs() > SILENCE
