"""From the samples of a clip to the hidden states of an encoder, one clip at a time.

Whisper (Radford et al. 2023, "Robust Speech Recognition via Large-Scale Weak Supervision") was trained on windows of
30 s, and its extractor pads every clip to them. Here a clip is encoded without that padding, which takes as many times
less arithmetic as the clip is shorter, with 0.25 s of silence behind: its frames differ from those of the padded
window (mean cosine 0.93), and serve as well.

wav2vec 2.0, HuBERT, WavLM and data2vec take the samples as they are. Some of them normalise over the whole input
(group norm), or smear it (stacked positional convolutions): padded in a batch, a clip's frames would depend on its
neighbours. A clip alone has no padding, and at 3 s it keeps a core busy.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from featurize.audio import SAMPLE_RATE
from featurize.encoders.hub import EncoderFiles
from featurize.errors import WeightsError

FRAME_SAMPLES = 320
"""20 ms: the frames of all families."""
SILENCE_SAMPLES = SAMPLE_RATE // 4
"""Behind a clip that Whisper encodes."""
SHORTEST_SAMPLES = 400
"""What the convolutions of wav2vec 2.0 need for one frame; shorter clips are padded with zeros."""

CLASSES = {
    "whisper": "WhisperForAudioClassification",
    "wav2vec2": "Wav2Vec2Model",
    "hubert": "HubertModel",
    "wavlm": "WavLMModel",
    "data2vec-audio": "Data2VecAudioModel",
}
"""`model_type` of config.json → class of transformers that loads the encoder, and no decoder."""
_UNTRAINED = ("classifier.", "projector.", "masked_spec_embed")
"""Parameters that are no part of the encoder as it is used here."""


class HiddenStates(Protocol):
    """What all families have in common."""

    num_states: int
    """Hidden states of a frame: what enters the first layer, and what leaves each layer."""
    size: int
    """Of a hidden state."""

    def stop_at(self, state: int) -> None:
        """Drop the layers behind a hidden state, which is then the last one that is sure to be right."""

    def __call__(self, waveform: Tensor) -> list[Tensor]:
        """The hidden states of a clip (num_samples,): (num_frames, size) each, on the encoder's device."""


class Whisper:
    """Whisper's encoder on clips of any length up to that of its window.

    Args:
        module: `WhisperEncoder`.
        extractor: `WhisperFeatureExtractor`.
    """

    def __init__(self, module: Any, extractor: Any) -> None:
        self.module, self.extractor = module, extractor
        self.num_states, self.size = module.config.encoder_layers + 1, module.config.d_model

    def stop_at(self, state: int) -> None:
        """See `HiddenStates`."""
        self.module.layers = self.module.layers[:state]

    def __call__(self, waveform: Tensor) -> list[Tensor]:
        """See `HiddenStates`; there are ceil(num_samples / 320) frames."""
        num_frames = -(-len(waveform) // FRAME_SAMPLES)
        padded = nn.functional.pad(waveform, (0, SILENCE_SAMPLES)).numpy()
        mel = self.extractor(padded, sampling_rate=SAMPLE_RATE, padding="do_not_pad", return_tensors="pt")
        weight = self.module.conv1.weight
        x = mel["input_features"].to(weight.device, weight.dtype)  # (1, num_mel_bins, T)
        x = nn.functional.gelu(self.module.conv1(x))
        x = nn.functional.gelu(self.module.conv2(x)).transpose(1, 2)  # (1, T / 2, size)
        x = x + self.module.embed_positions.weight[: x.shape[1]]
        states = [x]
        for layer in self.module.layers:
            states.append(layer(states[-1], None))
        if len(states) == self.num_states:
            states[-1] = self.module.layer_norm(states[-1])
        return [state[0, :num_frames] for state in states]


class Wav2Vec2:
    """An encoder of the wav2vec 2.0 family.

    Args:
        module: `Wav2Vec2Model`, `HubertModel`, `WavLMModel` or `Data2VecAudioModel`.
        extractor: `Wav2Vec2FeatureExtractor`.
    """

    def __init__(self, module: Any, extractor: Any) -> None:
        self.module, self.extractor = module, extractor
        self.num_states, self.size = module.config.num_hidden_layers + 1, module.config.hidden_size

    def stop_at(self, state: int) -> None:
        """See `HiddenStates`. Large encoders normalise what leaves their last layer: there one more layer stays."""
        one_more = getattr(self.module.config, "do_stable_layer_norm", False)
        self.module.encoder.layers = self.module.encoder.layers[: max(1, state + one_more)]

    def __call__(self, waveform: Tensor) -> list[Tensor]:
        """See `HiddenStates`; there are (num_samples - 400) // 320 + 1 frames."""
        padded = nn.functional.pad(waveform, (0, max(0, SHORTEST_SAMPLES - len(waveform)))).numpy()
        values = self.extractor(padded, sampling_rate=SAMPLE_RATE, return_tensors="pt")["input_values"]
        output = self.module(values.to(self.module.device), output_hidden_states=True)
        return [state[0] for state in output.hidden_states]


def load_family(files: EncoderFiles, device: str | torch.device) -> HiddenStates:
    """Load an encoder in float32 and evaluation mode.

    Raises:
        WeightsError: `transformers` is not installed, the family is another one, or the weights do not fit.
    """
    kind = files.config.get("model_type")
    if kind not in CLASSES:
        raise WeightsError(
            f"encode.model: {files.name} is of the family {kind!r}; use one of {', '.join(CLASSES)}"
        )
    transformers = import_transformers()
    quietly(transformers)
    try:
        extractor = transformers.AutoFeatureExtractor.from_pretrained(files.folder, trust_remote_code=False)
        module, info = getattr(transformers, CLASSES[kind]).from_pretrained(
            files.folder,
            dtype=torch.float32,
            use_safetensors=files.weights.suffix == ".safetensors",
            output_loading_info=True,
        )
    except Exception as error:  # transformers raises almost any exception on damaged files
        raise WeightsError(
            f"encode.model: {files.folder} cannot be loaded: {files.weights.name} does not fit config.json, or a file"
            f" is damaged ({type(error).__name__}); get the files again"
        ) from error
    missing = sorted(name for name in info["missing_keys"] if not name.startswith(_UNTRAINED))
    if missing:
        raise WeightsError(
            f"encode.model: {files.weights} lacks {missing[0]}, one of {len(missing)} parameters of"
            f" {files.name}; is it the file of another model?"
        )
    _check_input(files, extractor, module.config)
    build: Callable[[Any, Any], HiddenStates] = Whisper if kind == "whisper" else Wav2Vec2
    module = module.encoder if kind == "whisper" else module
    return build(module.to(device).eval().requires_grad_(False), extractor)


def _check_input(files: EncoderFiles, extractor: Any, config: Any) -> None:
    if extractor.sampling_rate != SAMPLE_RATE:
        raise WeightsError(
            f"encode.model: {files.name} is for {extractor.sampling_rate} Hz, not {SAMPLE_RATE} Hz"
        )
    if (stride := int(np.prod(getattr(config, "conv_stride", FRAME_SAMPLES)))) != FRAME_SAMPLES:
        raise WeightsError(f"encode.model: {files.name} has frames of {stride} samples, not {FRAME_SAMPLES}")


def import_transformers() -> Any:
    """Import transformers.

    Raises:
        WeightsError: it is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise WeightsError(
            "encode.model: transformers is not installed; pip install 'ser[encoders]', or set encode.model: none"
        ) from error
    return transformers


def quietly(transformers: Any) -> None:
    """Let transformers print neither bars nor a report of what it did not load."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
