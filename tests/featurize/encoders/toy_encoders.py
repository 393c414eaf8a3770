"""Encoders of each family with random weights, a few thousand parameters, in the Hub's layout."""

from pathlib import Path
from typing import Any

import torch

SIZE, LAYERS = 16, 2
FAMILIES = ("whisper", "wav2vec2", "wav2vec2-layer", "hubert", "wavlm", "data2vec-audio")
"""`model_type` of each; wav2vec2 normalises over the whole clip, wav2vec2-layer each frame alone."""

_CONV = {"conv_dim": (8,) * 7, "num_feat_extract_layers": 7}
_TRANSFORMER: dict[str, Any] = {
    "hidden_size": SIZE,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
    "vocab_size": 8,
}


def save_toy(folder: Path, family: str, seed: int = 0, safetensors: bool = True, **changes: Any) -> Path:
    """Write config.json, preprocessor_config.json and weights of a family; `changes` go into its configuration."""
    import transformers

    torch.manual_seed(seed)
    module: Any
    extractor: Any
    if family == "whisper":
        config = transformers.WhisperConfig(
            **{
                "d_model": SIZE,
                "encoder_layers": LAYERS,
                "encoder_attention_heads": 2,
                "encoder_ffn_dim": 32,
                "decoder_layers": 1,
                "decoder_attention_heads": 2,
                "decoder_ffn_dim": 32,
                "vocab_size": 8,
                "num_mel_bins": 80,
                "max_source_positions": 1500,
                "pad_token_id": 0,
                "bos_token_id": 1,
                "eos_token_id": 2,
                "decoder_start_token_id": 1,
            }
            | changes
        )
        module, extractor = transformers.WhisperModel(config), transformers.WhisperFeatureExtractor()
    else:
        kind = family.removesuffix("-layer")
        name = {
            "wav2vec2": "Wav2Vec2",
            "hubert": "Hubert",
            "wavlm": "WavLM",
            "data2vec-audio": "Data2VecAudio",
        }[kind]
        norm = (
            {}
            if kind == "data2vec-audio"
            else {"feat_extract_norm": "layer" if "layer" in family else "group"}
        )
        config = getattr(transformers, f"{name}Config")(**_CONV | _TRANSFORMER | norm | changes)
        module = getattr(transformers, f"{name}Model")(config)
        extractor = transformers.Wav2Vec2FeatureExtractor()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.1) if parameter.ndim > 1 else None
    module.save_pretrained(folder)
    extractor.save_pretrained(folder)
    if not safetensors:
        torch.save(module.state_dict(), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    return folder
